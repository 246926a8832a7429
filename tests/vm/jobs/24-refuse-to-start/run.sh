#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# A kernel with BPF among its LSMs, booted with a list without it.
# shellcheck source=tests/lib/refuses.sh
source /src/tests/lib/refuses.sh
