# shellcheck shell=bash disable=SC2317 # the functions are called by expect
# SPDX-License-Identifier: Apache-2.0
# For jobs on a kernel where BPF is no active LSM: programs attach there without an error and never run, so the agent
# must refuse to start, say why, and tell the way out.
# shellcheck source=tests/lib/haetae.sh
source /src/tests/lib/haetae.sh

mkdir /p && echo secret >/p/secret
policy p.yaml <<-EOF
	policy: p
	match: [{cgroup: /p.scope}]
	file: {deny: [/p/secret]}
EOF

by_hand() { haetaed --foreground 2>/tmp/by-hand; }
says() { grep -F "$@"; }
nothing_is_left() { [[ ! -d /sys/fs/bpf/haetae || ! $(ls /sys/fs/bpf/haetae) ]] || { ls /sys/fs/bpf/haetae; return 1; }; }
unit_result() { systemctl show --property=Result,ExecMainStatus --value haetaed.service | paste -sd' '; }
# What would be tried again is in the sub-state auto-restart, not failed.
stays_down() { systemctl show --property=ActiveState,SubState,NRestarts --value haetaed.service | paste -sd' '; }

refuse "BPF is no active LSM here" grep -w bpf /sys/kernel/security/lsm
expect "haetaed refuses to start with status 3" has_status 3 by_hand
expect "it names what is missing" says "BPF is not among the active LSMs" /tmp/by-hand
expect "and the way out" says "lsm=" /tmp/by-hand
expect "doctor fails" has_status 1 agentctl doctor
agentctl doctor >/tmp/doctor 2>&1
expect "doctor names what is missing" says "BPF is not among the active LSMs" /tmp/doctor
expect "doctor tells the fix" says "lsm=" /tmp/doctor
expect "doctor says the same to programs" is fail eval "agentctl doctor --json | json '$.state'"
refuse "the unit does not start" systemctl start haetaed.service
expect "its status is 3" is "3 exit-code" eval 'unit_result | xargs -n1 | sort | xargs'
expect "systemd does not try again" is "failed failed 0" eval 'stays_down | xargs -n1 | sort -r | xargs'
expect "the reason is in the journal" eval 'agent_log | says "BPF is not among the active LSMs"'
expect "nothing is loaded or pinned" nothing_is_left
expect "status says that nothing is enforced" eval 'agentctl status --no-pager | says "nothing is enforced"'
expect "status fails: the agent does not run" has_status 3 agentctl status
finish
