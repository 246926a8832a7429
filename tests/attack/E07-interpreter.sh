# shellcheck shell=bash disable=SC2034,SC2154 # sourced by tests/lib/attack.sh, which says what the functions are
# SPDX-License-Identifier: Apache-2.0
# E07: a script and its interpreter are both judged.
#
#   $D
#   ├── sh            refused
#   ├── good          allowed interpreter
#   ├── script        #!good, refused itself
#   ├── by-sh         #!sh
#   ├── by-by-sh      #!by-sh: two levels
#   └── fine          #!good
policy_of() {
	cat <<-EOF
		exec:
		  deny: [$D/sh, $D/script]
	EOF
}
tree() {
	cp "$TRY" sh && cp "$TRY" good
	printf '#!%s accept\n' "$D/good" | tee script >fine && printf '#!%s accept\n' "$D/sh" >by-sh
	printf '#!%s\n' "$D/by-sh" >by-by-sh && chmod 0755 script fine by-sh by-by-sh
}
acts() {
	deny "$D/script" exec "$D/script"
	deny "$D/sh" exec "$D/by-sh"
	deny "$D/sh" exec "$D/by-by-sh"
	allow exec "$D/fine"
}
