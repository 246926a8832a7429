#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# What others take for the same: empty programs (the floor), Landlock, AppArmor and fapolicyd with a policy that comes to the
# same, an agent that is given by its path (./dev bench --peer PATH), and Haetae. One after the other, each alone.
set -euo pipefail
# shellcheck source=tests/lib/bench.sh
source /src/tests/lib/bench.sh
peers=/src/build/tests/bench/peers root=/var/lib/haetae-rig/peers-root denied=/bench/a/b/c/d/denied

# start SECONDS COMMAND...: what takes so long to come up
start() {
	local seconds=$1
	shift
	setsid "$@" >/tmp/peer.log 2>&1 &
	peer=$!
	sleep "$seconds"
	kill -0 "$peer" || { cat /tmp/peer.log; echo "it does not run: $*"; return 1; }
}
stop() {
	kill -TERM -- "-$peer"
	wait "$peer" || true # as it was told to
	sleep 2
}
# A peer that refuses nothing is not compared.
refuses() { ! "${via[@]}" /bin/cat "$denied" >/dev/null 2>&1 || { echo "it does not refuse: ${via[*]:-$1}"; return 1; }; }

floor() {
	floor_start file_open file_permission mmap_file path_mknod path_unlink path_rename task_alloc bprm_check_security
	measure floor </tmp/workloads
	floor_stop
}

landlock() {
	local via=("$peers/bench-landlock" /bench/run /bench/true /bench/file /bench/a/b/c/{d/file,d/e,cold,made} /bin /dev /etc /lib /lib64 /proc /sys /tmp /usr --)
	refuses && measure landlock </tmp/workloads
	# and with a right on the directory above all, which is looked for up to there
	via=("$peers/bench-landlock" /bench /bin /dev /etc /lib /lib64 /proc /sys /tmp /usr --)
	denied=/ext4/file refuses && grep -v refused /tmp/workloads | measure landlock-above
}

apparmor() {
	# shellcheck disable=SC2016 # the shell that confines its next program expands it
	local via=(bash -c 'echo "exec bench" >/proc/self/attr/apparmor/exec && exec "$@"' confine)
	mount --rbind /sys "$root/sys" && mount --bind /proc "$root/proc"
	{
		echo 'profile bench flags=(attach_disconnected) { file, capability, signal, ptrace, network, unix,'
		echo "deny $denied rwklmx,"
		awk 'BEGIN { for (i = 1; i < 10; i++) printf "deny /srv/app-%d/data-%d rwklmx,\n", i % 97, i; print "}" }'
	} | chroot "$root" apparmor_parser --replace --skip-cache
	refuses && measure apparmor </tmp/workloads
}

fapolicyd() {
	mkdir -p /etc/fapolicyd /var/lib/fapolicyd /run/fapolicyd
	cp -r "$root/usr/share/fapolicyd" /usr/share/
	cp -rn "$root/usr/share/misc" /usr/share/
	cp -n "$root"/usr/lib/file/magic* /usr/lib/file/ 2>/dev/null || { mkdir -p /usr/lib/file && cp "$root"/usr/lib/file/magic* /usr/lib/file/; }
	sed 's/^trust *=.*/trust = file/; s/^\(uid\|gid\) *=.*/\1 = root/' "$root/etc/fapolicyd/fapolicyd.conf" >/etc/fapolicyd/fapolicyd.conf
	: >/etc/fapolicyd/fapolicyd.trust
	printf 'deny perm=any all : path=%s\nallow perm=any all : all\n' "$denied" | tee /etc/fapolicyd/compiled.rules >/etc/fapolicyd/fapolicyd.rules
	start 20 env LD_LIBRARY_PATH="$root/usr/lib/x86_64-linux-gnu" "$root/usr/sbin/fapolicyd" --debug-deny
	refuses fapolicyd && measure fapolicyd </tmp/workloads
	stop
}

given() {
	local program=/src/peer
	[[ ! -d $program ]] || program+=/start
	start 20 "$program"
	measure "${HAETAE_PEER:-peer}" </tmp/workloads
	stop
}

haetae() {
	rules 10 | { printf 'exec: {default: deny, allow: [/bench/run, /bench/true]}\n' && cat; } | policy_make bench-governed
	systemctl start haetaed && sleep 3
	measure ungoverned </tmp/workloads
	measure governed -g "$CGROUPS/bench-governed" </tmp/workloads
}

mkdir "$CGROUPS/bench-governed"
trees_make
boot_settles
workloads peers >/tmp/workloads
measure plain </tmp/workloads
for configuration in floor landlock apparmor fapolicyd ${HAETAE_PEER:+given} haetae; do "$configuration"; done
judge /dev/null
