# shellcheck shell=bash disable=SC2034,SC2094,SC2154 # sourced by tests/lib/attack.sh, which says what the functions are
# SPDX-License-Identifier: Apache-2.0
# C03: contents are cut, by name and through a descriptor from before.
#
#   $D
#   ├── log    may be read
#   └── open
policy_of() {
	cat <<-EOF
		file:
		  deny: [{path: $D/log, ops: [write]}]
	EOF
}
tree() { echo line >log && echo open >open; }
acts() {
	deny "$D/log" truncate "$D/log"
	deny "$D/log" open write,trunc "$D/log"
	deny "$D/log" open read,trunc "$D/log"
	deny "$D/log" fd-truncate 3 3<>"$D/log"
	deny "$D/log" fd-punch 3 3<>"$D/log"
	allow open read "$D/log"
	allow truncate "$D/open"
	allow open write,trunc "$D/open"
	allow fd-truncate 3 3<>"$D/open"
	allow fd-punch 3 3<>"$D/open"
}
