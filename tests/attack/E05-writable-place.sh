# shellcheck shell=bash disable=SC2034,SC2154 # sourced by tests/lib/attack.sh, which says what the functions are
# SPDX-License-Identifier: Apache-2.0
# E05, E14: a copy of an allowed program, in another place, under an allow-list; and what the list does not name.
#
#   $D
#   ├── tool      may run
#   └── tmp/tool  the same bytes
policy_of() {
	cat <<-EOF
		exec:
		  default: deny
		  allow: [$TRY, $D/tool]
	EOF
}
tree() { mkdir tmp && cp "$TRY" tool && cp tool tmp/tool; }
acts() {
	deny "$D/tmp/tool" exec "$D/tmp/tool" open read /etc/hostname
	deny "$D/tmp/tool" exec-at "$D/tmp/tool" open read /etc/hostname
	deny "$D/tmp/tool" chroot "$D/tmp" exec /tool open read /
	deny /usr/bin/true exec /usr/bin/true
	allow exec "$D/tool" open read /etc/hostname
}
