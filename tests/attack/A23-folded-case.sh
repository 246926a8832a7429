# shellcheck shell=bash disable=SC2034,SC2154 # sourced by tests/lib/attack.sh, which says what the functions are
# SPDX-License-Identifier: Apache-2.0
# A23: a directory that takes other spellings for the same name. A file there is called what it was looked up by first, so
# what a rule refuses of some name in it is refused of all that is in it.
#
#   $D
#   └── disk
#       ├── folded       takes upper and lower case
#       │   ├── a.key    no *.key may be read
#       │   └── sub
#       │       └── file
#       ├── other        takes them as well; no rule's
#       │   └── file
#       └── plain
#           ├── a.key    a name that no rule has
#           └── b.key    refused
policy_of() {
	cat <<-EOF
		file:
		  deny: [{path: "$D/disk/folded/*.key", ops: [read]}, {path: "$D/disk/plain/b.*", ops: [read]}]
	EOF
}
tree() {
	disk 8M mkfs.ext4 -q -O casefold -E encoding=utf8 &&
		mkdir disk/folded disk/other disk/plain && chattr +F disk/folded disk/other && mkdir disk/folded/sub &&
		echo file | tee disk/folded/a.key disk/folded/sub/file disk/other/file disk/plain/a.key >disk/plain/b.key
}
clean() { umount -q "$D/disk"; }
fingerprint() { "$TRY" fingerprint "$D/disk" | sort; }
acts() {
	sync && echo 2 >/proc/sys/vm/drop_caches
	deny "$D/disk/folded/A.Key" open read "$D/disk/folded/A.Key"
	deny "$D/disk/folded/A.Key" open read "$D/disk/folded/a.key"
	deny "$D/disk/folded/SUB/file" open read "$D/disk/folded/SUB/file"
	deny "$D/disk/plain/b.key" open read "$D/disk/plain/b.key"
	allow open read "$D/disk/other/FILE"
	allow open read "$D/disk/plain/a.key"
	allow open write "$D/disk/folded/A.KEY"
}
