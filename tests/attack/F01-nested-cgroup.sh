# shellcheck shell=bash disable=SC2034,SC2154 # sourced by tests/lib/attack.sh, which says what the functions are
# SPDX-License-Identifier: Apache-2.0
# F01: a cgroup below the governed one.
#
#   $D
#   ├── secret   refused
#   └── open
policy_of() {
	cat <<-EOF
		file:
		  deny: [$D/secret]
	EOF
}
tree() { echo secret >secret && echo open >open; }
cgroup=/a/b/c
acts() {
	deny "$D/secret" open read "$D/secret"
	deny "$D/secret" fork open read "$D/secret"
	allow open read "$D/open"
}
recorded() { echo "SELECT path FROM e WHERE cgroup LIKE '/attack/$id.scope%' AND verdict = 'deny'"; }
