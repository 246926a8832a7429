# shellcheck shell=bash
# SPDX-License-Identifier: Apache-2.0
# shellcheck disable=SC2034 # the jobs that source it use what it names
# For jobs in machines: the agent, its policies, governed processes and what was recorded of them.
# shellcheck source=tests/vm/guest/tap.sh
source /run/rig/tap.sh

# shellcheck disable=SC2034 # for those who source this
TRY=/src/build/tests/attack/helper/try FLOOD=/src/build/tests/attack/helper/flood
POLICIES=/etc/haetae/policies.d
STATE=/var/lib/haetae
CGROUPS=/sys/fs/cgroup

# Each of podman's processes is over before its garbage is worth collecting: a twelfth of what a container's start takes.
export GOGC=off GOMEMLIMIT=256MiB

# until SECONDS COMMAND...: tries again and again until it succeeds.
until_() {
	local end=$((${EPOCHREALTIME/./} + $1 * 1000000))
	shift
	until "$@"; do
		((${EPOCHREALTIME/./} < end)) || return 1
		sleep 0.1
	done
}

# milliseconds COMMAND...: prints how many it took.
milliseconds() {
	local begun=${EPOCHREALTIME/./}
	"$@" >&2 || return
	echo $(((${EPOCHREALTIME/./} - begun) / 1000))
}

# policy FILE: standard input becomes a policy file. Written beside and renamed, as an editor does.
policy() {
	[[ -d $POLICIES ]] || mkdir -p "$POLICIES"
	(umask 022 && exec cat >"/etc/haetae/$1.new") && mv "/etc/haetae/$1.new" "$POLICIES/$1"
}

# agent_start: back when it is ready; what it said, if it is not.
agent_start() { systemctl start haetaed.service || { agent_log --lines=30; return 1; }; }
# The agent's; fails if there is none, so that nobody signals process 0, which is everybody here.
agent_pid() {
	local pid
	pid=$(systemctl show --property=MainPID --value haetaed.service)
	((pid > 1)) && echo "$pid"
}
agent_runs() { [[ $(systemctl is-active haetaed.service) == active ]]; }
agent_log() { journalctl --sync && journalctl --unit=haetaed.service --output=cat --no-pager "$@"; }

# enter CGROUP COMMAND...: this very shell enters the cgroup, as a container's runtime does, then execs the command. For
# the background, where its process id is wanted: 'enter /x.scope sleep 9 &'.
enter() {
	local cgroup=$CGROUPS$1
	shift
	[[ -d $cgroup ]] || mkdir -p "$cgroup"
	echo "$BASHPID" >"$cgroup/cgroup.procs" && exec "$@"
}
# inside CGROUP COMMAND...: the same, and back.
inside() { (enter "$@"); }

# status COMMAND...: prints the exit status.
status() {
	"$@" >&2
	echo "$?"
}

# has_status STATUS COMMAND...
has_status() {
	local expected=$1 got
	shift
	"$@" >&2
	got=$?
	((got == expected)) || { echo "expected status $expected, not $got: $*"; return 1; }
}
# The kernel's answer to one act, made by tests/attack/helper/try. EPERM is 1.
refused() { has_status 1 "$@"; }
passes() { has_status 0 "$@"; }

sql() { sqlite3 -batch -noheader "$@"; }
# json PATH: one value out of the JSON on standard input.
json() {
	local text
	IFS= read -rd '' text # to its end
	printf '%s' "$text" >/tmp/json.input
	sql :memory: "SELECT json_extract(CAST(readfile('/tmp/json.input') AS TEXT), '$1')"
}
agent_status() { agentctl status --json | json "$1"; }

# ledger VERDICT: the agent's books of a verdict: "counted stored aggregated lost", lost wherever it was.
ledger() {
	agentctl status --json >/tmp/status.json || return
	sql -separator ' ' :memory: "WITH s(j) AS (SELECT CAST(readfile('/tmp/status.json') AS TEXT))
		SELECT j ->> '\$.counters.$1.counted', j ->> '\$.store.stored.$1', j ->> '\$.counters.$1.aggregated',
			(j ->> '\$.counters.$1.lost') + (j ->> '\$.store.unstored.$1') FROM s"
}

# What the database itself says, without the agent: "stored aggregated lost" of a verdict number, this boot.
database() {
	local boot
	boot=$(tr -d - </proc/sys/kernel/random/boot_id)
	sql -separator ' ' "$STATE/events.db" "SELECT
		coalesce(sum(count) FILTER (WHERE kind = 0), 0), coalesce(sum(count) FILTER (WHERE kind = 1), 0),
		coalesce(sum(count) FILTER (WHERE kind = 5), 0)
		FROM event JOIN boot ON boot.key = event.boot WHERE verdict = $1 AND hex(boot_id) = upper('$boot')"
}

balanced() {
	local counted stored aggregated lost pending
	read -r counted stored aggregated lost < <(ledger deny) || return
	pending=$(sql :memory: "SELECT CAST(readfile('/tmp/status.json') AS TEXT) ->> '\$.store.pending'")
	((counted == stored + aggregated + lost)) && [[ $pending == 0 ]]
}
# settle: waits until everything that was counted is accounted for, at most a minute and a half.
settle() {
	until_ "${1:-90}" balanced || { echo "not settled: $(ledger deny)"; agentctl status --no-pager; return 1; }
}

# events_read: everything recorded becomes the table e of /tmp/events.db. Line by line: as one array, SQLite parses for
# minutes what a flood leaves.
events_read() {
	agentctl events --json --all >/tmp/events.json || return
	rm -f /tmp/events.db
	sql -bail /tmp/events.db <<-'END'
		CREATE TABLE line(value TEXT);
		.mode ascii
		.separator "\037" "\n"
		.import /tmp/events.json line
		CREATE TABLE e AS SELECT
		value ->> 'id' AS id, value ->> 'kind' AS kind, value ->> 'notice' AS notice, value ->> 'verdict' AS verdict,
		value ->> 'reason' AS reason, value ->> 'op' AS op, value ->> 'count' AS count, value ->> 'severity' AS severity,
		value ->> 'policy' AS policy, value ->> '$.rule.file' AS file, value ->> '$.rule.line' AS line,
		value ->> '$.rule.text' AS rule, value ->> '$.rule.message' AS rule_message, value ->> 'generation' AS generation,
		value ->> '$.container.name' AS container, value ->> '$.container.cgroup' AS cgroup,
		value ->> '$.container.cgroup_id' AS cgroup_id, value ->> '$.process.pid' AS pid,
		value ->> '$.process.exe' AS exe, value ->> '$.object.path' AS path, value ->> 'message' AS message,
		value -> 'flags' AS flags
		FROM line;
		DROP TABLE line;
	END
}
events() { sql /tmp/events.db "$@"; }

# must DESCRIPTION COMMAND...: as expect, but nothing that follows makes sense without it.
must() {
	local before=$tap_failed
	tap_failed=0
	expect "$@"
	((tap_failed == 0)) || finish
	tap_failed=$before
}

# is EXPECTED COMMAND...: its output is that.
is() {
	local expected=$1 got
	shift
	got=$("$@") || return
	[[ $got == "$expected" ]] || { printf 'expected:\n%s\ngot:\n%s\n' "$expected" "$got"; return 1; }
}
