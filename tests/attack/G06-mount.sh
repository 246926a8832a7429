# shellcheck shell=bash disable=SC2034,SC2154 # sourced by tests/lib/attack.sh, which says what the functions are
# SPDX-License-Identifier: Apache-2.0
# G06: mounting, by the old call and by every new one.
#
#   $D
#   ├── place    empty
#   ├── from     a mount
#   └── to       empty
policy_of() {
	cat <<-EOF
		file:
		  deny: [$D/secret]
	EOF
}
recorded() { recorded_lines; }
tree() { mkdir place from to && mount -t tmpfs from from && mount --make-private from; }
clean() {
	local at
	for at in place from to; do
		while mountpoint -q "$D/$at"; do umount "$D/$at" || return; done
	done
}
fingerprint() { find "$D" -xdev -printf '%p %y %i\n'; }
acts() {
	deny "kernel mount $D/place" mount new "$D/place" tmpfs size=1m
	deny "kernel mount" fsopen tmpfs
	deny "kernel mount" fspick "$D/from"
	deny "kernel mount" open-tree "$D/from"
	deny "kernel mount" mount-setattr "$D/from"
	deny "kernel mount" move-mount "$D/from" "$D/to"
	allow open read /proc/self/mountinfo
}
