# shellcheck shell=bash disable=SC2034,SC2154 # sourced by tests/lib/attack.sh, which says what the functions are
# SPDX-License-Identifier: Apache-2.0
# A16: a descriptor that was allowed is opened again with more.
#
#   $D
#   ├── log    may be read, not written
#   └── other
policy_of() {
	cat <<-EOF
		file:
		  deny: [{path: $D/log, ops: [write]}]
	EOF
}
tree() { echo log >log && echo other >other; }
acts() {
	deny "$D/log" reopen read "$D/log" write
	deny "$D/log" reopen read "$D/log" read,trunc
	allow reopen read "$D/log" read
	allow reopen read "$D/other" write
}
