#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Conditions on the subject, actions, times, lists of libraries: what the parser reads is what the kernel does.
# shellcheck disable=SC2016 # eval is handed what it shall expand
# shellcheck disable=SC2317 # the functions are called by expect
# shellcheck source=tests/lib/haetae.sh
source /src/tests/lib/haetae.sh

mkdir /l /l/tree && for name in exe uid both audited watched killed staged temporary tree/a tree/b; do echo "$name" >"/l/$name"; done
cp "$TRY" /l/app
cp "$TRY" /l/other

policy language.yaml <<-END
	policy: language
	match: [{cgroup: /l.scope}]
	exec:
	  deny: [{path: /l/*, except: [/l/app, /l/other]}]
	file:
	  deny:
	    - {path: /l/exe, unless: {exe: /l/app}}
	    - {path: /l/uid, unless: {uid: [1000, 1001]}, message: "others only"}
	    - {path: /l/both, unless: {exe: /l/app, uid: 1000}}
	    - {path: /l/audited, action: audit}
	    - {path: /l/killed, action: kill}
	    - {path: /l/tree/**, unless: {exe: [/l/app]}}
	  audit:
	    - {path: /l/watched, ops: [read]}
	kernel: {ptrace: audit, sysctl: allow}
	record: {exec: denied}
END
must "the policy is good" agentctl policy check "$POLICIES/language.yaml"
must "the agent starts" agent_start

by() { # PROGRAM PATH
	inside /l.scope "$1" open read "$2"
}
as() { # UID PROGRAM PATH
	inside /l.scope setpriv --reuid="$1" --clear-groups "$2" open read "$3"
}

# ---- unless ----
expect "the program of an exception may" passes by /l/app /l/exe
expect "another program may not" refused by /l/other /l/exe
expect "the user of an exception may" passes as 1001 /l/other /l/uid
expect "another user may not" refused as 1002 /l/other /l/uid
expect "nor root" refused by /l/other /l/uid
expect "program and user together may" passes as 1000 /l/app /l/both
expect "the program alone may not" refused as 1002 /l/app /l/both
expect "the user alone may not" refused as 1000 /l/other /l/both
expect "a tree, by the program" passes by /l/app /l/tree/a
expect "a tree, by another" refused by /l/other /l/tree/b

# Programs on tracepoints can be left out where two tasks meet on one processor: what runs must be known of each all the same.
together() {
	local i j wrong
	for ((i = 0; i < 16; i++)); do
		for ((j = 0; j < 25; j++)); do by /l/app /l/exe || echo "$i.$j"; done >"/tmp/together-$i" 2>/dev/null &
	done
	wait
	wrong=$(cat /tmp/together-* | wc -l)
	((wrong == 0)) || { echo "$wrong of 400 were refused"; return 1; }
}
expect "of many that start at once each may" together

# ---- actions ----
expect "audit allows" passes by /l/other /l/audited
expect "an audit rule allows" passes by /l/other /l/watched
expect "kill ends the process" has_status 137 by /l/other /l/killed

# ---- times ----
soon=$(date -u -d '+45 seconds' '+%Y-%m-%dT%H:%M:%SZ')
policy times.yaml <<-END
	policy: times
	match: [{cgroup: /l.scope}]
	file:
	  deny:
	    - {path: /l/staged, enforce_after: $soon}
	    - {path: /l/temporary, expires: $soon}
END
expect "rules with a moment are put in force" agentctl reload
expect "a staged rule refuses nothing yet" passes by /l/other /l/staged
expect "a temporary one does" refused by /l/other /l/temporary
expect "status tells of the one" is staged agent_status '$.times[0].state'
expect "and of the other" is expires agent_status '$.times[1].state'
expect "the moment comes by itself: staged is enforced" until_ 120 refused by /l/other /l/staged
expect "and what expired is gone" until_ 5 passes by /l/other /l/temporary

# ---- what was recorded ----
expect "everything is accounted for" settle
expect "events can be read" events_read
told() { # VERDICT PATH-OF-RULE
	[[ $(events "SELECT count(*) FROM e WHERE kind = 'verdict' AND verdict = '$1' AND rule LIKE '% $2'") -ge 1 ]]
}
expect "the exception's rule is named" told deny /l/exe
expect "the rule of the tree" told deny "/l/tree/**"
expect "audit by action" told audit /l/audited
expect "audit by list" told audit /l/watched
expect "kill" told kill /l/killed
expect "would-deny while staged" told would-deny /l/staged
expect "deny afterwards" told deny /l/staged
expect "the message goes with it" eval '[[ $(events "SELECT rule_message FROM e WHERE rule LIKE '\''%/l/uid'\'' LIMIT 1") == "others only" ]]'
expect "the line of the file" eval '[[ $(events "SELECT line FROM e WHERE rule LIKE '\''%/l/exe'\'' LIMIT 1") == 7 ]]'
finish
