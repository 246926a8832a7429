#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Memory, in bytes: the agent's own (resident), and with all of the kernel's that it made (its cgroup's: maps, programs);
# and how much of that is for a rule and for a container. Fails where the agent has more than it may.
set -euo pipefail
# shellcheck source=tests/lib/bench.sh
source /src/tests/lib/bench.sh
RESIDENT_MAX=$((12 << 20)) # with 100 containers and 10,000 rules
failed=0

resident() { awk '/^VmRSS/ { print $2 * 1024 }' "/proc/$(systemctl show --property=MainPID --value haetaed)/status"; }
# whole: with the kernel's. What is merely cached of files is not counted.
whole() { awk '$1 == "anon" || $1 == "kernel" { n += $2 } END { printf "%.0f\n", n }' "$AGENT_CGROUP/memory.stat"; }
taken() { # taken NAME: both
	sleep 6
	agent=$(resident) all=$(whole)
	figure "$1, the agent" plain "$agent"
	figure "$1, with the kernel's" plain "$all"
}
containers() { # containers FROM TO: each with a process
	local i
	for ((i = $1; i <= $2; i++)); do inside "bench-many-$i" busybox sleep 100000 & done
	sleep 4
}

boot_settles
rules 10 | policy_make bench-many '-*'
systemctl start haetaed
taken "no container, 10 rules"
few=$all
rules 10000 | policy_make bench-many '-*'
agentctl reload
taken "no container, 10,000 rules"
figure "a rule" plain $(((all - few) / 9990))
containers 1 100
taken "100 containers, 10,000 rules"
((agent <= RESIDENT_MAX)) || { failed=1; echo "the agent has more than $RESIDENT_MAX"; }
few=$all
containers 101 1000
taken "1,000 containers, 10,000 rules"
figure "a container" plain $(((all - few) / 900))
awk -F '\t' '{ printf "%-44s %10d\n", $1, $3 }' "$FIGURES"
exit $failed
