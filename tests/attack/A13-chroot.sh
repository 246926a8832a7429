# shellcheck shell=bash disable=SC2034,SC2154 # sourced by tests/lib/attack.sh, which says what the functions are
# SPDX-License-Identifier: Apache-2.0
# A13: another root makes the path another text.
#
#   $D
#   └── d
#       └── e
#           ├── secret   refused
#           └── open
policy_of() {
	cat <<-EOF
		file:
		  deny: [$D/d/e/secret]
	EOF
}
tree() { mkdir -p d/e && echo secret >d/e/secret && echo open >d/e/open; }
acts() {
	deny "$D/d/e/secret" chroot "$D/d" open read /e/secret
	deny "$D/d/e/secret" chroot "$D/d/e" open read secret
	allow chroot "$D/d" open read /e/open
}
