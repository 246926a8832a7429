# shellcheck shell=bash disable=SC2034,SC2154 # sourced by tests/lib/attack.sh, which says what the functions are
# SPDX-License-Identifier: Apache-2.0
# E19: a thread, a child, a child that shares the memory: the same answer.
#
#   $D
#   ├── secret   refused
#   ├── open
#   ├── tool     refused
#   └── other    the same program
policy_of() {
	cat <<-EOF
		exec:
		  deny: [$D/tool]
		file:
		  deny: [$D/secret]
	EOF
}
tree() { echo secret >secret && echo open >open && cp "$TRY" tool && cp "$TRY" other; }
acts() {
	local who
	for who in thread fork vfork; do
		deny "$D/secret" "$who" open read "$D/secret"
		deny "$D/tool" "$who" exec "$D/tool" open read /etc/hostname
		allow "$who" open read "$D/open"
		allow "$who" exec "$D/other" open read /etc/hostname
	done
	deny "$D/secret" fork thread fork open read "$D/secret"
}
