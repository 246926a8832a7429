# shellcheck shell=bash disable=SC2034,SC2154 # sourced by tests/lib/attack.sh, which says what the functions are
# SPDX-License-Identifier: Apache-2.0
# A09: a rule refuses some operations only. What it allows, renaming and linking, must not take a file to a place where
# the others are not refused.
#
#   $D
#   ├── log        nothing in it may be deleted
#   │   ├── app    ... and be linked
#   │   └── old
#   ├── conf       nothing in it may be written
#   │   ├── main   ... or be read
#   │   └── sub
#   ├── bin
#   │   └── tool   may not be run
#   └── tmp        no rule's
policy_of() {
	cat <<-EOF
		exec:
		  deny: [$D/bin/tool]
		file:
		  deny:
		    - {path: $D/log/**, ops: [delete]}
		    - {path: $D/conf/**, ops: [write]}
		    - {path: $D/conf/main, ops: [read]}
	EOF
}
tree() {
	mkdir -p log/old conf/sub bin tmp/dir && echo line >log/app && echo main >conf/main && echo other >conf/other &&
		echo file >conf/sub/file && echo tool >bin/tool && echo loose >tmp/loose
}
acts() {
	deny "$D/log/app" rename "$D/log/app" "$D/tmp/app"
	deny "$D/log/old" rename "$D/log/old" "$D/tmp/old"
	deny "$D/log/app" exchange "$D/tmp/loose" "$D/log/app"
	deny "$D/conf/main" rename "$D/conf/main" "$D/conf/second"
	deny "$D/conf/main" link "$D/conf/main" "$D/conf/second"
	deny "$D/conf/other" link "$D/conf/other" "$D/tmp/other"
	deny "$D/conf/other" link-fd "$D/conf/other" "$D/tmp/other"
	deny "$D/conf/other" link-empty "$D/conf/other" "$D/tmp/other"
	deny "$D/conf/other" uring-link here "$D/conf/other" "$D/tmp/other"
	deny "$D/conf/other" whiteout "$D/conf/other" "$D/tmp/other"
	deny "$D/conf/sub" rename "$D/conf/sub" "$D/tmp/sub"
	deny "$D/bin/tool" rename "$D/bin/tool" "$D/bin/other"
	deny "$D/bin/tool" link "$D/bin/tool" "$D/tmp/tool"
	allow rename "$D/log/app" "$D/log/app.1"
	allow rename "$D/log/old" "$D/log/older"
	allow rename "$D/tmp/loose" "$D/log/app"
	allow link "$D/log/app" "$D/tmp/app"
	allow link "$D/conf/other" "$D/conf/again"
	allow rename "$D/conf/other" "$D/conf/renamed"
	allow rename "$D/conf/sub" "$D/conf/sub2"
	allow rename "$D/tmp/dir" "$D/tmp/dir2"
}
