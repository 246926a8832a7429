# shellcheck shell=bash disable=SC2034,SC2154 # sourced by tests/lib/attack.sh, which says what the functions are
# SPDX-License-Identifier: Apache-2.0
# C01, C03: a rule against writing covers every way to change contents, O_TRUNC of a read-only open and truncate(2)
# included; reading stays.
#
#   $D
#   ├── ledger  may be read
#   └── draft   no rule's
policy_of() {
	cat <<-EOF
		file:
		  deny: [{path: $D/ledger, ops: [write]}]
	EOF
}
tree() { echo ledger >ledger && echo draft >draft; }
acts() {
	local flags
	for flags in write rdwr write,append read,trunc write,trunc rdwr,append; do
		deny "$D/ledger" open "$flags" "$D/ledger"
		allow open "$flags" "$D/draft"
	done
	deny "$D/ledger" truncate "$D/ledger"
	allow open read "$D/ledger"
	allow truncate "$D/draft"
}
