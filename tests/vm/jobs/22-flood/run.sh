#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# I01, I02: eight threads open a denied file HAETAE_FLOOD times in total; a quiet container is refused ten times meanwhile.
# shellcheck disable=SC2317 # the functions are called by expect
# shellcheck source=tests/lib/haetae.sh
source /src/tests/lib/haetae.sh

opens=${HAETAE_FLOOD:-1000000}

mkdir /f && echo secret >/f/secret
for i in {0..9}; do echo secret >"/f/quiet$i"; done
policy flood.yaml <<-EOF
	policy: flood
	match: [{cgroup: /loud.scope}, {cgroup: /quiet.scope}]
	file: {deny: [/f/**]}
EOF
must "the agent starts" agent_start
expect "the books are balanced before" settle
read -r counted_before _ < <(ledger deny)

quiet_refusals() {
	local i
	for i in {0..9}; do
		kill -0 "$flood_pid" || { echo "the flood was over before refusal $i"; return 1; }
		refused inside /quiet.scope "$TRY" open read "/f/quiet$i" || return
		sleep 0.5
	done
}
begun=$EPOCHSECONDS
enter /loud.scope "$FLOOD" 8 "$opens" /f/secret >/tmp/flood &
flood_pid=$!
expect "a quiet container is refused ten times during the flood" quiet_refusals
wait "$flood_pid"
echo "# the flood took $((EPOCHSECONDS - begun)) s; $(ledger deny) counted, stored, aggregated, lost right after it"
expect "no open of $opens succeeded" is "/f/secret 0 $opens 0" cat /tmp/flood

expect "every verdict is accounted for" settle 60
echo "# settled $((EPOCHSECONDS - begun)) s after its beginning: $(ledger deny)"
read -r counted stored aggregated lost < <(ledger deny)
expect "each refusal was counted" is $((opens + 10)) echo $((counted - counted_before))
expect "counted = stored + aggregated + lost" is "$counted" echo $((stored + aggregated + lost))
expect "the database says the same by itself" is "$stored $aggregated $lost" database 1
quiet_rows="verdict 1 /f/quiet0
verdict 1 /f/quiet1
verdict 1 /f/quiet2
verdict 1 /f/quiet3
verdict 1 /f/quiet4
verdict 1 /f/quiet5
verdict 1 /f/quiet6
verdict 1 /f/quiet7
verdict 1 /f/quiet8
verdict 1 /f/quiet9"
quiet_events() {
	agentctl events --json --container quiet.scope --verdict deny >/tmp/quiet.json &&
		while read -r event; do
			echo "$(json '$.kind' <<<"$event") $(json '$.count' <<<"$event") $(json '$.object.path' <<<"$event")"
		done </tmp/quiet.json
}
expect "each refusal of the quiet container has its own row" is "$quiet_rows" quiet_events
expect "the agent was not restarted" is 0 systemctl show --property=NRestarts --value haetaed.service
finish
