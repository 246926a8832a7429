#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# What 53-runtimes asks, of the runtimes of the next Debian: the same runs here.
echo "# $(podman --version), $(crun --version | head -n 1), $(runc --version | head -n 1)"
echo "# $(dockerd --version), $(containerd --version), $(systemctl --version | head -n 1)"
# shellcheck source=tests/vm/jobs/53-runtimes/run.sh
source /src/tests/vm/jobs/53-runtimes/run.sh
