#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Whole programs in containers: the start of one, by crun and by podman, tar, make, git status, and the servers' side of
# pgbench and of requests to nginx. Counted is the processor's time of the container's cgroup (of podman, which has much done by
# others, that of the whole machine), and what the agent does meanwhile and after, less what it does when nothing happens.
# What a container touches is in memory; the first time, nothing of it was seen by its policy before. At the end without an agent
# once more, with programs that do nothing in the hooks in which it had its own. HAETAE_ONLY: the names of programs, with
# commas, start, podman, tar, git, make, pg, nginx; without it, all of them.
set -euo pipefail
# shellcheck source=tests/lib/bench.sh
source /src/tests/lib/bench.sh
# shellcheck source=tests/bench/programs/container.sh
source /src/tests/bench/programs/container.sh
WORKLOADS=/var/lib/haetae-rig/workloads-root SERVERS=/var/lib/haetae-rig/servers-root
idle_rate=0 # of the agent: instructions a second
NAMES=start,podman,tar,git,make,pg,nginx
only=,${HAETAE_ONLY:-$NAMES},
wanted() { [[ $only == *,$1,* ]]; }
for name in ${only//,/ }; do [[ ,$NAMES, == *,$name,* ]] || { echo "no program is called $name, expected of $NAMES"; exit 1; }; done

uptime_ms() { awk '{ printf "%.0f\n", $1 * 1000 }' /proc/uptime; }
# Of a cgroup, or of all of them: the root's own is told in ticks of the timer.
used_in() { if [[ $1 == "$CGROUPS" ]]; then awk '$1 == "usage_usec" { n += $2 * 1000 } END { printf "%.0f\n", n }' "$CGROUPS"/*/cpu.stat; else used "$1"; fi; }
agent_used() { if [[ -e $AGENT_CGROUP/cpu.stat ]]; then used "$AGENT_CGROUP"; else echo 0; fi; }

# counted NAME ROUNDS CGROUP COMMAND...: the least of some rounds, and the agent's share.
counted() {
	local name=$1 rounds=$2 cgroup=$3 round before value least='' begun agent
	shift 3
	begun=$(uptime_ms) agent=$(agent_used)
	for ((round = 0; round < rounds; round++)); do
		before=$(used_in "$cgroup")
		"$@"
		value=$(($(used_in "$cgroup") - before))
		((${least:-$value} < value)) || least=$value
	done
	sleep 2
	agent=$(($(agent_used) - agent - ($(uptime_ms) - begun) * idle_rate / 1000))
	[[ $agent != -* && $cgroup != "$CGROUPS" ]] || agent=0 # it is a part of the whole machine
	[[ $configuration == warm ]] || figure "$name" "$configuration" $((least + agent / rounds)) "$rounds"
	echo "$name, $configuration: $least, agent $((agent / rounds))"
}

starts() { local i; for ((i = 0; i < 10; i++)); do container start "$1" </dev/null >/dev/null; done; }
podman_starts() {
	podman run --quiet --rm --network none --label "bench=$1" --rootfs "$WORKLOADS:O" /usr/bin/true </dev/null >/out/podman.log 2>&1 || { cat /out/podman.log; return 1; }
	sleep 2
}
pgbench() { chroot "$SERVERS" "$PG/pgbench" --host /var/lib/postgresql --username postgres --client 2 --transactions 250 postgres >/out/pgbench.log 2>&1; }
requests() { chroot "$WORKLOADS" ab -q -n 3000 -c 8 http://127.0.0.1/ >/out/ab.log 2>&1 && grep -E "^Failed requests: +0$" /out/ab.log >/dev/null; }

# serve NAME CGROUP READY...: a server's container in the background, until it is ready.
serve() {
	container "$1" "$2" </dev/null >/dev/null &
	server=$!
	until "${@:3}" >/dev/null 2>&1; do kill -0 "$server" || { cat "/out/$1.log"; return 1; }; sleep 0.2; done
	sleep 6
}
serve_no_more() { # serve_no_more NAME SIGNAL: in good order, or the next one would begin with a recovery
	crun --cgroup-manager=cgroupfs kill "$1" "$2"
	wait "$server"
}
pg_ready() { chroot "$SERVERS" "$PG/pg_isready" --host /var/lib/postgresql; }
nginx_ready() { curl --silent --fail http://127.0.0.1/; }

# all CONFIGURATION PREFIX: every program that is wanted, each in the cgroup /bench/PREFIXNAME.
all() {
	local configuration=$1 prefix=$2 name
	! wanted start || counted "ten containers start" 2 "$COUNTED" starts "${prefix}start"
	if wanted podman; then
		podman_starts "$prefix" # fills what it caches
		counted "podman run, the whole machine" 2 "$CGROUPS" podman_starts "$prefix"
	fi
	for name in tar git make; do ! wanted $name || all_program $name "$prefix$name"; done
	! wanted pg || all_server pg "${prefix}pg" INT pg_ready pgbench
	! wanted nginx || all_server nginx "${prefix}nginx" QUIT nginx_ready requests
}
all_program() { # all_program NAME CGROUP
	program_begin "$1" "$2"
	counted "${title[$1]}" 1 "$COUNTED/$2" program "$1"
	[[ $1 == make ]] || counted "${title[$1]}, again" 3 "$COUNTED/$2" program "$1"
	program_end
}
all_server() { # all_server NAME CGROUP SIGNAL READY REQUESTS
	serve "$1" "$2" "$4"
	counted "${title[$1]}" 2 "$COUNTED/$2" "$5"
	serve_no_more "$1" "$3"
}
declare -A title=([tar]="tar, Python's library" [make]="make, Lua" [git]="git status, five times" [pg]="pgbench, 500 transactions" [nginx]="nginx, 3000 requests")

# warm_up: once before all, what starts anew each time: after the boot containers and tar take 1 to 2 % more than ever again.
warm_up() {
	local configuration=warm name
	! wanted start || starts free-start
	for name in tar git; do ! wanted $name || all_program $name free-$name; done
}

# adopt FILE POLICY [CGROUP]: one policy of a file, for the governed cgroup of that name.
adopt() {
	mkdir -p "$POLICIES"
	sed 's|/everyday|/w|' "$1" | awk -v policy="$2" -v cgroup="/bench/governed-${3:-$2}" '
		/^---/ || /^#/ { next }
		/^policy:/ { mine = $2 == policy }
		/^[a-z]/ { matches = /^match:/; if (matches && mine) print "match: [{cgroup: \"" cgroup "\"}]" }
		mine && !matches' >"$POLICIES/$2.yaml"
}
policies_adopt() {
	local workloads=/src/tests/vm/jobs/51-workloads/policies.yaml
	adopt /src/policies/10-container-baseline.yaml container-baseline '*'
	adopt /src/tests/bench/programs/policies.yaml start
	adopt /src/tests/bench/programs/policies.yaml tar
	adopt "$workloads" build make
	adopt "$workloads" git
	adopt /src/policies/30-postgresql.yaml postgresql pg
	adopt /src/policies/50-nginx.yaml nginx
	cp /src/tests/bench/programs/podman.yaml "$POLICIES"
	chmod -R go-w /etc/haetae
}

prepare() {
	mkdir -p /c "$COUNTED/runtime" && mount -t tmpfs -o size=1500m c /c
	modprobe --quiet overlay || true
	mount --bind /dev "$WORKLOADS/dev" && mount -t tmpfs tmp "$WORKLOADS/tmp"
	python=$(echo "$WORKLOADS"/usr/lib/python3.*) && python=${python#"$WORKLOADS"}
	bundle_make start "$WORKLOADS" 0:0 /w /usr/bin/true
	bundle_make nginx "$SERVERS" 0:0 /w nginx -g 'daemon off;'
	for name in tar make git pg; do ! wanted $name || "prepare_$name"; done
}
prepare_tar() {
	program_make tar "$WORKLOADS" /w <<<"tar --create --file /tmp/tar --exclude __pycache__ --exclude test $python"
}
prepare_make() {
	program_make make "$WORKLOADS" /w <<<"cp -r /w/lua /tmp && make --silent -C /tmp/lua generic MYCFLAGS=-O0"
	mkdir /c/make/volume/lua && tar -C /c/make/volume/lua --strip-components 1 -xf "$WORKLOADS"/usr/src/lua5.4_*.orig.tar.gz
	mount --bind /c/make/volume/lua/src "$WORKLOADS/usr/src"
	chroot "$WORKLOADS" bash -c 'gcc -E /usr/src/*.c | wc -l && echo "int main(void) { return 0; }" | gcc -O0 -xc - -o /tmp/a -lm && make --version && ar --version && ranlib --version' >/dev/null
}
prepare_git() {
	program_make git "$WORKLOADS" /w <<-END
		git config --global user.name a && git config --global user.email a
		mkdir /w/repository && cd /w/repository && cp -r $python/[a-m]* . && rm -rf test
		git init --quiet && git add --all && git commit --quiet --message all
	END
	program_begin git free-git && program git && program_end
	echo 'for i in 1 2 3 4 5; do git -C /w/repository status --porcelain || exit; done' >/c/git/volume/program
}
prepare_pg() {
	PG=$(echo "$SERVERS"/usr/lib/postgresql/*/bin) && PG=${PG#"$SERVERS"}
	bundle_make pg "$SERVERS" "$(ids_of postgres)" /var/lib/postgresql "$PG/postgres" -D /var/lib/postgresql/data -k /var/lib/postgresql
	chown "$(ids_of postgres)" /c/pg/volume
	mount --bind /c/pg/volume "$SERVERS/var/lib/postgresql"
	chroot --userspec "$(ids_of postgres)" "$SERVERS" "$PG/initdb" --no-sync --pgdata /var/lib/postgresql/data --auth trust --locale C.UTF-8 >/out/initdb.log
	serve pg free-pg pg_ready
	chroot "$SERVERS" "$PG/pgbench" --host /var/lib/postgresql --username postgres --initialize --quiet postgres >/out/pgbench.log 2>&1
	serve_no_more pg INT
}
ids_of() { awk -F: -v user="$1" '$1 == user { print $3 ":" $4 }' "$SERVERS/etc/passwd"; }

# agent_rests: measures what the agent does when nothing happens
agent_rests() {
	local begun
	sleep 5
	begun=$(agent_used)
	sleep 20
	idle_rate=$((($(agent_used) - begun) / 20))
}

# agent_hooks_keep: sets 'hooks' to the LSM hooks in which the agent has a program now, which is called by it (_bare: the one for
# kernels whose hook has fewer arguments). Those elsewhere, at tracepoints and at __d_move, are not among them.
agent_hooks_keep() {
	agentctl status --json >/out/status.json
	mapfile -t hooks < <(comm -12 \
		<(sqlite3 -batch -noheader :memory: "SELECT value FROM json_each(CAST(readfile('/out/status.json') AS TEXT), '$.links.names')" |
			sed -n 's/_bare$//; s/^haetae_//p' | sort -u) \
		<(sed -n 's/.* bpf_lsm_//p' /proc/kallsyms | sort -u))
}
# agent_goes: with all that it has in the kernel
agent_goes() {
	systemctl stop haetaed
	haetaed --detach
	idle_rate=0
}

prepare
systemd-run --quiet --slice machine.slice sleep infinity # so that it stays, with what was used in it
boot_settles
HOOK=/usr/share/containers/oci/hooks.d/haetae.json
mv "$HOOK" /tmp # a part of the agent
warm_up
all plain free-
mv "/tmp/$(basename "$HOOK")" "$HOOK"
systemctl start haetaed && agent_rests
all no-policy free-
policies_adopt
agentctl policy check "$POLICIES"/*.yaml
agentctl reload && agent_rests
all ungoverned free-
all governed governed-
refusals=$(agentctl --no-pager events --json --all --verdict deny,kill)
[[ ! $refusals ]] || { echo "$refusals" | head -n 5; echo "something was refused"; exit 1; }
agent_hooks_keep
agent_goes
rm "$HOOK"
echo "empty programs in ${#hooks[@]} hooks: ${hooks[*]}"
floor_start "${hooks[@]}"
all floor free-
floor_stop
judge /dev/null
