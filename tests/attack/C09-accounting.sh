# shellcheck shell=bash disable=SC2034,SC2154 # sourced by tests/lib/attack.sh, which says what the functions are
# SPDX-License-Identifier: Apache-2.0
# C09: the kernel is asked to write: accounts of processes, memory that is swapped out, the dump of a process that dies. (The
# newest kernels open what they account to through a mount of their own, which is nowhere: refused whatever it is, as soon as
# something is.)
#
#   $D
#   ├── log    may not be written
#   ├── etc    nothing may be made in it
#   ├── tmp    no rule's
#   └── open
policy_of() {
	cat <<-EOF
		kernel: {mount: allow}
		file:
		  deny: [{path: $D/log, ops: [write]}, {path: "$D/etc/**", ops: [create]}]
	EOF
}
tree() { : >log && : >open && mkdir etc tmp; }
# a dump is called core, or core and the number of the process
recorded() { echo "SELECT CASE WHEN path LIKE '$D/etc/core%' THEN '$D/etc/core' ELSE path END AS p FROM e WHERE cgroup = '/attack/$id.scope' AND verdict = 'deny' ORDER BY p"; }
acts() {
	deny "$D/log" account "$D/log"
	deny "$D/log" swap "$D/log"
	deny "$D/etc/core" dump "$D/etc"
	allow swap "$D/open"
	allow dump "$D/tmp"
	allow open rdwr "$D/open"
}
