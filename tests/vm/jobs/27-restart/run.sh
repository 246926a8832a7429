#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# shellcheck disable=SC2016 # eval is handed what it shall expand
# H01, H10, J03: the agent is killed, stopped, started twice and cut short; what it published goes on.
# shellcheck disable=SC2317 # the functions are called by expect
# shellcheck source=tests/lib/haetae.sh
source /src/tests/lib/haetae.sh

kills=5
mkdir /k && echo secret >/k/secret && echo open >/k/open
policy k.yaml <<-EOF
	policy: k
	match: [{cgroup: "/k-*.scope"}]
	file: {deny: [/k/secret]}
EOF
must "the agent starts" agent_start
secret_refused() { refused inside "/k-$RANDOM.scope" "$TRY" open read /k/secret; }
open_passes() { passes inside "/k-$RANDOM.scope" "$TRY" open read /k/open; }
# Everything that outlives the agent.
pins() { find /sys/fs/bpf/haetae -mindepth 1 2>/dev/null | wc -l; }
whole=$(pins)
expect "links and maps are pinned" test "$whole" -gt 20

# ---- kill -9, again and again, while denied opens go on ----
enter /k-flood.scope "$FLOOD" 4 0 /k/secret >/tmp/flood &
flood_pid=$!
# systemd can call a unit active that it is about to find dead: then there is no process
back() {
	local pid
	agent_runs && pid=$(agent_pid) && [[ $pid != "$1" ]]
}
slowest=0
kill_once() {
	local pid begun=${EPOCHREALTIME/./} took
	pid=$(agent_pid) || return
	kill -KILL "$pid"
	until_ 90 back "$pid" || { systemctl status --no-pager haetaed.service; agent_log --lines=20; return 1; }
	took=$(((${EPOCHREALTIME/./} - begun) / 1000))
	((took <= slowest)) || slowest=$took
}
killed=0
for ((i = 0; i < kills; i++)); do
	kill_once && killed=$((killed + 1))
done
expect "the agent came back each time" is $kills echo $killed
expect "new containers are governed while it is gone" eval 'kill -KILL "$(agent_pid)"; secret_refused && open_passes'
kill "$flood_pid"
wait "$flood_pid"
read -r _ opened refused other </tmp/flood
echo "# $refused refusals during $kills kills; the slowest restart took $slowest ms"
expect "no denied open succeeded" is "0 0" echo "$opened $other"
expect "there were many" test "$refused" -gt 1000
# systemd itself gives it no longer; on a quiet machine it takes a few seconds, emulated and with the flood beside it
expect "a restart takes less than a minute, emulated and under load" test "$slowest" -lt 60000
expect "the agent is up" until_ 90 agent_runs
expect "every verdict is accounted for" settle 120
read -r counted stored aggregated lost < <(ledger deny)
echo "# counted $counted, stored $stored, aggregated $aggregated, lost $lost"
expect "each refusal was counted" is $((refused + 1)) echo "$counted"
expect "the database says the same by itself" is "$stored $aggregated $lost" database 1
expect "counted = stored + aggregated + lost" is "$counted" echo $((stored + aggregated + lost))

# ---- who may ask ----
as() { # GROUP COMMAND...: as nobody, in that group
	local group=$1
	shift
	setpriv --reuid 65534 --regid 65534 --groups "$group" "$@"
}
refuse_quietly() { ! "$@"; }
expect "the socket is the group's" is "660 root haetae" stat -c "%a %U %G" /run/haetae/control
expect "a member of the group may ask for the status" eval 'as haetae agentctl status --json | json "$.generation"'
expect "but not change anything" has_status 4 as haetae agentctl reload
expect "nor read the store" refuse_quietly as haetae agentctl events
expect "nobody else may ask" has_status 4 as 65534 agentctl status

# ---- a second one ----
pid=$(agent_pid)
second() { timeout 20 haetaed --foreground "$@" 2>/tmp/second; }
expect "a second agent does not start" has_status 1 second
expect "it says why" grep "Another haetaed" /tmp/second
expect "nor with directories of its own" has_status 1 second --state-dir /tmp/second-state --runtime-dir /tmp/second-run
expect "the first goes on" is "$pid" agent_pid
expect "and enforces" secret_refused

# ---- systemctl stop: enforcement stays, and its records wait ----
expect "the agent stops" systemctl stop haetaed.service
expect "the enforcement stays" secret_refused
expect "in new containers too" refused inside /k-while-stopped.scope "$TRY" open read /k/secret
expect "what no rule names still works" open_passes
expect "status says what stays in force" eval 'agentctl status --no-pager | grep "Enforced: yes"'
must "the agent starts again" agent_start
expect "every verdict is accounted for afterwards" settle
expect "the events can be read" events_read
expect "the refusal while it was stopped has its row" is "/k/secret k" events -separator ' ' \
	"SELECT path, policy FROM e WHERE cgroup = '/k-while-stopped.scope' AND verdict = 'deny'"

# ---- programs that are replaced, as by an upgrade: both sets decide until the new one is whole ----
enter /k-replaced.scope "$FLOOD" 2 0 /k/secret /k/open >/tmp/replaced &
flood_pid=$!
programs() { find /sys/fs/bpf/haetae -name 'link-*' -printf '%f %i\n' | sort; }
programs >/tmp/before
systemctl stop haetaed.service
rm /sys/fs/bpf/haetae/link-haetae_ptrace_traceme
must "the agent starts and loads its programs anew" agent_start
programs >/tmp/after
expect "every link is another one" is 0 eval 'comm -12 /tmp/before /tmp/after | wc -l'
expect "none is left over" is 0 eval 'find /sys/fs/bpf/haetae -name "new-*" -o -name "old-*" | wc -l'
sleep 2 # the kernel takes the old ones down
kill "$flood_pid"
wait "$flood_pid"
replaced() { sed -n "s|^/k/$1 ||p" /tmp/replaced; }
read -r opened refused other < <(replaced secret)
expect "what is denied was denied all the while" is "0 0" echo "$opened $other"
read -r opened refused other < <(replaced open)
expect "and what is allowed, allowed" is "0 0" echo "$refused $other"
expect "there were many of both" test "$opened" -gt 1000

# ---- pins that are not whole ----
systemctl stop haetaed.service
rm /sys/fs/bpf/haetae/link-haetae_file_open
must "the agent starts with a link missing" agent_start
expect "and enforces again" secret_refused
systemctl stop haetaed.service
rm /sys/fs/bpf/haetae/map-globs
must "the agent starts with a table missing" agent_start
expect "and enforces" secret_refused
expect "what no rule names works" open_passes
expect "the pins are whole" is "$whole" pins

# ---- the end of it ----
systemctl stop haetaed.service
expect "haetaed --detach" haetaed --detach
expect "nothing is pinned" is 0 pins
freed() { passes inside /k-free.scope "$TRY" open read /k/secret; }
expect "nothing is enforced" freed
has_pins() { (($(pins) >= $1)); }
cut_short() { # once so many pins are there
	local agent
	haetaed --foreground 2>/dev/null &
	agent=$!
	until_ 30 has_pins "$1"
	kill -KILL $agent
	wait $agent
	echo "# cut short at $(pins) of $whole pins"
	has_pins "$1" && open_passes
}
for n in 1 $((whole / 2)) $((whole - 2)); do
	cut_short "$n" >/tmp/cut 2>&1
	expect "a load is cut short after $n pins" is 0 echo $?
	cat /tmp/cut
done
must "the agent starts after loads that were cut short" agent_start
expect "and enforces" secret_refused
expect "the books are balanced" settle
finish
