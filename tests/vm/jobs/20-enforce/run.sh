#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Every act of tests/attack, and who is governed from when on: a task on its way in, one that ran before the agent.
# shellcheck disable=SC2317 # the functions are called by expect
# shellcheck source=tests/lib/attack.sh
source /src/tests/lib/attack.sh

# ---- every program loads, at most a tenth above what tests/vm/verifier.tsv has for this kernel ----
# (which tests/vm/verifier --write writes anew, from what this job leaves in its log directory)
programs_read() { haetaed --probe >/tmp/programs && awk -v kernel="$RIG_KERNEL" 'NR > 1 { print kernel "\t" $1 "\t" $2 }' /tmp/programs >/out/programs.tsv; }
programs_as_recorded() {
	awk -F '\t' 'FNR == NR { recorded[$1, $2] = $3; next }
		!(($1, $2) in recorded) { print $2 ": " $3 ", and nothing is recorded"; bad = 1; next }
		$3 > recorded[$1, $2] * 1.1 || $3 * 2 < recorded[$1, $2] { print $2 ": " $3 ", recorded " recorded[$1, $2]; bad = 1 }
		END { exit bad || FNR < 40 }' /src/tests/vm/verifier.tsv /out/programs.tsv
}
expect "the kernel checks every program" programs_read
expect "and looks at no more instructions than recorded" programs_as_recorded

acts=(/src/tests/attack/*.sh)

# ---- F20: tasks that run before the agent does, threads among them ----
mkdir -p /early && echo secret >/early/secret && echo open >/early/open
mkfifo /early/go /early/go-thread /early/go-open
early() {
	enter /early.scope "$TRY" "$@" 2>/dev/null &
	early_pids+=($!)
}
early_pids=()
early wait /early/go open read /early/secret
early thread wait /early/go-thread fork open read /early/secret
early wait /early/go-open open read /early/open
early_answers() {
	local pid fifo
	for fifo in go go-thread go-open; do
		timeout 10 bash -c ": >/early/$fifo" || return
	done
	for pid in "${early_pids[@]}"; do
		wait "$pid"
		echo -n "$? "
	done
}
policy early.yaml <<-EOF
	policy: early
	match: [{unit: early.scope}]
	file: {deny: [/early/secret]}
EOF

attack_policies "${acts[@]}"
must "all policies are good" agentctl policy check "$POLICIES"/*.yaml
must "the agent starts" agent_start
expect "none of the policies is refused" is "[]" agent_status '$.warnings'
early_answers >/tmp/early
expect "tasks that ran before the agent are governed from its start" is "1 1 0 " cat /tmp/early

# ---- F08: what a runtime does in the cgroup before its first exec is its own ----
policy entering.yaml <<-EOF
	policy: entering
	match: [{cgroup: /entering.scope}]
	exec: {deny: [/usr/bin/true]}
	file: {deny: [/early/secret]}
EOF
expect "the policy of the runtime's cgroup applies" agentctl reload
enters_and_reads() (
	mkdir -p "$CGROUPS/entering.scope" && echo "$BASHPID" >"$CGROUPS/entering.scope/cgroup.procs" && read -r line </early/secret
	[[ $line == secret ]]
)
enters_and_forks() (
	mkdir -p "$CGROUPS/entering.scope" && echo "$BASHPID" >"$CGROUPS/entering.scope/cgroup.procs"
	(read -r line </early/secret && [[ $line == secret ]])
)
first_exec() (
	echo "$BASHPID" >"$CGROUPS/entering.scope/cgroup.procs" && exec /usr/bin/true
)
expect "a runtime that entered the cgroup still works" enters_and_reads
expect "and so does what it forks" enters_and_forks
expect "its first exec is judged" has_status 126 first_exec
expect "after it, the task is governed" refused inside /entering.scope "$TRY" open read /early/secret

attack_all "${acts[@]}"

# ---- F08, the other way round: what passes for a runtime that runs itself once more ----
cp "$TRY" /tmp/nameless && exec {nameless}</tmp/nameless && rm /tmp/nameless
ln -s "/proc/$$/fd/$nameless" /early/program
enters_and_runs() (
	echo "$BASHPID" >"$CGROUPS/entering.scope/cgroup.procs" && exec "$@"
)
expect "a program without a name, by a descriptor of the runtime's own, is its set-up" enters_and_runs "/proc/self/fd/$nameless" open read /early/secret
expect "the same program, where a path leads to it, is judged" refused enters_and_runs /early/program open read /early/secret
exec {nameless}<&-

# ---- the records of the tasks above ----
expect "one row for each task that ran before the agent" is 2 events "SELECT count(*) FROM e WHERE policy = 'early' AND verdict = 'deny'"
expect "the first exec has its row" is "/usr/bin/true" events "SELECT path FROM e WHERE policy = 'entering' AND op = 'exec' AND verdict = 'deny'"
expect "each row names policy, rule, file and line" is 0 events "SELECT count(*) FROM e
	WHERE verdict = 'deny' AND reason = 'policy' AND (policy IS NULL OR file IS NULL OR line IS NULL OR rule IS NULL OR cgroup IS NULL)"
agentctl events --full --no-pager >/out/events.txt
cp /tmp/events.json /out/
finish
