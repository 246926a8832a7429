# shellcheck shell=bash disable=SC2034,SC2154 # sourced by tests/lib/attack.sh, which says what the functions are
# SPDX-License-Identifier: Apache-2.0
# E04: a program on the allow-list that was deleted after it was opened: its last name is not a name.
#
#   $D
#   ├── tool    may run
#   └── doomed  may run, until it is unlinked
policy_of() {
	cat <<-EOF
		exec:
		  default: deny
		  allow: [$TRY, $D/tool, $D/doomed]
	EOF
}
tree() { cp "$TRY" tool && cp "$TRY" doomed; }
acts() {
	[[ $phase != refused ]] || attack_again exec "$D/doomed" open read /etc/hostname || wrong+="it does not run before"$'\n'
	deny anonymous exec-deleted "$D/doomed" open read /etc/hostname
	allow exec "$D/tool" open read /etc/hostname
}
# Unlinking it is the outsider's part.
fingerprint() { sha256sum "$D/tool"; }
recorded() { echo "SELECT reason FROM e WHERE cgroup = '/attack/$id.scope' AND verdict = 'deny'"; }
