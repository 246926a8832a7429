# shellcheck shell=bash disable=SC2034,SC2154 # sourced by tests/lib/attack.sh, which says what the functions are
# SPDX-License-Identifier: Apache-2.0
# B02: an overlay whose layers lie on different filesystems, so that a new file in the upper layer can have the number of one
# below, which a rule bound. It is another file.
#
#   $D
#   ├── below, above     two filesystems
#   └── merged           an overlay of both
#       ├── secret       refused
#       ├── again        the same file
#       └── new          has the number of secret
policy_of() {
	cat <<-EOF
		file: {deny: [$D/merged/secret]}
	EOF
}
tree() {
	mkdir below above merged && mount -t tmpfs tmpfs below && mount -t tmpfs tmpfs above && mkdir below/low above/up above/work || return
	touch below/low/{1..30} && echo secret >below/low/secret && ln below/low/secret below/low/again && echo open >below/low/open &&
		mount -t overlay -o lowerdir=below/low,upperdir=above/up,workdir=above/work,xino=off overlay merged
}
clean() { umount -q "$D/merged" "$D/below" "$D/above"; }
# Numbers of a tmpfs go up by one.
B02_make_new() {
	local i number
	number=$(stat -c %i "$D/below/low/secret")
	for ((i = 0; i < 200; i++)); do
		: >"$D/merged/new"
		[[ $(stat -c %i "$D/above/up/new") != "$number" ]] || return 0
		mv "$D/merged/new" "$D/merged/other-$i"
	done
	return 1
}
acts() {
	await "$D/merged/again" open read "$D/merged/again"
	deny "$D/merged/secret" open read "$D/merged/secret"
	[[ $phase != allowed ]] || B02_make_new || wrong+="no file has the number"$'\n'
	allow open rdwr "$D/merged/new"
	allow open read "$D/merged/open"
}
