#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# I08, I11: the disk of the verdict store is full, stuck, read-only, or holds rubbish. Enforcement does not care, losses are
# counted, and it goes on by itself when the disk is well.
# shellcheck disable=SC2016 # eval is handed what it shall expand
# shellcheck disable=SC2317 # the functions are called by expect
# shellcheck source=tests/lib/haetae.sh
source /src/tests/lib/haetae.sh

containers=10 opens=100 queue=300 # fewer than there will be records
mkdir /d && echo secret >/d/secret
policy d.yaml <<-EOF
	policy: d
	match: [{cgroup: "/d-*.scope"}]
	file: {deny: [/d/secret]}
EOF
small_disk() {
	local device
	truncate -s 24M /disk.img && mke2fs -q -F -t ext4 -O ^has_journal -m 0 /disk.img && modprobe loop &&
		device=$(losetup --find --show /disk.img) && mkdir -p "$STATE" && mount -t ext4 "$device" "$STATE" && chmod 0700 "$STATE"
}
mkdir -p /etc/systemd/system/haetaed.service.d
printf '[Service]\nExecStart=\nExecStart=/usr/sbin/haetaed --queue-max %d\n' $queue >/etc/systemd/system/haetaed.service.d/queue.conf
systemctl daemon-reload
must "the store has a small disk of its own" small_disk
must "the agent starts" agent_start
pid=$(agent_pid)

flood_all() {
	local i
	for ((i = 0; i < containers; i++)); do
		enter "/d-$1-$i.scope" "$FLOOD" 1 "$2" /d/secret &
	done >/tmp/flood
	wait
	awk '{ opened += $2; refused += $3; other += $4 } END { print opened, refused, other }' /tmp/flood
}
refuse_one() { refused inside "/d-$1.scope" "$TRY" open read /d/secret; }
recorded() { events_read && is 1 events "SELECT count(*) FROM e WHERE cgroup = '/d-$1.scope' AND verdict = 'deny'"; }
degraded() { is "$1" agent_status '$.store.degraded'; }
well_again() { degraded 0 && [[ $(agent_status '$.store.pending') == 0 ]]; }
alert() { agent_log | grep "verdict store can$1 be written"; }
journal_alert() { journalctl --sync && journalctl --output=cat --no-pager _PID="$by_hand" | grep "verdict store cannot be written"; }
books() {
	local counted stored aggregated lost
	read -r counted stored aggregated lost < <(ledger deny)
	echo "# counted $counted, stored $stored, aggregated $aggregated, lost $lost" >>/tmp/books
	is "$counted" echo $((stored + aggregated + lost)) && is "$stored $aggregated $lost" database 1
}

# ---- a full disk ----
expect "a refusal is recorded" eval 'refuse_one before && settle && recorded before'
dd if=/dev/zero of="$STATE/filler" bs=64k 2>/dev/null
dd if=/dev/zero of="$STATE/filler2" bs=1k 2>/dev/null
expect "the disk is full" is 0 eval "df --output=avail '$STATE' | tail -n 1 | tr -d ' '"
expect "full: all denied opens are refused" is "0 $((containers * opens)) 0" flood_all full "$opens"
expect "full: the agent says so" until_ 20 degraded 1
expect "full: and alerts" until_ 10 alert not
expect "full: the agent answers and enforces" refuse_one full
expect "full: more came than the queue holds" eval '(($(agent_status "$.store.dropped") > 0))'
rm "$STATE"/filler*
expect "room: it recovers without a restart" until_ 60 well_again
expect "room: it says so" until_ 10 alert ""
expect "room: every verdict is accounted for" settle 60
expect "room: the books are right, the loss exact" books
expect "room: something was lost, and a row says how much" eval \
	'events_read && (($(events "SELECT count(*) FROM e WHERE kind = '\''loss'\'' AND count > 0") > 0))'
expect "room: new refusals are recorded" eval 'refuse_one room && settle && recorded room'

# ---- a disk that hangs ----
expect "the disk hangs" fsfreeze --freeze "$STATE"
expect "stuck: all denied opens are refused" is "0 $((containers * 10)) 0" flood_all stuck 10
expect "stuck: the agent answers" agent_status '$.pid'
expect "stuck: new refusals wait" refuse_one stuck
expect "it is released" fsfreeze --unfreeze "$STATE"
expect "released: every verdict is accounted for" settle 60
expect "released: nothing of it is missing" eval 'recorded stuck'
expect "released: the books are right" books

expect "the agent was never restarted" is "$pid" agent_pid

# ---- a read-only file system, and an agent that starts with it ----
# By hand: the service has a view of the mounts of its own, where this one would stay read-only.
systemctl stop haetaed.service
expect "the disk is read-only" mount -o remount,ro "$STATE"
haetaed --foreground --queue-max "$queue" 2>/tmp/by-hand &
by_hand=$!
expect "read-only: the agent starts" until_ 30 grep -q "^Ready" /tmp/by-hand
expect "read-only: it says that it cannot write" until_ 20 degraded 1
expect "read-only: and alerts" until_ 10 journal_alert
expect "read-only: refusals go on" refuse_one read-only
expect "it is writable again" mount -o remount,rw "$STATE"
expect "writable: it recovers without a restart" until_ 60 well_again
expect "writable: every verdict is accounted for" settle
expect "writable: what was refused meanwhile is recorded" recorded read-only
expect "writable: the books are right" books
kill "$by_hand" && wait "$by_hand"
expect "the agent stops as asked" test $? = 0

# ---- rubbish instead of a database ----
expect "rubbish over the database" dd if=/dev/urandom of="$STATE/events.db" bs=4096 count=4 conv=notrunc status=none
rm -f "$STATE"/events.db-*
must "the agent starts" agent_start
expect "the damaged database was set aside" eval "ls '$STATE' | grep events.db.damaged-"
expect "a new one takes its place" eval 'refuse_one new && settle && recorded new'
expect "and is whole" is ok sql "$STATE/events.db" "PRAGMA integrity_check"
expect "the books are right" books
cat /tmp/books
finish
