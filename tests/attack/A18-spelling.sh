# shellcheck shell=bash disable=SC2034,SC2154 # sourced by tests/lib/attack.sh, which says what the functions are
# SPDX-License-Identifier: Apache-2.0
# A18: one file, many spellings.
#
#   $D
#   └── p
#       ├── x
#       ├── secret   refused
#       └── open
policy_of() {
	cat <<-EOF
		file:
		  deny: [$D/p/secret]
	EOF
}
tree() { mkdir -p p/x && echo secret >p/secret && echo open >p/open; }
acts() {
	local path
	for path in "$D//p///secret" "$D/p/x/../secret" "$D/p/./secret" "/..$D/p/secret" "/proc/../$D/p/secret"; do
		deny "$D/p/secret" open read "$path"
	done
	deny "$D/p/secret" chdir "$D/p" open read secret
	deny "$D/p/secret" chdir "$D/p/x" open read ../secret
	deny "$D/p/secret" openat "$D" p/secret
	deny "$D/p/secret" openat2 beneath "$D/p" secret
	deny "$D/p/secret" openat2 in-root "$D" /p/secret
	allow open read "$D//p/x/..///open"
	allow chdir "$D/p/x" open read ../open
	allow openat "$D" p/open
	allow openat2 beneath "$D/p" open
	allow openat2 in-root "$D" /p/open
}
