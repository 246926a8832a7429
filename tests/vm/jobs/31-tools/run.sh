#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# shellcheck disable=SC2016 # eval is handed what it shall expand
# shellcheck disable=SC2317 # the functions are called by expect
# What operators do all day, against the kernel: policies on trial, break-glass, and answers that agree with it.
# shellcheck source=tests/lib/haetae.sh
source /src/tests/lib/haetae.sh

mkdir /r && for name in one two three; do echo "$name" >"/r/$name"; done
probe() { inside "/$1.scope" "$TRY" open read "/r/$2"; }
says() { grep -F -- "$@"; }
notices() { agentctl events --json --kind agent | says "\"$1\""; }
rules() { # NAME CGROUP PATH...: a policy on standard output
	printf 'policy: %s\nmatch: [{cgroup: %s}]\nfile:\n  deny:\n' "$1" "$2"
	shift 2
	printf '    - %s\n' "$@"
}
rules web '/web*.scope' /r/one | policy 50-web.yaml
must "the agent starts" agent_start
expect "the policy is in force" eval 'refused probe web one && passes probe web two'

# ---- on trial ----
rules web '/web*.scope' /r/one /r/two >/tmp/50-web.yaml
rules extra '/web*.scope' /r/three >/tmp/60-extra.yaml
printf 'policy: bad\nmatch: [{cgroup: /x}]\nfile: {deny: [/a], forbid: []}\n' >/tmp/70-bad.yaml
refuse "a broken file is not applied" agentctl apply --confirm-within 60s /tmp/70-bad.yaml
refuse "nothing is on trial" agentctl confirm
expect "a file goes on trial" agentctl apply --confirm-within 60s /tmp/50-web.yaml
expect "it is in force" eval 'refused probe web one && refused probe web two'
expect "status tells of it" eval 'agentctl status --no-pager | says "50-web.yaml, rolled back in"'
expect "the administrator's file is as it was" eval '! says /r/two /etc/haetae/policies.d/50-web.yaml'
refuse "there is one trial at a time" agentctl apply --confirm-within 60s /tmp/60-extra.yaml
expect "it is taken back" agentctl rollback
expect "what was in force before is again" eval 'refused probe web one && passes probe web two'
expect "another one" agentctl apply --confirm-within 2s /tmp/60-extra.yaml
expect "is in force" refused probe web three
expect "nobody confirms it: it goes by itself" until_ 20 passes probe web three
refuse "then it is too late" agentctl confirm
expect "a third one" agentctl apply --confirm-within 60s /tmp/60-extra.yaml
systemctl restart haetaed.service
expect "outlives a restart of the agent" eval 'agent_runs && refused probe web three'
expect "and is confirmed" agentctl confirm
expect "it is where the administrator's files are" cmp /tmp/60-extra.yaml /etc/haetae/policies.d/60-extra.yaml
expect "and in force from there" eval 'refused probe web three && agentctl status --json | says "/etc/haetae/policies.d/60-extra.yaml"'
expect "nothing is on trial any more" is "" agent_status '$.trial'
agentctl apply --confirm-within 3s /tmp/50-web.yaml
kill -KILL "$(agent_pid)"
systemctl stop haetaed.service
sleep 3
systemctl start haetaed.service
expect "a trial whose time was over while the agent was away is none" passes probe web two
expect "apply without a trial" agentctl apply /tmp/50-web.yaml
expect "is kept at once" eval 'refused probe web two && cmp /tmp/50-web.yaml /etc/haetae/policies.d/50-web.yaml'
for notice in trial confirmed rolled-back; do
	expect "the store tells of it: $notice" until_ 10 notices "$notice"
done

# ---- break-glass ----
mkdir -p $CGROUPS/web.scope $CGROUPS/web2.scope/nested $CGROUPS/other.scope
mkfifo /r/go
(enter /web.scope "$TRY" wait /r/go open read /r/one) 2>/dev/null &
waiting=$!
until_ 10 grep -q . $CGROUPS/web.scope/cgroup.procs
expect "both refuse" eval 'refused probe web one && refused probe web2 one'
expect "a reason is needed" has_status 2 agentctl disarm /web.scope --for 10min
expect "a time is needed" has_status 2 agentctl disarm /web.scope --reason why
refuse "who is not governed cannot be disarmed" agentctl disarm /other.scope --for 10min --reason why
refuse "nor for days" agentctl disarm /web.scope --for 2d --reason why
expect "one container is disarmed" agentctl disarm web.scope --for 10min --reason "the shop is down"
expect "it refuses nothing" eval 'passes probe web one && passes probe web three'
expect "a nested cgroup of it neither" passes inside /web.scope/nested "$TRY" open read /r/one
expect "its neighbour refuses" eval 'refused probe web2 one && refused inside /web2.scope/nested "$TRY" open read /r/one'
expect "a new neighbour refuses" refused probe web3 one
timeout 10 bash -c ': >/r/go'
wait $waiting
expect "a task that ran already is disarmed" is 0 echo $?
expect "status shows it" eval 'agentctl status --no-pager | says "the shop is down"'
expect "the acts are recorded as would-deny" until_ 10 eval \
	'agentctl events --verdict would-deny --json | says "\"web.scope\""'
expect "with the policy's name" eval 'agentctl events --verdict would-deny --json | says "\"policy\": \"web\"" ||
	agentctl events --verdict would-deny --json | says "\"policy\":\"web\""'
expect "it ends early" agentctl arm web.scope
expect "and refuses" eval 'refused probe web one && refused probe web three && refused probe web2 one'
refuse "once" agentctl arm web.scope
expect "again, for a moment" agentctl disarm /web.scope --for 2s --reason again
expect "it passes" passes probe web one
expect "and ends by itself" until_ 20 refused probe web one
expect "over a restart" agentctl disarm web.scope --for 10min --reason restart
mkfifo /r/stay
(enter /web.scope "$TRY" wait /r/stay open read /r/one) 2>/dev/null &
waiting=$!
systemctl stop haetaed.service
expect "while no agent watches it refuses" refused probe web one
systemctl start haetaed.service
expect "the next agent goes on" passes probe web one
expect "everything is disarmed" agentctl disarm --all --for 10min --reason "all of it"
expect "and nothing refuses" eval 'passes probe web2 one && passes probe web3 three'
expect "the agent can be killed" kill -KILL "$(agent_pid)"
expect "it comes back" until_ 30 agent_runs
expect "and it holds" until_ 20 passes probe web2 one
expect "armed" agentctl arm --all
expect "everything refuses" eval 'refused probe web one && refused probe web2 one && refused probe web3 three'
timeout 10 bash -c ': >/r/stay'
wait $waiting
expect "a task that ran all the time is refused" is 1 echo $?
for notice in disarmed armed; do
	expect "the store tells of it: $notice" until_ 10 notices "$notice"
done
alert() { journalctl --sync && journalctl --output=cat --no-pager SYSLOG_IDENTIFIER=haetaed | says "$@"; }
expect "the journal too" eval 'alert "the shop is down" && alert "Rolled back policy file"'

# ---- nobody locks himself out ----
rules lockout /system.slice/haetaed.service /a >/tmp/80-lockout.yaml
refuse "a policy against Haetae itself is not applied" agentctl apply /tmp/80-lockout.yaml
rules lockout /init.scope /a | policy 80-lockout.yaml
refuse "one against systemd is not put in force" agentctl reload
expect "the others stay" eval 'refused probe web one && agentctl status --json | says "80-lockout.yaml"'
rm "$POLICIES/80-lockout.yaml"
expect "it is gone" agentctl reload

# ---- answers that agree with the kernel ----
mkdir -p /r/tree/open && for name in a b open/c; do echo "$name" >"/r/tree/$name"; done
policy 90-tree.yaml <<-EOF
	policy: tree
	match: [{unit: web.scope}]
	exec:
	  deny: [/usr/bin/id]
	file:
	  deny:
	    - {path: /r/tree/**, except: [/r/tree/open/**], ops: [read, write]}
EOF
must "another policy is in force" agentctl reload
agree() { # OP PATH: what the policies say must be what the kernel does
	local said=0 did
	agentctl policy test --container web.scope --op "$1" "$2" >/tmp/said || said=$?
	did=$(status inside /web.scope "$TRY" open "$1" "$2")
	echo "$1 $2: $(cat /tmp/said) (status $said); the kernel: $did"
	(((said == 5) == (did == 1)))
}
for path in /r/one /r/two /r/three /r/tree/a /r/tree/b /r/tree/open/c /etc/hostname; do
	expect "policy test and the kernel agree on reading $path" agree read "$path"
	expect "and on writing it" agree write "$path"
done
expect "policy test says which line" eval 'agentctl policy test --cgroup /web.scope --op read /r/tree/a | says "90-tree.yaml:7"'
expect "a refused exec has its own exit status" has_status 5 agentctl policy test --container web.scope --exec /usr/bin/id
expect "the kernel refuses it" eval '! inside /web.scope /usr/bin/id'
expect "a neighbour is asked other policies" has_status 0 agentctl policy test --cgroup /web2.scope --op read /r/tree/a
printf -- '- {container: web.scope, op: read, path: /r/tree/a, expect: %s}\n' deny >/tmp/suite.yaml
printf -- '- {cgroup: /web2.scope, op: read, path: /r/tree/a, expect: %s}\n' allow >>/tmp/suite.yaml
expect "a suite passes" agentctl policy test --suite /tmp/suite.yaml
sed -i 's/expect: allow/expect: deny/' /tmp/suite.yaml
expect "and fails" has_status 1 agentctl policy test --suite /tmp/suite.yaml
expect "show --effective tells what holds" eval \
	'agentctl policy show --effective web.scope | says /etc/haetae/policies.d/90-tree.yaml:7'

# ---- why ----
refused probe web tree/b
expect "every verdict is accounted for" settle
event() { agentctl events --json --path "$1" --verdict deny -n 1 | json '$.id'; }
recorded() { [[ $(event "$1") ]]; }
until_ 10 recorded /r/tree/b
id=$(event /r/tree/b)
systemctl stop haetaed.service
explained() { agentctl explain "$id" | says "$@"; }
expect "explain needs no agent" agentctl explain "$id"
expect "it tells the line" explained "/etc/haetae/policies.d/90-tree.yaml:7"
expect "the exception that did not apply" explained "/r/tree/open/**: does not name it"
expect "and an edit" explained "except: [/r/tree/b]"
systemctl start haetaed.service
policy_edited() { sed 's|except: .*],|except: [/r/tree/open/**, /r/tree/b],|' "$POLICIES/90-tree.yaml" >/tmp/90-tree.yaml; }
policy_edited
expect "diff replays what was recorded" eval \
	'agentctl policy diff /tmp/90-tree.yaml | says "/r/tree/b in web.scope" | says "would have been allowed"'
expect "the edit does what it said" eval 'agentctl apply /tmp/90-tree.yaml && passes probe web tree/b && refused probe web tree/a'
expect "every verdict is accounted for in the end" settle
finish
