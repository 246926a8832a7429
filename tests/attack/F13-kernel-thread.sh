# shellcheck shell=bash disable=SC2034,SC2154 # sourced by tests/lib/attack.sh, which says what the functions are
# SPDX-License-Identifier: Apache-2.0
# F13: threads of the kernel that work for the one who asks: the request is refused, here for a loop device.
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
tree() { echo secret >secret && modprobe loop; }
acts() {
	deny "kernel device /dev/loop-control" open rdwr /dev/loop-control
	deny "kernel device /dev/loop0" open rdwr /dev/loop0
	allow open write /dev/null
}
