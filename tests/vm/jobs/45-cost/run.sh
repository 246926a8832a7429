#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# No system call costs more instructions than tests/bench/calls/budgets.tsv allows.
# shellcheck disable=SC2317 # the functions are called by expect
# shellcheck source=tests/vm/guest/tap.sh
source /run/rig/tap.sh

# shellcheck disable=SC2317 # the functions are called by expect
figures() { bash /src/tests/bench/calls/run.sh --short >/tmp/figures; }
# shellcheck disable=SC2317
within() { ! grep -F "ABOVE" /tmp/figures; }
figures || true # what is above its budget is told below
expect "there are nine of them" test "$(wc -l </out/figures.tsv)" -eq 9
expect "none is above its budget" within
finish
