#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# run.sh [--short]: what Haetae adds to system calls, in instructions: the same on every run. Files are five directories
# deep on a tmpfs. Fails if a figure is above what budgets.tsv has for this kernel, if it has one. --short: without those that take long.
set -euo pipefail
# shellcheck source=tests/lib/bench.sh
source /src/tests/lib/bench.sh
short=${1-}
top=/bench/a/b/c/d file=/bench/a/b/c/d/file cold=/bench/a/b/c/cold cgroups=/sys/fs/cgroup call=/bench/run
budgets=/src/tests/bench/calls/budgets.tsv figures=/out/figures.tsv
failed=0

mkdir -p /bench && mount -t tmpfs bench /bench
mkdir -p "$top" "$cold" && echo x | tee "$top/denied" >"$file"
for ((i = 0; i < 2000; i++)); do : >"$cold/file-$i"; done
cp /src/build/tests/bench/calls/bench-call "$call"

settle() {
	boot_settles
	local last=0 now
	until now=$("$call" open "$file"); ((now - last < now / 1000 && last - now < now / 1000)); do last=$now; done
}

govern() { # govern NAME RULES: a policy and a cgroup it selects
	mkdir -p /etc/haetae/policies.d
	printf 'policy: %s\nmatch:\n  - cgroup: /%s\n%s\n' "$1" "$1" "$2" >"/etc/haetae/policies.d/$1.yaml"
	mkdir -p "$cgroups/$1"
}

rules() { # rules N: N file rules beside the measured file
	echo "file:"
	echo "  deny:"
	echo "    - $top/denied"
	for ((i = 1; i < $1; i++)); do echo "    - /srv/app-$((i % 97))/data-$i"; done
}

figure() { # figure NAME PLAIN ACT PATH [CGROUP]: one line, and one in the table
	local name=$1 plain=$2 budget value more
	value=$("$call" "$3" "$4" ${5:+"$cgroups/$5"})
	more=$((value - plain))
	printf '%s\t%s\t%s\t%s\n' "$RIG_KERNEL" "$name" "$plain" "$more" >>"$figures"
	budget=$(awk -F '\t' -v kernel="$RIG_KERNEL" -v name="$name" '$1 == kernel && $2 == name { print $3 }' "$budgets")
	printf '%-44s %8d  %+8d' "$name" "$value" "$more"
	if [[ $budget ]] && ((more > budget)); then
		failed=1
		echo "  ABOVE ITS BUDGET of +$budget"
	else
		echo
	fi
}

settle
declare -A plain
for act in open read write; do plain[$act]=$("$call" "$act" "$file"); done
plain[cold]=$("$call" cold "$cold")
[[ $short ]] || plain[few]=$("$call" few "$top/denied")
plain[exec]=$("$call" exec "$call")
printf 'kernel %s: instructions, and how many of them are for Haetae\n' "$(uname -r)"

govern bench-exec $'exec:\n  default: deny\n  allow: [/bench/run]'
govern bench-10 "$(rules 10)"
govern bench-1000 "$(rules 1000)"
govern bench-audit $'mode: audit\n'"$(rules 10)"
chmod -R go-w /etc/haetae
systemctl start haetaed
settle
figure "open, not governed" "${plain[open]}" open "$file"
figure "open, no rule on files" "${plain[open]}" open "$file" bench-exec
figure "open, allowed, 10 rules" "${plain[open]}" open "$file" bench-10
figure "open, allowed, 1000 rules" "${plain[open]}" open "$file" bench-1000
figure "open, first time, 1000 rules" "${plain[cold]}" cold "$cold" bench-1000
figure "open, refused, counted" "${plain[open]}" open "$top/denied" bench-10
figure "read, not governed" "${plain[read]}" read "$file"
figure "read, allowed" "${plain[read]}" read "$file" bench-10
figure "write, allowed" "${plain[write]}" write "$file" bench-10
if [[ ! $short ]]; then
	figure "open, refused, recorded" "${plain[few]}" few "$top/denied" bench-10
	figure "open, audit mode, recorded" "${plain[few]}" few "$top/denied" bench-audit
	figure "exec, not governed" "${plain[exec]}" exec "$call"
	figure "exec, allowed and recorded" "${plain[exec]}" exec "$call" bench-exec
fi
exit "$failed"
