#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Debian 11's kernel: BPF can be an LSM there, but is none by default.
# shellcheck source=tests/lib/refuses.sh
source /src/tests/lib/refuses.sh
