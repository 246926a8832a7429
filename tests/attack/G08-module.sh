# shellcheck shell=bash disable=SC2034,SC2154 # sourced by tests/lib/attack.sh, which says what the functions are
# SPDX-License-Identifier: Apache-2.0
# G08: loading a module from memory or from a file, and removing one.
#
#   $D
#   └── file    no module
policy_of() {
	cat <<-EOF
		file:
		  deny: [$D/secret]
	EOF
}
recorded() { recorded_lines; }
tree() { echo secret | tee secret >file; }
acts() {
	deny "kernel module" init-module
	deny "kernel module" finit-module "$D/file"
	deny "kernel module" delete-module
	allow open read "$D/file"
}
