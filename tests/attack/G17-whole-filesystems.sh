# shellcheck shell=bash disable=SC2034,SC2154 # sourced by tests/lib/attack.sh, which says what the functions are
# SPDX-License-Identifier: Apache-2.0
# G17: past the mounts of the container, to all that their filesystems hold: a file by its handle, descriptors of whatever
# anybody opens there and a say in it (fanotify), the memory of the machine swapped to a file, a filesystem that is frozen or shut.
#
#   $D
#   ├── open
#   └── open.handle   its handle
policy_of() {
	cat <<-EOF
		exec: {deny: [$D/nothing]}
	EOF
}
recorded() { recorded_lines; }
tree() { echo open >open && "$TRY" handle-save open open.handle; }
acts() {
	deny "kernel mount" handle-open "$D/open.handle" "$D"
	deny "kernel mount" whole-mounts
	deny "kernel mount" swap "$D/open"
	deny "kernel mount $D" thaw "$D"
	deny "kernel mount $D" shutdown "$D"
	allow open rdwr "$D/open"
}
