# shellcheck shell=bash disable=SC2034,SC2154 # sourced by tests/lib/attack.sh, which says what the functions are
# SPDX-License-Identifier: Apache-2.0
# A04: a hard link that was there before the policy: what a literal rule names is refused under every name.
#
#   $D
#   ├── secret        refused
#   ├── tool          may not be run
#   ├── open
#   ├── more
#   │   ├── secret    the same file as secret
#   │   ├── tool      the same file as tool
#   │   └── open      the same file as open
#   └── mnt           a tmpfs with a secret and an other of its own
policy_of() {
	cat <<-END
		exec:
		  deny: [$D/tool]
		file:
		  deny: [$D/secret, $D/mnt/secret]
	END
}
tree() {
	mkdir more mnt && mount -t tmpfs tmpfs mnt && echo secret >secret && echo open >open && cp "$TRY" tool &&
		echo secret >mnt/secret && ln secret more/secret && ln tool more/tool && ln open more/open && ln mnt/secret mnt/other
}
clean() { umount -q "$D/mnt"; }
acts() {
	local f
	for f in "$D/more/secret" "$D/mnt/other"; do
		await "$f" open read "$f"
		deny "$f" open write "$f"
		deny "$f" open read,trunc "$f"
		deny "$f" open32 "$f"
		deny "$f" uring here "$f"
		deny "$f" uring worker "$f"
		deny "$f" truncate "$f"
		deny "$f" chmod 0666 "$f"
		deny "$f" utimes "$f"
		deny "$f" link "$f" "$f-3"
		deny "$f" link-fd "$f" "$f-3"
		deny "$f" rename "$f" "$f-3"
		deny "$f" unlink "$f"
	done
	await "$D/more/tool" exec "$D/more/tool" open read /etc/hostname
	deny "$D/more/tool" exec-at "$D/more/tool" open read /etc/hostname
	allow open read "$D/more/tool"
	allow open rdwr "$D/more/open"
	allow rename "$D/more/open" "$D/open-2"
	allow unlink "$D/open-2"
}
