#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# No system call costs more instructions than tests/bench/calls/budgets.tsv allows, for those of them that are soon measured.
# shellcheck disable=SC2317 # the functions are called by expect
# shellcheck source=tests/vm/guest/tap.sh
source /run/rig/tap.sh

bash /src/tests/bench/calls/run.sh --short >/out/said || true # what is above its budget is told below
budgets() { awk -F '\t' -v kernel="$RIG_KERNEL" '!/^#/ && $1 == kernel' /src/tests/bench/calls/budgets.tsv; }
measured() { # each budget that a workload of the suite has, under the configurations that are soon there
	awk -F '\t' 'FILENAME ~ /workloads/ { if ($4 ~ /suite/) suite[$1] = 1; next } $2 in suite && $3 ~ /^(ungoverned|governed|rules-1000)$/ { print $2 "\t" $3 }' \
		/src/tests/bench/calls/workloads.tsv <(budgets) | sort >/tmp/wanted
	[[ -s /tmp/wanted ]] && cut -f 1,2 /out/figures.tsv | sort | comm -23 /tmp/wanted - | { ! grep .; }
}
within() { ! grep -F "ABOVE" /out/said; }
expect "all that has a budget was measured" measured
expect "none is above its budget" within
cat /out/said
finish
