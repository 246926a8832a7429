# shellcheck shell=bash disable=SC2034,SC2154 # sourced by tests/lib/attack.sh, which says what the functions are
# SPDX-License-Identifier: Apache-2.0
# C07: mode, owner, times, extended attributes, access lists, flags.
#
#   $D
#   ├── tool    keeps them
#   ├── other   no rule's
#   └── mnt     the same on a tmpfs
#       ├── tool
#       └── other
policy_of() {
	cat <<-EOF
		file:
		  deny: [{path: $D/tool, ops: [attr]}, {path: $D/mnt/tool, ops: [attr]}]
	EOF
}
tree() {
	mkdir mnt && mount -t tmpfs tmpfs mnt && for f in tool other mnt/tool mnt/other; do
		echo tool >$f && "$TRY" setxattr trusted.old $f && "$TRY" setacl $f || return
	done
}
clean() { umount -q "$D/mnt"; }
acts() {
	local f
	for f in "$D/tool" "$D/mnt/tool"; do
		deny "$f" chmod 6755 "$f"
		deny "$f" chmod-path 6755 "$f"
		deny "$f" chown 1000 "$f"
		deny "$f" utimes "$f"
		deny "$f" touch "$f"
		deny "$f" setxattr trusted.new "$f"
		deny "$f" setxattr security.other "$f"
		deny "$f" setxattr-fd trusted.new "$f"
		deny "$f" uring-setxattr here trusted.new "$f"
		deny "$f" uring-setxattr worker trusted.new "$f"
		deny "$f" uring-setxattr-fd here trusted.new "$f"
		deny "$f" removexattr trusted.old "$f"
		deny "$f" setacl "$f"
		deny "$f" removeacl "$f"
	done
	for f in "$D/other" "$D/mnt/other"; do
		allow chmod 0600 "$f"
		allow chown 1000 "$f"
		allow utimes "$f"
		allow touch "$f"
		allow setxattr trusted.new "$f"
		allow setxattr-fd trusted.new "$f"
		allow uring-setxattr here trusted.new "$f"
		allow removexattr trusted.old "$f"
		allow setacl "$f"
		allow removeacl "$f"
	done
	deny "$D/tool" setflags "$D/tool"
	deny "$D/tool" fssetxattr "$D/tool"
	allow setflags "$D/other"
	allow fssetxattr "$D/other"
	deny "$D/tool" request r 17 "$D/tool" # of FAT: its bits for read-only, hidden, system
	allow request r 17 "$D/other"
	if "$TRY" has-file-setattr 2>/dev/null; then
		deny "$D/tool" file-setattr "$D/tool"
		allow file-setattr "$D/other"
	fi
	allow open rdwr "$D/tool"
	allow utimes "$D/mnt"
}
