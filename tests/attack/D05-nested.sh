# shellcheck shell=bash disable=SC2034,SC2154 # sourced by tests/lib/attack.sh, which says what the functions are
# SPDX-License-Identifier: Apache-2.0
# D05: one policy for a container, another one for a service in it. The service makes a process that the second one does not
# govern do what it may not do itself.
#
#   $D
#   ├── pid      of a process of the container, outside of the service
#   ├── service  of one in the service, made by the container
#   ├── secret   refused to the container
#   └── kept     refused to the service
policy_of() {
	cat <<-EOF
		kernel: {sysctl: allow}
		file: {deny: [$D/secret]}
		---
		policy: d05-service
		match: [{cgroup: /attack/$id.scope/service}]
		kernel: {sysctl: allow}
		file: {deny: [$D/kept]}
	EOF
}
recorded() { recorded_lines; }
tree() {
	mkdir -p "$CGROUPS/attack/$id.scope/service" && echo kept >kept || return
	enter "/attack/$id.scope" sleep 1000 >/dev/null 2>&1 &
	echo $! >pid
	enter "/attack/$id.scope" "$TRY" cgroup "$CGROUPS/attack/$id.scope/service" exec /usr/bin/sleep 1000 >/dev/null 2>&1 &
	echo $! >service
	until_ 10 grep -q sleep "/proc/$(<pid)/comm" && until_ 10 grep -q sleep "/proc/$(<service)/comm"
}
clean() { [[ ! -e $D/pid ]] || kill "$(<"$D/pid")" "$(<"$D/service")"; }
fingerprint() { cat "$D/kept"; }
acts() {
	local to=$CGROUPS/attack/$id.scope/service
	[[ $phase != outside ]] || to=$CGROUPS # who goes there is governed
	deny "policy read $D/kept" cgroup "$to" exec "$TRY" open read "$D/kept"
	deny "kernel ptrace sleep" cgroup "$to" exec "$TRY" attach "$D/pid"
	deny "kernel ptrace sleep" cgroup "$to" exec "$TRY" memory-write "$D/pid"
	allow attach "$D/pid"
	allow memory-write "$D/pid"
	allow memory-write "$D/service"
	allow cgroup "$to" exec "$TRY" attach-child
}
