# shellcheck shell=bash disable=SC2034,SC2154 # sourced by tests/lib/attack.sh, which says what the functions are
# SPDX-License-Identifier: Apache-2.0
# F21: somebody outside who listens at a socket is asked to act.
#
#   $D
#   ├── p
#   │   ├── stream       refused
#   │   ├── datagrams    refused
#   │   └── open
#   ├── link -> p/stream
#   └── pid              of who listens
policy_of() {
	cat <<-EOF
		file:
		  deny: [$D/p/stream, {path: $D/p/datagrams, ops: [write]}]
	EOF
}
tree() {
	mkdir p && ln -s p/stream link
	"$TRY" listen "$D/p/stream" "$D/p/datagrams" >/dev/null 2>&1 &
	echo $! >pid
	"$TRY" listen "$D/p/open" "$D/p/open-datagrams" >/dev/null 2>&1 &
	echo $! >>pid
	until_ 10 test -S p/datagrams -a -S p/open-datagrams
}
clean() {
	local pid
	[[ ! -e $D/pid ]] || while read -r pid; do kill "$pid"; done <"$D/pid"
	rm -rf "$D/p" "$D/link" "$D/pid"
}
fingerprint() { :; } # who listens is another one each time
acts() {
	deny "$D/p/stream" connect "$D/p/stream"
	deny "$D/p/stream" connect "$D/link"
	deny "$D/p/stream" uring-connect here "$D/p/stream"
	deny "$D/p/stream" uring-connect worker "$D/p/stream"
	deny "$D/p/stream" chroot "$D/p" connect /stream
	deny "$D/p/datagrams" connect-datagrams "$D/p/datagrams"
	deny "$D/p/datagrams" send "$D/p/datagrams"
	allow connect "$D/p/open"
	allow uring-connect here "$D/p/open"
	allow send "$D/p/open-datagrams"
}
