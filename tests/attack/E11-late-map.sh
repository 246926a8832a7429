# shellcheck shell=bash disable=SC2034,SC2154 # sourced by tests/lib/attack.sh, which says what the functions are
# SPDX-License-Identifier: Apache-2.0
# E11: a file is mapped to be read and made executable afterwards, also on an overlay, where the mapping holds
# another file than the one that was opened.
#
#   $D
#   ├── prog         refused
#   ├── tool         may run
#   ├── low          lower layer: prog, tool
#   ├── up, work     the rest of the overlay
#   └── merged       the overlay
#       ├── prog     refused
#       └── tool     may run
policy_of() {
	cat <<-EOF
		exec:
		  default: deny
		  allow: [$TRY, $D/tool, $D/merged/tool]
	EOF
}
tree() {
	mkdir low up work merged && cp /usr/bin/true prog && cp prog tool && cp prog tool low &&
		mount -t overlay -o lowerdir=low,upperdir=up,workdir=work overlay merged
}
clean() { umount -q "$D/merged"; }
acts() {
	deny "$D/prog" map-late "$D/prog"
	deny "$D/merged/prog" map-late "$D/merged/prog"
	deny "$D/merged/prog" map "$D/merged/prog"
	deny "$D/prog" map-again "$D/prog"
	allow map-again "$D/tool"
	allow map-late "$D/tool"
	allow map-late "$D/merged/tool"
	allow map "$D/merged/tool"
	allow exec "$D/merged/tool"
}
