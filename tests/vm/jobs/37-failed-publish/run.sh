#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# A publish that fails at any of its steps, or whose agent ends there, leaves one policy whole: wherever in its code a publish calls
# bpf(2), that call fails (tests/fault), while a reader looks for a moment at which what both versions refuse is let through.
# HAETAE_EVERY=N: at every Nth place (5); 1 is all of them.
# shellcheck disable=SC2016 # eval and awk are handed what they shall expand
# shellcheck disable=SC2317 # the functions are called by expect
# shellcheck source=tests/lib/haetae.sh
source /src/tests/lib/haetae.sh
FAULT=/src/build/tests/fault/fault LIBRARY=/src/build/tests/fault/libfault.so
file=/run/haetae/fault

mkdir -p /f /run/haetae /run/systemd/system/haetaed.service.d
for name in old new both none link; do echo "$name" >"/f/$name"; done
cp "$LIBRARY" /usr/lib/haetae-fault.so
cat >/run/systemd/system/haetaed.service.d/fault.conf <<-END
	[Service]
	Environment=LD_PRELOAD=/usr/lib/haetae-fault.so HAETAE_FAULT=$file
END
systemctl daemon-reload
fault() { "$FAULT" "$file" "$@"; }

# Each version has a policy of its own, and one that changes; literal rules, which bind objects, and wildcards.
version() { # NAME RULE MOUNT: with hooks that come and go
	cat >"/f/version-$1" <<-END
		policy: changes
		match: [{cgroup: /f.scope}]
		kernel: {mount: $3}
		file: {deny: ["$2"]}
		---
		policy: only-$1
		match: [{unit: f.scope}]
		kernel: {mount: allow}
		file: {deny: [/f/$1, "/f/link?*"]}
	END
}
version old /f/both allow
version new "/f/bo*" deny
write() { policy f.yaml <"/f/version-$1"; }
publish() { write "$1" && agentctl reload; }
write old
fault make
fault thread 1
must "the agent starts" agent_start
expect "though no thread was to be had for the first turn of the aggregates" is 1 fault threads
fault thread 0

# whole VERSION OTHER WHEN: is one version in force, and nothing of the other?
whole() {
	local got
	got=$(inside /f.scope "$FLOOD" 1 4 "/f/$1" /f/both "/f/$2" /f/none | cut -d' ' -f2- | paste -sd,)
	[[ $got == "0 1 0,0 1 0,1 0 0,1 0 0" ]] || { echo "$3: $1, both, $2, none (allowed refused other): $got"; return 1; }
}
expect "the old version is in force" whole old new "at first"
# ---- the tables of the aggregates took their turn all the same ----
inside /f.scope "$FLOOD" 4 12000 /f/both
expect "a flood is accounted for to the last refusal" settle
expect "of which most are aggregated" test "$(ledger deny | cut -d' ' -f3)" -gt 5000
enter /f.scope nice -n 10 "$FLOOD" -p 1000 1 0 /f/both /f/none >/tmp/flood &
flood_pid=$!

# ---- where ----
fault watch
sleep 3
fault places | cut -d' ' -f1 | sort >/tmp/places-idle
fault watch
expect "a publish goes well" publish new
fault places >/tmp/places-all
grep -vwFf /tmp/places-idle /tmp/places-all >/tmp/places
expect "and calls bpf(2) from many places" test "$(wc -l </tmp/places)" -gt 20
expect "back to the old version" eval 'publish old && whole old new back'

# ---- at each of them a call fails ----
maps() { "$FAULT" maps; }
descriptors() { find "/proc/$(agent_pid)/fd" -mindepth 1 | wc -l; }
maps_before=$(maps) descriptors_before=$(descriptors)
errors=(nomem toobig nospace fault)
failed=0 survived=0 untold=0 at=0
: >/tmp/wrong
while read -r place count; do
	at=$((at + 1))
	((at % ${HAETAE_EVERY:-5} == 0)) || continue
	# of many calls at one place the first, or the last
	fault arm "$place" "$((at / 2 % 2 ? 1 : count))" 1 "${errors[at % 4]}"
	if publish new >/tmp/reload 2>&1; then
		survived=$((survived + 1))
		whole new old "place $at, which was survived" >>/tmp/wrong
		fault watch
		publish old >/dev/null || echo "place $at: no way back" >>/tmp/wrong
	else
		failed=$((failed + 1))
		whole old new "place $at, ${errors[at % 4]}, $(fault hits) hits" >>/tmp/wrong
		grep -Eq 'Cannot allocate|Argument list|No space|Bad address' /tmp/reload ||
			{ untold=$((untold + 1)) && sed "s/^/# place $at: /" /tmp/reload; }
	fi
done </tmp/places
fault watch
echo "# $at places: $failed publishes failed, $survived went well all the same"
cut -c1-200 /tmp/wrong | head -20 | sed 's/^/# /'
expect "at most places it can fail" test "$failed" -gt "$survived"
expect "after each failure the old version is whole, after each success the new one" test ! -s /tmp/wrong
expect "each failure is told, with its reason" is 0 echo "$untold"
expect "the next publish does it" eval 'publish new && whole new old "after all"'
expect "and back" eval 'publish old && whole old new "after all"'
no_more() {
	(($(maps) <= maps_before && $(descriptors) <= descriptors_before)) ||
		{ echo "maps: $maps_before, then $(maps); descriptors: $descriptors_before, then $(descriptors)"; return 1; }
}
expect "no map and no descriptor was left behind" until_ 20 no_more

# ---- everything fails from there on, the way back as well; the next publish that can makes it good ----
some=$(wc -l </tmp/places)
for n in 2 $((some / 3)) $((some * 2 / 3)); do
	read -r place _ < <(sed -n "${n}p" /tmp/places)
	fault arm "$place" 1 1000000 nomem
	expect "from place $n on everything fails, and that is told" has_status 1 publish new
	fault watch
	expect "the next publish is whole" eval 'publish new && whole new old "after place $n"'
	publish old >/dev/null
done

# ---- the agent ends there ----
again() { agent_runs && [[ $(agent_pid) != "$pid" ]]; }
for n in 2 $((some / 4)) $((some / 2)) $((some * 3 / 4)); do
	read -r place _ < <(sed -n "${n}p" /tmp/places)
	pid=$(agent_pid)
	fault arm "$place" 1 1 kill
	publish new >/tmp/reload 2>&1
	fault watch
	expect "the agent that ended at place $n is there again" until_ 60 again
	expect "with the new version, whole" until_ 30 whole new old "after place $n"
	publish old >/dev/null
done

kill "$flood_pid"
wait "$flood_pid"
sed 's/^/# /' /tmp/flood
expect "what both versions refuse was never let through" is 0 awk '$1 == "/f/both" { print $2 }' /tmp/flood
expect "what neither refuses was never refused" is 0 awk '$1 == "/f/none" { print $3 }' /tmp/flood
finish
