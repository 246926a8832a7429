/* SPDX-License-Identifier: Apache-2.0 */

#include "programs/agentctl/check-running.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "compile/lint.h"
#include "programs/agentctl/cgroups.h"
#include "util/cleanup.h"

/* Containers whose files are looked at for one policy: a thousand of one image say no more than these. */
#define CONTAINERS_MAX 64U

struct looked {
	struct lint_root roots[CONTAINERS_MAX];
	const struct container *containers[CONTAINERS_MAX];
	size_t n;
};

static void looked_deinit(struct looked *looked)
{
	for (size_t i = 0; i < looked->n; i++)
		(void)close(looked->roots[i].fd);
	looked->n = 0;
}

/* Processes of one container live in several cgroups and have one root. */
static bool was_looked_at(const struct looked *looked, const struct container *container)
{
	for (size_t i = 0; i < looked->n; i++)
		if (container->id && looked->containers[i]->id &&
		    strcmp(container->id, looked->containers[i]->id) == 0)
			return true;
	return false;
}

static void look(struct policies *p, const struct agentctl *ctl, struct looked *looked, const struct cgroup *c)
{
	int fd;

	if (looked->n == CONTAINERS_MAX || was_looked_at(looked, &c->container))
		return;
	fd = cgroup_root_open(c, ctl);
	if (fd == -ESRCH)
		return; /* it has ended since */
	if (fd < 0) {
		complain("The files of '%s' cannot be looked at: %s", escaped(c->container.name), strerror(-fd));
		p->failed = true;
		return;
	}
	looked->roots[looked->n] = (struct lint_root){.path = c->container.name, .fd = fd};
	looked->containers[looked->n++] = &c->container;
}

/* One entry as if it were the only one. */
static bool entry_governs(const struct policy *policy, size_t entry, const struct agentctl *ctl,
			  const struct cgroups *cgroups)
{
	struct policy one = *policy;

	one.matches = &policy->matches[entry];
	one.n_matches = 1;
	for (size_t i = 0; i < cgroups->n; i++)
		if (cgroups->items[i].populated && policy_governs(&one, ctl, cgroups->items[i].path))
			return true;
	return false;
}

static int check_policy(struct policies *p, size_t index, const struct agentctl *ctl, const struct cgroups *cgroups)
{
	_cleanup_(looked_deinit) struct looked looked = {};
	const struct policy *policy = p->items[index];
	int r = 0;

	for (size_t i = 0; i < policy->n_matches && r >= 0; i++)
		if (!entry_governs(policy, i, ctl, cgroups))
			r = lint_warn(p->owners[index], policy->matches[i].location, &p->diags, NULL,
				      "the entry selects nothing that runs now");
	for (size_t i = 0; i < cgroups->n; i++)
		if (cgroups->items[i].populated && policies_governs(p, index, cgroups->items[i].path))
			look(p, ctl, &looked, &cgroups->items[i]);
	return r < 0 ? r : lint_policy_roots(p->owners[index], policy, looked.roots, looked.n, &p->diags);
}

int check_running(struct policies *policies, const struct agentctl *ctl)
{
	_cleanup_(cgroups_deinit) struct cgroups cgroups = {};
	int r = cgroups_read(&cgroups, ctl);

	for (size_t i = 0; i < policies->n && r >= 0; i++)
		r = check_policy(policies, i, ctl, &cgroups);
	return r;
}
