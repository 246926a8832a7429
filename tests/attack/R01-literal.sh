# shellcheck shell=bash disable=SC2034,SC2154 # sourced by tests/lib/attack.sh, which says what the functions are
# SPDX-License-Identifier: Apache-2.0
# A rule names one file.
#
#   $D
#   ├── secret      refused
#   └── secret.txt  begins with the same bytes
policy_of() {
	cat <<-EOF
		file:
		  deny: [$D/secret]
	EOF
}
tree() { echo secret >secret && echo open >secret.txt; }
acts() {
	deny "$D/secret" open read "$D/secret"
	deny "$D/secret" open write "$D/secret"
	allow open read "$D/secret.txt"
	allow open write "$D/secret.txt"
}
