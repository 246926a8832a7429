# shellcheck shell=bash
# SPDX-License-Identifier: Apache-2.0
# For the parts of this job: a root for containers, policies with every line of kernel: at deny, and what is asked of each
# runtime.
# shellcheck disable=SC2317 # the functions are called by expect
# shellcheck source=tests/lib/haetae.sh
[[ ${POLICIES:-} ]] || source /src/tests/lib/haetae.sh

# From a login shell podman gives its monitor a scope of its own; out of a service it leaves it there.
unset INVOCATION_ID

# ---- one root for all: static programs and two files ----
ROOT=/c/root
root_make() {
	mkdir -p "$ROOT"/{proc,dev,sys,etc,usr,run,tmp,mnt,var} &&
		cp "$TRY" "$ROOT"/try && cp "$TRY" "$ROOT"/denied && cp /bin/busybox "$ROOT"/busybox &&
		echo secret >"$ROOT"/secret && echo open >"$ROOT"/open && echo "ID=tiny" >"$ROOT"/etc/os-release
}
# root_new NAME: a copy, for a runtime that takes a directory to itself
root_new() { [[ -d /n/$1 ]] || { mkdir -p /n && cp -a "$ROOT" "/n/$1"; }; }

# governs NAME SELECTOR...: a policy called NAME that allows two programs, all files but one, and nothing of the kernel.
governs() {
	local name=$1
	shift
	{
		printf 'policy: %s\nmatch:\n' "$name"
		printf -- '  - %s\n' "$@"
		cat <<-'EOF'
			exec:
			  default: deny
			  allow: [/try, /busybox]
			file:
			  deny: [/secret]
			kernel:
			  mount: deny
			  ptrace: deny
			  module: deny
			  kexec: deny
			  bpf: deny
			  perf: deny
			  device: deny
			  sysctl: deny
			  clock: deny
			  namespaces: deny
			  io_uring_sqpoll: deny
		EOF
	} | policy "$name.yaml"
}
# rule NAME TEXT: where that policy says so
rule() { awk -v text="$2" 'index($0, text) { print FNR; exit }' "$POLICIES/$1.yaml"; }

# recorded CONTAINER: a line for each refusal that was recorded of it
recorded() {
	settle 60 >&2 && agentctl --no-pager events --json --all --container "$1" --verdict deny,kill,would-deny |
		jq -r '"\(.verdict) \(.count) \(.op) \(.object.path) \(.policy):\(.rule.line)"'
}
wanted=0 # refusals that there have to be
# refused_once DESCRIPTION CONTAINER OP PATH POLICY TEXT COMMAND...: the command fails, for a refusal of this container by this
# rule of the policy, of which there is one row, and no other.
refused_once() {
	wanted=$((wanted + 1))
	expect "$1" one_refusal "$2" "deny 1 $3 $4 $5:$(rule "$5" "$6")" "${@:7}"
}
# The name that a container's records have, if it is not its own: named_RUNTIME NAME.
named() { if declare -F "named_$1" >/dev/null; then "named_$1" "$2"; else echo "$2"; fi; }
one_refusal() { # CONTAINER ROW COMMAND...
	local container=$1 expected=$2
	shift 2
	"$@" >/tmp/said 2>&1 </dev/null && { echo "it succeeded"; cat /tmp/said; return 1; }
	is "$expected" recorded "$container" || { cat /tmp/said; return 1; }
}
# works COMMAND...: and says what it said, if not
works() { "$@" >/tmp/said 2>&1 </dev/null || { echo "status $?"; cat /tmp/said; return 1; }; }
# in_time SECONDS COMMAND...: works in the end, or says what the last try said
in_time() { until_ "$1" works_ "${@:2}" || { cat /tmp/said; return 1; }; }
works_() { "$@" >/tmp/said 2>&1 </dev/null; }
refusals() { settle 60 >&2 && ledger deny | cut -d ' ' -f 1; }
balance() { expect "$1: nothing else was refused" is "$wanted" refusals; }

# ---- what is asked of each ----

# first TAG RUNTIME POLICY: of new containers, whose names begin with the tag. Named after the runtime are functions that run a
# command to its end in a new one: start_RUNTIME NAME COMMAND... and the same with every privilege, privileged_RUNTIME; and
# sibling_RUNTIME, where no policy is meant.
first() {
	local t=$1 r=$2 p=$3
	expect "$t: a container is set up, and its first program runs" works "start_$r" "$t-allowed" /try open read /open
	refused_once "$t: a first program that is not allowed does not start; that is one row, with its name and its rule" \
		"$(named "$r" "$t-denied")" exec /denied "$p" "default: deny" "start_$r" "$t-denied" /denied open read /open
	refused_once "$t: one with every privilege is set up too, and may not mount" \
		"$(named "$r" "$t-mount")" mount /mnt "$p" "mount: deny" "privileged_$r" "$t-mount" /try mount x /mnt tmpfs ""
	expect "$t: one beside them does as it likes" works "sibling_$r" "$t-free" /denied open read /secret
	balance "$t"
}

# entered TAG RUNTIME POLICY: of one that goes on. long_RUNTIME NAME starts it, enter_RUNTIME NAME COMMAND... runs a command
# in it, restart_RUNTIME NAME and end_RUNTIME NAME.
entered() {
	local t=$1 r=$2 p=$3
	expect "$t: one that goes on is started" works "long_$r" "$t-long"
	expect "$t: who enters it may do what it may" in_time 20 "enter_$r" "$t-long" /try open read /open
	refused_once "$t: and no more" \
		"$(named "$r" "$t-long")" exec /denied "$p" "default: deny" "enter_$r" "$t-long" /denied open read /open
	expect "$t: it is restarted" works "restart_$r" "$t-long"
	expect "$t: entered again" in_time 20 "enter_$r" "$t-long" /try open read /open
	wanted=$((wanted + 1))
	expect "$t: who enters may no more than before" eval "! works enter_$r $t-long /try open read /secret"
	expect "$t: it ends" works "end_$r" "$t-long"
	balance "$t"
}
