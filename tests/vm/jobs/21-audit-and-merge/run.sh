#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Audit mode, several policies on one container, and the ways to select a container.
# shellcheck disable=SC2317 # the functions are called by expect
# shellcheck source=tests/lib/haetae.sh
source /src/tests/lib/haetae.sh

mkdir /m && for name in audited denied both open; do echo "$name" >"/m/$name"; done
for name in tool1 tool2 tool3; do cp "$TRY" "/m/$name"; done

policy 10-audit.yaml <<-EOF
	policy: audit-only
	mode: audit
	match: [{cgroup: /audit.scope}, {cgroup: /merged.scope}]
	exec: {deny: [/m/tool3], audit: [/m/tool1, /usr/bin/true]}
	file:
	  deny:
	    - {path: /m/audited, severity: critical, message: "would be refused"}
	    - /m/both
EOF
policy 20-first.yaml <<-EOF
	policy: first
	match: [{cgroup: /merged.scope}, {cgroup: /lists.scope}]
	exec: {default: deny, allow: [$TRY, /m/tool1, /m/tool2]}
	file: {deny: [/m/both]}
EOF
policy 30-second.yaml <<-EOF
	policy: second
	match: [{cgroup: /lists.scope}]
	exec: {default: deny, allow: [$TRY, /m/tool2, /m/tool3]}
	file: {default: deny, allow: [/m/open, /m/both]}
EOF
policy 40-selected.yaml <<-EOF
	policy: selected
	match:
	  - unit: ht-web.service
	  - unit: ht-batch-*.service
	  - cgroup: /by-path/*/inner
	  - {cgroup: /system.slice/**, unit: ht-and.service}
	file: {deny: [/m/denied]}
EOF
must "the policies are good" agentctl policy check "$POLICIES"/*.yaml
must "the agent starts" agent_start

# ---- audit ----
expect "audit: what would be refused goes through" passes inside /audit.scope "$TRY" open read /m/audited
expect "audit: an exec as well" passes inside /audit.scope /m/tool3 open read /m/open
expect "audit: one that an audit rule names" passes inside /audit.scope /m/tool1 open read /m/open
expect "audit: one with libraries" passes inside /audit.scope /usr/bin/true
expect "audit: and what no rule names" passes inside /audit.scope "$TRY" open read /m/open

# ---- merging ----
expect "merge: an audited file goes through where another policy enforces" passes inside /merged.scope "$TRY" open read /m/audited
expect "merge: what both refuse is refused" refused inside /merged.scope "$TRY" open read /m/both
expect "lists: a program on both lists runs" passes inside /lists.scope "$TRY" exec /m/tool2 open read /m/open
expect "lists: one on the first list only does not" refused inside /lists.scope "$TRY" exec /m/tool1 open read /m/open
expect "lists: one on the second list only does not" refused inside /lists.scope "$TRY" exec /m/tool3 open read /m/open
expect "lists: deny wins over the other policy's allow" refused inside /lists.scope "$TRY" open read /m/both
expect "lists: what one list leaves out is refused" refused inside /lists.scope "$TRY" open read /m/denied
expect "lists: what both let pass is allowed" passes inside /lists.scope "$TRY" open read /m/open

# ---- selecting ----
service() {
	local unit=$1
	shift
	systemd-run --quiet --collect --wait --pipe --unit="$unit" -- "$TRY" "$@"
}
expect "unit: a transient service is governed by its name" refused service ht-web.service open read /m/denied
expect "unit: what no rule names goes through there" passes service ht-web.service open read /m/open
expect "unit: a wildcard" refused service ht-batch-7.service open read /m/denied
expect "unit: another service is not governed" passes service ht-other.service open read /m/denied
expect "both keys of an entry fit" refused service ht-and.service open read /m/denied
expect "only one of both keys fits" passes inside /ht-and.service "$TRY" open read /m/denied
expect "cgroup: a wildcard in the middle" refused inside /by-path/x/inner "$TRY" open read /m/denied
expect "cgroup: below the selected one" refused inside /by-path/y/inner/z "$TRY" open read /m/denied
expect "cgroup: beside it" passes inside /by-path/x/other "$TRY" open read /m/denied
expect "cgroup: above it" passes inside /by-path/x "$TRY" open read /m/denied
expect "nobody outside is governed" passes "$TRY" open read /m/denied

# ---- the records ----
expect "every verdict is accounted for" settle
expect "the events can be read" events_read
audit_rows="audit exec /m/tool1
audit exec /usr/bin/true
would-deny exec /m/tool3
would-deny read /m/audited"
# A program that runs is mapped, too, which is the same act.
expect "audit: one row each says would-deny" is "$audit_rows" events -separator ' ' \
	"SELECT verdict, op, path FROM e WHERE cgroup = '/audit.scope' AND kind = 'verdict' AND verdict <> 'allow' ORDER BY verdict, op, path"
expect "audit: with the rule's severity and message" is "critical would be refused" events -separator ' ' \
	"SELECT severity, rule_message FROM e WHERE cgroup = '/audit.scope' AND op = 'read'"
merged_rows="deny first /m/both
would-deny audit-only /m/audited"
expect "merge: the enforcing policy is named" is "$merged_rows" events -separator ' ' \
	"SELECT verdict, policy, path FROM e WHERE cgroup = '/merged.scope' AND verdict LIKE '%deny' ORDER BY verdict"
lists_rows="exec second /m/tool1
exec first /m/tool3
read first /m/both
read second /m/denied"
expect "lists: each row names the policy that refused" is "$lists_rows" events -separator ' ' \
	"SELECT op, policy, path FROM e WHERE cgroup = '/lists.scope' AND verdict = 'deny' ORDER BY op, path"
selected_rows="/by-path/x/inner
/by-path/y/inner
/system.slice/ht-and.service
/system.slice/ht-batch-7.service
/system.slice/ht-web.service"
expect "selected: one row in each container" is "$selected_rows" events \
	"SELECT CASE WHEN cgroup LIKE '/by-path/y/inner%' THEN '/by-path/y/inner' ELSE cgroup END AS c
	FROM e WHERE policy = 'selected' AND verdict = 'deny' ORDER BY c"
finish
