# shellcheck shell=bash disable=SC2034,SC2154 # sourced by tests/lib/attack.sh, which says what the functions are
# SPDX-License-Identifier: Apache-2.0
# E09, G03, G05: controls of the kernel in other file systems: devices, memory, tracing, and interpreters of binary formats.
#
#   $D
#   ├── formats   binfmt_misc
#   └── open
policy_of() {
	cat <<-EOF
		file:
		  deny: [$D/secret]
	EOF
}
recorded() { recorded_lines; }
tree() { echo open >open && mkdir formats && mount -t binfmt_misc formats formats; }
clean() { umount -q "$D/formats"; }
fingerprint() { cat "$D/open"; }
control() { find "$1" -xdev -type f -perm -200 | LC_ALL=C sort | sed -n 1p; }
acts() {
	local file
	: "${G05_device:=$(control /sys/devices)}" "${G05_module:=$(control /sys/module)}"
	[[ ! -e /sys/kernel/uevent_helper ]] || deny "kernel sysctl /sys/kernel/uevent_helper" open write /sys/kernel/uevent_helper
	for file in "$G05_device" "$G05_module" /sys/kernel/tracing/set_event "$D/formats/register"; do
		deny "kernel sysctl $file" open write "$file"
	done
	allow open read /sys/kernel/tracing/set_event
	allow open write "$D/open"
}
