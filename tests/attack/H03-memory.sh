# shellcheck shell=bash disable=SC2034,SC2154 # sourced by tests/lib/attack.sh, which says what the functions are
# SPDX-License-Identifier: Apache-2.0
# H03: the agent's memory and descriptors, also where a policy lets tasks trace others.
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
	deny "guard ptrace" memory-read "$agent"
	deny "guard ptrace" memory-write "$agent"
	deny "guard ptrace" attach "$agent"
	deny "guard ptrace" take-descriptor "$agent"
	allow attach-child
}
