# shellcheck shell=bash disable=SC2034,SC2154 # sourced by tests/lib/attack.sh, which says what the functions are
# SPDX-License-Identifier: Apache-2.0
# E01, E02: a program that may not be run, by path, by descriptor, by magic link.
#
#   $D
#   ├── tool    refused
#   └── other   the same program
policy_of() {
	cat <<-EOF
		exec:
		  deny: [$D/tool]
	EOF
}
tree() { cp "$TRY" tool && cp "$TRY" other; }
acts() {
	local way
	for way in exec exec-at exec-magic; do
		deny "$D/tool" "$way" "$D/tool" open read /etc/hostname
		allow "$way" "$D/other" open read /etc/hostname
	done
	deny "$D/tool" fork exec "$D/tool" open read /etc/hostname
	allow fork exec "$D/other" open read /etc/hostname
	allow open read "$D/tool"
}
