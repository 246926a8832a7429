# shellcheck shell=bash disable=SC2034,SC2154 # sourced by tests/lib/attack.sh, which says what the functions are
# SPDX-License-Identifier: Apache-2.0
# A19: a file by its handle, which a filesystem opens without a name; a directory, too, that the kernel has forgotten
# and has to find the place of: until it has, nobody knows what it is called.
#
#   $D
#   ├── disk             a filesystem
#   │   ├── p
#   │   │   ├── secret   refused, as all in p
#   │   │   └── deep
#   │   │       └── file
#   │   └── open
#   └── *.handle         handles of theirs
policy_of() {
	cat <<-EOF
		kernel: {mount: allow}
		file: {deny: [$D/disk/p/**]}
	EOF
}
tree() {
	disk 4M mkfs.ext4 -q && mkdir -p disk/p/deep &&
		echo secret | tee disk/p/secret >disk/p/deep/file && echo open >disk/open &&
		"$TRY" handle-save disk/p/secret secret.handle && "$TRY" handle-save disk/p/deep deep.handle &&
		"$TRY" handle-save disk/open open.handle
}
clean() { umount -q "$D/disk"; }
fingerprint() { "$TRY" fingerprint "$D/disk"; }
acts() {
	deny "$D/disk/p/secret" handle-open "$D/secret.handle" "$D/disk"
	sync && echo 2 >/proc/sys/vm/drop_caches
	deny / handle-open "$D/deep.handle" "$D/disk"
	deny / handle-open "$D/deep.handle" "$D/disk" file
	allow open read "$D/disk/open"
	allow handle-open "$D/open.handle" "$D/disk"
}
