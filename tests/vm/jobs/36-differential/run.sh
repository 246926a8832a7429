#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Three judges of the same question (tests/differential): the slow one over the rules, the walk over the compiled image, and this
# kernel. Random policies, random trees, random acts; and a rule that one of them lacks is noticed.
# HAETAE_SEED, HAETAE_ROUNDS, HAETAE_ACTS: other rounds than those that are always run.
# shellcheck disable=SC2016 # awk is handed what it shall expand
# shellcheck disable=SC2317 # the functions are called by expect
# shellcheck source=tests/lib/haetae.sh
source /src/tests/lib/haetae.sh
DIFFERENTIAL=/src/build/tests/differential/differential

policy 10-base.yaml <<-END
	policy: base
	match: [{cgroup: /differential.scope}]
	kernel: {device: allow}
	record: {exec: denied}
END
# The agent is stopped for all acts of a round, which may take longer than its watchdog waits.
mkdir -p /run/systemd/system/haetaed.service.d
printf '[Service]\nWatchdogSec=0\n' >/run/systemd/system/haetaed.service.d/differential.conf
systemctl daemon-reload
must "the agent starts" agent_start
HAETAED_PID=$(agent_pid)
export HAETAED_PID
trap 'kill -CONT "$HAETAED_PID"' EXIT


differential() { "$DIFFERENTIAL" "${HAETAE_ROUNDS:-10}" "${HAETAE_ACTS:-260}" "${HAETAE_SEED:-1}" >/tmp/totals; }
total() { awk -v name="$1" '$1 == name { print $2 }' /tmp/totals; }
expect "the three judges agree" differential
[[ $(total disagreed) == 0 ]] || agentctl events --json --all >/out/events.json
sed 's/^/# /' /tmp/totals
expect "on thousands of acts" test "$(total compared)" -ge "${HAETAE_COMPARED:-2500}"
expect "nearly all of which the manual decides" test "$(($(total unclear) * 20))" -le "$(total compared)"
expect "of every kind, allowed and refused" is "" awk '$1 == "act" && ($3 == 0 || $4 == 0)' /tmp/totals
expect "by the name, the name without a bind mount, the object, and what a move would shed" is "" awk '$1 == "ground" && $3 == 0' /tmp/totals
expect "a rule that the slow judge lacks is noticed" test "$(total planted-slow)" -gt 0
expect "a rule that the image lacks is noticed" test "$(total planted-image)" -gt 0
expect "a rule that the kernel lacks is noticed" test "$(total planted-kernel)" -gt 0
finish
