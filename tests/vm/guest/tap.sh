# shellcheck shell=bash
# SPDX-License-Identifier: Apache-2.0
# For jobs: 'source /run/rig/tap.sh', then expect, refuse and skip for each case, and finish as the last line.
tap_number=0 tap_failed=0

# expect DESCRIPTION COMMAND...: passes when the command succeeds; else its output follows as comments.
expect() {
	local description=$1 output
	shift
	output=$("$@" 2>&1)
	tap_result "$?" "$description" "$output"
}

# refuse DESCRIPTION COMMAND...: passes when the command fails.
refuse() {
	local description=$1 output
	shift
	if output=$("$@" 2>&1); then
		tap_result 1 "$description" "succeeded: $output"
	else
		tap_result 0 "$description"
	fi
}

# skip DESCRIPTION REASON: a failure to the suite unless tests/skips.txt lists it.
skip() {
	tap_number=$((tap_number + 1))
	echo "ok $tap_number - $1 # SKIP $2"
}

# finish: the plan, and a status that says whether anything failed.
finish() {
	echo "1..$tap_number"
	exit "$tap_failed"
}

# tap_result STATUS DESCRIPTION OUTPUT
tap_result() {
	tap_number=$((tap_number + 1))
	if (($1 == 0)); then
		echo "ok $tap_number - $2"
	else
		tap_failed=1
		echo "not ok $tap_number - $2"
		echo "# ${3//$'\n'/$'\n# '}"
	fi
}
