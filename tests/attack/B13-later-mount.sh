# shellcheck shell=bash disable=SC2034,SC2154 # sourced by tests/lib/attack.sh, which says what the functions are
# SPDX-License-Identifier: Apache-2.0
# B13: a filesystem that is mounted after the policy was published, over and beside what it names.
#
#   $D
#   ├── etc          a new tmpfs
#   │   ├── secret   refused
#   │   └── open
#   └── run          another
#       ├── keys     refused, with all below
#       └── open
policy_of() {
	cat <<-EOF
		file:
		  deny: [$D/etc/secret, $D/run/keys/**]
	EOF
}
tree() {
	mkdir etc run && mount -t tmpfs tmpfs etc && mount -t tmpfs tmpfs run && mkdir run/keys && echo key >run/keys/key &&
		echo secret >etc/secret && echo open | tee etc/open >run/open
}
clean() { umount -q "$D/etc" "$D/run"; }
acts() {
	deny "$D/etc/secret" open read "$D/etc/secret"
	deny "$D/etc/secret" utimes "$D/etc/secret"
	deny "$D/run/keys/key" open read "$D/run/keys/key"
	deny "$D/run/keys/new" open write,creat "$D/run/keys/new"
	deny "$D/run/keys" rename "$D/run/keys" "$D/run/keys2"
	allow open rdwr "$D/etc/open"
	allow open write,creat "$D/run/new"
	allow utimes "$D/run/open"
}
