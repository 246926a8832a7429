# shellcheck shell=bash disable=SC2034,SC2154 # sourced by tests/lib/attack.sh, which says what the functions are
# SPDX-License-Identifier: Apache-2.0
# G07: taking a mount off, or changing it, to reach what it hides; another root of all mounts.
#
#   $D
#   ├── mask     a mount over what must not be seen
#   └── root     a mount that could become the root
#       └── old
policy_of() {
	cat <<-EOF
		file:
		  deny: [$D/secret]
	EOF
}
recorded() { recorded_lines; }
tree() { mkdir mask root && mount -t tmpfs mask mask && mount -t tmpfs root root && mkdir root/old; }
clean() {
	! mountpoint -q "$D/mask" || umount "$D/mask"
	! mountpoint -q "$D/root" || umount "$D/root"
}
fingerprint() { find "$D" -xdev -printf '%p %y %i\n'; }
acts() {
	deny "kernel mount $D/mask" remount "$D/mask"
	deny "kernel mount" umount "$D/mask"
	deny "kernel mount" pivot "$D/root" "$D/root/old"
	allow open read "$D/mask/../root/old"
}
