# shellcheck shell=bash disable=SC2034,SC2154 # sourced by tests/lib/attack.sh, which says what the functions are
# SPDX-License-Identifier: Apache-2.0
# B09: a filesystem is unmounted, and another one comes to its device number, with a file of the same inode number. What a
# rule bound to the first is not taken for it.
#
#   $D
#   ├── disk         a tmpfs
#   │   ├── secret   refused
#   │   └── again    the same file
#   └── other        another tmpfs in the number of the first, once that is gone
#       └── file
policy_of() {
	cat <<-EOF
		file: {deny: [$D/disk/secret]}
	EOF
}
tree() {
	mkdir disk other && mount -t tmpfs tmpfs disk && echo secret >disk/secret && ln disk/secret disk/again
}
clean() { umount -q "$D/disk" "$D/other"; }
B09_number() { stat -c %d:%i "$1"; }
# The number was the last one that was given away, so it is the next one.
B09_replaced() {
	local number
	number=$(B09_number "$D/disk/secret") && umount "$D/disk" && mount -t tmpfs tmpfs "$D/other" && echo file >"$D/other/file" || return
	[[ $(B09_number "$D/other/file") == "$number" ]] || { echo "not the same number"; return 1; }
}
acts() {
	await "$D/disk/again" open read "$D/disk/again"
	[[ $phase != allowed ]] || B09_replaced || wrong+="no filesystem in the place of the first"$'\n'
	allow open rdwr "$D/other/file"
	deny "$D/disk/secret" open read "$D/disk/secret"
}
