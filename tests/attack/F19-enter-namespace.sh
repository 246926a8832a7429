# shellcheck shell=bash disable=SC2034,SC2154 # sourced by tests/lib/attack.sh, which says what the functions are
# SPDX-License-Identifier: Apache-2.0
# F19: entering a namespace, by its file or by a process of the host; and asking the kernel for the mount namespaces of others.
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
	deny "kernel namespaces" setns /proc/self/ns/net
	deny "kernel namespaces" setns /proc/self/ns/mnt
	deny "kernel ptrace systemd" setns-pid 1
	deny "kernel ptrace" next-mounts
	allow accept
}
