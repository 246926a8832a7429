# shellcheck shell=bash disable=SC2034,SC2154 # sourced by tests/lib/attack.sh, which says what the functions are
# SPDX-License-Identifier: Apache-2.0
# `*` is any run of bytes within one component.
#
#   $D
#   ├── a.pem  .pem         refused: also none, also behind a dot
#   ├── a.pem.bak  apem     something is left over, or missing
#   ├── sub/a.pem           one component further down
#   └── x1 y2/key  z/key    refused: in the middle of a path; z is too short
policy_of() {
	cat <<-EOF
		file:
		  deny: ["$D/*.pem", "$D/*y*/key", "$D/x*1/key"]
	EOF
}
tree() {
	mkdir sub x1 y2 z && echo secret | tee a.pem .pem x1/key y2/key >a.pem.bak && echo open | tee apem sub/a.pem >z/key
}
acts() {
	deny "$D/a.pem" open read "$D/a.pem"
	deny "$D/.pem" open read "$D/.pem"
	deny "$D/x1/key" open read "$D/x1/key"
	deny "$D/y2/key" open read "$D/y2/key"
	allow open read "$D/a.pem.bak"
	allow open read "$D/apem"
	allow open read "$D/sub/a.pem"
	allow open read "$D/z/key"
}
