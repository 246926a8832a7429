# shellcheck shell=bash disable=SC2034,SC2154 # sourced by tests/lib/attack.sh, which says what the functions are
# SPDX-License-Identifier: Apache-2.0
# A06: the file itself gets another name.
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
	deny "$D/secret" rename "$D/secret" "$D/s2"
	deny "$D/secret" exchange "$D/secret" "$D/open"
	deny "$D/secret" exchange "$D/open" "$D/secret"
	allow rename "$D/open" "$D/o2"
}
