#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# From the start of haetaed to READY, in milliseconds of the guest's time, of which a million instructions are one: cold
# (every program checked by the kernel, attached, pinned, tried), and taking over what is pinned. "whole" is what systemd
# sees, its own work of setting up the sandbox included; "agent" is what the agent says of itself.
set -euo pipefail
# shellcheck source=tests/lib/bench.sh
source /src/tests/lib/bench.sh

property() { systemctl show --property="$1" --value haetaed.service; }

start() { # start LABEL: one line
	local begun ready said
	systemctl start haetaed.service
	begun=$(property ExecMainStartTimestampMonotonic) ready=$(property ActiveEnterTimestampMonotonic)
	journalctl --sync
	said=$(journalctl --output=cat --no-pager "_PID=$(property MainPID)" | sed -n 's/^Ready after \([0-9]*\) ms.*/\1/p')
	printf '%-44s %8s %8s\n' "$1" "$(((ready - begun) / 1000))" "$said"
}

mkdir -p /etc/haetae/policies.d
cat >/etc/haetae/policies.d/50-bench.yaml <<-POLICY
	policy: bench
	match: [{cgroup: /bench}]
	exec: {default: deny, allow: [/usr/bin/**, /srv/app/*]}
	file: {deny: [/etc/shadow, /root/**, {path: /srv/**, ops: [write, create, delete], except: [/srv/data/**]}]}
POLICY
boot_settles
printf 'kernel %s: from start to READY, milliseconds%16s %8s\n' "$(uname -r)" whole agent
for turn in 1 2 3; do
	start "cold, $turn"
	systemctl stop haetaed.service
	start "adopting, $turn"
	systemctl stop haetaed.service
	haetaed --detach
done
