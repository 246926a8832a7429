# shellcheck shell=bash disable=SC2034,SC2094,SC2154 # sourced by tests/lib/attack.sh, which says what the functions are
# SPDX-License-Identifier: Apache-2.0
# D01, C08: a descriptor that an ungoverned parent had opened, used by every call that reads or writes.
#
#   $D
#   ├── secret   may not be read or written
#   ├── log      may be read, not written
#   ├── closed   a directory that may not be listed
#   ├── open     may be used
#   └── room     an open directory
policy_of() {
	cat <<-EOF
		file:
		  deny:
		    - $D/secret
		    - {path: $D/closed/**, ops: [read]}
		    - {path: $D/log, ops: [write]}
	EOF
}
tree() {
	echo secret >secret && echo log >log && echo open >open && mkdir closed room && echo name >closed/name
}
acts() {
	deny "$D/secret" fd-read 3 3<"$D/secret"
	deny "$D/secret" fd-readv 3 3<"$D/secret"
	deny "$D/secret" fd-map 3 3<"$D/secret"
	deny "$D/secret" fd-map-exec 3 3<"$D/secret"
	deny "$D/secret" fd-aio 3 3<"$D/secret"
	deny "$D/secret" fd-splice 3 3<"$D/secret"
	deny "$D/secret" fd-sendfile 3 3<"$D/secret"
	deny "$D/secret" fd-copy 3 4 3<"$D/secret" 4<>"$D/room/copy"
	deny "$D/secret" fd-write 3 3<>"$D/secret"
	deny "$D/log" fd-write 3 3<>"$D/log"
	deny "$D/log" fd-splice-in 3 3<>"$D/log"
	deny "$D/log" fd-copy 4 3 3<>"$D/log" 4<"$D/open"
	deny "$D/log" fd-map-write 3 3<>"$D/log"
	deny "$D/log" fd-punch 3 3<>"$D/log"
	deny "$D/log" fd-truncate 3 3<>"$D/log"
	deny "$D/closed" fd-list 3 3<"$D/closed"
	allow fd-read 3 3<"$D/log"
	allow fd-map 3 3<"$D/log"
	allow fd-map-exec 3 3<"$D/log"
	allow fd-aio 3 3<"$D/log"
	allow fd-read 3 3<"$D/open"
	allow fd-write 3 3<>"$D/open"
	allow fd-splice-in 3 3<>"$D/open"
	allow fd-map-write 3 3<>"$D/open"
	allow fd-list 3 3<"$D/room"
	allow fd-read 3 3< <(echo pipe)
	allow fd-read 3 3</dev/zero
}
# The shell makes the copy's target outside, which is no act.
fingerprint() { find "$D" -path "$D/room/copy" -prune -o -type f -exec sha256sum {} +; }
