/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* The commands below `agentctl policy`: each gets its own arguments (argv[0] is its name) and returns an exit
 * code. */

#include "programs/agentctl/agentctl.h"

int policy_check(struct agentctl *ctl, int argc, char **argv);
int policy_list(struct agentctl *ctl, int argc, char **argv);
int policy_show(struct agentctl *ctl, int argc, char **argv);
int policy_test(struct agentctl *ctl, int argc, char **argv);
int policy_diff(struct agentctl *ctl, int argc, char **argv);
int policy_reformat(struct agentctl *ctl, int argc, char **argv);
