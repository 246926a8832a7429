#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# The demonstration: a real web server in a real container, governed by the shipped policy 50-web-demo.yaml.
#
#   demo.sh [--color]          for a person: numbered steps, each command with what came of it
#   demo.sh --tap              the same run as a test, in TAP, with one act more
#   demo.sh --native ROOT      on this very machine, from a build that is not installed: HAETAED and AGENTCTL name
#                              its programs, ROOT is a Debian root with nginx. Everything it makes goes again.
#
# Every act is checked in either form; the exit status says whether all of it went as told.
# shellcheck disable=SC2317 # functions are called by name
set -uo pipefail
export LC_ALL=C
top=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)

tap='' color='' native=''
root=/var/lib/haetae-rig/web-root
while (($#)); do
	case $1 in
	--tap) tap=1 ;;
	--color) color=1 ;;
	--native) native=1 root=${2:?--native needs a directory}; shift ;;
	*) echo "demo.sh: unknown option '$1'" >&2; exit 2 ;;
	esac
	shift
done
[[ $tap || ! -t 1 || ${TERM:-dumb} == dumb ]] || color=1

unit=haetaed slice=haetae-demo.slice web=web port=8080
work=/run/haetae-demo policies=/etc/haetae/policies.d
haetaed=${HAETAED:-/usr/sbin/haetaed} agentctl=${AGENTCTL:-/usr/bin/agentctl}
agent_options=() agentctl_options=()
if [[ $native ]]; then
	# Beside whatever else runs here: names, directories and pins of its own.
	unit=haetae-demo web=haetae-demo-web policies=$work/policies.d
	agent_options=(--policy-dir "$policies" --state-dir "$work/state" --runtime-dir "$work/run" --pin-dir /sys/fs/bpf/haetae-demo)
	agentctl_options=(--policy-dir "$policies" --state-dir "$work/state" --runtime-dir "$work/run")
fi
policy=$policies/50-web-demo.yaml
message_refused=7d1f6d3a4b6e4d4c9c0e0f2a5b8c1e01

# ---- telling ----

bold='' dim='' red='' green='' plain=''
[[ ! $color ]] || bold=$'\e[1m' dim=$'\e[2m' red=$'\e[31m' green=$'\e[32m' plain=$'\e[0m'
steps=0 checks=0 failures=0

# step TITLE TEXT
step() {
	steps=$((steps + 1))
	if [[ $tap ]]; then
		echo "# $steps. $1 (after $SECONDS s)"
	else
		printf '\n%s%d. %s%s\n' "$bold" "$steps" "$1" "$plain"
		fmt -w 100 <<<"$2" | sed 's/^/   /'
		echo
	fi
}

# Long lines are cut, but never inside of a colour.
show() { [[ $tap ]] || sed -E -e '/\x1b/!s/^(.{160}).*/\1/' -e 's/^/   /'; }
tell() { [[ $tap ]] || echo "   $dim$1$plain"; }

# check DESCRIPTION COMMAND...: one assertion.
check() {
	local description=$1 said result
	shift
	said=$("$@" 2>&1)
	result=$?
	checks=$((checks + 1))
	if ((result == 0)); then
		[[ ! $tap ]] || echo "ok $checks - $description"
		[[ $tap ]] || echo "   ${green}ok$plain  $description"
		return 0
	fi
	failures=$((failures + 1))
	if [[ $tap ]]; then
		echo "not ok $checks - $description"
		printf '%s\n' "$* ended with $result: $said" "the command before: status ${status:-}, output ${output:-}" | sed 's/^/# /'
	else
		echo "   ${red}FAILED$plain  $description"
		printf '%s\n' "$* ended with $result" "$said" | sed 's/^/           /'
	fi
	return 1
}

# run PROMPT TEXT COMMAND...: shows TEXT as if typed, runs COMMAND; leaves 'output' and 'status'.
run() {
	local prompt=$1 text=$2
	shift 2
	[[ $tap ]] || echo "   $dim$prompt$plain $bold$text$plain"
	output=$("$@" 2>&1)
	status=$?
	[[ $tap || ! $output ]] || head -n 60 <<<"$output" | show
}

outside() { run "host#" "$1" bash -c "$1"; }
ctl() { "$agentctl" --no-pager "${agentctl_options[@]}" "$@"; }

bye() {
	local pid
	[[ ! $tap || $native ]] || return # the machine goes
	for pid in ${fetcher:-} ${waiting_shell:-}; do
		kill "$pid" 2>/dev/null
	done
	podman rm --force --time 0 "$web" >/dev/null 2>&1
	systemctl stop "$unit" 2>/dev/null
	[[ $native ]] || rm -f "$policy"
	[[ ! $native ]] || "$haetaed" --detach "${agent_options[@]}" 2>/dev/null
	rm -rf "$work" /tmp/haetae-demo-copy
}

# give_up TEXT: without this nothing of what follows means anything.
give_up() {
	[[ ! $tap ]] || echo "Bail out! $1"
	[[ $tap ]] || echo "${red}demo: $1$plain" >&2
	exit 1
}

# ---- looking ----

refused() { ((status != 0)) && [[ $output == *"Operation not permitted"* ]]; }
allowed() { ((status == 0)) && [[ $output != *"not permitted"* ]]; }
is() { [[ $1 == "$2" ]] || { echo "'$1' is not '$2'"; false; }; }
line_of() { grep -nF -m1 -- "$1" "$policy" | cut -d: -f1; }

# until_true SECONDS COMMAND...: what the agent does is under way for a moment.
until_true() {
	local deadline=$((SECONDS + $1))
	shift
	until "$@" >/dev/null 2>&1; do
		((SECONDS < deadline)) || return 1
		sleep 0.1
	done
}

refusals_of() { ctl events --json --verdict deny --container "$web" --path "$1"; }
rows_are() {
	rows=$(refusals_of "$1")
	is "$(grep -c . <<<"$rows")" "$2"
}

# recorded PATH OPERATION LINE TIMES: the store has exactly so many rows of it, and the last names everything.
recorded() {
	local row word rows=''
	until_true 15 rows_are "$1" "$4" || rows_are "$1" "$4" || return
	row=$(tail -n 1 <<<"$rows")
	for word in "\"kind\":\"verdict\"" "\"policy\":\"web-demo\"" "\"op\":\"$2\"" "\"reason\":\"policy\"" \
		"\"rule\":{\"id\":" "\"file\":\"$policy\",\"line\":$3," "\"container\":{\"name\":\"$web\""; do
		[[ $row == *"$word"* ]] || { echo "no $word in $row"; return 1; }
	done
}

alerts_of() {
	journalctl --boot --output=json "MESSAGE_ID=$message_refused" "HAETAE_CONTAINER=$web" "HAETAE_PATH=$1"
}
alert_is_complete() {
	local alert field
	journalctl --sync
	alert=$(alerts_of "$1") || return
	is "$(wc -l <<<"$alert")" 1 || return
	for field in '"HAETAE_POLICY":"web-demo"' "\"HAETAE_RULE_FILE\":\"$policy\"" "\"HAETAE_RULE_LINE\":\"$2\"" \
		'"HAETAE_VERDICT":"deny"' '"HAETAE_SEVERITY":"' '"HAETAE_EXE":"/usr/bin/'; do
		[[ $alert == *"$field"* ]] || { echo "no $field in $alert"; return 1; }
	done
}

agent_pid() { systemctl show --property=MainPID --value "$unit"; }
agent_is_new() { [[ $(systemctl is-active "$unit") == active && $(agent_pid) != "$1" ]]; }

# The ledger: so many refusals were counted in the kernel, each is a row, none is missing.
ledger_is() {
	local line
	line=$(ctl status | awk '$1 == "deny" { print $2, $3, $4, $5, $6 }')
	is "$line" "$1 $1 0 0 balanced"
}

# boottime of a row, in ns
time_of() { sed -n 's/.*"boottime_ns":\([0-9]*\).*/\1/p' <<<"$1"; }
happened_unwatched() {
	local act ready
	act=$(time_of "$(refusals_of "$1" | tail -n 1)")
	ready=$(time_of "$(ctl events --json --kind agent | grep '"notice":"ready"' | tail -n 1)")
	echo "refused at $act, the new agent was ready at $ready"
	((killed_at < act && act < ready))
}

# The intruder's shell: in the container all along, so that what it does next takes no podman.
open_shell() {
	mkfifo "$work/to-shell"
	podman exec --interactive "$web" sh <"$work/to-shell" >>"$work/from-shell" 2>&1 &
	waiting_shell=$!
	exec {to_shell}>"$work/to-shell"
	type_in true
	((status == 0)) || give_up "no shell in the container: $output"
}
typed=0
answered() { grep -q "^status $typed " "$work/from-shell"; }
type_in() {
	typed=$((typed + 1))
	: >"$work/from-shell"
	printf '%s\nprintf "\\nstatus %s %%s\\n" $?\n' "$1" "$typed" >&"$to_shell"
	until_true 20 answered
	status=$(sed -n "s/^status $typed //p" "$work/from-shell")
	output=$(grep -av -e '^status ' -e '^$' "$work/from-shell")
}
inside() {
	[[ $tap ]] || echo "   $dim$web#$plain $bold$1$plain"
	type_in "$1"
	[[ $tap || ! $output ]] || show <<<"$output"
}

# Fetches the page over and over; one line for each fetch.
fetch_on() {
	while :; do
		if curl --silent --fail --max-time 10 "http://127.0.0.1:$port/" >"$work/page.now" && cmp -s "$work/page" "$work/page.now"; then
			echo right
		else
			echo wrong
		fi >>"$work/fetches"
		sleep 0.5
	done
}
page_was_right() {
	local right
	right=$(grep -c '^right' "$work/fetches")
	echo "$right right, $(grep -c '^wrong' "$work/fetches") wrong"
	((right >= 10)) && ! grep -q wrong "$work/fetches"
}

# ---- the demonstration ----

prepare() {
	[[ $EUID == 0 ]] || give_up "please run as root"
	[[ -d /run/systemd/system ]] || give_up "systemd does not run here; it starts and watches the agent"
	[[ -x $root/usr/sbin/nginx ]] || give_up "$root has no nginx"
	command -v podman >/dev/null || give_up "podman is not installed"
	trap bye EXIT
	trap 'exit 1' INT TERM
	mkdir -p "$work" "$policies" || give_up "cannot make $work"
	chmod 755 "$work"
	while (exec 3<>"/dev/tcp/127.0.0.1/$port") 2>/dev/null; do
		port=$((port + 1))
	done
	# Debian's installer makes this file, a bare root has none.
	[[ -e $root/etc/shadow ]] || (umask 027 && echo "root:*:20000:0:99999:7:::" >"$root/etc/shadow")
	cat >"$work/site" <<-END
		server {
			listen 127.0.0.1:$port;
			root /var/www/html;
			index index.nginx-debian.html;
		}
	END
}

start_agent() {
	install -m 644 "$top/policies/50-web-demo.yaml" "$policy" || return
	if [[ $native ]]; then
		systemd-run --quiet --unit="$unit" --property=Type=notify --property=WatchdogSec=30 --property=Delegate=yes \
			--property=Restart=always --property=RestartSec=100ms --property=StartLimitIntervalSec=0 \
			"$haetaed" "${agent_options[@]}"
	else
		systemctl start "$unit"
	fi
}

start_web() {
	podman run --detach --quiet --name "$web" --network host --cgroup-parent "$slice" \
		--volume "$work/site:/etc/nginx/sites-available/default:ro" --rootfs "$root:O" nginx -g "daemon off;"
}

answers() { curl --silent --fail --max-time 5 --output "$work/page" "http://127.0.0.1:$port/"; }
page_is_nginx() { until_true 30 answers && grep "Welcome to nginx" "$work/page"; }
is_governed() { ctl containers | grep "^$web .*web-demo"; }
the_only_one() { is "$(ctl containers | grep -c web-demo)" 1; }

prepare
if [[ ! $tap ]]; then
	echo "${bold}Haetae on Linux $(uname -r), $(. /etc/os-release && echo "$PRETTY_NAME"), $(podman --version)$plain"
	[[ ! $native ]] || tell "On this machine, scoped to a container of its own; nothing is installed and nothing stays."
fi

step "A policy" "A policy is a file in a directory. This one is shipped as an example; it lets nginx serve, and little else. It \
selects containers by the path of their cgroup."
tell "$policy"
[[ $tap ]] || grep -v '^#' "$top/policies/50-web-demo.yaml" | show
run "host#" "agentctl policy check 50-web-demo.yaml" ctl policy check "$top/policies/50-web-demo.yaml"
check "the policy is good" allowed

step "The agent" "systemd starts it. It loads its programs into the kernel, puts the policy into force, tries something forbidden \
itself, and says that it is ready only when it saw the kernel refuse."
run "host#" "cp 50-web-demo.yaml $policies/ && systemctl start $unit" start_agent
check "systemd says it is ready" is "$(systemctl is-active "$unit")" active || give_up "the agent does not start: $(journalctl --no-pager -u "$unit" -n 20)"
pid=$(agent_pid)

step "A web server" "podman starts nginx in a container. The kernel matches the new cgroup with the policy as it is made, so the \
container is governed before its first instruction. From now on its page is fetched all the time and compared."
run "host#" "podman run --detach --name $web --cgroup-parent $slice ... nginx" start_web
check "podman runs it" allowed || give_up "podman cannot run the container: $output"
check "the page is served" page_is_nginx || give_up "no page: $(podman logs "$web" 2>&1)"
fetch_on &
fetcher=$!
run "host#" "agentctl containers" ctl containers
check "the container is governed" is_governed
check "no other is" the_only_one

step "What the web server was never meant to do" "Somebody has a shell in the container, as root."
open_shell
inside "cat /etc/shadow"
check "a denied file cannot be read" refused
inside "/usr/bin/curl http://attacker.example/"
check "a program that is not on the list cannot be run" refused
loader=$(cd "$root" && for f in lib64/ld-linux*.so.[0-9]* lib/ld-linux*.so.[0-9]*; do [[ ! -e $f ]] || { echo "/$f"; break; }; done)
loader_path=$(chroot "$root" realpath "$loader")
inside "$loader /usr/bin/curl http://attacker.example/"
check "nor through the dynamic loader" refused
inside "cp /usr/bin/curl /tmp/nginx && /tmp/nginx http://attacker.example/"
check "nor a copy of it under a better name" refused
inside "echo 'include /tmp/*;' >>/etc/nginx/nginx.conf"
check "the configuration cannot be changed" refused

step "What it is meant to do" "Next to each of these stands something that is allowed."
inside "cat /etc/debian_version"
check "files beside the denied ones can be read" allowed
inside "cat /root/.profile >/dev/null && echo readable"
check "a rule's exception is one" allowed
inside "/usr/bin/env"
check "programs on the list run" allowed
inside "cat /usr/bin/curl >/tmp/copy"
check "files can be written where the policy does not mind" allowed

step "Outside the container" "The same acts on the host, where no policy applies."
outside "head -c 5 /etc/shadow; echo ..."
shadow_was_read() { [[ ${#output} == 8 ]]; }
check "/etc/shadow can be read" shadow_was_read
curl_ran() { [[ $output == "curl "[0-9]* ]]; }
outside "/usr/bin/curl --version | head -c 11; echo ..."
check "curl runs" curl_ran
outside "$loader /usr/bin/curl --version | head -c 11; echo ..."
check "through the loader as well" curl_ran
outside "cp /usr/bin/curl /tmp/haetae-demo-copy && /tmp/haetae-demo-copy --version | head -c 11; echo ..."
check "and a copy of it" curl_ran

step "Every refusal is on record" "One row each, in a database that is still there after a reboot: what was refused to whom, and the rule with \
its file and line."
default_line=$(line_of "default: deny")
check "the file: one row, with policy, rule, line and container" recorded /etc/shadow read "$(line_of "path: /etc/shadow")" 1
check "the program: one row" recorded /usr/bin/curl exec "$(line_of "path: /usr/bin/curl")" 1
check "the loader: one row" recorded "$loader_path" exec "$default_line" 1
check "the copy: one row" recorded /tmp/nginx exec "$default_line" 1
check "the configuration: one row" recorded /etc/nginx/nginx.conf write "$(line_of "path: /etc/**")" 1
run "host#" "agentctl events --verdict deny" env COLUMNS=130 "$agentctl" --no-pager ${color:+--color always} "${agentctl_options[@]}" events --verdict deny
check "and no row that nobody asked for" ledger_is 5

step "Every refusal is an alert" "In the journal, with the same facts as fields, and an explanation for whoever reads it first."
check "the file: one alert with all fields" alert_is_complete /etc/shadow "$(line_of "path: /etc/shadow")"
check "the program: one alert with all fields" alert_is_complete /usr/bin/curl "$(line_of "path: /usr/bin/curl")"
run "host#" "journalctl --catalog MESSAGE_ID=$message_refused -n 1" \
	journalctl --boot --catalog --no-pager --no-hostname -n 1 "MESSAGE_ID=$message_refused" "HAETAE_PATH=/usr/bin/curl"
explained() { [[ $output == *"Subject: An operation of container $web was refused"*"written in $policy, line"* ]]; }
if [[ $native ]] && ! explained; then
	tell "Where Haetae is installed, its explanation of the alert follows here."
else
	check "the journal explains it" explained
fi

step "Kill the agent" "It gets a SIGKILL; at once the shell in the container tries again. Refusing is the kernel's work, the agent's is to tell of it: \
the new one that systemd starts takes over, and finds what happened meanwhile."
killed_at=$(awk '{ printf "%.0f", $1 * 1e9 }' /proc/uptime)
run "host#" "kill -KILL $pid" kill -KILL "$pid"
inside "cat /etc/shadow"
check "the denied file cannot be read with the agent dead" refused
inside "/tmp/nginx http://attacker.example/"
check "the program cannot be run with the agent dead" refused
inside "cat /etc/debian_version"
check "what is allowed still is" allowed
check "systemd started it again" until_true 30 agent_is_new "$pid"
run "host#" "systemctl show --property=MainPID,ActiveState,NRestarts $unit" systemctl show --property=MainPID,ActiveState,NRestarts "$unit"
check "the refusals of the gap are on record: the file" recorded /etc/shadow read "$(line_of "path: /etc/shadow")" 2
check "and the program" recorded /tmp/nginx exec "$default_line" 2
check "they were made before the new agent was ready" happened_unwatched /etc/shadow
inside "cat /etc/shadow"
check "with the new agent nothing has changed" refused
check "nor for the records" recorded /etc/shadow read "$(line_of "path: /etc/shadow")" 3

step "Stop the agent" "A stopped agent is no way around a policy either. (haetaed --detach ends enforcement, for whoever means it.)"
if [[ $native ]]; then
	tell "Not here: systemd forgets a unit that was made for one run when it stops."
	total=8
else
	run "host#" "systemctl stop $unit" systemctl stop "$unit"
	inside "cat /etc/shadow"
	check "still refused" refused
	run "host#" "systemctl start $unit" systemctl start "$unit"
	check "and on record as soon as it runs again" recorded /etc/shadow read "$(line_of "path: /etc/shadow")" 4
	total=9
fi

if [[ $tap && ! $native ]]; then
	step "A loader that is allowed" "What it maps to be executed is judged like a program."
	sed "s|^  allow:|&\n    - $loader_path|" "$top/policies/50-web-demo.yaml" >"$work/new.yaml"
	install -m 644 "$work/new.yaml" "$policy"
	check "the reload succeeds" systemctl reload "$unit"
	inside "$loader /usr/bin/cat /etc/hostname"
	check "the loader runs what is on the list" allowed
	inside "$loader /usr/bin/curl --version"
	# its own words for what mmap() was refused with
	unmapped() { ((status == 127)) && [[ $output == *"failed to map segment"* ]]; }
	check "and nothing else" unmapped
	check "one row: the mapping" recorded /usr/bin/curl map "$(line_of "path: /usr/bin/curl")" 2
	total=$((total + 1))
fi

step "All the while" "The kernel's own count of refusals against the rows of the database, and the fetches of the page."
run "host#" "agentctl status" env COLUMNS=130 "$agentctl" --no-pager ${color:+--color always} "${agentctl_options[@]}" status
check "$total refusals were made, $total are on record, none is missing" until_true 10 ledger_is "$total"
kill "$fetcher"
wait "$fetcher" 2>/dev/null
fetcher=''
check "every one of $(wc -l <"$work/fetches") fetches of the page was right" page_was_right

if [[ $tap ]]; then
	echo "1..$checks"
elif ((failures == 0)); then
	printf '\n%sAll %d checks passed.%s\n' "$bold$green" "$checks" "$plain"
else
	printf '\n%s%d of %d checks failed.%s\n' "$bold$red" "$failures" "$checks" "$plain"
fi
((failures == 0))
