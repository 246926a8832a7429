# shellcheck shell=bash disable=SC2034,SC2154 # sourced by tests/lib/attack.sh, which says what the functions are
# SPDX-License-Identifier: Apache-2.0
# D09: descriptors that fanotify hands out of files that somebody outside opens.
#
#   $D
#   ├── secret   may not be read; opened when something comes by secret.go
#   └── open     the same, may be read
policy_of() {
	cat <<-EOF
		kernel: {mount: allow}
		file: {deny: [{path: $D/secret, ops: [read]}]}
	EOF
}
D09_pids=/tmp/D09.pids
D09_opens() { while :; do read -rN 1 <"$1.go" && : <"$1"; done; }
tree() {
	local file
	echo secret >secret && echo open >open && mkfifo secret.go open.go || return
	for file in secret open; do
		D09_opens "$D/$file" >/dev/null 2>&1 &
		echo $!
	done >"$D09_pids"
}
clean() {
	local pid
	[[ ! -s $D09_pids ]] || while read -r pid; do kill "$pid"; done <"$D09_pids"
	rm -f "$D09_pids"
}
fingerprint() { cat "$D/secret" "$D/open"; }
acts() {
	deny "$D/secret" watched "$D/secret" "$D/secret.go"
	allow watched "$D/open" "$D/open.go"
}
