#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# 26-reload with a million answers looked at while two versions of a policy take turns as fast as the agent can.
HAETAE_FLIP_PROBES=1000000 exec bash /src/tests/vm/jobs/26-reload/run.sh
