# shellcheck shell=bash disable=SC2034,SC2154 # sourced by tests/lib/attack.sh, which says what the functions are
# SPDX-License-Identifier: Apache-2.0
# A15: the file through the magic links of /proc.
#
#   $D
#   ├── secret   refused
#   └── open
policy_of() {
	cat <<-EOF
		file:
		  deny: [$D/secret]
		kernel: {ptrace: allow}
	EOF
}
tree() { echo secret >secret && echo open >open; }
acts() {
	deny "$D/secret" open read "/proc/self/root$D/secret"
	deny "$D/secret" open read "/proc/1/root$D/secret"
	deny "$D/secret" chdir "$D" open read /proc/self/cwd/secret
	allow open read "/proc/self/root$D/open"
	allow open read "/proc/1/root$D/open"
	allow chdir "$D" open read /proc/self/cwd/open
}
