/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* The commands below `agentctl policy`. */

#include "programs/agentctl/agentctl.h"

struct policy_options {
	bool json;
	bool strict;
};

/* paths: files, directories, "-". Return: an exit code. */
int policy_check(const struct agentctl *ctl, const struct policy_options *options, int n,
		 char **paths);
int policy_list(const struct agentctl *ctl, const struct policy_options *options);
