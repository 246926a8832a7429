# shellcheck shell=bash disable=SC2034,SC2154 # sourced by tests/lib/attack.sh, which says what the functions are
# SPDX-License-Identifier: Apache-2.0
# A22: names of every byte but `/`, and the longest one; the records carry them byte by byte.
#
#   $D
#   ├── p
#   │   └── \x01 \x02 ... \xff, and 255 times \xff   refused
#   └── free
#       └── the same                                  no rule's
policy_of() {
	cat <<-EOF
		file:
		  deny: ["$D/p/**"]
	EOF
}
tree() { mkdir p free && "$TRY" make-names p && "$TRY" make-names free; }
acts() {
	deny names names "$D/p"
	allow names "$D/free"
}
fingerprint() { find "$D" -printf '%f\0%i %m %s\n' | sha256sum; }
expected() {
	local byte prefix
	prefix=$(printf %s "$D/p/" | od -An -v -tx1 | tr -d ' \n')
	for byte in {1..255}; do
		((byte == 0x2f || byte == 0x2e)) || printf '%s%02x\n' "$prefix" "$byte"
	done | tr a-f A-F
	printf '%s%s\n' "${prefix^^}" "$(printf 'FF%.0s' {1..255})"
}
# Straight from the database: the bytes, not a printable form of them.
recorded() { echo "SELECT hex(path) AS bytes FROM store.event JOIN store.place ON place.key = event.place
	WHERE cgroup = CAST('/attack/$id.scope' AS BLOB) AND verdict = 1 ORDER BY bytes"; }
