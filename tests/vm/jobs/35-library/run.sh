#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# The policy library: every policy as it is shipped, on the server it was written for. Debian's servers do their real work,
# start to stop, and nothing of it is refused or would be; an intruder in each of them gets nowhere, and each refusal names
# policy and rule.
# shellcheck source=tests/lib/haetae.sh
source /src/tests/lib/haetae.sh
# shellcheck source=tests/vm/jobs/35-library/library.sh
source ./library.sh
for part in nginx postgresql redis python node sshd containers; do
	# shellcheck source=/dev/null
	source "./$part.sh"
done

must "every policy of the library is checked without a warning" agentctl policy check --strict "$LIBRARY"
must "and none of it is in force before somebody copies it" is 0 eval 'find /etc/haetae /usr/lib/haetae -name "*.yaml" | wc -l'
adopt 10-container-baseline 15-detect-shells 16-detect-miners 20-no-drift 30-postgresql 31-redis 50-nginx 51-python-app \
	52-node-app 55-sshd 70-lockdown
must "the agent starts with all of it" agent_start
must "there is a root for intruders" intruder_root

# somebody outside, for intruders to trace
sleep 3600 &
# shellcheck disable=SC2034 # the parts use it
outside=$!

# Which parts: the others are 52-library's.
read -ra parts <<<"${HAETAE_LIBRARY:-nginx redis python sshd containers}"
has() { [[ " ${parts[*]} " == *" $1 "* ]]; }
declare -A named=([nginx]=web [redis]=redis [python]=python [lockdown]=lockdown [node]=node [postgresql]=db)
servers=()
for part in "${parts[@]}"; do
	[[ ! ${named[$part]-} ]] || servers+=("$part")
done

# Starting takes long and is mostly waiting: all at once.
starting=()
for server in "${servers[@]}"; do
	"${server}_start" >"/c/$server.start" 2>&1 &
	starting+=($!)
done
if has sshd; then
	sshd_start >/c/sshd.start 2>&1
	sshd_work
fi
wait "${starting[@]}"
echo "# everything has started after $SECONDS s"
for server in "${servers[@]}"; do
	"${server}_work"
done
# What is refused now is not the server's work: it was looked at before.
for server in "${servers[@]}"; do
	"${server}_attacks"
	echo "# $server is done after $SECONDS s"
done
! has sshd || sshd_attacks
stopping=()
for server in "${servers[@]}"; do
	stopping+=("${named[$server]}")
done
servers_stop "${stopping[@]}"
if has containers; then
	baseline_and_drift
	detection
fi
expect "every verdict is accounted for" settle
agentctl --no-pager events --json --all >/out/events.json
finish
