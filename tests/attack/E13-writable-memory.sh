# shellcheck shell=bash disable=SC2034,SC2154 # sourced by tests/lib/attack.sh, which says what the functions are
# SPDX-License-Identifier: Apache-2.0
# E13: code that a program writes for itself: memory that can be written and executed, at once or one after the other, by two
# mappings, as a shared segment, or filled by userfaultfd(2) where a program in memory is mapped. And a program that the
# container can write.
#
#   $D
#   ├── bin
#   │   └── try    on a mount that is read-only
#   ├── memory
#   │   └── try    the same, and a tmpfs
#   └── tool       a copy that can be written
policy_of() {
	cat <<-EOF
		exec: {writable: deny}
	EOF
}
tree() {
	mkdir bin memory && cp "$TRY" bin/try && cp "$TRY" tool && mount --bind bin bin && mount -o remount,bind,ro bin &&
		mount -t tmpfs memory memory && cp "$TRY" memory/try && mount -o remount,ro memory
}
clean() { umount -q "$D/bin" "$D/memory"; }
acts() {
	local TRY=$D/bin/try how
	for how in both written opened copied twice segment unwritten doubled forced; do
		deny "writable map" memory $how "$D/tool"
	done
	deny "writable map" memory filled "$D/memory/try"
	deny "writable exec" exec "$D/tool" accept
	allow memory plain "$D/tool"
	allow map "$D/bin/try"
	allow map "$D/memory/try"
	allow exec "$D/bin/try" accept
}
recorded() { echo "SELECT reason || ' ' || op AS r FROM e WHERE cgroup = '/attack/$id.scope' AND verdict = 'deny' ORDER BY r"; }
