# shellcheck shell=bash disable=SC2034,SC2154 # sourced by tests/lib/attack.sh, which says what the functions are
# SPDX-License-Identifier: Apache-2.0
# A07: a directory on the way to what a rule names gets another name, or another takes its place.
#
#   $D
#   ├── p
#   │   └── d
#   │       └── secret   refused
#   ├── q                no rule's
#   │   └── e
#   ├── in               has no d, in which a rule lets nobody make new
#   └── full             a directory with a new
policy_of() {
	cat <<-EOF
		file:
		  deny:
		    - $D/p/d/secret
		    - {path: $D/in/d/new, ops: [create]}
	EOF
}
tree() {
	mkdir -p p/d q/e in full && echo secret >p/d/secret && echo open >q/e/open && echo new >full/new
}
acts() {
	deny "$D/p/d" rename "$D/p/d" "$D/p/d2"
	deny "$D/p" rename "$D/p" "$D/p2"
	deny "$D/p/d" exchange "$D/p/d" "$D/q/e"
	deny "$D/p/d" exchange "$D/q/e" "$D/p/d"
	deny "$D/p" uring-rename here "$D/p" "$D/p2"
	deny "$D/p" uring-rename worker "$D/p" "$D/p2"
	deny "$D/p" chroot "$D" rename /p /p2
	deny "$D/in/d" rename "$D/full" "$D/in/d"
	allow rename "$D/q/e" "$D/q/e2"
	allow rename "$D/q" "$D/q2"
	allow rename "$D/full" "$D/full2"
	allow open write,creat "$D/p/d/other"
	allow rename "$D/p/d/other" "$D/p/d/another"
}
