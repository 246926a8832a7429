# shellcheck shell=bash disable=SC2034,SC2154 # sourced by tests/lib/attack.sh, which says what the functions are
# SPDX-License-Identifier: Apache-2.0
# D05: memory, descriptors and control of a process outside of the container. Its own children are its own.
#
#   $D
#   └── pid     of a process that nothing governs
policy_of() {
	cat <<-EOF
		file:
		  deny: [$D/secret]
	EOF
}
recorded() { recorded_lines; }
tree() {
	sleep 1000 >/dev/null 2>&1 &
	echo $! >pid
}
clean() { [[ ! -e $D/pid ]] || kill "$(<"$D/pid")"; }
acts() {
	deny "kernel ptrace sleep" attach "$D/pid"
	deny "kernel ptrace sleep" memory-read "$D/pid"
	deny "kernel ptrace sleep" memory-write "$D/pid"
	deny "kernel ptrace sleep" take-descriptor "$D/pid"
	deny "kernel ptrace /proc/$(<"$D/pid")/oom_score_adj" open write "/proc/$(<"$D/pid")/oom_score_adj"
	allow fork open write /proc/self/oom_score_adj
	allow attach-child
}
