#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Ten million attempts: eight threads, seven acts at once on one file under two names, while the directories above change
# places and mounts come and go. None succeeds, and each is in the books.
# shellcheck disable=SC2317 # the functions are called by expect
# shellcheck source=tests/lib/haetae.sh
source /src/tests/lib/haetae.sh

# The store in memory: it takes some two thousand rows a second, and the image has no room for millions. The rest in a mount
# namespace of its own, as a container's is: or systemd would read all mounts whenever one comes or goes, and half of the
# time would be its.
if [[ ${1:-} != apart ]]; then
	mkdir -p "$STATE" && mount -t tmpfs -o mode=0700,size=1400m store "$STATE" && exec unshare --mount --propagation private bash "$0" apart
	exit 1
fi

attempts=${HAETAE_ATTEMPTS:-10000000}

# Two directories of one content, whose names are exchanged: whatever is reached under either name is denied.
mkdir -p /m/a /m/b /m/mount && echo secret >/m/a/secret && echo secret >/m/b/secret
policy attempts.yaml <<-EOF
	policy: attempts
	match: [{cgroup: /attempts.scope}]
	file: {deny: [/m/a/secret, /m/b/secret]}
EOF
must "the agent starts" agent_start
expect "the books are balanced before" settle
read -r counted_before _ < <(ledger deny)
fingerprint() { stat -c '%i %h %a %s' /m/a/secret /m/b/secret | sort; find /m -type f | wc -l; }
before=$(fingerprint)

"$TRY" churn-exchange /m/a /m/b >/tmp/exchanges &
exchanges=$!
"$TRY" churn-mount /m/mount >/tmp/mounts &
mounts=$!
begun=$EPOCHSECONDS
inside /attempts.scope "$FLOOD" 8 "$attempts" /m/a/secret write:/m/b/secret truncate:/m/a/secret chmod:/m/b/secret \
	unlink:/m/a/secret rename:/m/b/secret link:/m/a/secret >/tmp/attempts
echo "# $attempts attempts in $((EPOCHSECONDS - begun)) s"
kill "$exchanges" "$mounts"
wait "$exchanges" "$mounts"
# each tells how often at its end, and nothing if something went wrong
expect "the directories changed places all along" grep -E '^[1-9][0-9]* exchanges$' /tmp/exchanges
expect "and mounts came and went" grep -E '^[1-9][0-9]* mounts$' /tmp/mounts
sed 's/^/# /' /tmp/exchanges /tmp/mounts /tmp/attempts

sum() { awk -v column="$1" '{ n += $column } END { printf "%d\n", n }' /tmp/attempts; }
expect "none of them succeeded" is 0 sum 2
expect "and none failed in another way" is 0 sum 4
expect "all were refused" is "$attempts" sum 3
expect "nothing changed" is "$before" fingerprint
expect "every verdict is accounted for" settle 120
read -r counted stored aggregated lost < <(ledger deny)
echo "# counted $counted, stored $stored, aggregated $aggregated, lost $lost; the store has $(du --summarize --block-size=M $STATE | cut -f 1)"
expect "each refusal was counted" is "$attempts" echo $((counted - counted_before))
expect "counted = stored + aggregated + lost" is "$counted" echo $((stored + aggregated + lost))
expect "the database says the same by itself" is "$stored $aggregated $lost" database 1
finish
