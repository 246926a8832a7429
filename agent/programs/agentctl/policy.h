/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* The commands below `agentctl policy`. */

#include "programs/agentctl/agentctl.h"

#define POLICY_ROOTS_MAX 64

struct policy_options {
	bool json;
	bool strict;
	const char *roots[POLICY_ROOTS_MAX]; /* check: root directories of containers */
	int n_roots;
	const char *cgroups; /* check: a cgroup tree, NULL: none is looked at */
};

/* paths: files, directories, "-". Return: an exit code. */
int policy_check(const struct agentctl *ctl, const struct policy_options *options, int n,
		 char **paths);
int policy_list(const struct agentctl *ctl, const struct policy_options *options);
