# shellcheck shell=bash disable=SC2034,SC2154 # sourced by tests/lib/attack.sh, which says what the functions are
# SPDX-License-Identifier: Apache-2.0
# E03: programs without a name, under an allow-list: in memory only, deleted, never linked. The deleted one is a program
# that may run as long as it has its name.
#
#   $D
#   ├── tool    may run
#   └── tmp     where a file without a name is made
policy_of() {
	cat <<-EOF
		exec:
		  default: deny
		  allow: [$TRY, $D/tool]
	EOF
}
tree() { cp "$TRY" tool && mkdir tmp; }
acts() {
	deny memfd exec-memfd "$D/tool" open read /etc/hostname
	deny tmpfile exec-tmpfile "$D/tmp" "$D/tool" open read /etc/hostname
	allow exec "$D/tool" open read /etc/hostname
}
# What name such an object is told by is the kernel's invention; that it has none is the reason.
recorded() { echo "SELECT CASE WHEN reason <> 'anonymous' THEN reason WHEN path LIKE 'memfd:%' THEN 'memfd' ELSE 'tmpfile' END AS what
	FROM e WHERE cgroup = '/attack/$id.scope' AND verdict = 'deny' ORDER BY what"; }
