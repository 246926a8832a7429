# shellcheck shell=bash disable=SC2034,SC2094,SC2154 # sourced by tests/lib/attack.sh, which says what the functions are
# SPDX-License-Identifier: Apache-2.0
# B11: copies that the kernel makes: the source has to be opened first.
#
#   $D
#   ├── secret   may not be read
#   └── open
policy_of() {
	cat <<-EOF
		file:
		  deny: [{path: $D/secret, ops: [read]}]
	EOF
}
tree() { echo secret >secret && echo open >open; }
acts() {
	deny "$D/secret" open read "$D/secret"
	deny "$D/secret" fd-copy 3 4 3<"$D/secret" 4<>"$D/copy"
	deny "$D/secret" fd-map-exec 3 3<"$D/secret"
	deny "$D/secret" fd-sendfile 3 3<"$D/secret"
	deny "$D/secret" fd-splice 3 3<"$D/secret"
	allow fd-copy 3 4 3<"$D/open" 4<>"$D/copy"
	allow fd-map-exec 3 3<"$D/open"
	allow fd-sendfile 3 3<"$D/open"
	allow fd-splice 3 3<"$D/open"
}
# The shell makes the copy's target outside, which is no act.
fingerprint() { find "$D" -path "$D/copy" -prune -o -type f -exec sha256sum {} +; }
