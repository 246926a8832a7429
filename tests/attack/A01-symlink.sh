# shellcheck shell=bash disable=SC2034,SC2154 # sourced by tests/lib/attack.sh, which says what the functions are
# SPDX-License-Identifier: Apache-2.0
# A01: a symbolic link to the file.
#
#   $D
#   ├── p
#   │   ├── secret       refused
#   │   └── open
#   ├── link -> p/secret
#   ├── dir -> p
#   └── fine -> p/open
policy_of() {
	cat <<-EOF
		file:
		  deny: [$D/p/secret]
	EOF
}
tree() { mkdir p && echo secret >p/secret && echo open >p/open && ln -s p/secret link && ln -s p dir && ln -s p/open fine; }
acts() {
	deny "$D/p/secret" open read "$D/link"
	deny "$D/p/secret" open read "$D/dir/secret"
	allow open read "$D/fine"
	allow open read "$D/dir/open"
}
