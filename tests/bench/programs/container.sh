# shellcheck shell=bash
# SPDX-License-Identifier: Apache-2.0
# Containers without an engine: crun starts them from a root of the rig, each with a fresh overlay over it, in the cgroup
# /bench/NAME. What they and crun use is counted there.

COUNTED=$CGROUPS/bench

words() { # words WORD...: as JSON
	local word text=''
	for word; do text+=", \"$word\""; done
	echo "[${text#, }]"
}

# bundle_make NAME ROOT UID:GID VOLUME COMMAND...: the directory /c/NAME/volume is at VOLUME in each container that is made of it.
bundle_make() {
	local name=$1 lower=$2 uid=${3%:*} gid=${3#*:} volume=$4 all
	shift 4
	all=$(words CAP_{CHOWN,DAC_OVERRIDE,FOWNER,SETGID,SETUID,NET_BIND_SERVICE,KILL})
	mkdir -p "/c/$name/rootfs" "/c/$name/volume"
	echo "$lower" >"/c/$name/lower"
	cat >"/c/$name/config.json" <<-END
		{"ociVersion": "1.0.2", "root": {"path": "/c/$name/rootfs"}, "hostname": "bench",
		"process": {"user": {"uid": $uid, "gid": $gid}, "cwd": "/", "args": $(words "$@"),
			"env": ["PATH=/usr/sbin:/usr/bin:/sbin:/bin", "HOME=/tmp", "LC_ALL=C.UTF-8"],
			"capabilities": {"bounding": $all, "effective": $all, "permitted": $all}},
		"mounts": [
			{"destination": "/proc", "type": "proc", "source": "proc"},
			{"destination": "/dev", "type": "tmpfs", "source": "tmpfs", "options": ["mode=755"]},
			{"destination": "/dev/shm", "type": "tmpfs", "source": "shm", "options": ["mode=1777"]},
			{"destination": "/tmp", "type": "tmpfs", "source": "tmp", "options": ["mode=1777"]},
			{"destination": "$volume", "type": "bind", "source": "/c/$name/volume", "options": ["bind"]}],
		"linux": {"cgroupsPath": "/bench/CGROUP", "namespaces": [{"type": "pid"}, {"type": "mount"}, {"type": "ipc"}, {"type": "uts"}]}}
	END
}

# container NAME CGROUP: from its start to its end.
container() {
	local name=$1 cgroup=$2 layer=/c/$1/layer status=0
	rm -rf "$layer" && mkdir -p "$layer"/{upper,work} "/c/$name/$cgroup"
	mount -t overlay -o "lowerdir=$(cat "/c/$name/lower"),upperdir=$layer/upper,workdir=$layer/work" overlay "/c/$name/rootfs"
	sed "s|/bench/CGROUP|/bench/$cgroup|" "/c/$name/config.json" >"/c/$name/$cgroup/config.json"
	(
		echo "$BASHPID" >"$COUNTED/runtime/cgroup.procs"
		exec crun --cgroup-manager=cgroupfs run --bundle "/c/$name/$cgroup" "$name"
	) </dev/null >"/out/$name.log" 2>&1 || status=$?
	umount "/c/$name/rootfs"
	return $status
}
