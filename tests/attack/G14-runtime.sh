# shellcheck shell=bash disable=SC2034,SC2154 # sourced by tests/lib/attack.sh, which says what the functions are
# SPDX-License-Identifier: Apache-2.0
# G14: the program of the runtime that entered the container is written to, through the magic link of a descriptor that it
# left open. It lies in another mount namespace. (The link in its process's directory is refused by `ptrace`.)
#
#   $D
#   ├── runtime   open as 9, from another mount namespace
#   ├── config    may not be written: so what has no place in the container may not be either
#   └── open      open as 9 as well, from this one
policy_of() {
	cat <<-EOF
		kernel: {mount: allow}
		file: {deny: [{path: $D/config, ops: [write]}]}
	EOF
}
tree() { echo runtime | tee runtime open >config; }
acts() {
	deny "foreign-mount write runtime" mountns open write /proc/self/fd/9 9<"$D/runtime"
	deny "foreign-mount write runtime" mountns open rdwr,trunc /proc/self/fd/9 9<"$D/runtime"
	allow open write /proc/self/fd/9 9<"$D/open"
	allow mountns open write "$D/open"
}
recorded() { recorded_lines; }
