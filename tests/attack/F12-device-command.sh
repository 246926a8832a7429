# shellcheck shell=bash disable=SC2034,SC2154 # sourced by tests/lib/attack.sh, which says what the functions are
# SPDX-License-Identifier: Apache-2.0
# F12: a command to a device by io_uring, which no other hook sees.
#
#   $D
#   └── open
policy_of() {
	cat <<-EOF
		file: {deny: [$D/nothing]}
	EOF
}
tree() { echo open >open; }
acts() {
	deny "kernel io_uring_sqpoll /dev/ng0n1" uring-command 3 3</dev/ng0n1
	allow uring here "$D/open"
}
recorded() { recorded_lines; }
