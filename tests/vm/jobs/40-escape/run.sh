#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# The lines of kernel: and the guard of Haetae itself, where an act of tests/attack cannot say it: what runtimes do before
# a container's first program is not judged, ordinary work of root is neither refused nor recorded, and what happens to
# the agent's own things, when the host's administrator does it too.
# shellcheck disable=SC2317,SC2016,SC2119 # functions are called by expect, some through eval
# shellcheck source=tests/lib/haetae.sh
source /src/tests/lib/haetae.sh

root=/var/lib/haetae-rig/web-root
pins=/sys/fs/bpf/haetae

policy escape.yaml <<-EOF
	policy: escape
	match: [{cgroup: /escape.scope}, {cgroup: "/machine.slice/libpod-*.scope"}, {cgroup: "/libpod_parent/*"}, {unit: "governed-*.service"}]
	file: {deny: [/nothing]}
EOF
policy recording.yaml <<-EOF
	policy: recording
	mode: audit
	match: [{cgroup: /recording.scope}]
	file: {deny: [/nothing]}
EOF
must "the agent starts" agent_start
must "none of the policies is refused" is "[]" agent_status '$.warnings'

# rows CONDITION: how many refusals were recorded.
rows() { settle >/dev/null && events_read && events "SELECT coalesce(sum(count), 0) FROM e WHERE verdict IN ('deny', 'kill') AND ($1)"; }
governed() { inside /escape.scope "$@"; }

# ---- runtimes at work ----
runtime=()
podman_() { podman "${runtime[@]}" run --rm --network host --rootfs "$root:O" "$@"; }
unit() {
	systemd-run --quiet --wait --pipe --unit="governed-$RANDOM" -p PrivateTmp=yes -p ProtectSystem=strict -p ProtectHome=yes \
		-p PrivateDevices=yes -p ProtectKernelTunables=yes -p ProtectKernelModules=yes -p ProtectKernelLogs=yes \
		-p ProtectControlGroups=yes -p PrivateNetwork=yes -p PrivateMounts=yes -p ProtectProc=invisible -p DynamicUser=yes \
		-p StateDirectory=governed -p ProtectHostname=yes -p ProtectClock=yes -p RestrictNamespaces=yes -p PrivateUsers=yes \
		-p NoNewPrivileges=yes -p SystemCallFilter=@system-service -p PrivateIPC=yes -p TemporaryFileSystem=/var/tmp \
		-p OOMScoreAdjust=100 -p Nice=5 "$@"
}
expect "podman with crun" is 0 podman_ /bin/sh -c 'id -u'
expect "a privileged container" is 0 podman --runtime crun run --rm --network host --privileged --tmpfs /scratch \
	--volume /usr/share/doc:/doc:ro --rootfs "$root:O" /bin/sh -c 'id -u'
expect "podman without systemd's cgroups" is 0 podman --cgroup-manager cgroupfs run --rm --network host --rootfs "$root:O" /bin/sh -c 'id -u'
if command -v runc >/dev/null; then
	# it runs a copy of itself in the container's cgroup, or before it is there: by chance
	runtime=(--runtime runc)
	expect "podman with runc" is 0 eval 'for i in 1 2 3 4 5; do podman_ /bin/sh -c "id -u"; done | sort -u'
	runtime=(--runtime runc --cgroup-manager cgroupfs)
	expect "and without systemd's cgroups" is 0 eval 'for i in 1 2 3 4 5; do podman_ /bin/sh -c "id -u"; done | sort -u'
fi
expect "a unit with every sandbox of systemd" passes unit /bin/true
expect "a unit that writes where it may" passes unit /bin/sh -c 'echo x >/tmp/x && echo x >/var/lib/governed/x'
expect "nothing of that was refused" is 0 rows 1

# ---- a runtime that execs itself in the unit's cgroup, as systemd does since 256 ----
mkdir -p /executor/from /executor/to && echo mounted >/executor/from/file
cp "$TRY" /executor/systemd-executor && cp "$TRY" /executor/another && ln -s systemd-executor /executor/link
executes() { systemd-run --quiet --wait --pipe --unit="governed-$RANDOM" "$@"; }
mounts() { executes "$1" mount x /executor/to tmpfs ""; }
executor=/usr/lib/systemd/systemd-executor
if [[ ! -e $executor ]]; then # this systemd has none: another program in its place, which PID 1 starts itself
	cp "$TRY" $executor
	# It mounts on the host here, where the real one has a mount namespace by then.
	expect "systemd's executor is not judged" passes executes $executor bind /executor/from /executor/to open read /executor/to/file
	umount /executor/to
	expect "what it starts is" has_status 1 executes $executor exec "$TRY" mount x /executor/to tmpfs ""
	rm $executor
fi
expect "another program is judged" has_status 1 mounts /executor/another
expect "and one that is called like the executor" has_status 1 mounts /executor/systemd-executor
expect "and what a unit's program leads to, called so" has_status 1 mounts /executor/link

# ---- ordinary work of root ----
cat >/executor/work <<-'EOF'
	set -e
	umask 022; rm -rf /root/work; mkdir /root/work; cd /root/work
	echo one >one; chown nobody:nogroup one; chmod 4755 one; ln one two; ln -s one three; mkfifo pipe; touch -d yesterday one
	tar -cf ../work.tar . && mkdir out && tar -xpf ../work.tar -C out && cp -a out again && rm -rf again
	dd if=/dev/zero of=big bs=64k count=16 status=none conv=fsync && truncate -s 0 big
	setpriv --reuid=nobody --regid=nogroup --clear-groups id -u
	nice -n -5 true; renice -n 0 $$; ulimit -n 4096; kill -0 $$; stat -f /; df /; mount
	head -c 8 /dev/urandom | od -An -tx1; echo >/dev/null; echo 5 >/proc/self/oom_score_adj
	sqlite3 db "CREATE TABLE t(x); INSERT INTO t VALUES (1)"
	dpkg-query -l | tail -n 1; cat /proc/self/status; cat /proc/net/dev; ls -l /proc/self/fd
EOF
before=$(rows 1)
expect "root's ordinary work goes through" passes governed bash /executor/work
expect "and nothing of it was refused" is "$before" rows 1

# ---- what has no error of its own to tell a refusal by ----
before=$(rows "op = 'module'")
expect "a protocol whose module would have to be loaded is not there" has_status 97 governed "$TRY" socket 9
expect "and that it was not loaded is recorded" eval '(($(rows "op = '\''module'\'' AND reason = '\''kernel'\''") > before))'

# ---- in audit mode lines are recorded, the guard refuses all the same ----
recorded() { settle >/dev/null && events_read && events "SELECT count(*) FROM e WHERE verdict = 'would-deny' AND op = 'mount'"; }
expect "in audit mode a mount goes through" passes inside /recording.scope "$TRY" fsopen tmpfs
expect "and is recorded as would-deny" is 1 recorded
controls() { settle >/dev/null && events_read && events "SELECT sum(count) FROM e WHERE verdict = 'would-deny' AND op = 'sysctl'"; }
for time in once again; do
	expect "a control is opened to be written, $time" passes inside /recording.scope "$TRY" open write /sys/fs/cgroup/cgroup.procs
done
expect "and each time that is recorded" is 2 controls
expect "the agent is guarded in audit mode too" refused inside /recording.scope "$TRY" signal 0 "$(agent_pid)"

# ---- the agent's own: nothing of this may happen, so nobody tries it outside ----
expect "a pin cannot be removed" refused governed "$TRY" unlink $pins/link-haetae_file_open
expect "nor renamed" refused governed "$TRY" rename $pins/link-haetae_file_open $pins/x
expect "nor the directory of the pins" refused governed "$TRY" rename $pins /sys/fs/bpf/x
expect "nor a directory above the policies" refused governed "$TRY" rename /etc/haetae /etc/x
expect "nor one above the program" refused governed "$TRY" rename /usr/sbin /usr/x
cp "$TRY" /usr/sbin/evil
expect "the program cannot be replaced" refused governed "$TRY" rename /usr/sbin/evil /usr/sbin/haetaed
expect "nor the unit removed" refused governed "$TRY" unlink /usr/lib/systemd/system/haetaed.service
expect "nor the records" refused governed "$TRY" unlink $STATE/events.db
expect "the agent cannot be killed" refused governed "$TRY" signal 9 "$(agent_pid)"
expect "nor stopped" refused governed "$TRY" signal 19 "$(agent_pid)"
signals() { rows "reason = 'guard' AND op = 'ptrace'"; }
before=$(signals)
for number in 9 19; do
	expect "nor by signal $number, which tells the owner of a descriptor that something came" refused governed "$TRY" owner-signal $number "$(agent_pid)"
	expect "nor by the administrator's signal $number of this kind" refused "$TRY" owner-signal $number "$(agent_pid)"
done
# the byte that is written sends one, the end of the pipe another
expect "each of them is in the books" is $((before + 8)) signals
sleep 1000 &
expect "others stop by it" passes "$TRY" owner-signal 19 $!
kill -KILL $!
expect "nor limited" refused governed "$TRY" limit "$(agent_pid)"
agent_cgroup=$CGROUPS$(systemctl show --property=ControlGroup --value haetaed.service)
expect "nor frozen by its cgroup" refused governed "$TRY" open write "$agent_cgroup/cgroup.freeze"
expect "nor by the one above" refused governed "$TRY" open write "${agent_cgroup%/*}/cgroup.kill"
expect "nor asked for anything, not even to disarm" refused governed "$TRY" connect /run/haetae/control
expect "others that listen on the host are" passes governed "$TRY" connect /run/dbus/system_bus_socket
expect "the agent still runs" agent_runs
expect "every pin is in place" passes test -e $pins/link-haetae_file_open

# ---- BPF objects by id: nobody ----
# ids KIND: for how many of the ids of this machine there is a descriptor, and how many are refused.
ids() { "$TRY" bpf-ids "$1" 300; }
links=$(find $pins -name 'link-*' | wc -l)
read -r _ maps < <(ids map)
read -r given programs < <(ids program)
expect "the administrator gets no link by its id" is "$links" eval 'ids link | cut -d" " -f2'
expect "no program" eval '((programs > $(find $pins -name "link-*" ! -name "*-in-*" | wc -l)))'
expect "no map" eval '((maps >= $(find $pins -name "map-*" | wc -l)))'
expect "those that are not Haetae's as ever" test "$given" -gt 0
expect "each attempt is in the books" is "$((links + maps + programs))" rows "reason = 'guard' AND op = 'bpf'"
expect "by a pin the administrator gets at a map" passes "$TRY" bpf-pin $pins/map-settings
expect "a governed task does not" refused governed "$TRY" bpf-pin $pins/map-settings

# ---- the agent changes, the guard stays ----
expect "the agent restarts" systemctl restart haetaed.service
expect "the new agent is guarded" refused governed "$TRY" signal 0 "$(agent_pid)"
kill -9 "$(agent_pid)"
answers() { agentctl status >/dev/null 2>&1; }
expect "a killed agent comes back" until_ 30 answers
expect "and is guarded" refused governed "$TRY" signal 0 "$(agent_pid)"
expect "another process is not" passes governed "$TRY" signal 0 "$$"
expect "its files are, also those made since" refused governed "$TRY" open rdwr $STATE/events.db

# ---- evidence of the administrator's tampering ----
rm $pins/link-haetae_ptrace_traceme
tampered() { agentctl events --json --all | grep '"notice":"tampered"'; }
warns() { agent_status '$.warnings' | grep 'pins were removed'; }
expect "a removed pin is noticed" until_ 20 tampered
expect "status warns of it" warns
expect "after a restart everything is pinned anew" eval "systemctl restart haetaed.service && test -e $pins/link-haetae_ptrace_traceme"
expect "no warning is left" is "[]" agent_status '$.warnings'
mount -t tmpfs none "${pins%/*}"
expect "pins behind another mount are as good as removed" until_ 20 warns
umount "${pins%/*}"
expect "without it they are there again" until_ 20 is "[]" agent_status '$.warnings'

# ---- the way to end it all ----
# The kernel lets go of the programs some moments later, in an order of its own: nobody may notice.
expect "nothing is taken from under an agent" has_status 1 haetaed --detach
expect "which says what to do" eval 'haetaed --detach 2>&1 | grep "stop it first"'
systemctl stop haetaed.service
mkdir /ending && echo open >/ending/open
enter /escape.scope nice -n 10 "$FLOOD" 1 0 /ending/open >/tmp/ending-governed &
enter /ending.scope nice -n 10 "$FLOOD" 1 0 /ending/open >/tmp/ending-ungoverned &
sleep 0.2
expect "the administrator can end the enforcement" haetaed --detach
expect "nothing is refused any more" passes governed "$TRY" fsopen tmpfs
works_on() {
	local end=$((${EPOCHREALTIME/./} + 5000000)) n=0
	while ((n < 20 || ${EPOCHREALTIME/./} < end)); do
		governed /bin/true && inside /another.scope /bin/true && : >/ending/written || return
		n=$((n + 1))
	done
}
expect "and everybody works on while the kernel takes the programs down" works_on
pkill -f "$FLOOD" && wait
never_refused() { [[ $(cat "/tmp/ending-$1") =~ ^"/ending/open "[1-9][0-9]*" 0 0"$ ]] || { cat "/tmp/ending-$1"; return 1; }; }
expect "nothing was refused to the governed meanwhile" never_refused governed
expect "nor to the others" never_refused ungoverned
agentctl events --full --no-pager --all >/out/events.txt
finish
