# shellcheck shell=bash disable=SC2034,SC2154 # sourced by tests/lib/attack.sh, which says what the functions are
# SPDX-License-Identifier: Apache-2.0
# A part of the container's own filesystem that is shown once more has two names. What is refused by either is, and what is told by the one
# through the mount has that name; by which of the two it is asked for first is all one.
#
#   $D
#   ├── part/        shown by the mount
#   │   ├── notes    open
#   │   ├── told     open; each time it is asked for through the mount, and then only, recorded
#   │   ├── inner    refused here
#   │   └── key      refused by the other name, and as the object that this is
#   └── shown/
policy_of() {
	cat <<-EOF
		file: {deny: [$D/shown/key, $D/part/inner], audit: [{path: $D/shown/told, ops: [read]}]}
	EOF
}
tree() {
	mkdir part shown && mount --bind part shown || return
	echo open | tee part/notes part/told >part/more
	echo secret | tee part/key >part/inner
}
clean() { umount -q "$D/shown"; }
acts() {
	local path
	for path in shown/notes shown/told shown/told part/told; do
		[[ $phase != refused ]] || attack_again open read "$D/$path" || wrong+="$path is not open"$'\n'
		[[ $phase != refused || $path != shown/told ]] || objects+=("$D/$path")
	done
	deny "$D/shown/key" open read "$D/shown/key"
	deny "$D/part/inner" open read "$D/part/inner"
	deny "$D/part/inner" open read "$D/shown/inner"
	allow open read "$D/shown/more"
}
recorded() { echo "SELECT path FROM e WHERE cgroup = '/attack/$id.scope' AND verdict IN ('deny', 'audit') ORDER BY path"; }
