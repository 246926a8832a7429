# shellcheck shell=bash disable=SC2034,SC2154 # sourced by tests/lib/attack.sh, which says what the functions are
# SPDX-License-Identifier: Apache-2.0
# B10: a snapshot of a btrfs subvolume shows all that is in it under other names, and a subvolume comes and goes without
# mkdir and rmdir.
#
#   $D
#   └── disk             a btrfs
#       ├── volume       a subvolume
#       │   ├── secret   refused
#       │   ├── p        all below is refused
#       │   └── open
#       ├── before       a snapshot of it, made before
#       └── to           where others would be made
policy_of() {
	cat <<-EOF
		file: {deny: [$D/disk/volume/secret, "$D/disk/volume/p/**"]}
	EOF
}
tree() {
	disk_btrfs 64M && mkdir disk/to && sync || return
	"$TRY" volume-make disk volume && mkdir disk/volume/p && echo secret | tee disk/volume/secret disk/volume/p/file >disk/volume/open &&
		"$TRY" volume-make disk/to old && "$TRY" volume-copy disk/volume disk before &&
		umount disk && mount -o loop image disk # a file that is new has another generation until it is read again
}
clean() { umount -q "$D/disk"; }
fingerprint() { "$TRY" fingerprint "$D/disk"; }
acts() {
	await "$D/disk/before/secret" open read "$D/disk/before/secret"
	deny "$D/disk/volume/p/file" open read "$D/disk/volume/p/file"
	deny to volume-copy "$D/disk/volume" "$D/disk/to" snapshot
	deny to volume-make "$D/disk/to" new
	deny to volume-remove "$D/disk/to" old
	allow open read "$D/disk/volume/open"
	allow mkdir "$D/disk/to/directory"
}
