# shellcheck shell=bash disable=SC2034,SC2154 # sourced by tests/lib/attack.sh, which says what the functions are
# SPDX-License-Identifier: Apache-2.0
# What has no name in a file system, as memory with a descriptor, pipes and sockets, is nothing that a list of paths could
# leave out.
#
#   $D
#   ├── secret   refused
#   └── open
policy_of() {
	cat <<-EOF
		file: {default: deny, allow: [$D/open, /dev/null, /proc/self/**, /proc/*/fd/**]}
	EOF
}
tree() { echo secret >secret && echo open >open; }
acts() {
	deny "$D/secret" open read "$D/secret"
	deny "$D/secret" open write "$D/secret"
	allow open rdwr "$D/open"
	allow memory-file
	allow pipe-again
}
