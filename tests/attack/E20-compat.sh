# shellcheck shell=bash disable=SC2034,SC2154 # sourced by tests/lib/attack.sh, which says what the functions are
# SPDX-License-Identifier: Apache-2.0
# E20: the 32-bit system call table.
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
	deny "$D/secret" open32 "$D/secret"
	allow open32 "$D/open"
}
