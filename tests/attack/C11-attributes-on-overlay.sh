# shellcheck shell=bash disable=SC2034,SC2154 # sourced by tests/lib/attack.sh, which says what the functions are
# SPDX-License-Identifier: Apache-2.0
# C11: attributes of files on an overlay, which copies a file up and sets them below before it answers, and of a
# directory that has a second name through a bind mount.
#
#   $D
#   ├── low, up, work   the layers
#   ├── merged          the overlay
#   │   ├── tool        keeps its attributes
#   │   └── other       no rule's
#   ├── dir
#   │   └── file        keeps its attributes
#   └── again           dir, bound
policy_of() {
	cat <<-EOF
		file:
		  deny: [{path: $D/merged/tool, ops: [attr]}, {path: $D/dir/file, ops: [attr]}]
	EOF
}
tree() {
	mkdir low up work merged dir again && echo tool >low/tool && echo other | tee low/other low/third >low/fourth &&
		mount -t overlay -o lowerdir=low,upperdir=up,workdir=work overlay merged &&
		echo file | tee dir/file >dir/other && mount --bind dir again
}
clean() { umount -q "$D/merged" "$D/again"; }
acts() {
	deny "$D/merged/tool" chmod 6755 "$D/merged/tool"
	deny "$D/merged/tool" utimes "$D/merged/tool"
	deny "$D/merged/tool" setxattr trusted.new "$D/merged/tool"
	deny "$D/merged/tool" setflags "$D/merged/tool"
	deny "$D/dir/file" setxattr trusted.new "$D/dir/file"
	deny "$D/dir/file" utimes "$D/again/file"
	allow chmod 0600 "$D/merged/other"
	allow utimes "$D/merged/other"
	allow setxattr trusted.new "$D/merged/third"
	allow setflags "$D/merged/fourth"
	allow open write,creat "$D/merged/new"
	allow rename "$D/merged/new" "$D/merged/newer"
	allow utimes "$D/again/other"
}
