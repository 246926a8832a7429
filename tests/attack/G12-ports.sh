# shellcheck shell=bash disable=SC2034,SC2154 # sourced by tests/lib/attack.sh, which says what the functions are
# SPDX-License-Identifier: Apache-2.0
# G12: ports, and the kernel's memory as a file of /proc.
#
#   $D
#   └── secret
policy_of() {
	cat <<-EOF
		file:
		  deny: [$D/secret]
	EOF
}
recorded() { recorded_lines; }
tree() { echo secret >secret; }
acts() {
	deny "kernel device" iopl
	deny "kernel device" ioperm
	deny "kernel device" open read /proc/kcore
	allow open read /proc/meminfo
}
