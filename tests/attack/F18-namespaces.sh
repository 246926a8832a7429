# shellcheck shell=bash disable=SC2034,SC2154 # sourced by tests/lib/attack.sh, which says what the functions are
# SPDX-License-Identifier: Apache-2.0
# F18: namespaces of one's own are no way out, where a policy allows them.
#
#   $D
#   ├── secret   refused
#   └── open
policy_of() {
	cat <<-EOF
		kernel: {mount: allow, namespaces: allow}
		file:
		  deny: [$D/secret]
	EOF
}
tree() { echo secret >secret && echo open >open; }
acts() {
	deny "$D/secret" mountns open read "$D/secret"
	deny "$D/secret" userns open read "$D/secret"
	deny "$D/secret" userns mountns fork open read "$D/secret"
	allow mountns open read "$D/open"
	allow userns open read "$D/open"
}
