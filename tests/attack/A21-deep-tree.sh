# shellcheck shell=bash disable=SC2034,SC2154 # sourced by tests/lib/attack.sh, which says what the functions are
# SPDX-License-Identifier: Apache-2.0
# A21: deeper than a rule's 63 components, and longer than PATH_MAX; beyond 2048 levels nobody can tell, so it is refused.
#
#   $D
#   ├── dir/d/d/...100 levels/secret           refused by dir/**
#   ├── dir/LONG/LONG/...20 levels/secret      refused, a path of 4 KiB and more
#   ├── free/d/d/...100 levels/file            no rule's
#   ├── free/LONG/LONG/...20 levels/file       no rule's
#   └── abyss/d/d/...2100 levels/file          too deep
policy_of() {
	cat <<-EOF
		file:
		  deny: ["$D/dir/**"]
	EOF
}
tree() {
	mkdir dir free abyss && "$TRY" make-deep dir 100 d secret && "$TRY" make-deep dir 20 "$(long)" secret &&
		"$TRY" make-deep free 100 d file && "$TRY" make-deep free 20 "$(long)" file &&
		"$TRY" make-deep abyss 2100 d file
}
long() { printf 'n%.0s' {1..250}; }
acts() {
	deny deep deep "$D/dir" 100 d secret
	deny long deep "$D/dir" 20 "$(long)" secret
	deny abyss deep "$D/abyss" 2100 d file
	allow deep "$D/free" 100 d file
	allow deep "$D/free" 20 "$(long)" file
}
fingerprint() { find "$D" -printf '%d %f %i %m %s\n' | sha256sum; }
# The path of a record is the beginning of a long one, and says so; of the last one only the name is known.
recorded() { echo "SELECT CASE WHEN reason = 'depth' AND path = 'file' THEN 'abyss'
	WHEN flags NOT LIKE '%truncated%' THEN 'not marked as truncated: ' || path
	WHEN path LIKE '$D/dir/d/d/%' THEN 'deep' WHEN path LIKE '$D/dir/nnn%' THEN 'long' ELSE reason || ' ' || path END AS what FROM e
	WHERE cgroup = '/attack/$id.scope' AND verdict = 'deny' ORDER BY what"; }
