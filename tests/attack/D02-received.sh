# shellcheck shell=bash disable=SC2034,SC2094,SC2154 # sourced by tests/lib/attack.sh, which says what the functions are
# SPDX-License-Identifier: Apache-2.0
# D02: a descriptor that somebody outside sends over a socket, of a file or of a directory in another mount namespace.
#
#   $D
#   ├── secret        may not be read; who listens at secret.socket hands it out
#   ├── log           may not be written; handed out at log.socket
#   ├── open          handed out at open.socket
#   ├── dir           handed out at dir.socket, as a name in another mount namespace
#   │   └── file
#   └── inside        the same in this one, at inside.socket
#       └── file
policy_of() {
	cat <<-EOF
		file:
		  deny: [{path: $D/secret, ops: [read]}, {path: $D/log, ops: [write]}]
	EOF
}
D02_pids=/tmp/D02.pids
tree() {
	mkdir dir inside && echo file | tee secret log open dir/file >inside/file || return
	{
		"$TRY" give "$D/secret.socket" read "$D/secret" & echo $!
		"$TRY" give "$D/log.socket" rdwr "$D/log" & echo $!
		"$TRY" give "$D/open.socket" rdwr "$D/open" & echo $!
		"$TRY" mountns give "$D/dir.socket" path,dir "$D/dir" & echo $!
		"$TRY" give "$D/inside.socket" path,dir "$D/inside" & echo $!
	} >"$D02_pids" 2>/dev/null
	until_ 10 test -S secret.socket -a -S log.socket -a -S open.socket && until_ 10 test -S dir.socket -a -S inside.socket
}
clean() {
	local pid
	[[ ! -s $D02_pids ]] || while read -r pid; do kill "$pid"; done <"$D02_pids"
	rm -f "$D02_pids" "$D"/*.socket
}
fingerprint() { cat "$D/secret" "$D/log" "$D/open" "$D/dir/file" "$D/inside/file"; }
acts() {
	local how
	for how in call here worker; do
		deny "$D/secret" receive $how "$D/secret.socket" fd-read 9
		deny "$D/log" receive $how "$D/log.socket" fd-write 9
		deny file receive $how "$D/dir.socket" openat /proc/self/fd/9 file
		allow receive $how "$D/open.socket" fd-write 9
		allow receive $how "$D/inside.socket" openat /proc/self/fd/9 file
	done
}
