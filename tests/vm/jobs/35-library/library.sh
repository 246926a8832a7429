# shellcheck shell=bash
# SPDX-License-Identifier: Apache-2.0
# For the parts of this job: servers and intruders in containers, and what was recorded of them.

# shellcheck source=tests/lib/haetae.sh
[[ ${POLICIES:-} ]] || source /src/tests/lib/haetae.sh
LIBRARY=/usr/share/haetae/policies
SERVERS=/var/lib/haetae-rig/servers-root
INTRUDERS=/c/intruders
PG=$(echo "$SERVERS"/usr/lib/postgresql/*/bin)
PG=${PG#"$SERVERS"}
mkdir -p /c

# adopt NAME...: what the library's README says to do.
adopt() {
	local name
	mkdir -p "$POLICIES"
	for name; do
		install -m 0644 "$LIBRARY/$name.yaml" "$POLICIES/"
	done
}

# ids_of USER: of a user of the servers' root, UID:GID
ids_of() { awk -F: -v user="$1" '$1 == user { print $3 ":" $4 }' "$SERVERS/etc/passwd"; }
# From a login shell podman gives its monitor a scope of its own, beside the container's; out of a service it leaves it there.
unset INVOCATION_ID
# server NAME PROFILE OPTION... --rootfs ROOT COMMAND...: a container that the library's policies select by their label.
server() {
	local name=$1 profile=$2
	shift 2
	podman run --quiet --name "$name" --network host --label "haetae.profile=$profile" "$@"
}
# in_server NAME UID:GID COMMAND...: what podman exec does, without podman, which is slow here. Its
# output goes through a pipe, as podman has it: a file of ours is not for a governed task to write to.
in_server() {
	[[ -s /c/$1.id ]] || podman inspect --format '{{.Id}}' "$1" >"/c/$1.id"
	crun exec --user "$2" "$(cat "/c/$1.id")" "${@:3}" 2>&1 | cat
	return "${PIPESTATUS[0]}"
}
server_pid() { # podman is slow here: asked once
	[[ -s /c/$1.pid ]] || podman inspect --format '{{.State.Pid}}' "$1" >"/c/$1.pid"
	cat "/c/$1.pid"
}
# servers_stop NAME...
servers_stop() {
	expect "all servers stop when they are told" podman stop --time 60 "$@"
	podman inspect --format '{{.Name}} {{.State.ExitCode}}' "$@" >/out/stopped
	expect "and end in good order" diff /out/stopped <(printf '%s 0\n' "$@")
}
governed() { # NAME POLICY...
	local name=$1 policies policy
	shift
	policies=$(agentctl --no-pager containers | grep "^$name ") || { agentctl --no-pager containers; return 1; }
	for policy; do
		[[ $policies == *"$policy"* ]] || { echo "$policies"; return 1; }
	done
}
page() { curl --silent --show-error --fail --max-time 30 "$@"; }
page_has() { # TEXT URL
	local got
	got=$(page "$2" 2>&1)
	[[ $got == *"$1"* ]] || { echo "$got"; return 1; }
}

# ---- what was recorded ----

recorded() { agentctl --no-pager events --json --all --container "$@"; }
# nothing_refused NAME: nor would be; and the container's programs were recorded, so somebody looked.
nothing_refused() {
	settle 90 >&2 || return
	recorded "$1" --verdict deny,would-deny,kill >/tmp/refused || return
	[[ ! -s /tmp/refused ]] || { sed 's/.*"message":/"message":/' /tmp/refused | head -n 20; return 1; }
	[[ $(recorded "$1" --verdict allow) == *'"op":"exec"'* ]] || { echo "nothing is recorded of $1"; return 1; }
}
# what_was_recorded NAME VERDICTS: a line for each, "VERDICT POLICY RULE" or "VERDICT REASON", in the order it happened.
what_was_recorded() {
	settle 90 >&2 || return
	recorded "$1" --verdict "$2" >/tmp/recorded.json || return
	rm -f /tmp/recorded.db
	sql -bail /tmp/recorded.db <<-'END'
		CREATE TABLE line(value TEXT);
		.mode ascii
		.separator "\037" "\n"
		.import /tmp/recorded.json line
		.mode list
		.separator " "
		SELECT value ->> 'verdict', coalesce(value ->> 'policy' || ' ' || (value ->> '$.rule.text'), value ->> 'reason') FROM line ORDER BY value ->> 'boottime_ns';
	END
}

# ---- intruders ----

# The servers' root with other programs under the servers' names, as an image that brings a back door has them: each does
# the acts of its standard input. So what an intruder does who got into a server's process is done by a process that the
# policy takes for the server, with all that root of the host may do.
intruder_root() {
	local program
	mkdir -p /c/layer $INTRUDERS /c/drop
	for program in usr/sbin/nginx usr/bin/redis-cli "${PG#/}/psql" usr/bin/node; do
		mkdir -p "/c/layer/${program%/*}" && cp "$TRY" "/c/layer/$program" || return
	done
	# what was brought along: a program, a copy of one of the image's, a library
	cp /bin/busybox /c/drop/dropped && cp $SERVERS/usr/sbin/nginx /c/drop/copy &&
		cp $SERVERS/usr/lib/x86_64-linux-gnu/libz.so.1 /c/drop/libevil.so && chmod 755 /c/drop/* || return
	mount -t overlay -o "lowerdir=/c/layer:$SERVERS" overlay $INTRUDERS
}

# intruder NAME PROFILE PROGRAM: standard input has lines "ACT -> VERDICT POLICY RULE": the act fails with EPERM, or is
# killed, and is recorded so. A line without an arrow is an act that succeeds and that nothing is recorded of.
intruder_options=()
intruder() {
	local name=intruder-$1 profile=$2 program=$3
	cat >/tmp/lines
	sed 's/ -> .*//' /tmp/lines >/tmp/acts
	sed -n 's/.* -> //p' /tmp/lines | sort >/tmp/expected
	sed 's/^\(.*\) -> kill .*/250 \1/; t; s/^\(.*\) -> .*/1 \1/; t; s/^/0 /' /tmp/lines >/tmp/expected.status
	server "$name" "$profile" --interactive --rm --privileged --pid host --volume /c/drop:/tmp \
		"${intruder_options[@]}" --rootfs "$INTRUDERS:O" "$program" each </tmp/acts >"/out/$name" 2>"/out/$name.err"
	expect "$profile: $(wc -l <"/tmp/expected") acts of an intruder are refused, what is beside them is not" \
		diff "/tmp/expected.status" "/out/$name"
	what_was_recorded "$name" deny,kill,would-deny | sort >"/out/$name.recorded"
	expect "$profile: each is recorded with policy and rule" diff /tmp/expected "/out/$name.recorded"
}

# What no profile has to say by itself; PID is a process of another container.
ways_out() { # PROFILE PID
	cat <<-END
		mount none /mnt tmpfs size=1m -> deny container-baseline kernel.mount: deny
		fsopen tmpfs -> deny container-baseline kernel.mount: deny
		attach $2 -> deny container-baseline kernel.ptrace: deny
		memory-read $2 -> deny container-baseline kernel.ptrace: deny
		init-module -> deny container-baseline kernel.module: deny
		kexec -> deny container-baseline kernel.kexec: deny
		bpf-map -> deny container-baseline kernel.bpf: deny
		perf -> deny container-baseline kernel.perf: deny
		open read /dev/nvme0n1 -> deny container-baseline kernel.device: deny
		open write /proc/sys/kernel/core_pattern -> deny container-baseline kernel.sysctl: deny
		settime -> deny container-baseline kernel.clock: deny
		unshare-user -> deny $1 kernel.namespaces: deny
	END
}
