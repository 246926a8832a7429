# shellcheck shell=bash disable=SC2034,SC2154 # sourced by tests/lib/attack.sh, which says what the functions are
# SPDX-License-Identifier: Apache-2.0
# F17: a user namespace of one's own, in which every capability can be had.
#
#   $D
#   └── secret
policy_of() {
	cat <<-EOF
		kernel: {namespaces: deny}
		file:
		  deny: [$D/secret]
	EOF
}
recorded() { recorded_lines; }
tree() { echo secret >secret; }
acts() {
	deny "kernel namespaces" unshare-user
	deny "kernel namespaces" fork unshare-user
	allow accept
}
