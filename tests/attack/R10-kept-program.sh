# shellcheck shell=bash disable=SC2034,SC2154 # sourced by tests/lib/attack.sh, which says what the functions are
# SPDX-License-Identifier: Apache-2.0
# A program is run, so that it may be and what it is called are known; then somebody outside moves it, or a directory above it, or
# puts another file in its place: what runs is judged, and known to rules, by the name that it has now.
#
#   $D
#   ├── secret     the tool and dir/tool may read it
#   ├── tool       may run
#   ├── moved      may run; what the tool is called later
#   ├── dir/tool   may run
#   └── other      may not; what dir, or the tool, is called later
policy_of() {
	cat <<-EOF
		file: {deny: [{path: $D/secret, ops: [read], unless: {exe: [$D/tool, $D/dir/tool]}}]}
		exec: {default: deny, allow: [$TRY, $D/tool, $D/moved, $D/dir/tool]}
	EOF
}
tree() { mkdir dir && echo secret >secret && cp "$TRY" tool && cp "$TRY" dir/tool; }
known() {
	[[ $phase == refused ]] || return 0
	attack_again exec "$1" open read "$D/secret" && attack_again exec "$1" open read "$D/secret" || wrong+="$1 does not run, or may not read"$'\n'
}
# moved FROM TO COMMAND...: while something has another name.
moved() {
	mv "$D/$1" "$D/$2"
	"${@:3}"
	mv "$D/$2" "$D/$1"
}
acts() {
	known "$D/tool"
	known "$D/dir/tool"
	if [[ $phase != allowed ]]; then
		moved tool moved deny "$D/secret" exec "$D/moved" open read "$D/secret"
		moved dir other deny "$D/other/tool" exec "$D/other/tool" open read /etc/hostname
		moved tool other deny "$D/other" exec "$D/other" open read /etc/hostname
	fi
	known "$D/tool"
	known "$D/dir/tool"
	allow exec "$D/tool" open read "$D/secret"
	allow exec "$D/dir/tool" open read "$D/secret"
	allow exec "$D/tool" open read /etc/hostname
}
