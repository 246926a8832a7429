# shellcheck shell=bash disable=SC2034,SC2154 # sourced by tests/lib/attack.sh, which says what the functions are
# SPDX-License-Identifier: Apache-2.0
# A02: the rule's path leads through a link of the merged /usr: both spellings are bound.
#
#   /bin -> usr/bin
#   /usr/bin/od     refused
#   /usr/bin/true   no rule's
policy_of() {
	cat <<-EOF
		exec:
		  deny: [/bin/od]
	EOF
}
tree() { :; }
acts() {
	deny /usr/bin/od exec /bin/od --version
	deny /usr/bin/od exec /usr/bin/od --version
	allow exec /bin/true
	allow exec /usr/bin/true
}
