# shellcheck shell=bash disable=SC2034,SC2154 # sourced by tests/lib/attack.sh, which says what the functions are
# SPDX-License-Identifier: Apache-2.0
# G17: requests to a whole btrfs: it takes another size, and a device that nobody has opened, of which all is lost.
#
#   $D
#   ├── disk       a btrfs
#   │   └── open
#   ├── device     the name of a device
#   └── other      what is on the device
policy_of() {
	cat <<-EOF
		exec: {deny: [$D/nothing]}
	EOF
}
recorded() { recorded_lines; }
tree() {
	disk_btrfs 256M && truncate -s 64M other && # less cannot take another size
		echo open >disk/open && losetup --find --show other >device
}
clean() {
	umount -q "$D/disk"
	[[ ! -s $D/device ]] || losetup --detach "$(<"$D/device")"
}
fingerprint() { sha256sum "$D/other" "$D/disk/open"; }
acts() {
	deny "kernel mount $D/disk" volume-resize "$D/disk"
	deny "kernel mount $D/disk" volume-extend "$D/disk" "$D/device"
	allow open rdwr "$D/disk/open"
}
