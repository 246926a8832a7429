# shellcheck shell=bash disable=SC2034,SC2154 # sourced by tests/lib/attack.sh, which says what the functions are
# SPDX-License-Identifier: Apache-2.0
# A05: a second name for the file, made under the policy.
#
#   $D
#   ├── secret   refused
#   ├── open
#   └── tmp      where the names would be
policy_of() {
	cat <<-EOF
		file:
		  deny: [$D/secret]
	EOF
}
tree() { echo secret >secret && echo open >open && mkdir tmp; }
acts() {
	deny "$D/secret" link "$D/secret" "$D/tmp/a"
	deny "$D/secret" link-fd "$D/secret" "$D/tmp/b"
	deny "$D/secret" link-empty "$D/secret" "$D/tmp/c"
	allow link "$D/open" "$D/tmp/a"
	allow link-fd "$D/open" "$D/tmp/b"
	allow link-empty "$D/open" "$D/tmp/c"
}
