# shellcheck shell=bash disable=SC2034,SC2154 # sourced by tests/lib/attack.sh, which says what the functions are
# SPDX-License-Identifier: Apache-2.0
# G17: past the mounts of the container by the requests of XFS: a file is opened by its handle, attributes are set, the whole
# takes another size (here the one that it has).
#
#   $D
#   └── disk        an XFS
#       └── open
policy_of() {
	cat <<-EOF
		exec: {deny: [$D/nothing]}
	EOF
}
recorded() { recorded_lines; }
tree() { disk_xfs && echo open >disk/open; }
clean() { umount -q "$D/disk"; }
fingerprint() { "$TRY" fingerprint "$D/disk"; }
acts() {
	deny "kernel mount $D/disk" xfs-open "$D/disk/open" "$D/disk" read
	deny "kernel mount $D/disk" xfs-attribute "$D/disk/open" "$D/disk"
	deny "kernel mount $D/disk" xfs-grow "$D/disk" 16384
	allow open rdwr "$D/disk/open"
	allow setxattr user.new "$D/disk/open"
}
