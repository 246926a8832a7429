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
# and, if it needs them: clean (what rm does not undo), fingerprint (of the tree), recorded and expected (rows), cgroup (a
# cgroup below its own, in which it acts).
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
	fingerprint() { find "$D" -printf '%p %y %i %m %U %n %l\n' -type f -exec sha256sum {} +; }
	recorded() { events "SELECT path FROM e WHERE cgroup = '/attack/$id.scope' AND verdict = 'deny' ORDER BY path"; }
	# for what is no file of the act: the reason, the operation, and the object if it has a name
	# shellcheck disable=SC2317 # acts call it
	recorded_lines() { events "SELECT trim(reason || ' ' || op || ' ' || coalesce(path, '')) AS r FROM e WHERE cgroup = '/attack/$id.scope' AND verdict = 'deny' ORDER BY r"; }
	expected() { ((${#objects[@]} == 0)) || printf '%s\n' "${objects[@]}" | LC_ALL=C sort; }
	cgroup=
	# shellcheck source=/dev/null
	source "$1"
}

# attack_policy FILE: the act's policy, in force for its cgroup only.
attack_policy() (
	attack_load "$1"
	{
		printf 'policy: %s\nmatch:\n  - cgroup: /attack/%s.scope\n' "${id,,}" "$id"
		policy_of
	} | policy "$id.yaml"
)

attack_plant() {
	clean
	rm -rf "$D"
	mkdir -p "$D"
	(cd "$D" && set -e && tree)
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
		output=$("$TRY" "$@" 2>&1)
		result=$?
		# What an earlier line did may be in the way: once more with a fresh tree.
		if ((result != 0)); then
			attack_plant || wrong+="the tree cannot be made"$'\n'
			output=$("$TRY" "$@" 2>&1)
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
	local description=$1 output
	shift
	"$@" >/tmp/attack.output 2>&1
	tap_result "$?" "$id: $description" "$(</tmp/attack.output)"
}

# attack_run FILE: everything but the rows, which are compared once all acts are over.
attack_run() {
	local fingerprint objects=() tried=0 phase wrong resident=
	attack_load "$1"
	mkdir -p "$CGROUPS/attack/$id.scope$cgroup"
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

attack_rows() {
	attack_load "$1"
	[[ -s /tmp/attack.$id.expected ]] || { echo "nothing was expected"; return 1; }
	diff "/tmp/attack.$id.expected" <(recorded)
}

# attack_all FILE...: the acts, then their rows. The policies are in force (attack_policy) and the agent runs.
attack_all() {
	local file id
	for file; do
		attack_run "$file"
	done
	expect "every verdict is accounted for" settle
	expect "the events can be read" events_read
	for file; do
		id=${file##*/}
		expect "${id%.sh}: one row for each refusal, naming the object" attack_rows "$file"
	done
}
