#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# J05: containers that a policy selects by what their runtime says of them. Nothing in the name of their cgroup tells, so
# each of these refusals, the one of the first instruction included, comes from what the runtime's hook told.
# shellcheck disable=SC2016 # eval is handed what it shall expand
# shellcheck disable=SC2317 # the functions are called by expect
# shellcheck source=tests/lib/haetae.sh
source /src/tests/lib/haetae.sh

# ---- one root for all: static programs and two files ----
mkdir -p /c/root/{proc,dev,sys,etc}
cp "$TRY" /c/root/try && cp "$TRY" /c/root/denied
cp /bin/busybox /c/root/busybox
echo secret >/c/root/secret && echo open >/c/root/open

podman_() { podman run --quiet --rm --network none --rootfs "$@"; }
# named NAME COMMAND...
named() { local name=$1; shift; podman_ --name "$name" /c/root "$@"; }
labelled() { local label=$1; shift; podman_ --label "$label" /c/root "$@"; }
said() { # TEXT COMMAND...: it fails and says so
	local text=$1
	shift
	"$@" >/tmp/said 2>&1 && { echo "it succeeded"; return 1; }
	grep -F -- "$text" /tmp/said || { cat /tmp/said; return 1; }
}
kept_out() { # TEXT COMMAND...: the hook fails, and the log says why
	local text=$1
	shift
	said "haetae-hook" "$@" && journalctl --sync &&
		journalctl --identifier=haetae-hook --output=cat --no-pager --lines=1 | grep -F -- "$text"
}

# ---- nothing needs the hook ----
must "the agent starts" agent_start
expect "no policy selects by container, and nobody is asked" test ! -e /run/haetae/selectors
expect "a container works" passes named web-0 /try open read /secret

# ---- by name, by label, by image ----
policy c.yaml <<-EOF
	policy: by-name
	match: [{container: {runtime: podman, name: "web-*"}}]
	file: {deny: [/secret]}
	---
	policy: by-label
	match: [{container: {labels: {app: "d?"}}}]
	file: {deny: [/secret]}
	exec: {deny: [/denied]}
	---
	policy: by-image
	match: [{container: {image: "localhost/tiny:*"}}]
	file: {deny: [/secret]}
EOF
must "the policies are put in force" agentctl reload
expect "the hook knows of them" grep -c by-label /run/haetae/selectors

expect "by name: the first instruction is refused" refused named web-1 /try open read /secret
expect "and what no rule names works" passes named web-1 /try open read /open
expect "a name used again, under another id: refused" refused named web-1 /try open read /secret
expect "another name is not governed" passes named other /try open read /secret
expect "by label: the first program is refused" said "Operation not permitted" labelled app=db /denied open read /open
expect "by label: an open of the first program" refused labelled app=db /try open read /secret
expect "another value of the label is not governed" passes labelled app=web /try open read /secret
expect "an annotation is no label" passes podman_ --annotation app=db /c/root /try open read /secret
image() { tar -C /c/root -c . | podman import --quiet - localhost/tiny:1; }
must "an image is made" image
from_image() { podman run --quiet --rm --network none "$@"; }
expect "by image: the first instruction is refused" refused from_image localhost/tiny:1 /try open read /secret
expect "and what no rule names works" passes from_image localhost/tiny:1 /try open read /open
expect "under podman's other way with cgroups" refused podman --cgroup-manager cgroupfs run --quiet --rm --network none \
	--name web-2 --rootfs /c/root /try open read /secret
expect "who shares the cgroup of others cannot be governed, and does not start" kept_out "no cgroup of its own" \
	podman_ --name web-3 --cgroups disabled /c/root /try open read /open
expect "where no policy is meant it may" passes podman_ --name other --cgroups disabled /c/root /try open read /secret

# ---- one that goes on running ----
podman run --quiet --detach --network none --name web-long --label app=x --rootfs /c/root /busybox sleep 600 >/tmp/id
secret() { podman exec "$1" /try open read /secret; }
status_has() { agentctl containers --json | json "\$[$1]"; }
expect "a container that runs is governed" refused secret web-long
expect "what enters it later is" refused podman exec web-long /busybox cat /secret
expect "agentctl containers names it and its policy" eval 'agentctl --no-pager containers | grep -E "web-long .*podman .*by-name"'
expect "policy show --effective tells the same" eval 'agentctl --no-pager policy show --effective web-long | grep by-name'
expect "and policy test" eval 'agentctl policy test --container web-long --op read /secret | grep -E "^deny: policy by-name"'

# ---- reload: a policy comes to a container that runs ----
podman run --quiet --detach --network none --name late --label app=late --rootfs /c/root /busybox sleep 600 >/dev/null
expect "it is not governed" passes secret late
policy d.yaml <<-EOF
	policy: late
	match: [{container: {labels: {app: late}}}]
	file: {deny: [/secret]}
EOF
must "a policy for it is put in force" agentctl reload
expect "it is governed from now on" refused secret late
expect "the other stays governed" refused secret web-long

# ---- the agent away ----
expect "the agent stops" systemctl stop haetaed.service
expect "containers that run stay governed" refused secret web-long
expect "one that a policy selects does not start" kept_out "web-4) does not start: haetaed has to bind it" named web-4 /try open read /open
expect "not by its label either" kept_out "does not start" labelled app=db /try open read /open
expect "one that no policy selects does" passes named other /try open read /secret
must "the agent starts again" agent_start
expect "what it was told it still knows" refused secret web-long
expect "and what it had found itself" refused secret late
expect "containers start again" refused named web-4 /try open read /secret
kill -KILL "$(agent_pid)"
expect "killed, it is waited for" refused named web-5 /try open read /secret
expect "the agent is back" until_ 30 agent_runs

# ---- who tells ----
expect "nobody but root can tell" has_status 1 setpriv --reuid 65534 --regid 65534 --clear-groups /usr/libexec/haetae-hook \
	<<<'{"id": "web-1", "pid": 1}'

# A runtime that finds the pipe closed does not start its container.
reads_all() {
	{ sleep 0.2 && head -c 6000000 /dev/zero && : >/tmp/written; } | /usr/libexec/haetae-hook --runtime-dir /nowhere
	test -e /tmp/written
}
expect "the hook reads all that a runtime writes, also with nothing to do" reads_all

# ---- found, without the hook ----
mv /usr/share/containers/oci/hooks.d/haetae.json /tmp/
podman run --quiet --detach --network none --name web-unhooked --rootfs /c/root /busybox sleep 600 >/dev/null
unhooked() { refused secret web-unhooked; }
expect "that the hook is missing is said" eval 'agentctl --no-pager status | grep "hook is not installed"'
expect "a container whose runtime did not tell is found after a moment" until_ 30 unhooked
mv /tmp/haetae.json /usr/share/containers/oci/hooks.d/

# ---- gone ----
podman rm --force --time 0 web-long late web-unhooked >/dev/null
forgotten() { [[ -z $(ls /run/haetae/containers) ]]; }
expect "what is gone is forgotten" eval 'agentctl reload >/dev/null; until_ 10 forgotten'

# ---- the end ----
expect "every verdict is accounted for" settle
expect "the events can be read" events_read
expect "refusals carry the container's name" eval \
	'(($(events "SELECT count(*) FROM e WHERE verdict = '"'deny'"' AND container = '"'web-long'"' AND policy = '"'by-name'"'") > 3))'
rm "$POLICIES/c.yaml" "$POLICIES/d.yaml"
must "the policies go" agentctl reload
expect "nobody is asked any more" test ! -e /run/haetae/selectors
expect "and nobody refused" passes named web-1 /try open read /secret

# ---- no enforcement, and no room for it ----
policy c.yaml <<-EOF
	policy: by-name
	match: [{container: {name: "web-*"}}]
	file: {deny: [/secret]}
EOF
must "one comes back" agentctl reload
# bare ID COMMAND...: crun by itself, with the hook in the configuration. The name is the id.
bare() {
	local id=$1 args
	shift
	printf -v args ', "%s"' "$@"
	mkdir -p "/c/$id"
	echo '{"ociVersion": "1.0.0", "root": {"path": "/c/root", "readonly": true},
		"hooks": {"createRuntime": [{"path": "/usr/libexec/haetae-hook"}]},
		"mounts": [{"destination": "/dev", "type": "tmpfs", "source": "tmpfs"}],
		"process": {"args": ['"${args:2}"'], "cwd": "/", "env": [], "user": {"uid": 0, "gid": 0}},
		"linux": {"cgroupsPath": "/bare/'"$id"'", "namespaces": [{"type": "pid"}, {"type": "mount"}]}}' >"/c/$id/config.json"
	crun --cgroup-manager=cgroupfs run --bundle "/c/$id" "$id"
}
expect "crun by itself: refused" refused bare web-bare /try open read /secret
expect "and what no rule names works" passes bare web-bare /try open read /open
expect "another id is not governed" passes bare other-bare /try open read /secret
systemctl stop haetaed.service
expect "haetaed --detach" haetaed --detach
expect "nobody is asked then" passes named web-1 /try open read /secret
mkdir -p /run/systemd/system/haetaed.service.d
cat >/run/systemd/system/haetaed.service.d/room.conf <<-EOF
	[Service]
	ExecStart=
	ExecStart=/usr/sbin/haetaed --cgroups-max 1
EOF
systemctl daemon-reload
must "the agent starts, with room for one container" agent_start
podman run --quiet --detach --network none --name web-first --rootfs /c/root /busybox sleep 600 >/dev/null
expect "the first is governed" refused secret web-first
expect "the second does not start" kept_out "Failed to bind the cgroup" named web-second /try open read /open
expect "one that no policy selects does" passes named other /try open read /secret
podman rm --force --time 0 web-first >/dev/null
expect "when the first is gone it does" refused named web-second /try open read /secret
finish
