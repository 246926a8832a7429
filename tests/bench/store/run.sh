#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# What an event takes on its way to the disk, in instructions: through the store alone (put into the queue, made a row, made
# durable), and from the kernel's ring on, all that the agent does for a refusal. Fails if one is lost.
set -euo pipefail
# shellcheck source=tests/lib/bench.sh
source /src/tests/lib/bench.sh
denied=/bench/a/b/c/d/denied flood=/src/build/tests/attack/helper/flood
ROWS=200000 CGROUPS_N=20 EACH=1500 # a cgroup's rate is 2,000 a second

trees_make
boot_settles
mkdir /dev/shm/store && /src/build/tests/bench/store/bench-store /dev/shm/store "$ROWS" >/out/store
seconds=$(sed -n 's/.* \([0-9.]*\) s of processor time.*/\1/p' /out/store)
figure "an event, the store alone" plain "$(awk -v s="$seconds" -v n="$ROWS" 'BEGIN { printf "%.0f", s * 1e9 / n }')"
figure "an event, bytes on disk" plain $(($(stat --format %s /dev/shm/store/bench.db) / ROWS))

rules 10 | policy_make bench-flood '-*'
systemctl start haetaed && sleep 5
before=$(used "$AGENT_CGROUP") && sleep 5 && idle=$((($(used "$AGENT_CGROUP") - before) / 5))
before=$(used "$AGENT_CGROUP") begun=$SECONDS
for ((i = 0; i < CGROUPS_N; i++)); do inside "bench-flood-$i" "$flood" 1 $EACH "$denied" >/dev/null; done
sleep 5
after=$(used "$AGENT_CGROUP") took=$((SECONDS - begun))
figure "an event, from the ring to the store" plain $(((after - before - took * idle) / (CGROUPS_N * EACH)))
agentctl status --json >/out/status.json
said() { sqlite3 -batch -noheader :memory: "SELECT CAST(readfile('/out/status.json') AS TEXT) ->> '\$.$1'"; }
echo "refused $(said counters.deny.counted), stored $(said store.stored.deny), lost $(said counters.deny.lost) and $(said store.unstored.deny)"
(($(said counters.deny.counted) == CGROUPS_N * EACH && $(said store.stored.deny) == CGROUPS_N * EACH))
cat /out/store
awk -F '\t' '{ printf "%-44s %8d\n", $1, $3 }' "$FIGURES"
