#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# shellcheck disable=SC2016 # eval is handed what it shall expand
# HAETAE_FLIP_PROBES: how many answers are looked at while versions take turns.
# J04, J05: policies come, change, break and go while tasks run and probe; at no instant is none, or a mixture, in force.
# shellcheck disable=SC2317 # the functions are called by expect
# shellcheck source=tests/lib/haetae.sh
source /src/tests/lib/haetae.sh

mkdir /r && for name in one two kept added both moving none; do echo "$name" >"/r/$name"; done
probe() { inside /r.scope "$TRY" open read "/r/$1"; }
generation() { agent_status '$.generation'; }
newer_than() { (($(generation) > $1)); }
says() { grep -F -- "$@"; }

rules() { # FILE NAME PATH...
	local name=$2 file=$1
	shift 2
	printf 'policy: %s\nmatch: [{cgroup: /r.scope}]\nfile:\n  deny:\n' "$name" >/tmp/rules
	printf '    - %s\n' "$@" >>/tmp/rules
	policy "$file" </tmp/rules
}
rules one.yaml one /r/one
rules two.yaml two /r/two
must "the agent starts" agent_start
expect "both policies are in force" eval 'refused probe one && refused probe two && passes probe kept'

# ---- a broken file ----
broken() { agentctl reload 2>/tmp/reload; }
printf 'policy: one\nmatch: [{cgroup: /r.scope}]\nfile:\n  deny: [/r/one]\n  forbid: [/r/none]\n' | policy one.yaml
rules two.yaml two /r/two /r/kept
expect "reload reports a broken file" has_status 1 broken
expect "with file, line and column" says "$POLICIES/one.yaml:5:3" /tmp/reload
expect "its last good version stays" refused probe one
expect "nothing of the broken one is in force" passes probe none
expect "the good file beside it applies" refused probe kept
expect "status names the broken file" eval 'agentctl status --no-pager | says one.yaml'
expect "and says that an old version is in force" is stale eval \
	"agentctl status --json | json '$.sources[0].state'"
refuse "systemctl reload fails" systemctl reload haetaed.service
journal_alert() {
	journalctl --sync
	journalctl --output=cat --no-pager "$@" | says "one.yaml' is broken"
}
expect "the journal has an alert" journal_alert SYSLOG_IDENTIFIER=haetaed
alert_explained() {
	local id
	id=$(journalctl --output=json --no-pager SYSLOG_IDENTIFIER=haetaed | says "one.yaml' is broken" | says '"MESSAGE_ID"' | tail -n 1 | json '$.MESSAGE_ID')
	[[ $id ]] && journalctl --catalog --no-pager MESSAGE_ID="$id" | says "Subject:"
}
expect "with an id that the catalog explains" alert_explained
rules one.yaml one /r/one
expect "a mended file is fine again" systemctl reload haetaed.service
expect "and applies" eval 'refused probe one && passes probe none'

# ---- the ways to say it ----
rules one.yaml one /r/one /r/none
expect "a changed directory applies by itself" until_ 10 refused probe none
before=$(generation)
kill -HUP "$(agent_pid)"
expect "SIGHUP applies" until_ 10 newer_than "$before"

# ---- running tasks ----
mkfifo /r/go-removed /r/go-added
rules removed.yaml removed /r/added
expect "a policy is there" agentctl reload
enter /r.scope "$TRY" wait /r/go-removed open read /r/added 2>/dev/null &
pid=$!
expect "its tasks are governed" refused probe added
rm "$POLICIES/removed.yaml"
expect "the policy goes" agentctl reload
timeout 10 bash -c ': >/r/go-removed'
wait "$pid"
expect "a running task is free of it" is 0 echo "$?"
expect "the other policies still govern" refused probe one
enter /plain.scope "$TRY" wait /r/go-added open read /r/added 2>/dev/null &
pid=$!
policy added.yaml <<-EOF
	policy: added
	match: [{unit: plain.scope}]
	file: {deny: [/r/added]}
EOF
expect "a policy comes" agentctl reload
timeout 10 bash -c ': >/r/go-added'
wait "$pid"
expect "a task that runs already is governed by it" is 1 echo "$?"

# ---- precedence and masks ----
vendor=/usr/lib/haetae/policies.d
mkdir -p $vendor
printf 'policy: vendor\nmatch: [{cgroup: /r.scope}]\nfile: {deny: [/r/both]}\n' >$vendor/90-vendor.yaml
expect "a vendor's policy comes" agentctl reload
expect "and governs" refused probe both
ln -s /dev/null "$POLICIES/90-vendor.yaml"
expect "it is masked" agentctl reload
expect "and governs no more" passes probe both
expect "status says masked" eval 'agentctl status --json | says masked'
rm "$POLICIES/90-vendor.yaml"
printf 'policy: vendor\nmatch: [{cgroup: /r.scope}]\nfile: {deny: [/r/moving]}\n' | policy 90-vendor.yaml
expect "it is overridden" agentctl reload
expect "by the administrator's file of that name" eval 'refused probe moving && passes probe both'
rm "$POLICIES"/*.yaml $vendor/90-vendor.yaml

# ---- hooks that no policy needs ----
idle() { agentctl status --json | json '$.links.idle'; } # programs that are in no hook
none_idle() { [[ $(idle) == "[]" ]]; }
mkfifo /r/go-idle
expect "no policy is left" agentctl reload
expect "what only gives verdicts has left its hooks" eval 'idle | says haetae_file_open'
expect "what keeps labels has not" eval '! idle | grep -E "task_alloc|task_free|committed_creds|process_|cgroup_"'
expect "nothing is refused" eval 'passes probe one && passes probe moving'
enter /r.scope "$TRY" wait /r/go-idle open read /r/one 2>/dev/null &
pid=$!
expect "an agent that starts without a policy becomes ready" systemctl restart haetaed.service
expect "and needs none of them either" until_ 10 eval 'idle | says haetae_file_open'
printf 'policy: one\nmatch: [{cgroup: /r.scope}]\nfile: {deny: [/r/one]}\nkernel: {mount: allow}\n' | policy one.yaml
expect "a policy comes" agentctl reload
expect "and is in force" refused probe one
timeout 10 bash -c ': >/r/go-idle'
wait "$pid"
expect "for a task that began when there was none, too" is 1 echo "$?"
expect "what its lines allow stays out" is '["haetae_sb_mount"]' idle
mounts() { inside /r.scope mount -t tmpfs reload /mnt && umount /mnt; }
expect "and is allowed" mounts
printf 'policy: one\nmatch: [{cgroup: /r.scope}]\nfile: {deny: [/r/one]}\n' | policy one.yaml
expect "its lines change" agentctl reload
expect "and hold" refuse mounts
expect "with every program in its hook" none_idle
kill -KILL "$(agent_pid)"
expect "another agent takes them over" until_ 30 eval 'agentctl status --json >/dev/null && none_idle'
expect "and they refuse" eval 'refused probe one && refuse mounts'
rm "$POLICIES/one.yaml"

# ---- eight readers while two versions take turns ----
# /r/both is refused by both, by one policy's different lines; /r/none by none; /r/moving by one policy of each version, but not the
# same one: whoever sees one policy's new and the other's old version lets it through.
mkdir /r/flip
version() { # NUMBER FIRST SECOND MOUNT: with hooks that come and go
	cat >"/r/flip/$1" <<-EOF
		policy: flip-a
		match: [{cgroup: /flip.scope}]
		kernel: {mount: $4}
		file:
		  deny: [$2]
		---
		policy: flip-b
		match: [{cgroup: /flip.scope}]
		kernel: {mount: allow}
		file:
		  deny: [$3]
	EOF
}
version 1 "/r/moving, /r/both" "/r/kept" allow
version 2 "/r/b*, /r/one" "/r/moving" deny
policy flip.yaml </r/flip/1
expect "the first version is in force" agentctl reload
milliseconds_of() { # COMMAND...: of eight of them, each
	local begun=${EPOCHREALTIME/./} i
	for ((i = 0; i < 8; i++)); do "$@" >/dev/null || return; done
	echo $(((${EPOCHREALTIME/./} - begun) / 8000))
}
flip() {
	policy flip.yaml <"/r/flip/$((flips % 2 + 1))"
	flips=$((flips + 1))
	agentctl reload >/dev/null || failed=$((failed + 1))
}
flips=0 failed=0 probes=${HAETAE_FLIP_PROBES:-300000}
quiet=$(milliseconds_of flip)
# The readers are told to step back for whoever reloads: eight of them on two processors would leave it a fifth of one, and what is
# tried here is what they see while it happens, not who gets the processor.
enter /flip.scope nice -n 10 "$FLOOD" -l 8 "$probes" /r/both /r/none /r/moving >/tmp/flood &
flood_pid=$!
begun=${EPOCHREALTIME/./} flips=0
while kill -0 "$flood_pid" 2>/dev/null; do
	flip
	((flips < 8)) || kill "$flood_pid" 2>/dev/null
done
wait "$flood_pid"
took=$(((${EPOCHREALTIME/./} - begun) / 1000))
sed 's/^/# /' /tmp/flood
echo "# $flips flips in $took ms, one in $((took / flips)) ms; without readers in $quiet ms"
column() { awk -v path="$1" -v column="$2" '$1 == path { print $column }' /tmp/flood; }
expect "all reloads went well" is 0 echo $failed
expect "what both versions refuse was never let through" is 0 column /r/both 2
expect "there were so many probes" test "$(awk '{ n += $2 + $3 + $4 } END { print n }' /tmp/flood)" -ge "$probes"
expect "and many flips meanwhile" test "$flips" -ge 8
expect "what one policy of each version refuses was never let through" is 0 column /r/moving 2
expect "what no version names was never refused" is "0 0" eval 'echo $(column /r/none 3) $(column /r/none 4)'
expect "nothing failed otherwise" is "0 0" eval 'echo $(column /r/both 4) $(column /r/moving 4)'

expect "every verdict is accounted for" settle
# Asked of the database: what a flood leaves would be read as JSON for a minute. Numbers as in bpf-lsm/abi.h.
DENY=1 BY_POLICY=1
recorded() {
	sql "$STATE/events.db" "WITH e AS (SELECT event.*, policy, rule_text, CAST(cgroup AS TEXT) AS scope FROM event
		LEFT JOIN rule ON rule.key = event.rule LEFT JOIN place ON place.key = event.place) $1"
}
expect "refusals were recorded" eval "((\$(recorded \"SELECT count(*) FROM e WHERE scope = '/flip.scope' AND verdict = $DENY\") > 100))"
expect "each refusal was by a rule of one of the versions" is 0 recorded "SELECT count(*) FROM e
	WHERE scope = '/flip.scope' AND verdict = $DENY AND (reason <> $BY_POLICY OR rule_text IS NULL OR policy NOT LIKE 'flip-%')"
expect "and both versions took part" is "file.deny /r/b* file.deny /r/both" eval \
	"recorded \"SELECT DISTINCT rule_text FROM e WHERE scope = '/flip.scope' AND CAST(path AS TEXT) = '/r/both' AND verdict = $DENY ORDER BY rule_text\" | paste -sd' '"
finish
