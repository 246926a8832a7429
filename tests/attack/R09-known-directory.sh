# shellcheck shell=bash disable=SC2034,SC2154 # sourced by tests/lib/attack.sh, which says what the functions are
# SPDX-License-Identifier: Apache-2.0
# Something that no rule names is asked for first, so where its directory leads to is known: what lies beside it is judged by its
# own name all the same, and what lies in a directory that another mount shows by that one's.
#
#   $D
#   ├── notes, more     open; what is asked for first
#   ├── a.key           refused by a pattern
#   ├── late            refused by a name; made after the rules were looked up
#   ├── same/           one name is refused in it, and in every directory in it; other is open
#   └── twin/           open; what it holds is shown in seen/, of which all is refused
policy_of() {
	cat <<-EOF
		file: {deny: ["$D/*.key", $D/late, $D/same/core, "$D/same/*/core", "$D/seen/**"]}
	EOF
}
tree() {
	mkdir same same/deep twin seen && echo open | tee notes more same/other same/deep/other twin/a >twin/b
	echo secret | tee a.key same/core >same/deep/core
	echo new >next && mv next late
	mount --bind twin seen
}
clean() { umount -q "$D/seen"; }
acts() {
	local first
	for first in notes same/other same/deep/other twin/a; do
		[[ $phase != refused ]] || attack_again open read "$D/$first" || wrong+="$first is not open"$'\n'
	done
	deny "$D/a.key" open read "$D/a.key"
	deny "$D/a.key" unlink "$D/a.key"
	deny "$D/b.key" open write,creat "$D/b.key"
	deny "$D/b.key" rename "$D/more" "$D/b.key"
	deny "$D/a.key" rename "$D/a.key" "$D/more"
	deny "$D/late" open read "$D/late"
	deny "$D/late" open write,trunc "$D/late"
	deny "$D/same/core" open read "$D/same/core"
	deny "$D/same/deep/core" open read "$D/same/deep/core"
	deny "$D/c.key" link "$D/notes" "$D/c.key"
	deny "$D/seen/a" open read "$D/seen/a"
	deny "$D/seen/b" open read "$D/seen/b"
	allow open read "$D/more"
	allow open write "$D/twin/b"
	allow rename "$D/more" "$D/some"
	allow unlink "$D/some"
}
