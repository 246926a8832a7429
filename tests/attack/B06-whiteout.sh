# shellcheck shell=bash disable=SC2034,SC2154 # sourced by tests/lib/attack.sh, which says what the functions are
# SPDX-License-Identifier: Apache-2.0
# B06: what hides a file of a lower layer, or sends its name elsewhere: devices and attributes in an overlay's upper
# layer.
#
#   $D
#   ├── up      an upper layer
#   │   ├── dir
#   │   └── file
#   └── tmp     no rule's
policy_of() {
	cat <<-EOF
		file:
		  deny: [{path: "$D/up/**", ops: [create, delete, rename, attr]}]
	EOF
}
tree() { mkdir -p up/dir tmp/dir && echo file | tee up/file >tmp/file; }
acts() {
	deny "$D/up/hidden" make-whiteout "$D/up/hidden"
	deny "$D/up/dir" setxattr trusted.overlay.opaque "$D/up/dir"
	deny "$D/up/dir" setxattr trusted.overlay.redirect "$D/up/dir"
	deny "$D/up/file" whiteout "$D/up/file" "$D/tmp/new"
	deny "$D/up/file" unlink "$D/up/file"
	allow make-whiteout "$D/tmp/hidden"
	allow setxattr trusted.overlay.opaque "$D/tmp/dir"
	allow whiteout "$D/tmp/file" "$D/tmp/new"
}
