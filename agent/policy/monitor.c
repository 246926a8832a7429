/* SPDX-License-Identifier: Apache-2.0 */

/* The cgroups in which runtimes watch over containers. */

#include <string.h>

#include "policy/path.h"
#include "policy/policy.h"

const char *const policy_monitors[POLICY_MONITORS] = {"libpod-conmon-*.scope", "crio-conmon-*.scope"};

bool policy_name_is_monitor(const char *name, size_t len)
{
	for (size_t i = 0; i < POLICY_MONITORS; i++)
		if (policy_component_covers(policy_monitors[i], strlen(policy_monitors[i]), name, len))
			return true;
	return false;
}

bool policy_match_spares_monitors(const struct policy_match *match)
{
	const char *last = match->unit;

	if (!last && match->cgroup.text && !match->cgroup.subtree)
		last = strrchr(match->cgroup.text, '/');
	return last && policy_component_has_wildcard(last, strlen(last)) && !strstr(last, "-conmon-");
}
