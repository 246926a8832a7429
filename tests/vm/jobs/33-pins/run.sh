#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# shellcheck disable=SC2016 # eval is handed what it shall expand
# A04, A06, A10, B01, B03, B08, B09, B18: what a literal rule names is bound as an object too. Other names that it had
# before, other mounts, and renames by those that no policy governs open no way; and nobody else is refused.
# shellcheck disable=SC2317 # the functions are called by expect
# shellcheck source=tests/lib/haetae.sh
source /src/tests/lib/haetae.sh

cgroup=/p.scope
try_p() { inside "$cgroup" "$TRY" "$@"; }
# The agent looks again twice a minute, and a second after something started.
known() { agent_status '$.identities.known'; }
knows() { (($(known) >= $1)); }

# ---- files, and their other names, before there is a policy ----
mkdir -p /p/dir /p/sub /q /second /tmpfs /tmpfs2 /gone /gone2
mount -t tmpfs tmpfs /tmpfs
for directory in /p /tmpfs; do
	echo secret >$directory/secret && ln $directory/secret $directory/other
	echo open >$directory/open && ln $directory/open $directory/open-too
done
cp "$TRY" /p/tool && ln /p/tool /p/tool-too
echo secret >/p/dir/deep && echo secret >/p/moved && echo secret >/p/linked && ln -s linked /p/link
echo secret >/p/mine && echo secret >/p/plain
# So few inodes that a number is used again at once, and by nobody else.
modprobe loop && mkdir /p/few && truncate -s 4M /few.img && mkfs.ext4 -q -N 32 /few.img && mount -o loop /few.img /p/few && echo secret >/p/few/reused
mount -t tmpfs tmpfs /gone && echo secret >/gone/secret
mount --bind /p/sub /q
mount "$(findmnt -no SOURCE /)" /second
mount --bind /tmpfs /tmpfs2

# Its own process lives there all the time.
enter "$cgroup" sleep infinity &
resident=$!
policy p.yaml <<-EOF
	policy: p
	match: [{cgroup: /p.scope}, {cgroup: /p2.scope}, {cgroup: /p3.scope}]
	exec: {deny: [/p/tool]}
	file:
	  deny:
	    - /p/secret
	    - /tmpfs/secret
	    - /p/dir/deep
	    - /p/moved
	    - /p/link
	    - /p/late
	    - /p/later-link
	    - /gone/secret
	    - /p/few/reused
	    - {path: /p/mine, ops: [write]}
EOF
must "the agent starts" agent_start
expect "what the rules name was found before it was ready" knows 9

# ---- A04: a hard link that was made before ----
expect "the name is refused" refused try_p open read /p/secret
expect "a hard link from before is refused" refused try_p open read /p/other
expect "for writing" refused try_p open write /p/other
expect "truncated" refused try_p truncate /p/other
expect "linked once more" refused try_p link /p/other /p/third
expect "renamed" refused try_p rename /p/other /p/third
expect "removed" refused try_p unlink /p/other
expect "on tmpfs too" refused try_p open read /tmpfs/other
expect "a program is refused" refused try_p exec /p/tool
expect "and its hard link" refused try_p exec /p/tool-too
expect "of a rule for writing only writing is refused" eval 'passes try_p open read /p/mine && refused try_p open write /p/mine'
expect "a sibling is not" passes try_p open read /p/open
expect "nor its hard link" passes try_p open read /p/open-too
expect "outside nobody is refused" passes "$TRY" open read /p/other
expect "nor in another cgroup" passes inside /elsewhere.scope "$TRY" open read /p/other

# ---- A02, A03: a rule whose path is a symbolic link ----
expect "what a link in a rule leads to is refused" refused try_p open read /p/linked

# ---- A10: the same filesystem mounted a second time ----
expect "another mount of the filesystem opens no way" refused try_p open read /second/p/secret
expect "nor to the hard link" refused try_p open read /second/p/other
expect "nor a bind mount of tmpfs" refused try_p open read /tmpfs2/other
expect "what no rule names passes there" passes try_p open read /second/p/open

# ---- A06, A07: an outsider renames ----
mv /p/moved /p/sub/elsewhere
mv /p/dir /p/dir2
expect "a file that an outsider renamed" refused try_p open read /p/sub/elsewhere
expect "seen through a bind mount" refused try_p open read /q/elsewhere
expect "a file below a directory that an outsider renamed" refused try_p open read /p/dir2/deep

# The second container never saw it under its name: what it is told is not remembered for the first, though it is the same
# policy, the same file and the same mount namespace.
expect "a container that started later does not know it" eval 'passes inside /p2.scope "$TRY" open read /p/sub/elsewhere && passes inside /p2.scope "$TRY" open read /p/sub/elsewhere'
expect "the first one still does" refused try_p open read /p/sub/elsewhere

# ---- B18: the inodes leave memory ----
sync && echo 3 >/proc/sys/vm/drop_caches
expect "after the caches were dropped" refused try_p open read /p/other
expect "and where it was renamed to" refused try_p open read /p/sub/elsewhere

# ---- B08: an inode number is used again ----
number=$(stat -c %i /p/few/reused)
reuse() {
	local i
	rm /p/few/reused
	sync
	for ((i = 0; i < 32; i++)); do
		echo new >"/p/few/new$i" || return
		[[ $(stat -c %i "/p/few/new$i") != "$number" ]] || { echo "/p/few/new$i" >/tmp/fresh; return 0; }
	done
	return 1
}
must "the filesystem uses the number again" reuse
expect "the new file is not refused" passes try_p open read "$(cat /tmp/fresh)"

# ---- B09: a filesystem goes, and another comes to its number ----
number=$(stat -c %d:%i /gone/secret)
expect "nothing of the agent's keeps the filesystem busy" until_ 10 umount /gone
mount -t tmpfs tmpfs /gone2 && echo new >/gone2/new
must "device and inode number come again" is "$number" stat -c %d:%i /gone2/new
expect "the new file is not refused" passes try_p open read /gone2/new
mount --bind /gone2 /gone && mv /gone2/new /gone2/secret
expect "until it has the name" refused try_p open read /gone/secret

# ---- what comes later ----
echo secret >/p/late && ln /p/late /p/late-too
expect "a file that is made later is refused by name at once" refused try_p open read /p/late
late() { refused try_p open read /p/late-too; }
expect "and by identity within a minute" until_ 60 late
echo secret >/p/replaced && ln /p/replaced /p/replaced-too && mv /p/replaced /p/secret
expect "what took the place of a file is refused by name" refused try_p open read /p/secret
expect "what was in its place stays refused" refused try_p open read /p/other
replaced() { refused try_p open read /p/replaced-too; }
expect "and then by identity" until_ 60 replaced

expect "a file that no rule leads to opens" eval 'passes try_p open read /p/plain && passes try_p open read /p/plain'
ln -s plain /p/later-link
plain() { refused try_p open read /p/plain; }
expect "when one does, the answer from before counts no more" until_ 60 plain

# ---- a reload, a restart ----
policy o.yaml <<-EOF
	policy: o
	match: [{cgroup: /p.scope}]
	file: {deny: [/p/open]}
EOF
expect "another policy comes" agentctl reload
expect "what it names is bound with it" refused try_p open read /p/open-too
expect "and what was bound before stays" eval 'refused try_p open read /p/other && refused try_p open read /p/sub/elsewhere'
rm "$POLICIES/o.yaml"
expect "it goes" agentctl reload
expect "and what it bound" passes try_p open read /p/open-too
expect "the others stay" refused try_p open read /p/sub/elsewhere
systemctl kill --signal=KILL haetaed.service
expect "without the agent" refused try_p open read /p/other
expect "the agent is back" until_ 30 agent_runs
expect "after its restart" eval 'refused try_p open read /p/late-too && refused try_p open read /p/replaced-too'
expect "what was moved away before stays known" eval 'refused try_p open read /p/other && refused try_p open read /p/sub/elsewhere'

# ---- a container that starts while no agent runs ----
systemctl stop haetaed.service
enter /p3.scope sleep infinity &
third=$!
in_third() { inside /p3.scope "$TRY" open read "$1"; }
expect "a container without an agent: the name is refused" until_ 10 refused in_third /p/secret
must "the agent starts again" agent_start
again() { refused in_third /p/replaced-too; }
expect "and then what it names" until_ 60 again

# ---- who looks has the agent's memory, and is guarded as it is ----
service=$CGROUPS/system.slice/haetaed.service
agent=$(agent_pid)
helper() {
	local pid
	while read -r pid; do
		[[ $pid == "$agent" ]] || { echo "$pid"; return; }
	done <"$service/cgroup.procs"
}
hold_helper() {
	local i
	for ((i = 0; i < 5000; i++)); do
		echo 1 >"$service/cgroup.freeze"
		[[ ! $(helper) ]] || return 0
		echo 0 >"$service/cgroup.freeze"
	done
	return 1
}
while :; do agentctl reload; done >/dev/null 2>&1 & # each looks into every container
reloads=$!
expect "a process of the agent's that looks into a container is held" hold_helper
held=$(helper)
expect "a governed task cannot signal it" refused try_p signal 0 "$held"
expect "an ungoverned one can" passes "$TRY" signal 0 "$held"
kill "$reloads"
echo 0 >"$service/cgroup.freeze"
expect "it goes on" until_ 20 agentctl reload

# ---- the cgroup goes, and its bindings with it ----
kill "$resident" "$third" && wait "$resident" "$third" 2>/dev/null
gone() {
	local left=0 scope
	for scope in "$cgroup" /p2.scope /p3.scope; do
		rmdir "$CGROUPS$scope" 2>/dev/null || [[ ! -d $CGROUPS$scope ]] || left=1
	done
	((left == 0))
}
must "the cgroups go" until_ 20 gone
none_known() { [[ $(known) == 0 ]]; }
expect "nothing is kept of it" until_ 60 none_known
enter "$cgroup" sleep infinity &
resident=$!
again() { refused try_p open read /p/replaced-too; }
expect "a new one of the same name is bound anew" until_ 20 again
kill "$resident"

# ---- a container on an overlay ----
root=/var/lib/haetae-rig/web-root
ln -f $root/etc/passwd $root/etc/passwd-too
policy c.yaml <<-EOF
	policy: c
	match: [{cgroup: "/machine.slice/libpod-*.scope"}]
	exec: {deny: [/bin/r*v]}
	file: {deny: [/etc/passwd, /etc/hostname-of-mine, /etc/group, /var/run/secrets/**]}
EOF
expect "a policy for containers" agentctl reload
web() { podman run --quiet --detach --replace --name web --network none --volume "$TRY:/try:ro" --rootfs "$root:O" sleep infinity; }
in_web() { podman exec web /try "$@"; }
web_refused() { refused in_web open read /etc/passwd-too; }
for round in first second; do
	expect "podman: the $round container" web
	expect "podman: the name is refused" refused in_web open read /etc/passwd
	expect "podman: a hard link in the image is refused" until_ 20 web_refused
	expect "podman: its sibling is not" passes in_web open read /etc/shells
	# /bin is a link there, and /var/run; the directory of the rule is not there yet
	web_not_below_links() { refused in_web exec /usr/bin/rev /dev/null && refused in_web mkdir /run/secrets; }
	expect "podman: what rules name through links of the image" until_ 20 web_not_below_links
	expect "podman: and no other" eval 'passes in_web mkdir /run/secret && passes in_web exec /usr/bin/true'
	# written by an outsider through the container's root, so that it comes into the upper layer
	pid=$(podman inspect --format '{{.State.Pid}}' web)
	echo more >>"/proc/$pid/root/etc/group"
	mv "/proc/$pid/root/etc/group" "/proc/$pid/root/etc/group-moved"
	expect "podman: a copy in the upper layer, renamed" refused in_web open read /etc/group-moved
	expect "podman: outside nobody is refused" passes "$TRY" open read "/proc/$pid/root/etc/passwd-too"
	expect "podman: the $round container goes" podman rm --force --time 0 web
done

# ---- a runtime that sets a container up while policies are put in force ----
while :; do agentctl reload; done >/dev/null 2>&1 &
reloads=$!
starts() {
	local i
	for ((i = 0; i < 4; i++)); do
		web && in_web exec /usr/bin/true && podman rm --force --time 0 web || return
	done
}
expect "podman: containers start meanwhile" starts
kill "$reloads"
wait "$reloads"

# ---- many containers of one policy: a table that was made for a few is replaced by a larger one ----
echo secret >/p/many && ln /p/many /p/many-too
policy many.yaml <<-EOF
	policy: many
	match: [{cgroup: /many-*.scope}]
	file: {deny: [/p/many]}
EOF
expect "a policy of many containers comes" agentctl reload
many=()
for ((i = 0; i < 20; i++)); do
	enter "/many-$i.scope" sleep infinity &
	many+=("$!")
done
refused_in_many() {
	local i
	for ((i = 0; i < 20; i++)); do
		refused inside "/many-$i.scope" "$TRY" open read /p/many-too || return
	done
}
expect "the object is bound in each of them" until_ 100 refused_in_many
kill "${many[@]}"

expect "nothing failed" is 0 agent_status '$.identities.failed'
expect "everything found room" is 0 agent_status '$.identities."without-room"'

# ---- the records ----
expect "the books are balanced" settle
expect "the events can be read" events_read
expect "a runtime was never refused its set-up" is 0 events "SELECT count(*) FROM e WHERE exe LIKE '%crun%' AND verdict = 'deny'"
expect "a refusal by name says nothing of identity" is 0 events \
	"SELECT count(*) FROM e WHERE path = '/tmpfs/secret' AND flags LIKE '%identity%'"
expect "one by identity says so, and names the rule" is "/tmpfs/other file.deny /tmpfs/secret" events -separator ' ' \
	"SELECT DISTINCT path, rule FROM e WHERE path = '/tmpfs/other' AND flags LIKE '%identity%'"
expect "the sentence says it" eval "agentctl events --no-pager --json --all | grep 'another name of what the rule names'"
finish
