# shellcheck shell=bash disable=SC2034,SC2154 # sourced by tests/lib/attack.sh, which says what the functions are
# SPDX-License-Identifier: Apache-2.0
# C09: the kernel is asked to write. (The newest kernels open what they account to through a mount of their own, which is
# nowhere: refused whatever it is, as soon as something is.)
#
#   $D
#   ├── log    may not be written
#   └── open
policy_of() {
	cat <<-EOF
		file:
		  deny: [{path: $D/log, ops: [write]}]
	EOF
}
tree() { : >log && : >open; }
acts() {
	deny "$D/log" account "$D/log"
	allow open rdwr "$D/open"
}
