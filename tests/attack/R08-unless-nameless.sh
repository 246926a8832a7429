# shellcheck shell=bash disable=SC2034,SC2154 # sourced by tests/lib/attack.sh, which says what the functions are
# SPDX-License-Identifier: Apache-2.0
# An exception for programs, whose patterns take anything: a program without a name is none of them, whatever its memory is
# called.
#
#   $D
#   ├── secret   programs with a name may
#   ├── tool     one
#   └── gone     another, which is deleted before it runs
policy_of() {
	cat <<-EOF
		file: {deny: [{path: $D/secret, ops: [read], unless: {exe: ["/**", "/memfd:*"]}}]}
	EOF
}
tree() { echo secret >secret && cp "$TRY" tool && cp "$TRY" gone; }
fingerprint() { "$TRY" fingerprint "$D/secret"; }
acts() {
	deny "$D/secret" exec-memfd "$D/tool" open read "$D/secret"
	deny "$D/secret" exec-deleted "$D/gone" open read "$D/secret"
	allow exec "$D/tool" open read "$D/secret"
	allow open read "$D/secret"
}
