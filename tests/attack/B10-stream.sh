# shellcheck shell=bash disable=SC2034,SC2154 # sourced by tests/lib/attack.sh, which says what the functions are
# SPDX-License-Identifier: Apache-2.0
# B10: a subvolume of a btrfs is asked for as one stream, and the filesystem for what it is made of, contents of small
# files included: nothing of it is opened.
#
#   $D
#   └── disk             a btrfs
#       └── volume       a subvolume that cannot be written
#           ├── secret   may not be read
#           └── open
policy_of() {
	cat <<-EOF
		file: {deny: [{path: $D/disk/volume/secret, ops: [read]}]}
	EOF
}
tree() {
	disk_btrfs 64M && "$TRY" volume-make disk volume &&
		echo secret | tee disk/volume/secret >disk/volume/open && "$TRY" volume-keep disk/volume
}
clean() { umount -q "$D/disk"; }
fingerprint() { "$TRY" fingerprint "$D/disk"; }
acts() {
	deny volume volume-send "$D/disk/volume"
	deny / volume-search "$D/disk"
	allow open read "$D/disk/volume/open"
}
