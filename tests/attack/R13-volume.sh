# shellcheck shell=bash disable=SC2034,SC2154 # sourced by tests/lib/attack.sh, which says what the functions are
# SPDX-License-Identifier: Apache-2.0
# A part of another filesystem, as volumes are: it has no name without the mount that shows it. It is judged, kept and told by the one
# that it has.
#
#   $D
#   ├── disk/part   of a filesystem
#   └── volume/     shows it
#       ├── notes, more   open; notes is asked for first
#       ├── key           refused
#       ├── told          open, and each time recorded
#       └── deep/         open but for *.key
policy_of() {
	cat <<-EOF
		file: {deny: [$D/volume/key, "$D/volume/deep/*.key"], audit: [{path: $D/volume/told, ops: [read]}]}
	EOF
}
tree() {
	mkdir disk volume && mount -t tmpfs disk disk && mkdir -p disk/part/deep && mount --bind disk/part volume || return
	echo open | tee volume/notes volume/more volume/told >volume/deep/notes
	echo secret | tee volume/key >volume/deep/a.key
}
clean() { umount -q "$D/volume" "$D/disk"; }
acts() {
	local path
	for path in notes deep/notes told told; do
		[[ $phase != refused ]] || attack_again open read "$D/volume/$path" || wrong+="$path is not open"$'\n'
		[[ $phase != refused || $path != told ]] || objects+=("$D/volume/$path")
	done
	deny "$D/volume/key" open read "$D/volume/key"
	deny "$D/volume/key" open write,trunc "$D/volume/key"
	deny "$D/volume/key" rename "$D/volume/key" "$D/volume/other"
	deny "$D/volume/deep/a.key" open read "$D/volume/deep/a.key"
	deny "$D/volume/deep/b.key" open write,creat "$D/volume/deep/b.key"
	deny "$D/volume/deep/b.key" link "$D/volume/deep/notes" "$D/volume/deep/b.key"
	allow open read "$D/volume/more"
	allow rename "$D/volume/more" "$D/volume/deep/more"
	allow unlink "$D/volume/deep/more"
}
recorded() { echo "SELECT path FROM e WHERE cgroup = '/attack/$id.scope' AND verdict IN ('deny', 'audit') ORDER BY path"; }
