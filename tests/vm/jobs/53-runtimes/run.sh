#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Containers of every runtime, governed from before their first instruction, with every line of kernel: at deny: the
# runtime's own set-up works, the first program is judged. HAETAE_PARTS="docker units": these alone.
# shellcheck source=tests/vm/jobs/53-runtimes/runtimes.sh
source /src/tests/vm/jobs/53-runtimes/runtimes.sh

# part NAME: and how long it took
part() {
	local begun=$SECONDS
	[[ " ${HAETAE_PARTS:-podman docker containerd nspawn units} " == *" $1 "* ]] || return 0
	# shellcheck source=/dev/null
	source "/src/tests/vm/jobs/53-runtimes/$1.sh"
	echo "# $1: $((SECONDS - begun)) s"
}
# The program that haetae-hook(8) shows
hooked_runc() {
	sed -n '/^#!\/bin\/bash$/,/^exec runc/ { s/\\e$/\\/; p }' /usr/share/man/man8/haetae-hook.8 >/usr/local/sbin/hooked-runc &&
		grep -q '^exec runc' /usr/local/sbin/hooked-runc && bash -n /usr/local/sbin/hooked-runc && chmod 0755 /usr/local/sbin/hooked-runc
}
must "the manual page's wrapper of runc is installed" hooked_runc
must "a root is made" root_make
governs nothing '{cgroup: /nothing.scope}'
must "the agent starts" agent_start
must "none of the policies is refused" is "[]" agent_status '$.warnings'
part podman
part docker
part containerd
part nspawn
part units
expect "the agent was not restarted" is 0 systemctl show --property=NRestarts --value haetaed.service
finish
