# shellcheck shell=bash disable=SC2034,SC2154 # sourced by tests/lib/attack.sh, which says what the functions are
# SPDX-License-Identifier: Apache-2.0
# A10: a bind mount gives the directory another name: both names count, the one through the mounts and the one
# without. The last pair mounts for itself, in a mount namespace of its own.
#
#   $D
#   ├── p
#   │   ├── secret   refused by name
#   │   └── open
#   ├── alias        p is mounted here
#   ├── q
#   │   └── file     harmless
#   ├── named        q is mounted here, and files below this name are refused
#   └── own          empty
policy_of() {
	cat <<-EOF
		kernel: {mount: allow}
		file:
		  deny: [$D/p/secret, "$D/named/**"]
	EOF
}
tree() {
	mkdir p alias q named own && echo secret >p/secret && echo open | tee p/open >q/file &&
		mount --bind p alias && mount --bind q named
}
clean() { umount -q "$D/alias" "$D/named"; }
acts() {
	deny "$D/p/secret" open read "$D/alias/secret"
	deny "$D/p/secret" openat "$D/alias" secret
	deny "$D/named/file" open read "$D/named/file"
	deny "$D/p/secret" mountns bind "$D/p" "$D/own" open read "$D/own/secret"
	allow open read "$D/alias/open"
	allow open read "$D/q/file"
	allow mountns bind "$D/p" "$D/own" open read "$D/own/open"
}
