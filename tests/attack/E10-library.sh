# shellcheck shell=bash disable=SC2034,SC2154 # sourced by tests/lib/attack.sh, which says what the functions are
# SPDX-License-Identifier: Apache-2.0
# E10: under an allow-list only libraries of the system's directories may be mapped executable: not one of the
# intruder's, whatever it is called.
#
#   $D
#   ├── evil.so     refused
#   └── evil        refused
policy_of() {
	cat <<-EOF
		exec:
		  default: deny
		  allow: [$TRY, /usr/bin/true]
	EOF
}
tree() { cp /usr/lib/x86_64-linux-gnu/libm.so.6 evil.so && cp evil.so evil; }
acts() {
	deny "$D/evil.so" map "$D/evil.so"
	deny "$D/evil" map "$D/evil"
	deny /usr/bin/od map /usr/bin/od
	allow map /usr/lib/x86_64-linux-gnu/libm.so.6
	allow exec /usr/bin/true
}
