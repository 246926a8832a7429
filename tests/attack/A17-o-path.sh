# shellcheck shell=bash disable=SC2034,SC2154 # sourced by tests/lib/attack.sh, which says what the functions are
# SPDX-License-Identifier: Apache-2.0
# A17: an O_PATH descriptor may be had; every use of it is judged.
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
	deny "$D/secret" reopen path "$D/secret" read
	deny "$D/secret" reopen path "$D/secret" write
	deny "$D/secret" chmod-path 0644 "$D/secret"
	allow reopen path "$D/open" read
	allow open path "$D/secret"
}
