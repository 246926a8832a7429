/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* Policies against the containers and units that run now, each against those that it selects. */

#include "programs/agentctl/policies.h"

/* Warn of an entry of `match` that selects nothing that runs, and of paths as lint_roots() does. What cannot be looked into is
 * complained about (failed). Return: 0, negative errno: the cgroups cannot be read, or no memory. */
int check_running(struct policies *policies, const struct agentctl *ctl);
