#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Runs inside the guest as rig.service: installs the tree under test, runs the job, hands /out back, ends the machine.
# Sent with every job beside 'env' (RIG_*); rig_device comes from rig-start in the image.

# shellcheck source=/dev/null
source /run/rig/env

console() { echo "rig: $*" >/dev/console; }

mounts() {
	local name number=5
	if [[ ${RIG_MODULES:-} ]]; then
		mount -t ext4 -o ro "$(rig_device 4)" /usr/lib/modules || console "no modules"
	fi
	for name in ${RIG_ROOTS:-}; do
		mkdir -p "/var/lib/haetae-rig/$name-root"
		mount -t ext4 -o ro "$(rig_device $number)" "/var/lib/haetae-rig/$name-root" || console "no root $name"
		number=$((number + 1))
	done
	mountpoint -q /sys/kernel/tracing || mount -t tracefs tracefs /sys/kernel/tracing
	mountpoint -q /sys/fs/bpf || mount -t bpf bpf /sys/fs/bpf
}

# Lays the result of 'meson install --destdir' over / and does what a package's postinst would do for its files.
install_tree() {
	local -a sysusers tmpfiles catalogs
	tar -C / --strip-components=1 --keep-directory-symlink -xf "$1" install
	cd /run/rig || return
	mapfile -t sysusers < <(grep -E '^usr(/local)?/lib/sysusers\.d/.*\.conf$' installed)
	mapfile -t tmpfiles < <(grep -E '^usr(/local)?/lib/tmpfiles\.d/.*\.conf$' installed)
	mapfile -t catalogs < <(grep -E '\.catalog$' installed)
	((${#sysusers[@]} == 0)) || systemd-sysusers "${sysusers[@]/#//}"
	((${#tmpfiles[@]} == 0)) || systemd-tmpfiles --create "${tmpfiles[@]/#//}"
	((${#catalogs[@]} == 0)) || journalctl --update-catalog
	grep -qE '\.so(\.|$)' installed && ldconfig
	systemctl daemon-reload
}

# Runs the job with its output on the second serial line; its status is ours.
run_job() {
	cd /job || return
	if [[ ${RIG_SHELL:-} ]]; then
		export TERM=$RIG_TERM
		stty -F /dev/ttyS1 sane rows "$RIG_ROWS" cols "$RIG_COLUMNS"
		setsid --ctty --wait bash -l </dev/ttyS1
	else
		bash ./run.sh
	fi
}

# Which boot of this machine it is; the disk lives as long as the machine.
count_boots() {
	local boots=/var/lib/haetae-rig/boots number=1
	[[ ! -e $boots ]] || number=$(($(<"$boots") + 1))
	mkdir -p "${boots%/*}"
	echo "$number" >"$boots"
	export RIG_BOOT=$number
}

# At once, without systemd. A machine that may be restarted does not end with a restart.
end_machine() {
	sync
	[[ ! ${RIG_REBOOTS:-} ]] || poweroff --force --force
	echo b >/proc/sysrq-trigger # the host's QEMU has -no-reboot and ends
}

main() {
	local job status=125
	job=$(rig_device 2)
	stty -F /dev/ttyS1 raw -echo 115200
	exec </dev/null >/dev/ttyS1 2>&1
	mounts
	count_boots
	if ((RIG_BOOT > ${RIG_REBOOTS:-0} + 1)); then
		echo "the machine restarted by itself" # its kernel panicked, if nobody asked for it
	elif tar -C / --keep-directory-symlink -xf "$job" job src; then
		((RIG_BOOT > 1)) || [[ ! -e /run/rig/installed ]] || install_tree "$job"
		echo "boot=$(cut -d' ' -f1 /proc/uptime) kernel=$(uname -r)" >/run/rig/times
		run_job
		status=$?
		echo "end=$(cut -d' ' -f1 /proc/uptime)" >>/run/rig/times
	fi
	((status == 0)) || journalctl --boot --output=short-monotonic --no-hostname >/out/journal.txt
	cat /run/rig/times >/out/rig-times
	echo "$status" >/out/rig-status
	tar -C /out -cf "$(rig_device 3)" . || console "cannot write the results"
	end_machine
}

main
