# shellcheck shell=bash disable=SC2034,SC2154 # sourced by tests/lib/attack.sh, which says what the functions are
# SPDX-License-Identifier: Apache-2.0
# B14, B15: a filesystem that somebody serves, who says what is in it, under which numbers, and anew at each open. Rules go by
# the names that lead to it, and one object is what the server calls one; nothing there came with an image.
#
#   $D
#   └── served
#       ├── secret   refused
#       ├── again    the same file, says the server
#       ├── tool     may run if it came with the image
#       └── open
policy_of() {
	cat <<-EOF
		exec: {default: deny, allow: [$TRY, /usr/bin/sleep, {path: $D/served/tool, origin: image}]}
		file: {deny: [{path: $D/served/secret, ops: [read, write]}]}
	EOF
}
tree() {
	modprobe -q fuse
	mkdir served
	"$TRY" serve "$D/served" "$TRY" >/dev/null 2>&1 &
	until_ 10 test -e served/open
}
clean() { umount -q "$D/served"; }
fingerprint() { cat "$D/served/secret" "$D/served/open"; }
acts() {
	deny "$D/served/secret" open read "$D/served/secret"
	deny "$D/served/secret" open write "$D/served/secret"
	await "$D/served/again" open read "$D/served/again"
	deny "$D/served/tool" exec "$D/served/tool" accept
	allow open read "$D/served/open"
	allow open write "$D/served/open"
}
