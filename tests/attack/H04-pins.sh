# shellcheck shell=bash disable=SC2034,SC2154 # sourced by tests/lib/attack.sh, which says what the functions are
# SPDX-License-Identifier: Apache-2.0
# H04: the pins that hold the enforcement, where the BPF file system was handed to a container.
#
#   $D
#   └── alias    the directory of the pins is mounted here as well
policy_of() {
	cat <<-EOF
		file:
		  deny: [$D/secret]
	EOF
}
recorded() { recorded_lines; }
tree() { mkdir alias && mount --bind /sys/fs/bpf/haetae alias; }
clean() { ! mountpoint -q "$D/alias" || umount "$D/alias"; }
fingerprint() { find "$D" /sys/fs/bpf/haetae -printf '%p %y %i %m\n'; }
acts() {
	deny "guard create extra" mkdir "$D/alias/extra"
	[[ $phase != outside ]] || rmdir /sys/fs/bpf/haetae/extra
	deny "guard attr map-settings" chmod 0600 "$D/alias/map-settings"
	deny "guard attr haetae" chmod 0700 /sys/fs/bpf/haetae
	allow open dir "$D/alias"
}
