#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# What Haetae adds to an open+close of a file five directories deep on tmpfs, in instructions: the same on every run.
set -euo pipefail
bench=/src/build/tests/bench/open/bench-open
file=/bench/a/b/c/d/file

mkdir -p /bench && mount -t tmpfs bench /bench
mkdir -p /bench/a/b/c/d && : >"$file" && : >/bench/a/b/c/d/denied
cp "$bench" /bench/run

settle() { # the guest is busy with itself for its first seconds
	while awk '{ exit $1 >= 9 }' /proc/uptime; do sleep 0.2; done
	local last=0 now
	until now=$("$bench" "$file"); ((now - last < now / 1000 && last - now < now / 1000)); do last=$now; done
}

govern() { # govern NAME RULES: a policy and a cgroup it selects
	mkdir -p /etc/haetae/policies.d
	printf 'policy: %s\nmatch:\n  - cgroup: /%s\n%s\n' "$1" "$1" "$2" >"/etc/haetae/policies.d/$1.yaml"
	mkdir -p "/sys/fs/cgroup/$1"
}

rules() { # rules N: N file rules beside the measured file
	echo "file:"
	echo "  deny:"
	echo "    - /bench/a/b/c/d/denied"
	for ((i = 1; i < $1; i++)); do echo "    - /srv/app-$((i % 97))/data-$i"; done
}

line() { # line LABEL VALUE BASE
	printf '%-44s %8d  %+8d\n' "$1" "$2" "$(($2 - $3))"
}

settle
plain=$("$bench" "$file")
printf 'kernel %s: instructions of open+close, depth 5, tmpfs\n' "$(uname -r)"
line "without Haetae" "$plain" "$plain"

govern bench-exec $'exec:\n  default: deny\n  allow: [/bench/run]'
govern bench-10 "$(rules 10)"
govern bench-1000 "$(rules 1000)"
chmod -R go-w /etc/haetae
systemctl start haetaed
settle
line "not governed" "$("$bench" "$file")" "$plain"
line "governed, no rule on files" "$(/bench/run "$file" /sys/fs/cgroup/bench-exec)" "$plain"
line "governed, allowed, 10 rules" "$(/bench/run "$file" /sys/fs/cgroup/bench-10)" "$plain"
line "governed, allowed, 1,000 rules" "$(/bench/run "$file" /sys/fs/cgroup/bench-1000)" "$plain"
line "governed, refused and reported" "$(/bench/run /bench/a/b/c/d/denied /sys/fs/cgroup/bench-10)" "$plain"
