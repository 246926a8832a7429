# shellcheck shell=bash
# SPDX-License-Identifier: Apache-2.0
# What the benchmarks share: files to measure at, policies, and figures. A figure is a line of /out/figures.tsv: workload,
# configuration, value, and how many rounds came to it. To sleep takes no time: where instructions are counted, the machine goes
# at once to the moment in which somebody wakes. So they wait generously.

CALLS=/src/tests/bench/calls CALL=/bench/run FLOOR=/src/build/tests/bench/peers/bench-floor FIGURES=/out/figures.tsv
POLICIES=/etc/haetae/policies.d CGROUPS=/sys/fs/cgroup
AGENT_CGROUP=$CGROUPS/system.slice/haetaed.service

# The guest is busy with itself for its first seconds.
boot_settles() { while awk '{ exit $1 >= 9 }' /proc/uptime; do sleep 0.2; done; }

# What is measured is everywhere the same: five directories deep, with a neighbour that rules are about.
tree_make() { # tree_make TOP
	local deep=$1/a/b/c/d/e/f/g/h/i/j/k/l/m/n
	mkdir -p "$deep" "$1/a/b/c/cold" "$1/a/b/c/made"
	echo x | tee "$1/file" "$1/a/b/c/d/file" "$deep/file" "$1/a/b/c/made/name" >"$1/a/b/c/d/denied"
}

# trees_make: on a tmpfs, on an ext4 in a file, and on an overlay whose files are all in its lower layer.
trees_make() {
	local i
	mkdir -p /bench /ext4 /overlay && mount -t tmpfs bench /bench
	mkdir /bench/{lower,upper,index}
	tree_make /bench
	tree_make /bench/lower
	for ((i = 0; i < 1000; i++)); do : >"/bench/a/b/c/cold/$i"; done
	truncate --size 16M /bench/disk && mke2fs -q -t ext4 /bench/disk
	modprobe --all --quiet loop overlay || true # they can be built in
	mount -o loop /bench/disk /ext4
	tree_make /ext4
	mount -t overlay -o lowerdir=/bench/lower,upperdir=/bench/upper,workdir=/bench/index overlay /overlay
	cp /src/build/tests/bench/calls/bench-call "$CALL"
	cp /bin/true /bench/true
}

# workloads [suite]: all of them, or those that the suite measures, as bench-call reads them.
workloads() { awk -F '\t' -v only="${1-}" '!/^#/ && (" " $4 " ") ~ only' OFS='\t' "$CALLS/workloads.tsv"; }

# measure CONFIGURATION [-g CGROUP]: the workloads on standard input, started by way of the command 'via', if there is one.
via=()
measure() {
	local configuration=$1 workload value rounds
	shift
	[[ ! -e $AGENT_CGROUP/cpu.stat ]] || set -- -a "$AGENT_CGROUP/cpu.stat" "$@"
	"${via[@]}" "$CALL" "$@" >/tmp/measured || return
	while IFS=$'\t' read -r workload value rounds; do figure "$workload" "$configuration" "$value" "$rounds"; done </tmp/measured
}
# figure WORKLOAD CONFIGURATION VALUE [ROUNDS]
figure() { printf '%s\t%s\t%s\t%s\n' "$1" "$2" "$3" "${4:-1}" >>"$FIGURES"; }
# line WORKLOAD ACT PATH: standard input of measure
line() { printf '%s\t%s\t%s\n' "$@"; }

# policy_make NAME [SUFFIX]: standard input is a policy without its head, for the cgroups /NAMESUFFIX. (Written beside and
# renamed: the agent watches.)
policy_make() {
	mkdir -p "$POLICIES"
	{ printf 'policy: %s\nmatch: [{cgroup: "/%s"}]\n' "$1" "$1${2-}" && cat; } >"/etc/haetae/$1.new"
	mv "/etc/haetae/$1.new" "$POLICIES/$1.yaml"
	chmod -R go-w /etc/haetae
}
# rules N: N rules on files, one of them beside the measured one
rules() {
	printf 'file:\n  deny:\n    - /bench/a/b/c/d/denied\n'
	awk -v n="$1" 'BEGIN { for (i = 1; i < n; i++) printf "    - /srv/app-%d/data-%d\n", i % 97, i }'
}
# many_rules N: so short that a file of policies has room for them
many_rules() {
	printf 'file:\n  deny: [/bench/a/b/c/d/denied'
	awk -v n="$1" 'BEGIN { for (i = 1; i < n; i++) printf ",/s/%x", i }'
	echo ']'
}

# used CGROUP: instructions of all that ever ran in it
used() { awk '$1 == "usage_usec" { printf "%.0f\n", $2 * 1000 }' "$1/cpu.stat"; }
# inside CGROUP COMMAND...: as a container's runtime does, from within
inside() {
	local cgroup=$CGROUPS/$1
	[[ -d $cgroup ]] || mkdir "$cgroup"
	(echo "$BASHPID" >"$cgroup/cgroup.procs" && exec "${@:2}")
}

# floor_start HOOK...: an empty program in each of these LSM hooks, until floor_stop
floor_start() {
	exec {floor_said}< <(exec "$FLOOR" "$@")
	floor=$!
	read -r <&"$floor_said" || { echo "no empty programs in: $*"; return 1; }
}
floor_stop() {
	kill "$floor"
	wait "$floor" || true # as it was told to
	exec {floor_said}<&-
	sleep 2
}

# judge BUDGETS: every figure, what is added to the same without anything, and whether that is within its budget. Fails if
# it is not.
judge() {
	awk -F '\t' -v kernel="$RIG_KERNEL" -v budgets="$1" '
		BEGIN { while ((getline <budgets) > 0) if ($1 == kernel) budget[$2, $3] = $4 }
		$2 == "plain" { plain[$1] = $3 }
		{
			more = $3 - plain[$1]; said = ""
			if (($1, $2) in budget && more > budget[$1, $2]) { said = "  ABOVE ITS BUDGET of +" budget[$1, $2]; failed = 1 }
			printf "%-32s %-22s %12.0f %+12.0f  of %d rounds%s\n", $1, $2, $3, more, $4, said
		}
		END { exit failed }
	' "$FIGURES"
}
