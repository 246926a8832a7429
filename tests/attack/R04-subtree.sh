# shellcheck shell=bash disable=SC2034,SC2154 # sourced by tests/lib/attack.sh, which says what the functions are
# SPDX-License-Identifier: Apache-2.0
# `**` at the end: the directory and all below.
#
#   $D
#   ├── dir
#   │   ├── file         refused
#   │   └── a/b/c/file   refused, however deep
#   └── dir2/file        begins with the same bytes
policy_of() {
	cat <<-EOF
		file:
		  deny: [$D/dir/**]
	EOF
}
tree() { mkdir -p dir/a/b/c dir2 && echo secret | tee dir/file >dir/a/b/c/file && echo open >dir2/file; }
acts() {
	deny "$D/dir" open read,dir "$D/dir"
	deny "$D/dir/file" open read "$D/dir/file"
	deny "$D/dir/a" open read,dir "$D/dir/a"
	deny "$D/dir/a/b/c/file" open read "$D/dir/a/b/c/file"
	deny "$D/dir/new" open write,creat "$D/dir/new"
	allow open read,dir "$D"
	allow open read "$D/dir2/file"
	allow open write,creat "$D/new"
}
