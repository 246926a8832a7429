/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* The cgroups of this host as they are now, with the containers they belong to. Read without the agent, so what no
 * policy governs is among them. */

#include "container/container.h"
#include "programs/agentctl/agentctl.h"
#include "programs/agentctl/policies.h"

struct cgroup {
	char *path; /* from the root of the hierarchy: "/system.slice/nginx.service" */
	struct container container;
	bool populated; /* processes are in it itself */
};

struct cgroups {
	struct cgroup *items; /* what is above comes first */
	size_t n;
};

/* Return: 0; negative errno if there is no hierarchy that can be read. */
int cgroups_read(struct cgroups *cgroups, const struct agentctl *ctl);
void cgroups_deinit(struct cgroups *cgroups);
/* Where the processes of a container are: by name, by the first 8 or more characters of its id, or by the path of a cgroup.
 * Of several cgroups of one container the topmost with processes in it. Return: 0; -ENOENT; -EEXIST: it is more than
 * one container, *ret is the first. */
int cgroups_find(const struct cgroups *cgroups, const char *wanted, const struct cgroup **ret);
/* Does the policy of that index govern tasks in a cgroup, by its own path or that of one above? What a container is called
 * is known from the agent's records, or from its runtime, to root alone. */
bool policies_governs(const struct policies *policies, size_t index, const char *path);
/* The same for any policy. ctl: NULL: containers are looked up where they usually are. */
bool policy_governs(const struct policy *policy, const struct agentctl *ctl, const char *path);
/* The root directory of a process in the cgroup itself. Return: fd (O_PATH), owned by the caller; -ESRCH: there is none, or it has
 * just ended; other negative errno. */
int cgroup_root_open(const struct cgroup *cgroup, const struct agentctl *ctl);
