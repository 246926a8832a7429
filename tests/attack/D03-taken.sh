# shellcheck shell=bash disable=SC2034,SC2154 # sourced by tests/lib/attack.sh, which says what the functions are
# SPDX-License-Identifier: Apache-2.0
# D03: a descriptor is taken out of another, ungoverned process (pidfd_getfd).
#
#   $D
#   ├── secret   may not be read; a process has it open as 3
#   └── open     may be read; the same process has it open as 4
policy_of() {
	cat <<-EOF
		kernel: {ptrace: allow}
		file: {deny: [$D/secret]}
	EOF
}
D03_pid=/tmp/D03.pid
tree() {
	echo secret >secret && echo open >open || return
	sleep 1000 3<secret 4<open &
	echo $! >"$D03_pid"
}
clean() {
	[[ ! -s $D03_pid ]] || kill "$(<"$D03_pid")"
	: >"$D03_pid"
}
acts() {
	deny "$D/secret" fd-steal "$(<"$D03_pid")" 3
	allow fd-steal "$(<"$D03_pid")" 4
}
