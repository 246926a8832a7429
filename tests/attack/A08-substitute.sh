# shellcheck shell=bash disable=SC2034,SC2154 # sourced by tests/lib/attack.sh, which says what the functions are
# SPDX-License-Identifier: Apache-2.0
# A08: another file takes the protected name.
#
#   $D
#   ├── passwd   may be read, not replaced
#   └── evil
policy_of() {
	cat <<-EOF
		file:
		  deny: [{path: $D/passwd, ops: [write, create, delete, rename]}]
	EOF
}
tree() { echo passwd >passwd && echo evil >evil; }
acts() {
	deny "$D/passwd" rename "$D/evil" "$D/passwd"
	deny "$D/passwd" exchange "$D/evil" "$D/passwd"
	deny "$D/passwd" exchange "$D/passwd" "$D/evil"
	allow open read "$D/passwd"
	allow rename "$D/evil" "$D/elsewhere"
}
