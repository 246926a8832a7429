#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# J02: containers whose very first act is the denied one: 100 are a program that may not run, 100 open a denied file with
# their first instruction. crun is used directly; podman starts a few more.
# shellcheck disable=SC2317 # the functions are called by expect
# shellcheck source=tests/lib/haetae.sh
source /src/tests/lib/haetae.sh

each=100

# ---- one root for all: static programs and two files ----
mkdir -p /c/root/{proc,dev,sys,etc}
cp "$TRY" /c/root/try && cp "$TRY" /c/root/denied && cp "$TRY" /c/root/allowed
echo secret >/c/root/secret && echo open >/c/root/open

# bundle NAME ARGUMENT...: what crun starts, without a cgroup.
declare -A bundles
bundle() {
	local name=$1 args
	shift
	printf -v args ', "%s"' "$@"
	bundles[$name]='{"ociVersion": "1.0.0", "root": {"path": "/c/root", "readonly": true},
		"mounts": [{"destination": "/dev", "type": "tmpfs", "source": "tmpfs"}],
		"process": {"args": ['${args:2}'], "cwd": "/", "env": [], "user": {"uid": 0, "gid": 0}, "noNewPrivileges": true},
		"linux": {"cgroupsPath": "CGROUP", "namespaces": [{"type": "pid"}, {"type": "mount"}, {"type": "ipc"}, {"type": "uts"}]}}'
}
bundle first-file /try open read /secret
bundle first-exec /denied open read /open
bundle control /allowed open read /open

policy first.yaml <<-EOF
	policy: first
	match: [{cgroup: /first/*}, {cgroup: "/machine.slice/libpod-*.scope"}]
	exec: {deny: [/denied]}
	file: {deny: [/secret]}
EOF
must "the agent starts" agent_start

# start BUNDLE NUMBER: one container in a cgroup of its own; prints what it ended with and said.
start() {
	local name=$1-$2 output
	mkdir "/c/$name" && echo "${bundles[$1]/CGROUP//first/$name}" >"/c/$name/config.json"
	output=$(crun --cgroup-manager=cgroupfs run --bundle "/c/$name" "$name" 2>&1)
	echo "$? ${output#*Z: }"
}
# Two at a time, as there are two processors.
start_many() {
	local i
	for ((i = $2; i < each; i += 2)); do
		start "$1" "$i"
	done
}
start_all() {
	start_many "$1" 0 >"/tmp/$1.0" &
	start_many "$1" 1 >"/tmp/$1.1"
	wait "$!"
	sort "/tmp/$1.0" "/tmp/$1.1" | uniq -c | sed 's/^ *//'
}

begun=$EPOCHSECONDS
expect "a container that does nothing denied works" is "0 " start control 0
expect "$each opens of a denied file are refused" is "$each 1 try: open: Operation not permitted" start_all first-file
expect "no denied program ran, and each was refused" is "$each 1 exec container process \`/denied\`: Operation not permitted" start_all first-exec
echo "# $((2 * each)) containers in $((EPOCHSECONDS - begun)) s"

fails_with() {
	local text=$1
	shift
	"$@" >/tmp/podman 2>&1 && { echo "it ran"; return 1; }
	grep -F "$text" /tmp/podman
}
podman_first() { podman run --quiet --rm --network none --rootfs /c/root "$@"; }
expect "podman: a container works" passes podman_first /allowed open read /open
for i in 1 2; do
	expect "podman: an open of a denied file is refused ($i)" refused podman_first /try open read /secret
	expect "podman: a denied program does not run ($i)" fails_with "Operation not permitted" podman_first /denied open read /open
done

expect "every verdict is accounted for" settle
expect "the events can be read" events_read
rows="exec /denied $each $each $each
read /secret $each $each $each"
expect "exactly one row in each of the $((2 * each)) containers" is "$rows" events -separator ' ' \
	"SELECT op, path, count(*), count(DISTINCT cgroup_id), sum(count) FROM e WHERE cgroup LIKE '/first/%' AND verdict = 'deny' GROUP BY op, path ORDER BY op"
expect "and one for each of podman's" is 4 events \
	"SELECT count(DISTINCT cgroup_id) FROM e WHERE cgroup LIKE '/machine.slice/libpod-%' AND verdict = 'deny'"
expect "nothing else was refused" is $((2 * each + 4)) events "SELECT sum(count) FROM e WHERE verdict = 'deny'"
finish
