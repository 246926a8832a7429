#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# The demonstration as a test.
exec bash /src/tests/demo/demo.sh --tap
