# shellcheck shell=bash disable=SC2034,SC2154 # sourced by tests/lib/attack.sh, which says what the functions are
# SPDX-License-Identifier: Apache-2.0
# G09: another kernel in the place of this one, and the machine's end.
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
	deny "kernel kexec" kexec
	deny "kernel kexec" kexec-file
	deny "kernel kexec" reboot
	allow accept
}
