#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# The guest is what the other jobs take for granted: the right kernel, a running systemd, a journal, containers.
# shellcheck disable=SC2317 # the functions are called by expect
# shellcheck source=tests/vm/guest/tap.sh
source /run/rig/tap.sh

kernel_as_asked() {
	uname -r
	[[ $RIG_KERNEL == newest || $(uname -r) =~ ^"$RIG_KERNEL"([.~+-]|$) ]]
}
system_running() { [[ $(systemctl is-system-running --wait) == running ]] || { systemctl --failed --no-pager; false; }; }
unified_cgroups() { [[ $(stat -fc %T /sys/fs/cgroup) == cgroup2fs ]]; }
mounted() { [[ $(stat -fc %T "$1") == "$2" ]]; }
bpf_lsm_active() { [[ ,$(</sys/kernel/security/lsm), == *,bpf,* ]]; }
has_type_information() { [[ -s /sys/kernel/btf/vmlinux ]]; }
two_processors() { [[ $(nproc) == 2 ]]; }
journal_answers() {
	systemd-run --quiet --wait --unit=rig-says echo "a line for the journal"
	journalctl --sync
	[[ $(journalctl --unit=rig-says --output=cat) == *"a line for the journal"* ]]
}
serves_a_page() {
	podman run --detach --name web --network host --rootfs /var/lib/haetae-rig/web-root:O nginx -g "daemon off;"
	# nginx listens a moment after podman is back.
	curl --silent --show-error --retry 40 --retry-delay 1 --retry-connrefused --max-time 60 http://127.0.0.1/ | grep "Welcome to nginx"
}
runs_crun_under_overlay() {
	podman inspect --format '{{.OCIRuntime}}' web
	[[ $(podman inspect --format '{{.OCIRuntime}}' web) == *crun* ]] && podman exec web stat -fc %T / | grep overlayfs
}
scope_named_by_podman() {
	local pid
	pid=$(podman inspect --format '{{.State.Pid}}' web)
	grep -E "^0::/machine.slice/libpod-$(podman inspect --format '{{.Id}}' web)\.scope" "/proc/$pid/cgroup"
}
container_runs_programs() { podman exec web curl --silent http://127.0.0.1/ | grep "Welcome to nginx"; }
module_loads() { modprobe loop && losetup --find; }

expect "the kernel is the one asked for" kernel_as_asked
expect "systemd is up and nothing has failed" system_running
expect "two processors" two_processors
expect "cgroup version 2" unified_cgroups
expect "bpffs is mounted" mounted /sys/fs/bpf bpf_fs
expect "tracefs is mounted" mounted /sys/kernel/tracing tracefs
expect "the BPF LSM is active" bpf_lsm_active
expect "the kernel describes its types" has_type_information
expect "the journal keeps and returns a line" journal_answers
expect "modules load" module_loads
expect "podman runs nginx and it serves a page" serves_a_page
expect "it is crun on an overlay" runs_crun_under_overlay
expect "its cgroup is the scope podman named" scope_named_by_podman
expect "the container runs curl" container_runs_programs
finish
