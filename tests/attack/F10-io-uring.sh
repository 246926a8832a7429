# shellcheck shell=bash disable=SC2034,SC2154 # sourced by tests/lib/attack.sh, which says what the functions are
# SPDX-License-Identifier: Apache-2.0
# F10: io_uring opens, makes, renames, links and removes, inline or in a worker of the kernel's.
#
#   $D
#   ├── secret   refused
#   ├── kept     a directory that stays
#   ├── open
#   ├── etc      nothing may be made in it
#   └── tmp      no rule's
policy_of() {
	cat <<-EOF
		file:
		  deny: [$D/secret, $D/kept, {path: "$D/etc/**", ops: [create]}]
	EOF
}
tree() { mkdir etc tmp kept && echo secret >secret && echo open | tee tmp/a tmp/b >open; }
acts() {
	local where
	for where in here worker; do
		deny "$D/secret" uring $where "$D/secret"
		deny "$D/secret" uring-open2 $where "$D/secret"
		deny "$D/secret" uring-open-truncated $where "$D/secret"
		deny "$D/secret" uring-exchange $where "$D/open" "$D/secret"
		deny "$D/secret" uring-rename $where "$D/secret" "$D/tmp/s"
		deny "$D/secret" uring-rename $where "$D/open" "$D/secret"
		deny "$D/secret" uring-link $where "$D/secret" "$D/tmp/s2"
		deny "$D/secret" uring-unlink $where "$D/secret"
		deny "$D/etc/new" uring-create $where "$D/etc/new"
		deny "$D/etc/new" uring-mkdir $where "$D/etc/new"
		deny "$D/etc/new" uring-symlink $where anywhere "$D/etc/new"
		deny "$D/kept" uring-rmdir $where "$D/kept"
		deny "$D/secret" uring-setxattr $where trusted.new "$D/secret"
		allow uring $where "$D/open"
		allow uring-open2 $where "$D/open"
		allow uring-open-truncated $where "$D/open"
		allow uring-exchange $where "$D/open" "$D/tmp/a"
		allow uring-create $where "$D/tmp/create-$where"
		allow uring-rename $where "$D/tmp/create-$where" "$D/tmp/rename-$where"
		allow uring-link $where "$D/tmp/rename-$where" "$D/tmp/link-$where"
		allow uring-unlink $where "$D/tmp/link-$where"
		allow uring-mkdir $where "$D/tmp/dir-$where"
		allow uring-rmdir $where "$D/tmp/dir-$where"
		allow uring-symlink $where anywhere "$D/tmp/symlink-$where"
		allow uring-setxattr $where trusted.new "$D/open"
	done
}
