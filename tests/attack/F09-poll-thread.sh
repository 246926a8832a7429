# shellcheck shell=bash disable=SC2034,SC2154 # sourced by tests/lib/attack.sh, which says what the functions are
# SPDX-License-Identifier: Apache-2.0
# F09: a kernel thread that polls an io_uring, and requests with credentials that were registered before.
#
#   $D
#   ├── secret
#   └── open
policy_of() {
	cat <<-EOF
		file:
		  deny: [$D/secret]
	EOF
}
recorded() { recorded_lines; }
tree() { echo secret >secret && echo open >open; }
acts() {
	deny "kernel io_uring_sqpoll" poll-thread
	deny "kernel io_uring_sqpoll" personality "$D/open"
	allow uring here "$D/open"
	allow uring worker "$D/open"
}
