# shellcheck shell=bash disable=SC2034,SC2154 # sourced by tests/lib/attack.sh, which says what the functions are
# SPDX-License-Identifier: Apache-2.0
# F10: io_uring opens the file, inline or in a worker of the kernel's.
#
#   $D
#   ├── secret   refused
#   └── open
policy_of() {
	cat <<-EOF
		file:
		  deny: [$D/secret]
	EOF
}
tree() { echo secret >secret && echo open >open; }
acts() {
	deny "$D/secret" uring here "$D/secret"
	deny "$D/secret" uring worker "$D/secret"
	allow uring here "$D/open"
	allow uring worker "$D/open"
}
