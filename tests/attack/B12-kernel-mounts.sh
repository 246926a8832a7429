# shellcheck shell=bash disable=SC2034,SC2154 # sourced by tests/lib/attack.sh, which says what the functions are
# SPDX-License-Identifier: Apache-2.0
# B12: filesystems that the kernel has mounted for itself before somebody mounts them where they have names, and those that
# live in memory.
#
#   $D
#   ├── debug        debugfs; nothing below may be listed
#   ├── security     securityfs; the same
#   ├── queue        the message queues
#   │   ├── secret   refused
#   │   └── open
#   ├── ram          a ramfs
#   │   └── secret   refused
#   └── net          the file of a network namespace, mounted here: refused
policy_of() {
	cat <<-EOF
		file:
		  deny:
		    - {path: $D/debug/**, ops: [read]}
		    - {path: $D/security/**, ops: [read]}
		    - $D/queue/sec*
		    - $D/ram/sec*
		    - {path: $D/net, ops: [read]}
	EOF
}
tree() {
	mkdir debug security queue ram && : >net && mount -t debugfs debug debug && mount -t securityfs security security &&
		mount -t mqueue queue queue && rm -f queue/secret queue/open && : >queue/secret && : >queue/open &&
		mount -t ramfs ram ram && echo secret >ram/secret && mount --bind /proc/self/ns/net net
}
clean() {
	[[ ! -e $D/queue/secret ]] || rm "$D/queue/secret" "$D/queue/open"
	umount -q "$D/debug" "$D/security" "$D/queue" "$D/ram" "$D/net"
}
fingerprint() { ls "$D/queue" "$D/ram"; }
acts() {
	deny "$D/debug/bdi" open read,dir "$D/debug/bdi"
	deny "$D/security" open read,dir "$D/security"
	deny "$D/security/lsm" open read "$D/security/lsm"
	deny "$D/queue/secret" open read "$D/queue/secret"
	deny "$D/ram/secret" open read "$D/ram/secret"
	deny "$D/net" open-only "$D/net"
	allow open read "$D/queue/open"
	allow open read,dir "$D/ram"
}
