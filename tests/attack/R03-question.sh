# shellcheck shell=bash disable=SC2034,SC2154 # sourced by tests/lib/attack.sh, which says what the functions are
# SPDX-License-Identifier: Apache-2.0
# `?` is exactly one byte, whatever it is.
#
#   $D
#   ├── k1y  kÿy       refused: the second as the one byte 0xff
#   └── ky  k12y  kéy  none, two, and two bytes of UTF-8
policy_of() {
	cat <<-EOF
		file:
		  deny: ["$D/k?y"]
	EOF
}
tree() { echo secret | tee k1y $'k\xffy' >/dev/null && echo open | tee ky k12y >kéy; }
acts() {
	deny "$D/k1y" open read "$D/k1y"
	deny "$D/k?y" open read "$D/"$'k\xffy'
	allow open read "$D/ky"
	allow open read "$D/k12y"
	allow open read "$D/kéy"
}
# The second name is no text; its bytes are compared by A22.
recorded() { echo "SELECT CASE WHEN path LIKE '%/k1y' THEN path ELSE '$D/k?y' END AS path FROM e
	WHERE cgroup = '/attack/$id.scope' AND verdict = 'deny' ORDER BY path"; }
