# shellcheck shell=bash disable=SC2034,SC2154 # sourced by tests/lib/attack.sh, which says what the functions are
# SPDX-License-Identifier: Apache-2.0
# A10: the filesystem has a second mount, where no rule's path leads.
#
#   $D
#   ├── first        a tmpfs
#   │   └── in
#   │       ├── secret   refused
#   │       └── again    the same file
#   ├── second       a part of it, bound here
#   │   └── again
#   └── other        another tmpfs, with a secret of its own
policy_of() {
	cat <<-END
		file:
		  deny: [$D/first/in/secret]
	END
}
tree() {
	mkdir first second other && mount -t tmpfs tmpfs first && mkdir first/in && echo secret >first/in/secret &&
		echo open >first/in/open && mount -t tmpfs tmpfs other && mkdir other/in && echo other >other/in/secret &&
		mount --bind first/in second && ln first/in/secret first/in/again
}
clean() { umount -q "$D/second" "$D/other" "$D/first"; }
acts() {
	await "$D/second/again" open read "$D/second/again"
	deny "$D/first/in/again" open read "$D/first/in/again"
	deny "$D/second/secret" open write "$D/second/secret"
	deny "$D/second/again" unlink "$D/second/again"
	allow open rdwr "$D/second/open"
	allow open rdwr "$D/other/in/secret"
}
