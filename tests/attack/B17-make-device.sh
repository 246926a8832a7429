# shellcheck shell=bash disable=SC2034,SC2154 # sourced by tests/lib/attack.sh, which says what the functions are
# SPDX-License-Identifier: Apache-2.0
# B17: a device node of one's own. A FIFO and the mark of a deleted file on an overlay are no devices.
#
#   $D
#   └── made    what is made there
policy_of() {
	cat <<-EOF
		file:
		  deny: [$D/secret]
	EOF
}
recorded() { recorded_lines; }
tree() { mkdir made; }
acts() {
	deny "kernel device" make-device b 8 0 "$D/made/disk"
	deny "kernel device" make-device c 1 1 "$D/made/memory"
	deny "kernel device" make-device c 1 3 "$D/made/null"
	allow mkfifo "$D/made/fifo"
	allow make-device c 0 0 "$D/made/whiteout"
	rm -rf "$D"/made/*
}
