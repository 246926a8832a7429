# shellcheck shell=bash disable=SC2034,SC2154 # sourced by tests/lib/attack.sh, which says what the functions are
# SPDX-License-Identifier: Apache-2.0
# A19: a file by the handle that XFS makes of its name and opens with whatever flags are asked for, those of what is to be run
# among them, which is no reading elsewhere.
#
#   $D
#   └── disk             an XFS
#       ├── p
#       │   └── secret   refused, as all in p
#       └── open
policy_of() {
	cat <<-EOF
		kernel: {mount: allow}
		file: {deny: [$D/disk/p/**]}
	EOF
}
tree() {
	disk_xfs && mkdir disk/p && echo secret >disk/p/secret && echo open >disk/open
}
clean() { umount -q "$D/disk"; }
fingerprint() { "$TRY" fingerprint "$D/disk"; }
acts() {
	deny "$D/disk/p/secret" xfs-open "$D/disk/p/secret" "$D/disk" read
	deny "$D/disk/p/secret" xfs-open "$D/disk/p/secret" "$D/disk" run
	allow xfs-open "$D/disk/open" "$D/disk" read
	allow xfs-open "$D/disk/open" "$D/disk" run
}
