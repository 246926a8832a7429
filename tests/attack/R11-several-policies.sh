# shellcheck shell=bash disable=SC2034,SC2154 # sourced by tests/lib/attack.sh, which says what the functions are
# SPDX-License-Identifier: Apache-2.0
# Three policies for one container, of which each refuses something else in one directory: where that is known for all of them, each is
# asked for the name.
#
#   $D
#   ├── notes, more   open; what is asked for first
#   ├── a.key         the first refuses it, by a pattern
#   ├── list          the second refuses to read it, by its name
#   ├── log           the third refuses to write to it and to take it away
#   └── same/         the second and the third refuse a name in it each
policy_of() {
	cat <<-EOF
		file: {deny: ["$D/*.key"]}
		---
		policy: ${id,,}-second
		match: [{cgroup: /attack/$id.scope}]
		file: {deny: [{path: $D/list, ops: [read]}, $D/same/one]}
		---
		policy: ${id,,}-third
		match: [{cgroup: /attack/$id.scope}]
		file: {deny: [{path: $D/log, ops: [write, delete, rename]}, $D/same/two]}
	EOF
}
tree() {
	mkdir same && echo open | tee notes more log same/other >same/others
	echo secret | tee a.key list same/one >same/two
}
acts() {
	local first
	for first in notes same/other; do
		[[ $phase != refused ]] || attack_again open read "$D/$first" || wrong+="$first is not open"$'\n'
	done
	deny "$D/a.key" open read "$D/a.key"
	deny "$D/list" open read "$D/list"
	deny "$D/log" open write "$D/log"
	deny "$D/log" unlink "$D/log"
	deny "$D/b.key" open write,creat "$D/b.key"
	deny "$D/log" rename "$D/more" "$D/log"
	deny "$D/same/one" open read "$D/same/one"
	deny "$D/same/two" open read "$D/same/two"
	deny "$D/same/one" rename "$D/same/one" "$D/same/three"
	deny "$D/same/two" unlink "$D/same/two"
	deny "$D/c.key" link "$D/notes" "$D/c.key"
	allow open read "$D/log"
	allow open write "$D/list"
	allow open read "$D/more"
	allow open read "$D/same/others"
	allow rename "$D/more" "$D/some"
	allow unlink "$D/some"
	allow unlink "$D/same/others"
}
