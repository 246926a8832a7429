# shellcheck shell=bash disable=SC2034,SC2154 # sourced by tests/lib/attack.sh, which says what the functions are
# SPDX-License-Identifier: Apache-2.0
# G02: the old hierarchy of cgroups, whose release agent runs on the host, and writing to the new one.
#
#   $D
#   └── old     where it would be mounted
policy_of() {
	cat <<-EOF
		file:
		  deny: [$D/secret]
	EOF
}
recorded() { recorded_lines; }
tree() { mkdir old; }
clean() { ! mountpoint -q "$D/old" || umount "$D/old"; }
acts() {
	deny "kernel mount $D/old" mount cgroup "$D/old" cgroup none,name=attack
	deny "kernel sysctl $CGROUPS/attack/$id.scope/cgroup.procs" open write "$CGROUPS/attack/$id.scope/cgroup.procs"
	allow open read "$CGROUPS/attack/$id.scope/cgroup.procs"
}
