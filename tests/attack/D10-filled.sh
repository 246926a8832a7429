# shellcheck shell=bash disable=SC2034,SC2094,SC2154 # sourced by tests/lib/attack.sh, which says what the functions are
# SPDX-License-Identifier: Apache-2.0
# D10: what a file in memory has not yet is filled in by userfaultfd(2), through memory that shows it to be read only, from
# a descriptor that came from elsewhere; on an overlay whose layers are in memory, too.
#
#   $D
#   ├── memory            a tmpfs
#   │   ├── log, logs     may be read, not written; one page of each is not there
#   │   ├── open          the same, and no rule's
#   │   └── up, work      layers
#   ├── low               a layer
#   └── merged            the overlay
#       ├── log           may be read, not written; a page that is not there
#       └── open
policy_of() {
	cat <<-EOF
		file:
		  deny: [{path: $D/memory/log*, ops: [write]}, {path: $D/merged/log, ops: [write]}]
	EOF
}
tree() {
	mkdir memory low merged && mount -t tmpfs memory memory && mkdir memory/up memory/work &&
		mount -t overlay -o lowerdir=low,upperdir=memory/up,workdir=memory/work overlay merged &&
		truncate --size=4096 memory/log memory/logs memory/open merged/log merged/open
}
clean() { umount -q "$D/merged" "$D/memory"; }
acts() {
	deny "$D/memory/log" fd-fill 3 read 3<>"$D/memory/log"
	deny "$D/memory/logs" fd-fill 3 none 3<>"$D/memory/logs"
	deny "$D/merged/log" fd-fill 3 read 3<>"$D/merged/log"
	allow fd-fill 3 read 3<>"$D/memory/open"
	allow fd-fill 3 read 3<>"$D/merged/open"
	allow fd-map 3 3<>"$D/memory/log"
}
