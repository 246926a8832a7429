#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# run.sh [--short]: what system calls take, in instructions, in each configuration: without an agent, with one that has
# no policy, not governed, governed, and by what the policy says. Fails if a figure is above what budgets.tsv has for
# this kernel. --short: what the test suite measures.
set -euo pipefail
# shellcheck source=tests/lib/bench.sh
source /src/tests/lib/bench.sh
short=${1:+suite}
file=/bench/a/b/c/d/file denied=/bench/a/b/c/d/denied
budgets=$CALLS/budgets.tsv

agent_start() {
	systemctl start haetaed
	sleep 3 # it looks at what runs already
}
containers() { # containers FROM TO: each with one process
	local i
	for ((i = $1; i <= $2; i++)); do
		mkdir "$CGROUPS/bench-many-$i"
		(echo "$BASHPID" >"$CGROUPS/bench-many-$i/cgroup.procs" && exec /usr/bin/busybox sleep 100000) &
	done
	sleep 5
}

# Whatever is measured has a cgroup of its own, governed or not: what the kernel takes of it for the memory of each open file is 130
# instructions on the newest kernel.
free=$CGROUPS/bench-free
for name in bench-{free,governed,exec,audit,1000,100000}; do mkdir "$CGROUPS/$name"; done
trees_make
boot_settles
workloads "$short" >/tmp/workloads
measure plain -g "$free" </tmp/workloads
if [[ ! $short ]]; then
	line "open, refused, recorded" few "$denied" | measure plain -g "$free"
	agent_start
	measure no-policy -g "$free" </tmp/workloads
fi

rules 10 | { printf 'exec: {default: deny, allow: [/bench/run, /bench/true]}\n' && cat; } | policy_make bench-governed
printf 'exec: {default: deny, allow: [/bench/run]}\n' | policy_make bench-exec
rules 1000 | policy_make bench-1000
rules 10 | { echo "mode: audit" && cat; } | policy_make bench-audit
if [[ $short ]]; then agent_start; else agentctl reload && sleep 3; fi
measure ungoverned -g "$free" </tmp/workloads
measure governed -g "$CGROUPS/bench-governed" </tmp/workloads
{ line "open" open "$file" && line "open, first time" cold /bench/a/b/c/cold; } | measure rules-1000 -g "$CGROUPS/bench-1000"
if [[ ! $short ]]; then
	line "open" open "$file" | measure no-file-rules -g "$CGROUPS/bench-exec"
	line "open, refused, recorded" few "$denied" | measure governed -g "$CGROUPS/bench-governed"
	line "open, refused, recorded" few "$denied" | measure audit -g "$CGROUPS/bench-audit"
	rm "$POLICIES"/bench-{exec,1000,audit}.yaml
	printf 'exec: {default: deny, allow: [/usr/bin/busybox]}\n' | policy_make bench-many '-*'
	agentctl reload
	containers 1 100
	line "open" open "$file" | measure containers-100 -g "$CGROUPS/bench-governed"
	containers 101 1000
	line "open" open "$file" | measure containers-1000 -g "$CGROUPS/bench-governed"
	many_rules 99000 | policy_make bench-100000
	rules 1000 | policy_make bench-other
	agentctl reload
	sleep 3
	{ line "open" open "$file" && line "open, first time" cold /bench/a/b/c/cold; } | measure rules-100000 -g "$CGROUPS/bench-100000"
fi
judge "$budgets"
