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

# program_make NAME ROOT VOLUME: standard input, a script of bash, is what a container of it does each time that it is told to.
program_make() {
	bundle_make "$1" "$2" 0:0 "$3" bash -c "echo done; while read -r go; do source $3/program >&2 || exit; echo done; done"
	cat >"/c/$1/volume/program"
}

# container NAME CGROUP: from its start to its end. What it says goes through a pipe, as an engine has it: a file of ours, which
# it would come by with its descriptors, is not for a governed task to write to.
container() {
	local name=$1 cgroup=$2 layer=/c/$1/layer status=0
	rm -rf "$layer" && mkdir -p "$layer"/{upper,work} "/c/$name/$cgroup"
	mount -t overlay -o "lowerdir=$(cat "/c/$name/lower"),upperdir=$layer/upper,workdir=$layer/work" overlay "/c/$name/rootfs"
	sed "s|/bench/CGROUP|/bench/$cgroup|" "/c/$name/config.json" >"/c/$name/$cgroup/config.json"
	{
		(
			echo "$BASHPID" >"$COUNTED/runtime/cgroup.procs"
			exec crun --cgroup-manager=cgroupfs run --bundle "/c/$name/$cgroup" "$name"
		) 2>&1 >&3 3>&- | cat >>"/out/$name.log"
	} 3>&1 || status=$?
	umount "/c/$name/rootfs"
	return $status
}

# program_begin NAME CGROUP: its container starts, and is left alone until whoever looks at new containers has done so.
program_begin() {
	coproc CONTAINER { container "$1" "$2"; }
	# shellcheck disable=SC2153 # coproc sets it
	container_pid=$CONTAINER_PID
	program_answers "$1"
	sleep 6
}
# program NAME: once, in its container
program() { echo go >&"${CONTAINER[1]}" && program_answers "$1"; }
program_answers() {
	local answer=''
	read -r answer <&"${CONTAINER[0]}" || true
	[[ $answer == "done" ]] || { cat "/out/$1.log"; echo "$1 failed"; return 1; }
}
program_end() {
	local go=${CONTAINER[1]}
	exec {go}>&-
	wait "$container_pid"
}
