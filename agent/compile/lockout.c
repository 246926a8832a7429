/* SPDX-License-Identifier: Apache-2.0 */

#include "compile/lockout.h"

#include <errno.h>
#include <string.h>

#include "compile/judge.h"
#include "util/strbuf.h"

/* 64 hexadecimal digits, as runtimes name containers. */
#define ID "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

/* Where they run on every host. A selector of a cgroup above one of these selects it as well. */
static const struct {
	const char *cgroup;
	const char *who;
} guarded[] = {
	{"/init.scope", "systemd"},
	{"/system.slice/haetaed.service", "Haetae itself"},
	{"/system.slice/docker.service", "the container runtime (docker)"},
	{"/system.slice/containerd.service", "the container runtime (containerd)"},
	{"/system.slice/crio.service", "the container runtime (CRI-O)"},
	{"/system.slice/podman.service", "the container runtime (podman)"},
};

/* podman starts one beside each container. Patterns that are meant for containers spare it (policy_match_spares_monitors()); what
 * is said of everything below a slice is meant for containers too, and may be harmless to their monitors. */
static const char conmon[] = "/machine.slice/libpod-conmon-" ID ".scope";
static const char container[] = "/machine.slice/libpod-" ID ".scope";

/* Does the policy refuse anything, once it is enforced? */
static bool policy_refuses(const struct policy *policy)
{
	const struct policy_rule *rule;

	for (size_t i = 0; (rule = policy_rule_at(policy, i)); i++)
		if (rule->action >= POLICY_ACTION_DENY)
			return true;
	return false;
}

/* One entry alone, asked of a path and all that is above it. */
static bool entry_selects(const struct policy *policy, const struct policy_match *match, const char *path)
{
	struct policy alone = *policy;
	char prefix[512];
	size_t len = strlen(path);

	alone.matches = (struct policy_match *)(uintptr_t)match; /* read only */
	alone.n_matches = 1;
	if (len >= sizeof(prefix))
		return false;
	memcpy(prefix, path, len + 1);
	for (;;) {
		if (policy_matches_cgroup(&alone, prefix, NULL))
			return true;
		if (len <= 1)
			return false;
		while (len > 0 && prefix[len - 1] != '/')
			len--;
		len = len > 1 ? len - 1 : 1;
		prefix[len] = '\0';
	}
}

/* A container that is a service has nspawn itself in the service's cgroup, and what it runs in one below. Every such service has
 * a name of its own, so it is the entry that is looked at. */
static bool entry_names_nspawn(const struct policy_match *match)
{
	const char *text = match->unit ? match->unit : match->cgroup.text;
	const char *at = text ? strstr(text, "systemd-nspawn@") : NULL;

	if (!at || policy_match_has_container(match) || (at > text && at[-1] != '/'))
		return false;
	at += strcspn(at, "/");
	return !*at || strcmp(at, "/**") == 0;
}

static const char *entry_guarded(const struct policy *policy, const struct policy_match *match, const char *own)
{
	for (size_t i = 0; i < sizeof(guarded) / sizeof(guarded[0]); i++)
		if (entry_selects(policy, match, guarded[i].cgroup))
			return guarded[i].who;
	if (own && entry_selects(policy, match, own))
		return "Haetae itself";
	if (entry_selects(policy, match, conmon) && !entry_selects(policy, match, container))
		return "the container runtime (podman's conmon)";
	if (entry_names_nspawn(match))
		return "the container runtime (nspawn; the container is in the cgroup `payload` below)";
	return NULL;
}

static int report(const struct policy *policy, const struct policy_match *match, const char *who,
		  struct diag_list *diags)
{
	bool enforced = policy->mode == POLICY_MODE_ENFORCE;
	_cleanup_strbuf_ struct strbuf text = {};
	char expected[] = "a selector of containers or of single services";
	struct diag diag = {
		.file = policy->file,
		.line = match->location.line,
		.column = match->location.column,
		.severity = enforced ? DIAG_ERROR : DIAG_WARNING,
		.expected = expected,
	};

	strbuf_printf(&text, "policy `%s` %s %s: this entry selects its cgroup, or one above it", policy->name,
		      enforced ? "would lock out" : "would, once enforced, lock out", who);
	if (strbuf_error(&text) < 0)
		return -ENOMEM;
	diag.text = text.data;
	return diag_add(diags, &diag);
}

int lockout_check(const struct policy *const *policies, size_t n_policies, const char *own_cgroup,
		  struct diag_list *diags)
{
	for (size_t i = 0; i < n_policies; i++) {
		const struct policy *policy = policies[i];

		if (!policy_refuses(policy))
			continue;
		for (size_t j = 0; j < policy->n_matches; j++) {
			const char *who = entry_guarded(policy, &policy->matches[j], own_cgroup);

			if (who && report(policy, &policy->matches[j], who, diags) < 0)
				return -ENOMEM;
		}
	}
	return 0;
}
