#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# K06: more governed cgroups, and more objects that rules name, than the kernel's tables have room for. Those that found no room are governed all the same, from
# their first exec; once there is room again, they are in the table.
# shellcheck disable=SC2317 # the functions are called by expect
# shellcheck source=tests/lib/haetae.sh
source /src/tests/lib/haetae.sh

room=4 many=40

mkdir -p /p /run/systemd/system/haetaed.service.d
echo secret >/p/secret && cp "$TRY" /p/denied
cat >/run/systemd/system/haetaed.service.d/room.conf <<-EOF
	[Service]
	ExecStart=
	ExecStart=/usr/sbin/haetaed --cgroups-max $room --identities-max $room
EOF
systemctl daemon-reload
policy room.yaml <<-EOF
	policy: room
	match: [{cgroup: /room-*.scope}]
	exec: {deny: [/p/denied]}
	file: {deny: [/p/secret]}
EOF
policy nested.yaml <<-EOF
	policy: nested
	match: [{cgroup: /room-*.scope/inner}]
	file: {deny: [/p/inner]}
EOF
echo inner >/p/inner
must "the agent starts with little room" agent_start

# Every scope keeps a task, so none of them leaves the table. The agent's own scan finds no room either.
hold_all() {
	local i
	for ((i = 0; i < many; i++)); do
		enter "/room-$i.scope" sleep 1000 &
		sleepers+=("$!")
	done
}
sleepers=()
refused_in_each() {
	local i got=0
	for ((i = 0; i < many; i++)); do
		inside "/room-$i.scope" "$@" >/dev/null 2>&1
		(($? == 1)) && got=$((got + 1))
	done
	((got == many)) || { echo "refused in $got of $many"; return 1; }
}
# The shell enters and execs the denied program itself: its first exec.
denied_in_each() {
	local i got=0 output
	for ((i = 0; i < many; i++)); do
		output=$(inside "/room-$i.scope" /p/denied open read /p/secret 2>&1)
		[[ $output == *"Operation not permitted"* ]] && got=$((got + 1))
	done
	((got == many)) || { echo "refused in $got of $many"; return 1; }
}
missed() { agent_status '$.failures."binds-failed"'; }

hold_all
expect "a denied program does not run in any of $many" denied_in_each
expect "a denied file opens in none of $many" refused_in_each "$TRY" open read /p/secret
expect "cgroups that found no room were counted" eval "((\$(missed) >= many - room))"
expect "ungoverned tasks are left alone" passes "$TRY" open read /p/secret
expect "and run what they like" passes /p/denied open read /p/secret
expect "a cgroup below one is governed by both policies" refused inside "/room-1.scope/inner" "$TRY" open read /p/inner
expect "by the one above as well" refused inside "/room-1.scope/inner" "$TRY" open read /p/secret
expect "and only by these" passes inside "/room-1.scope" "$TRY" open read /p/inner

# ---- objects: their rules hold by name, which was refused in all of them; that there is no room is told ----
ln /p/secret /p/other
objects_told() { (($(agent_status '$.identities."without-room"') > 0)); }
expect "objects that found no room are counted" until_ 60 objects_told
expect "and told" eval "agent_status '\$.warnings' | grep 'no room'"
expect "nothing is refused for want of room" passes "$TRY" open read /p/other

kill "${sleepers[@]}"
wait "${sleepers[@]}" 2>/dev/null
scopes_gone() {
	find "$CGROUPS" -mindepth 1 -depth -type d -path '*/room-*' -exec rmdir {} + 2>/dev/null
	[[ ! $(find "$CGROUPS" -maxdepth 1 -name 'room-*') ]]
}
expect "the scopes are removed" until_ 20 scopes_gone
bound_in_table() {
	local before
	before=$(missed)
	mkdir -p "$CGROUPS/room-late.scope"
	refused inside /room-late.scope "$TRY" open read /p/secret || return
	[[ $(missed) == "$before" ]]
}
expect "then a new one finds room in the table" until_ 20 bound_in_table
enter /room-late.scope sleep 1000 &
late=$!
object_bound() { refused inside /room-late.scope "$TRY" open read /p/other; }
expect "and an object as well" until_ 90 object_bound
objects_fit() { [[ $(agent_status '$.identities."without-room"') == 0 ]]; }
expect "nothing is without room any more" until_ 90 objects_fit
kill "$late"
expect "every verdict is accounted for" settle
finish
