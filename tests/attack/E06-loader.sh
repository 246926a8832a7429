# shellcheck shell=bash disable=SC2034,SC2154 # sourced by tests/lib/attack.sh, which says what the functions are
# SPDX-License-Identifier: Apache-2.0
# E06: the dynamic loader runs a program that may not run. It is refused where the loader maps it.
#
#   $D
#   ├── prog     refused
#   └── tool     may run, without execute permission only through the loader
policy_of() {
	cat <<-EOF
		exec:
		  default: deny
		  allow: [$TRY, /usr/lib/x86_64-linux-gnu/ld-linux-x86-64.so.2, /usr/bin/true, $D/tool]
	EOF
}
tree() { cp /usr/bin/true prog && cp /usr/bin/true tool && chmod 0644 prog tool; }
acts() {
	deny "$D/prog" ends 127 "failed to map segment" /lib64/ld-linux-x86-64.so.2 "$D/prog"
	deny "$D/prog" map "$D/prog"
	allow exec /lib64/ld-linux-x86-64.so.2 "$D/tool"
	allow exec /usr/bin/true
	allow map "$D/tool"
}
