# shellcheck shell=bash disable=SC2034,SC2154 # sourced by tests/lib/attack.sh, which says what the functions are
# SPDX-License-Identifier: Apache-2.0
# F02: a task that leaves the cgroup takes its policy along, and so do its children.
#
#   $D
#   ├── secret   refused
#   └── open
policy_of() {
	cat <<-EOF
		kernel: {sysctl: allow}
		file:
		  deny: [$D/secret]
	EOF
}
tree() { echo secret >secret && echo open >open; }
acts() {
	deny "$D/secret" cgroup "$CGROUPS" open read "$D/secret"
	deny "$D/secret" cgroup "$CGROUPS" fork open read "$D/secret"
	deny "$D/secret" cgroup "$CGROUPS" exec "$TRY" open read "$D/secret"
	allow cgroup "$CGROUPS" open read "$D/open"
}
