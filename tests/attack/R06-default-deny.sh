# shellcheck shell=bash disable=SC2034,SC2154 # sourced by tests/lib/attack.sh, which says what the functions are
# SPDX-License-Identifier: Apache-2.0
# What a list does not allow is refused, with the operations it lists alone.
#
#   $D
#   ├── in/file   allowed
#   ├── log       allowed to be written
#   └── out/file  refused
policy_of() {
	cat <<-EOF
		file:
		  default: deny
		  allow:
		    - "$D/in/**"
		    - {path: $D/log, ops: [write]}
	EOF
}
tree() { mkdir in out && echo open | tee in/file log >out/file; }
acts() {
	deny "$D/out/file" open read "$D/out/file"
	deny "$D/log" open read "$D/log"
	deny "$D/out" open read,dir "$D/out"
	deny "$D/out/file" unlink "$D/out/file"
	allow open rdwr "$D/in/file"
	allow open write "$D/log"
}
