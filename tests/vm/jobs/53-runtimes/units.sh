# shellcheck shell=bash
# SPDX-License-Identifier: Apache-2.0
# Services of systemd with every sandbox that it has, on the host's root, in a directory and in an image.
# shellcheck disable=SC2317 # the functions are called by expect
# shellcheck source=tests/vm/jobs/53-runtimes/runtimes.sh
[[ ${ROOT:-} ]] || source /src/tests/vm/jobs/53-runtimes/runtimes.sh

units=/run/systemd/system
# unit NAME LINE... -- COMMAND...: writes the unit; what it runs is judged under the name of its cgroup
unit() {
	local name=$1
	shift
	{
		printf '[Service]\nType=oneshot\n'
		while [[ $1 != -- ]]; do printf '%s\n' "$1" && shift; done
		shift
		printf 'ExecStart='
		printf '"%s" ' "$@"
	} >"$units/$name.service" && systemctl daemon-reload
}
unit_run() { unit "$@" && systemctl start "$1.service"; }

sandbox=(PrivateTmp=yes ProtectSystem=strict ProtectHome=tmpfs PrivateDevices=yes PrivateNetwork=yes PrivateIPC=yes PrivateMounts=yes
	ProtectHostname=yes ProtectClock=yes ProtectKernelTunables=yes ProtectKernelModules=yes ProtectKernelLogs=yes
	ProtectControlGroups=yes ProtectProc=invisible ProcSubset=pid RestrictNamespaces=yes RestrictAddressFamilies=AF_UNIX
	RestrictRealtime=yes RestrictSUIDSGID=yes RemoveIPC=yes LockPersonality=yes MemoryDenyWriteExecute=yes NoNewPrivileges=yes
	CapabilityBoundingSet= SystemCallFilter=@system-service SystemCallErrorNumber=EPERM SystemCallArchitectures=native UMask=0077
	KeyringMode=private IPAddressDeny=any DevicePolicy=closed OOMScoreAdjust=100 Nice=5 CPUSchedulingPolicy=batch
	IOSchedulingClass=idle LimitNOFILE=512 LimitCORE=0 SetCredential=one:secret StandardInput=null)
host=("${sandbox[@]}" DynamicUser=yes PrivateUsers=yes StateDirectory=%N RuntimeDirectory=%N CacheDirectory=%N LogsDirectory=%N
	TemporaryFileSystem=/opt BindReadOnlyPaths=/open:/opt/open BindPaths=/var/tmp:/opt/tmp InaccessiblePaths=/root
	NoExecPaths=/ "ExecPaths=/try /denied /busybox /usr")
in_directory=("${sandbox[@]}" "RootDirectory=$ROOT" MountAPIVFS=yes TemporaryFileSystem=/var BindReadOnlyPaths=/etc/hostname:/tmp/hostname
	PrivateUsers=yes)

start_unit() { local name=$1 && shift && unit_run "$name" "${host[@]}" -- "$@"; }
start_rooted() { local name=$1 && shift && unit_run "$name" "${in_directory[@]}" -- "$@"; }
start_image() { local name=$1 && shift && unit_run "$name" "${sandbox[@]}" RootImage=/c/root.img MountAPIVFS=yes -- "$@"; }
privileged_unit() { local name=$1 && shift && unit_run "$name" -- "$@"; }
privileged_rooted() { local name=$1 && shift && unit_run "$name" "RootDirectory=$ROOT" PrivateTmp=yes -- "$@"; }
# read-only, by what is protected: systemd has fsck look at an image that is writable, in the unit's cgroup
privileged_image() { local name=$1 && shift && unit_run "$name" RootImage=/c/root.img ProtectSystem=strict ProtectHome=read-only PrivateTmp=yes -- "$@"; }
sibling_unit() { local name=free-$1 && shift && unit_run "$name" "${host[@]}" -- "$@"; }
sibling_rooted() { local name=free-$1 && shift && unit_run "$name" "${in_directory[@]}" -- "$@"; }
sibling_image() { local name=free-$1 && shift && unit_run "$name" RootImage=/c/root.img -- "$@"; }
named_unit() { echo "$1.service"; }
named_rooted() { echo "$1.service"; }
named_image() { echo "$1.service"; }

cp "$ROOT"/{try,denied,busybox,open,secret} /
governs unit '{unit: "unit-*.service"}' '{unit: "rooted-*.service"}' '{unit: "image-*.service"}'
must "units: their policy is put in force" agentctl reload
first unit unit unit
first rooted rooted unit
image() { mke2fs -q -F -t ext4 -O ^has_journal -d "$ROOT" /c/root.img 32M && modprobe loop; }
must "units: an image is made" works image
first image image unit

# ---- one that goes on: what reloads it runs in it ----
long() { unit unit-long Type=exec "${host[@]}" "ExecStartPre=+/try open read /open" "ExecReload=/denied open read /open" -- /busybox sleep 600 && systemctl start unit-long; }
expect "unit: one that goes on, after a first command without the sandbox" works long
refused_once "unit: a command that reloads it is judged" unit-long.service exec /denied unit "default: deny" systemctl reload unit-long
expect "unit: it is restarted" works systemctl restart unit-long
expect "unit: and runs" works systemctl is-active unit-long
wanted=$((wanted + 1))
expect "unit: it is judged as before" eval "! works systemctl reload unit-long"
expect "unit: it ends" works systemctl stop unit-long
balance units
rm "$POLICIES/unit.yaml"
