# shellcheck shell=bash disable=SC2034,SC2154 # sourced by tests/lib/attack.sh, which says what the functions are
# SPDX-License-Identifier: Apache-2.0
# G01, G04, G05: files of /proc that are the kernel's controls: the helper of a core dump, that of a module, the keys
# of emergencies. A process's own files are written for good reasons.
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
	deny "kernel sysctl /proc/sys/kernel/core_pattern" open write /proc/sys/kernel/core_pattern
	deny "kernel sysctl /proc/sys/kernel/modprobe" open write /proc/sys/kernel/modprobe
	deny "kernel sysctl /proc/sys/fs/file-max" open rdwr /proc/sys/fs/file-max
	deny "kernel sysctl /proc/sysrq-trigger" open write /proc/sysrq-trigger
	allow open read /proc/sys/kernel/core_pattern
	allow open write /proc/self/comm
	allow open write /proc/self/oom_score_adj
	allow open write /proc/thread-self/attr/current
}
