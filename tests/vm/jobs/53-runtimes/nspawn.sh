# shellcheck shell=bash
# SPDX-License-Identifier: Apache-2.0
# systemd-nspawn: from a shell, as a service that machined starts, and with a whole system inside.
# shellcheck disable=SC2317 # the functions are called by expect
# shellcheck source=tests/vm/jobs/53-runtimes/runtimes.sh
[[ ${ROOT:-} ]] || source /src/tests/vm/jobs/53-runtimes/runtimes.sh

nspawn_run() { # NAME OPTION... -- COMMAND...
	local name=$1 options=()
	shift
	while [[ $1 != -- ]]; do options+=("$1") && shift; done
	root_new "$name" && systemd-nspawn --quiet --pipe --directory "/n/$name" --machine "$name" "${options[@]}" "${@:2}"
}
start_nspawn() { nspawn_run "$1" -- "${@:2}"; }
privileged_nspawn() { nspawn_run "$1" --capability=all -- "${@:2}"; }
sibling_nspawn() { nspawn_run "$1" --slice free.slice -- "${@:2}"; }

leader() { machinectl show --property=Leader --value "$1"; }
# enter_nspawn NAME COMMAND...: by its namespaces, and into its cgroup, with a shell of the container's, so that the command is
# what is executed there first.
enter_nspawn() {
	local pid cgroup outside inside
	pid=$(leader "$1") && cgroup=$CGROUPS$(sed -n 's/^0:://p' "/proc/$pid/cgroup") || return
	shift
	nsenter --target "$pid" --all -- /busybox sh -c 'kill -STOP $$; exec "$@"' sh "$@" &
	outside=$!
	until_ 20 grep -q '^State:.*stopped' "/proc/$outside/status" || return
	inside=$(pgrep --parent "$outside") && echo "$inside" >"$cgroup/cgroup.procs" || return
	kill -CONT "$outside"
	wait "$outside"
}

# ---- machined's own way ----
service_make() {
	mkdir -p /var/lib/machines /etc/systemd/nspawn && cp -a "$ROOT" "/var/lib/machines/$1" &&
		printf '[Exec]\nBoot=no\nPrivateUsers=no\nParameters=/busybox sleep 600\n[Network]\nVirtualEthernet=no\n' >"/etc/systemd/nspawn/$1.nspawn"
}
long_nspawn() { service_make "$1" && machinectl start "$1"; }
restart_nspawn() { machinectl terminate "$1" && until_ 20 ended "$1" && machinectl start "$1"; }
ended() { [[ $(systemctl show --property=ActiveState --value "systemd-nspawn@$1.service") == @(inactive|failed) ]]; }
end_nspawn() { machinectl terminate "$1" && until_ 20 ended "$1"; }

governs nspawn '{cgroup: /machine.slice/machine-*.scope}' '{cgroup: /machine.slice/systemd-nspawn@*.service/payload}'
must "nspawn: its policies are put in force" agentctl reload
first nspawn nspawn nspawn
entered nspawn nspawn nspawn
rm "$POLICIES/nspawn.yaml"

# ---- by its name: found a moment later. nspawn itself, in the same service, is not governed. ----
governs nspawn-late '{container: {runtime: nspawn, name: "late-*"}}'
must "nspawn: a policy by name is put in force" agentctl reload
late_refused() { ! enter_nspawn late-1 /try open read /secret; }
has_another_leader() {
	local now
	now=$(leader "$1" 2>&1) && [[ $now != "$2" ]]
}
reboots() {
	local before
	before=$(leader late-1) || return
	enter_nspawn late-1 /busybox reboot -f
	until_ 30 has_another_leader late-1 "$before" && enter_nspawn late-1 /try open read /open
}
expect "nspawn: by its name, after some seconds" works long_nspawn late-1
expect "nspawn: what enters it is refused" until_ 30 late_refused
nspawn_is_free() { ! agentctl --no-pager containers | grep -F 'systemd-nspawn@late-1.service/supervisor'; }
expect "nspawn: nspawn itself is not governed" nspawn_is_free
expect "nspawn: it reboots" works reboots
expect "nspawn: and is found again" until_ 30 late_refused
expect "nspawn: it ends" works end_nspawn late-1
wanted=$((wanted + 2))
balance nspawn-late
rm "$POLICIES/nspawn-late.yaml"

# ---- a whole system inside, this one's: it boots ungoverned, and nothing of it is refused; then a policy comes ----
boot_make() {
	mkdir -p /o /n/boot && mount -t tmpfs tmpfs /o && mkdir /o/upper /o/work &&
		mount -t overlay -o lowerdir=/,upperdir=/o/upper,workdir=/o/work boot /n/boot &&
		ln -sf /dev/null /n/boot/etc/systemd/system/rig.service
}
in_boot() { machinectl --quiet shell boot "$@" | cat; }
booted() { in_boot /usr/bin/systemctl is-active multi-user.target | grep '^active'; }
uname_runs() { in_boot /usr/bin/uname | grep Linux; }
must "nspawn: there is a system to boot" works boot_make
systemd-nspawn --quiet --boot --directory /n/boot --machine boot --link-journal=no --console=pipe >/out/boot.log 2>&1 </dev/null &
expect "nspawn: a whole system boots, and machinectl shell runs programs in it" in_time 180 booted
expect "nspawn: what no policy denies" works uname_runs
balance "nspawn: a boot that is not governed"
policy nspawn-boot.yaml <<-EOF
	policy: nspawn-boot
	match: [{cgroup: /machine.slice/machine-boot.scope}]
	exec: {deny: [/usr/bin/uname]}
	kernel: {mount: allow, sysctl: allow, namespaces: allow, bpf: allow}   # systemd inside needs them
EOF
must "nspawn: a policy for a whole system is put in force" agentctl reload
refused_once "nspawn: machinectl shell is judged" boot exec /usr/bin/uname nspawn-boot "exec: {deny" uname_runs
expect "nspawn: machinectl shell goes on" works booted
expect "nspawn: it is switched off" works machinectl poweroff boot
gone() { ! machinectl show boot; }
expect "nspawn: and ends" until_ 60 gone
balance "nspawn: a whole system"
rm "$POLICIES/nspawn-boot.yaml"
