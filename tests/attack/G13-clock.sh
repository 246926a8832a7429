# shellcheck shell=bash disable=SC2034,SC2154 # sourced by tests/lib/attack.sh, which says what the functions are
# SPDX-License-Identifier: Apache-2.0
# G13: the clock, set or bent.
#
#   $D
#   └── secret
policy_of() {
	cat <<-EOF
		file:
		  deny: [$D/secret]
	EOF
}
recorded() { recorded_lines; }
tree() { echo secret >secret; }
acts() {
	deny "kernel clock" settime
	deny "kernel clock" adjtimex
	allow accept
}
