#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# The servers of the policy library that take longest to do their work; the others are in 35-library.
# shellcheck disable=SC2034 # the job that is read asks for it
HAETAE_LIBRARY="postgresql node lockdown"
cd /src/tests/vm/jobs/35-library || exit
# shellcheck source=tests/vm/jobs/35-library/run.sh
source ./run.sh
