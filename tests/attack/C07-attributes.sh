# shellcheck shell=bash disable=SC2034,SC2154 # sourced by tests/lib/attack.sh, which says what the functions are
# SPDX-License-Identifier: Apache-2.0
# C07: mode and owner.
#
#   $D
#   ├── tool   keeps both
#   └── other  no rule's
policy_of() {
	cat <<-EOF
		file:
		  deny: [{path: $D/tool, ops: [attr]}]
	EOF
}
tree() { echo tool >tool && echo other >other; }
acts() {
	deny "$D/tool" chmod 6755 "$D/tool"
	deny "$D/tool" chmod-path 6755 "$D/tool"
	deny "$D/tool" chown 1000 "$D/tool"
	allow open rdwr "$D/tool"
	allow chmod 0600 "$D/other"
	allow chown 1000 "$D/other"
}
