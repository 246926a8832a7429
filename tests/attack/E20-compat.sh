# shellcheck shell=bash disable=SC2034,SC2094,SC2154 # sourced by tests/lib/attack.sh, which says what the functions are
# SPDX-License-Identifier: Apache-2.0
# E20: the 32-bit system call table: opening, running, and every call of it that changes a name, contents or attributes.
#
#   $D
#   ├── secret   refused
#   ├── kept     a directory that stays
#   ├── etc      nothing may be made in it
#   ├── open
#   ├── tmp      no rule's
#   ├── prog     may not be run
#   └── tool     may run
policy_of() {
	cat <<-EOF
		exec:
		  deny: [$D/prog]
		file:
		  deny: [$D/secret, $D/kept, {path: "$D/etc/**", ops: [create]}]
	EOF
}
tree() {
	mkdir etc tmp kept tmp/dir && echo secret >secret && echo open | tee tmp/a >open && cp /usr/bin/true prog && cp prog tool
}
acts() {
	deny "$D/secret" open32 "$D/secret"
	deny "$D/prog" exec32 "$D/prog"
	deny "$D/secret" call32 openat -100 "$D/secret"
	deny "$D/etc/new" call32 creat "$D/etc/new" 0600
	deny "$D/secret" call32 creat "$D/secret" 0600
	deny "$D/secret" call32 truncate "$D/secret"
	deny "$D/secret" call32 ftruncate 3 3<>"$D/secret"
	deny "$D/secret" call32 link "$D/secret" "$D/tmp/s"
	deny "$D/secret" call32 rename "$D/secret" "$D/tmp/s"
	deny "$D/secret" call32 rename "$D/open" "$D/secret"
	deny "$D/secret" call32 unlink "$D/secret"
	deny "$D/kept" call32 rmdir "$D/kept"
	deny "$D/etc/new" call32 mkdir "$D/etc/new" 0700
	deny "$D/etc/new" call32 mknod "$D/etc/new" 0010600
	deny "$D/etc/new" call32 symlink anywhere "$D/etc/new"
	deny "$D/secret" call32 chmod "$D/secret" 0777
	deny "$D/secret" call32 lchown "$D/secret" 1000 1000
	deny "$D/secret" call32 utime "$D/secret"
	deny "$D/secret" call32 setxattr "$D/secret" trusted.new x 1
	allow open32 "$D/open"
	allow exec32 "$D/tool"
	allow call32 openat -100 "$D/open"
	allow call32 creat "$D/tmp/new" 0600
	allow call32 truncate "$D/open"
	allow call32 ftruncate 3 3<>"$D/open"
	allow call32 link "$D/tmp/new" "$D/tmp/second"
	allow call32 rename "$D/tmp/second" "$D/tmp/third"
	allow call32 unlink "$D/tmp/third"
	allow call32 mkdir "$D/tmp/made" 0700
	allow call32 rmdir "$D/tmp/made"
	allow call32 mknod "$D/tmp/fifo" 0010600
	allow call32 symlink anywhere "$D/tmp/symlink"
	allow call32 chmod "$D/open" 0644
	allow call32 lchown "$D/open" 0 0
	allow call32 utime "$D/open"
	allow call32 setxattr "$D/open" trusted.new x 1
	allow setflags32 "$D/open"
}
