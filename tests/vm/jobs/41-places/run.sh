#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# The places where verdicts are made (bpf-lsm/pool.bpf.h): many tasks that are preempted in their hooks; none left, and spare ones
# made; none left at all. Nothing is refused that is allowed, nothing allowed that is not, and all places are given back.
# shellcheck disable=SC2317 # the functions are called by expect
# shellcheck source=tests/lib/haetae.sh
source /src/tests/lib/haetae.sh

PLACES=/src/build/tests/places/places
acts=${HAETAE_PLACES_ACTS:-100000}
deep=/p/one/two/three/four/five/six/seven/eight/nine/ten

mkdir -p "$deep"
cp "$TRY" /p/allowed && cp "$TRY" /p/denied
for name in free secret moves; do echo "$name" >"$deep/$name"; done
policy places.yaml <<-EOF
	policy: places
	match: [{cgroup: /places.scope}]
	exec: {deny: [/p/denied]}
	file: {deny: [$deep/secret, {path: $deep/private, ops: [read]}]}
EOF
must "the agent starts" agent_start

places() { "$PLACES" count; }
status_of() { agent_status "\$.\"$1\""; }
failed() { agent_status "\$.failures.\"$1\""; }
at_rest() { [[ $(places) == "0 0" ]] || { echo "taken, spare: $(places)"; return 1; }; }
# Every kind of hook that takes a place by itself: opens, names, a rename with its three verdicts, an exec, a mapping.
all_judged() {
	passes inside /places.scope /p/allowed open read "$deep/free" || return
	passes inside /places.scope /p/allowed chmod 600 "$deep/free" || return
	passes inside /places.scope /p/allowed rename "$deep/moves" "$deep/moved" || return
	passes inside /places.scope /p/allowed rename "$deep/moved" "$deep/moves" || return
	passes inside /places.scope /p/allowed link "$deep/moves" "$deep/linked" || return
	passes inside /places.scope /p/allowed unlink "$deep/linked" || return
	refused inside /places.scope /p/allowed open read "$deep/secret" || return
	refused inside /places.scope /p/allowed rename "$deep/secret" "$deep/bare" || return
	[[ $(inside /places.scope /p/denied open read "$deep/free" 2>&1) == *"Operation not permitted"* ]]
}

expect "allowed and refused acts are told apart" all_judged
expect "and no place is taken" at_rest

# ---- tasks that are preempted ----
enter /places.scope "$FLOOD" 64 "$acts" "truncate:$deep/free" "open:$deep/secret" "truncate:$deep/free" "truncate:$deep/secret" "truncate:$deep/free" >/tmp/flood &
wait $!
expect "64 threads on few processors are refused what is denied, each time" \
	eval "awk '/secret/ && (\$2 || \$4) || !\$2 && !\$3 { bad = 1; print } END { exit bad || NR != 5 }' /tmp/flood"
expect "and nothing else" eval "awk '/free/ && (\$3 || \$4) { bad = 1; print } END { exit bad }' /tmp/flood"
expect "all places were given back" at_rest
echo "# of $acts acts, $(status_of spare-verdicts) were judged in a spare place"

# ---- as if tasks that are preempted had all of them ----
expect "all places are taken" "$PLACES" take
before=$(status_of spare-verdicts)
expect "allowed and refused acts are told apart without them" all_judged
expect "in spare places" eval "((\$(status_of spare-verdicts) > before))"
expect "which are not kept" eval "[[ \$(places) == *' 0' ]]"
expect "nothing is refused for want of a place" is 0 failed verdicts-refused

# ---- and there is no memory for more ----
expect "there is no room for a spare place" "$PLACES" fill
expect "what is to be judged is refused, an exec first of all" has_status 126 inside /places.scope /p/allowed chmod 600 "$deep/free"
expect "and counted" eval "((\$(failed verdicts-refused) > 0))"
expect "nobody else's is" passes "$TRY" chmod 600 "$deep/free"
expect "there is room again" "$PLACES" drain
expect "and all is judged again" all_judged

expect "the places are given back" "$PLACES" give
before=$(status_of spare-verdicts)
expect "and used" all_judged
expect "without a spare one" is "$before" status_of spare-verdicts
expect "no place is taken in the end" at_rest
expect "every verdict is accounted for" settle
finish
