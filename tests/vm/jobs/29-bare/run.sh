#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# As in an initramfs: a root of its own with the agent, its libraries and busybox; /proc, /sys and /dev and nothing else. No
# systemd, no journal, no bpffs, no cgroup file system: the agent sees to what it needs and speaks on standard error.
# shellcheck disable=SC2317 # the functions are called by expect
# shellcheck source=tests/lib/haetae.sh
source /src/tests/lib/haetae.sh

root=/bare
mkdir -p $root && mount -t tmpfs tmpfs $root
mkdir -p $root/{bin,proc,sys,dev,policies,etc,old}
cp /bin/busybox "$TRY" $root/bin/
for program in haetaed agentctl; do
	cp "$(command -v $program)" $root/bin/
	ldd "$(command -v $program)" | grep -o '/[^ ]*' | while read -r library; do
		mkdir -p "$root${library%/*}" && cp -n "$library" "$root$library"
	done
done
echo secret >$root/etc/secret && echo open >$root/etc/open
printf 'policy: bare\nmatch: [{cgroup: /bare.scope}]\nfile: {deny: [/etc/secret]}\n' >$root/policies/bare.yaml
cat >$root/inside <<-'EOF'
	#!/bin/busybox sh
	# Runs as the first process of the bare system; prints TAP results as "ok NAME" and "no NAME".
	say() { if [ "$1" = "$2" ]; then echo "ok $3"; else echo "no $3 (expected $1, not $2)"; fi; }
	/bin/busybox --install -s /bin
	export PATH=/bin
	mount -t proc proc /proc && mount -t sysfs sysfs /sys && mount -t devtmpfs dev /dev
	umount -l /old
	say 1 "$([ -e /run/systemd ]; echo $?)" "no systemd and no journal are there"
	say "" "$(grep -E ' (bpf|cgroup2) ' /proc/mounts)" "no bpffs and no cgroup file system are mounted"
	haetaed --foreground --policy-dir /policies --state-dir /state --runtime-dir /runtime 2>/log &
	agent=$!
	i=0
	while ! grep -q Ready /log && [ $i -lt 200 ] && kill -0 $agent; do sleep 0.1; i=$((i + 1)); done
	say 0 "$(grep -q Ready /log; echo $?)" "the agent is ready"
	say 0 "$(grep -q ' cgroup2 ' /proc/mounts || mount -t cgroup2 cgroup2 /sys/fs/cgroup; echo $?)" "a cgroup file system"
	group=$(awk '$3 == "cgroup2" { print $2; exit }' /proc/mounts)/bare.scope
	mkdir "$group"
	inside() { sh -c 'echo $$ >'"$group"'/cgroup.procs && exec "$@"' sh "$@"; }
	inside try open read /etc/secret
	say 1 $? "a denied file is refused"
	inside try open read /etc/open
	say 0 $? "another one is not"
	try open read /etc/secret
	say 0 $? "nobody else is governed"
	i=0
	while ! agentctl --state-dir /state --runtime-dir /runtime --no-pager events --verdict deny | grep -q /etc/secret && [ $i -lt 50 ]; do sleep 0.1; i=$((i + 1)); done
	say 1 "$(agentctl --state-dir /state --runtime-dir /runtime events --json --verdict deny | wc -l)" "one row"
	say 0 "$(agentctl --state-dir /state --runtime-dir /runtime --no-pager status | grep -q bare; echo $?)" "status answers"
	say 1 "$(grep -c 'etc/secret' /log)" "the refusal is told on standard error, in one line"
	kill $agent
	wait $agent
	say 0 $? "it stops when asked"
	inside try open read /etc/secret
	say 1 $? "the enforcement stays"
	haetaed --detach
	say 0 $? "it is ended"
	sleep 1
	inside try open read /etc/secret
	say 0 $? "nothing is enforced any more"
	rmdir "$group"
EOF
chmod 0755 $root/inside

bare_system() {
	# shellcheck disable=SC2016 # expanded by the shell in there
	env -i unshare --mount --pid --fork --ipc --propagation private /bin/bash -c '
		cd /bare && /usr/sbin/pivot_root . old && exec /inside'
}
bare_system >/tmp/bare.out 2>&1
sed 's/^/# /' /tmp/bare.out
while read -r word description; do
	case $word in
	ok) expect "$description" true ;;
	no) expect "$description" false ;;
	esac
done </tmp/bare.out
sed 's/^/# log: /' $root/log
expect "all of it was run" is 14 grep -cE '^(ok|no) ' /tmp/bare.out
sentences() { refuse_lines=$(grep -vE '^[A-Za-z(].*' "$root/log"); [[ ! $refuse_lines ]] || { echo "$refuse_lines"; return 1; }; }
expect "the log is sentences" sentences
finish
