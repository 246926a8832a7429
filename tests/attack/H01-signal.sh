# shellcheck shell=bash disable=SC2034,SC2154 # sourced by tests/lib/attack.sh, which says what the functions are
# SPDX-License-Identifier: Apache-2.0
# H01, H02: signals to the agent, and its place among the processes that run.
#
#   $D
#   └── secret
policy_of() {
	cat <<-EOF
		file:
		  deny: [$D/secret]
	EOF
}
recorded() { recorded_lines; }
tree() { echo secret >secret; }
acts() {
	local agent
	agent=$(agent_pid)
	deny "guard ptrace" signal 0 "$agent"
	deny "guard ptrace" signal 18 "$agent"
	deny "guard ptrace" nice "$agent"
	deny "guard ptrace" affinity "$agent"
	deny "guard ptrace" scheduler "$agent"
	deny "guard write oom_score_adj" open write "/proc/$agent/oom_score_adj"
	deny "guard ptrace" io-priority "$agent"
	allow nice 0
	allow io-priority 0
	allow scheduler 0
	allow limit 0
}
