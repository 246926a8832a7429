# shellcheck shell=bash disable=SC2034,SC2154 # sourced by tests/lib/attack.sh, which says what the functions are
# SPDX-License-Identifier: Apache-2.0
# F21: words are put into a terminal, as if who sits there had typed them: it may be one that a shell of the host reads.
#
#   $D
#   └── secret
policy_of() {
	cat <<-EOF
		file:
		  deny: [$D/secret]
	EOF
}
recorded() { echo "SELECT reason || ' ' || op AS r FROM e WHERE cgroup = '/attack/$id.scope' AND verdict = 'deny' ORDER BY r"; }
tree() { echo secret >secret; }
acts() {
	deny "kernel device" type
	allow open rdwr /dev/ptmx
}
