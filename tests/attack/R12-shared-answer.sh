# shellcheck shell=bash disable=SC2034,SC2154 # sourced by tests/lib/attack.sh, which says what the functions are
# SPDX-License-Identifier: Apache-2.0
# What one task of a container may open another opens without being judged, if the same governs both. Not, if something more governs
# it, or if it is a program that an exception does not mean; and what was refused to those is open to the others still.
#
#   $D
#   ├── notes    open
#   ├── inner    refused by the policy of a cgroup in the container
#   ├── spared   one program may read it
#   └── reader   that program
policy_of() {
	cat <<-EOF
		file: {deny: [{path: $D/spared, ops: [read], unless: {exe: [$D/reader]}}]}
		---
		policy: ${id,,}-inner
		match: [{cgroup: /attack/$id.scope/inner}]
		file: {deny: [$D/inner]}
	EOF
}
cgroup=/inner
tree() { echo open | tee notes inner >spared && cp "$TRY" reader; }
in_container() { local cgroup=''; "$@"; }
opens() { # opens ACT...: while others are refused
	[[ $phase != refused ]] || attack_again "$@" || wrong+="try $*: is not open"$'\n'
}
acts() {
	local time
	for time in once again; do
		in_container opens open read "$D/inner"
		deny "$D/inner" open read "$D/inner"
		in_container opens open read "$D/inner"
		opens exec "$D/reader" open read "$D/spared"
		deny "$D/spared" open read "$D/spared"
		in_container opens exec "$D/reader" open read "$D/spared"
		in_container deny "$D/spared" open read "$D/spared"
	done
	allow open read "$D/notes"
	in_container allow open read "$D/inner"
}
recorded() { echo "SELECT path FROM e WHERE cgroup LIKE '/attack/$id.scope%' AND verdict = 'deny' ORDER BY path"; }
