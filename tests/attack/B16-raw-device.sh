# shellcheck shell=bash disable=SC2034,SC2154 # sourced by tests/lib/attack.sh, which says what the functions are
# SPDX-License-Identifier: Apache-2.0
# B16: block devices, the memory and the kernel's log as files, whatever node names them.
#
#   $D
#   ├── disk     the machine's own
#   ├── memory   physical memory
#   ├── log      of the kernel, to be written
#   └── null, random
policy_of() {
	cat <<-EOF
		file:
		  deny: [$D/secret]
	EOF
}
recorded() { recorded_lines; }
tree() {
	echo secret >secret && cp -a "$(find /dev -type b -name 'nvme*' | sort | head -n 1)" disk && mknod memory c 1 1 &&
		mknod log c 1 11 && mknod null c 1 3 && mknod random c 1 9
}
acts() {
	deny "kernel device $D/disk" open read "$D/disk"
	deny "kernel device $D/memory" open read "$D/memory"
	deny "kernel device $D/log" open write "$D/log"
	allow open rdwr "$D/null"
	allow open read "$D/random"
	allow open rdwr /dev/ptmx
}
