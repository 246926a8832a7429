# shellcheck shell=bash disable=SC2034,SC2094,SC2154 # sourced by tests/lib/attack.sh, which says what the functions are
# SPDX-License-Identifier: Apache-2.0
# C10: a filesystem exchanges what is in two files, by their descriptors, which came from elsewhere. It is asked of a third file,
# or of the one that may be written to.
#
#   $D
#   ├── disk          an XFS
#   │   ├── log       may not be written
#   │   ├── mine
#   │   └── asked
#   └── other         an ext4
#       ├── log       may not be written
#       └── mine
policy_of() {
	cat <<-EOF
		file:
		  deny: [{path: $D/disk/log, ops: [write]}, {path: $D/other/log, ops: [write]}]
	EOF
}
tree() {
	local name
	disk_xfs && mkdir other && truncate -s 4M ext4 && mkfs.ext4 -q -b 4096 ext4 && mount -o loop ext4 other || return
	for name in log mine asked; do
		printf '%4095s\n' "$name" | tee "disk/$name" >"other/$name"
	done
}
clean() { umount -q "$D/disk" "$D/other"; }
fingerprint() { "$TRY" fingerprint "$D/disk" && "$TRY" fingerprint "$D/other"; }
acts() {
	deny asked exchange-xfs "$D/disk/asked" 3 4 3<>"$D/disk/log" 4<>"$D/disk/mine"
	deny mine exchange-ext4 "$D/other/mine" 3 3<>"$D/other/log"
	allow fd-write 3 3<>"$D/disk/mine"
	allow fd-write 3 3<>"$D/other/mine"
}
