# shellcheck shell=bash disable=SC2034,SC2154 # sourced by tests/lib/attack.sh, which says what the functions are
# SPDX-License-Identifier: Apache-2.0
# B18: the kernel has forgotten the file since the policy came.
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
tree() { echo secret >secret && echo open >open && evict; }
evict() { sync && echo 3 >/proc/sys/vm/drop_caches; }
acts() {
	deny "$D/secret" open read "$D/secret"
	evict
	deny "$D/secret" open read "$D/secret"
	evict
	deny "$D/secret" utimes "$D/secret"
	evict
	allow open rdwr "$D/open"
}
