# shellcheck shell=bash
# SPDX-License-Identifier: Apache-2.0
# Runs the acts of tests/attack and holds each to the three oracles.
#
# An act is a file that defines, with $D its own directory:
#   policy_of  prints the file: and exec: parts of the policy that governs the act
#   tree       makes the files, in $D, which is empty and the current directory
#   acts       the act, in lines of
#              deny OBJECT ACT...   'try ACT...' must be refused with EPERM, with one row that names OBJECT
#              await OBJECT ACT...  the same, once the agent has found what the rules lead to, which is a moment after
#                                   something started in the cgroup: tried until it is refused; it must not change the tree
#              allow ACT...         the sibling that no rule names must go through
# and, if it needs them: clean (what rm does not undo), fingerprint (of the tree), expected (rows) and recorded (prints the
# query for them), cgroup (a cgroup below its own, in which it acts).
#
# deny        each refused act fails with EPERM; the tree is as it was, inode numbers included; one row each
# allow       nothing is refused that no rule names
# ungoverned  each refused act goes through outside
# shellcheck source=tests/lib/haetae.sh
source /src/tests/lib/haetae.sh

ATTACK=/attack

# attack_load FILE: defines the functions of an act.
attack_load() {
	id=${1##*/}
	id=${id%.sh}
	D=$ATTACK/$id
	unset -f policy_of tree acts
	clean() { :; }
	fingerprint() { "$TRY" fingerprint "$D"; }
	recorded() { echo "SELECT path FROM e WHERE cgroup = '/attack/$id.scope' AND verdict = 'deny' ORDER BY path"; }
	# for what is no file of the act: the reason, the operation, and the object if it has a name
	# shellcheck disable=SC2317 # acts call it
	recorded_lines() { echo "SELECT trim(reason || ' ' || op || ' ' || coalesce(path, '')) AS r FROM e WHERE cgroup = '/attack/$id.scope' AND verdict = 'deny' ORDER BY r"; }
	expected() { sorted "${objects[@]}"; }
	cgroup=
	# shellcheck source=/dev/null
	source "$1"
}

# of_filesystems PROGRAM ARGUMENT...: runs what makes a filesystem, out of the root that has it.
of_filesystems() {
	local root=/var/lib/haetae-rig/filesystems-root
	"$root/lib64/ld-linux-x86-64.so.2" --library-path "$root/lib/x86_64-linux-gnu:$root/usr/lib/x86_64-linux-gnu" "$root/sbin/$1" "${@:2}"
}
# disk SIZE MKFS...: a filesystem on $D/disk, in a file of that size, as the command makes it.
disk() {
	modprobe -q loop
	mkdir disk && truncate -s "$1" image && "${@:2}" image && mount -o loop image disk
}
disk_btrfs() { modprobe -q btrfs && disk "$1" of_filesystems mkfs.btrfs --quiet --mixed; }
# What makes an XFS takes so small a file from those only who test filesystems, which it is told so.
disk_xfs() { modprobe -q xfs && TEST_DIR=1 TEST_DEV=1 QA_CHECK_FS=1 disk 64M of_filesystems mkfs.xfs -q; }

# sorted LINE...: prints them in the order of their bytes, as a query does, without a process of its own.
sorted() {
	local -a lines=()
	local line i LC_ALL=C
	for line; do
		for ((i = ${#lines[@]}; i > 0; i--)); do
			[[ ${lines[i - 1]} > $line ]] || break
			lines[i]=${lines[i - 1]}
		done
		lines[i]=$line
	done
	((${#lines[@]} == 0)) || printf '%s\n' "${lines[@]}"
}

# attack_policies FILE...: the acts' policies, each in force for the cgroup of its act only. Before the agent starts: they
# are not renamed into place.
attack_policies() {
	local file
	mkdir -p "$POLICIES"
	for file; do
		(
			# what every policy_of calls once: the shell's own, as a program takes long to start here
			# shellcheck disable=SC2317
			cat() { local text; IFS= read -rd '' text; printf '%s' "$text"; }
			umask 022
			attack_load "$file"
			{
				printf 'policy: %s\nmatch:\n  - cgroup: /attack/%s.scope\n' "${id,,}" "$id"
				policy_of
			} >"$POLICIES/$id.yaml"
		)
	done
}

# attack_places FILE...: the acts' directories, empty, and their cgroups.
attack_places() {
	local file places=()
	for file; do
		attack_load "$file"
		places+=("$D" "$CGROUPS/attack/$id.scope$cgroup")
	done
	mkdir -p "${places[@]}"
}

# attack_plant: the tree of the act, in its empty directory.
attack_plant() {
	clean
	(cd "$D" && set -e && tree)
}

attack_plant_anew() {
	clean
	rm -rf "$D"
	mkdir "$D" && attack_plant
}

# Enters the act's cgroup as a container's runtime does; the exec of the helper is the first one there.
attack_inside() {
	echo "$BASHPID" >"$CGROUPS/attack/$id.scope$cgroup/cgroup.procs" && exec "$TRY" "$@"
}

attack_again() { (attack_inside "$@"); }

deny() {
	local object=$1 output result
	shift
	case $phase in
	refused)
		objects+=("$object")
		output=$(attack_inside "$@" 2>&1)
		result=$?
		((result == 1)) || wrong+="try $*: status $result, not EPERM: $output"$'\n'
		;;
	outside)
		output=$(exec "$TRY" "$@" 2>&1) # without exec it would be one process more
		result=$?
		# What an earlier line did may be in the way: once more with a fresh tree.
		if ((result != 0)); then
			attack_plant_anew || wrong+="the tree cannot be made"$'\n'
			output=$(exec "$TRY" "$@" 2>&1)
			result=$?
		fi
		((result == 0)) || wrong+="try $*: status $result outside: $output"$'\n'
		;;
	esac
}

await() {
	[[ $phase == refused ]] || { deny "$@"; return; }
	if [[ ! $resident ]]; then
		enter "/attack/$id.scope$cgroup" sleep infinity & # it has a root for the agent to look into
		resident=$!
	fi
	until_ 60 refused attack_again "${@:2}" 2>/dev/null || wrong+="try ${*:2}: not refused within a minute"$'\n'
	objects+=("$1")
}

allow() {
	local output result
	[[ $phase == allowed ]] || return 0
	output=$(attack_inside "$@" 2>&1)
	result=$?
	tried=$((tried + 1))
	((result == 0)) || wrong+="try $*: status $result: $output"$'\n'
}

# attack_phase NAME: one pass over the act's lines. Return: whether all went as they must.
attack_phase() {
	phase=$1 wrong=
	acts
	[[ ! $wrong ]] || { printf '%s' "$wrong"; return 1; }
}

attack_unchanged() {
	local after
	after=$(fingerprint)
	[[ $after == "$fingerprint" ]] || diff <(echo "$fingerprint") <(echo "$after")
}

# attack_case DESCRIPTION COMMAND...: as expect, but in this shell, whose variables the command changes.
attack_case() {
	local description=$1
	shift
	if "$@" >/tmp/attack.output 2>&1; then
		tap_result 0 "$id: $description"
	else
		tap_result 1 "$id: $description" "$(</tmp/attack.output)"
	fi
}

# attack_run FILE: everything but the rows, which are compared once all acts are over.
attack_run() {
	local fingerprint objects=() tried=0 phase wrong resident=
	attack_load "$1"
	if ! attack_plant >/tmp/attack.output 2>&1; then
		tap_result 1 "$id: the tree" "$(</tmp/attack.output)"
		return
	fi
	fingerprint=$(fingerprint)
	attack_case "refused with EPERM" attack_phase refused
	attack_case "the object is as it was" attack_unchanged
	[[ ! $resident ]] || kill "$resident"
	attack_case "the sibling goes through" attack_phase allowed
	attack_case "goes through outside" attack_phase outside
	((tried > 0 && ${#objects[@]} > 0)) || tap_result 1 "$id: has both deny and allow lines"
	clean
	expected >"/tmp/attack.$id.expected"
}

# attack_rows FILE: attack_query was asked before.
attack_rows() {
	id=${1##*/}
	id=${id%.sh}
	[[ -s /tmp/attack.$id.expected ]] || { echo "nothing was expected"; return 1; }
	[[ $(<"/tmp/attack.$id.expected") == "$(<"/tmp/attack.$id.recorded")" ]] ||
		diff "/tmp/attack.$id.expected" "/tmp/attack.$id.recorded"
}

# attack_query FILE...: the rows of all acts, in one process. The database itself is there as well, as 'store'.
attack_query() {
	local file
	{
		printf ".bail on\nATTACH '%s/events.db' AS store;\n" "$STATE"
		for file; do
			attack_load "$file"
			printf '.output /tmp/attack.%s.recorded\n' "$id"
			recorded
			echo ';'
		done
	} >/tmp/attack.queries
	sql /tmp/events.db </tmp/attack.queries
}

# attack_all FILE...: the acts, then their rows. The policies are in force (attack_policies) and the agent runs.
attack_all() {
	local file id
	attack_places "$@"
	for file; do
		attack_run "$file"
	done
	expect "every verdict is accounted for" settle
	expect "the events can be read" events_read
	expect "and asked for" attack_query "$@"
	for file; do
		id=${file##*/}
		id=${id%.sh}
		attack_case "one row for each refusal, naming the object" attack_rows "$file"
	done
}
