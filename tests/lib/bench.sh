# shellcheck shell=bash
# SPDX-License-Identifier: Apache-2.0
# What the benchmarks share.

# The guest is busy with itself for its first seconds.
boot_settles() { while awk '{ exit $1 >= 9 }' /proc/uptime; do sleep 0.2; done; }
