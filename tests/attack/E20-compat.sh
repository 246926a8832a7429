# shellcheck shell=bash disable=SC2034,SC2154 # sourced by tests/lib/attack.sh, which says what the functions are
# SPDX-License-Identifier: Apache-2.0
# E20: the 32-bit system call table.
#
#   $D
#   ├── secret   refused
#   ├── open
#   ├── prog     may not be run
#   └── tool     may run
policy_of() {
	cat <<-EOF
		exec:
		  deny: [$D/prog]
		file:
		  deny: [$D/secret]
	EOF
}
tree() { echo secret >secret && echo open >open && cp /usr/bin/true prog && cp prog tool; }
acts() {
	deny "$D/secret" open32 "$D/secret"
	deny "$D/prog" exec32 "$D/prog"
	allow open32 "$D/open"
	allow exec32 "$D/tool"
}
