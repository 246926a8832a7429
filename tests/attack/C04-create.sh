# shellcheck shell=bash disable=SC2034,SC2154 # sourced by tests/lib/attack.sh, which says what the functions are
# SPDX-License-Identifier: Apache-2.0
# C04: making names, by every call that makes one; what is there may be used.
#
#   $D
#   ├── etc
#   │   ├── mnt   a tmpfs, where names that are not there leave nothing behind
#   │   └── old   may be read and written
#   ├── loose     something to be linked
#   └── tmp       no rule's
policy_of() {
	cat <<-EOF
		file:
		  deny: [{path: "$D/etc/**", ops: [create]}]
	EOF
}
tree() {
	mkdir -p etc/mnt tmp && mount -t tmpfs tmpfs etc/mnt && echo old >etc/old && echo loose >loose
}
clean() { umount -q "$D/etc/mnt"; }
acts() {
	deny "$D/etc/new" open write,creat "$D/etc/new"
	deny "$D/etc/new" open read,creat,excl "$D/etc/new"
	deny "$D/etc/mnt/new" open write,creat "$D/etc/mnt/new"
	deny "$D/etc/new" mkdir "$D/etc/new"
	deny "$D/etc/new" mkfifo "$D/etc/new"
	deny "$D/etc/new" symlink anywhere "$D/etc/new"
	deny "$D/etc/new" link "$D/loose" "$D/etc/new"
	deny "$D/etc/new" rename "$D/loose" "$D/etc/new"
	allow open rdwr "$D/etc/old"
	# a file that the kernel has no dentry of: whether it is there turns out only after it was asked
	[[ $phase != allowed ]] || { sync && echo 2 >/proc/sys/vm/drop_caches; }
	allow open write,creat "$D/etc/old"
	allow open write,creat "$D/tmp/a"
	allow mkdir "$D/tmp/b"
	allow mkfifo "$D/tmp/c"
	allow symlink anywhere "$D/tmp/d"
	allow link "$D/loose" "$D/tmp/e"
	allow rename "$D/loose" "$D/tmp/f"
}
