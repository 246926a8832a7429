# shellcheck shell=bash disable=SC2034,SC2154 # sourced by tests/lib/attack.sh, which says what the functions are
# SPDX-License-Identifier: Apache-2.0
# C06: removing names.
#
#   $D
#   ├── etc
#   │   ├── conf   stays
#   │   └── sub    stays, though empty
#   └── tmp        no rule's
policy_of() {
	cat <<-EOF
		file:
		  deny: [{path: "$D/etc/**", ops: [delete]}]
	EOF
}
tree() { mkdir -p etc/sub tmp/sub && echo conf | tee etc/conf >tmp/conf && echo evil >evil; }
acts() {
	deny "$D/etc/conf" unlink "$D/etc/conf"
	deny "$D/etc/sub" rmdir "$D/etc/sub"
	deny "$D/etc/conf" rename "$D/evil" "$D/etc/conf"
	allow open rdwr "$D/etc/conf"
	allow unlink "$D/tmp/conf"
	allow rmdir "$D/tmp/sub"
}
