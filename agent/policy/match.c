/* SPDX-License-Identifier: Apache-2.0 */

/* Does a container fit the `container:` of a match entry? Shares no code with path.c: here a `*`
 * goes over slashes. */

#include <string.h>

#include "policy/policy.h"

bool policy_match_has_container(const struct policy_match *match)
{
	const struct policy_container_match *c = &match->container;

	return c->runtime || c->name || c->image || c->n_labels > 0;
}

/* `*` any bytes, `?` one byte. Greedy: what an earlier star could still take, the last one can. */
static bool text_matches(const char *pattern, const char *s)
{
	const char *star = NULL, *from = NULL;

	while (*s) {
		if (*pattern == '*') {
			star = pattern++;
			from = s;
		} else if (*pattern == '?' || *pattern == *s) {
			pattern++;
			s++;
		} else if (star) {
			pattern = star + 1;
			s = ++from;
		} else {
			return false;
		}
	}
	return pattern[strspn(pattern, "*")] == '\0';
}

static enum policy_fit fit_worse(enum policy_fit a, enum policy_fit b)
{
	return a < b ? a : b;
}

static enum policy_fit fit_text(const char *pattern, const char *s)
{
	if (!pattern)
		return POLICY_FIT_YES;
	if (!s)
		return POLICY_FIT_UNKNOWN;
	return text_matches(pattern, s) ? POLICY_FIT_YES : POLICY_FIT_NO;
}

static enum policy_fit fit_label(const struct policy_container *c, const struct policy_label *wanted)
{
	for (size_t i = 0; i < c->n_labels; i++)
		if (strcmp(c->labels[i].key, wanted->key) == 0)
			return fit_text(wanted->value, c->labels[i].value);
	return c->labels_unknown ? POLICY_FIT_UNKNOWN : POLICY_FIT_NO;
}

static enum policy_fit fit_runtime(const char *wanted, const char *runtime)
{
	if (!wanted)
		return POLICY_FIT_YES;
	if (!runtime)
		return POLICY_FIT_UNKNOWN;
	return strcmp(wanted, runtime) == 0 ? POLICY_FIT_YES : POLICY_FIT_NO;
}

enum policy_fit policy_match_container_fit(const struct policy_match *match,
					   const struct policy_container *container)
{
	const struct policy_container_match *m = &match->container;
	enum policy_fit fit = fit_runtime(m->runtime, container->runtime);

	fit = fit_worse(fit, fit_text(m->name, container->name));
	fit = fit_worse(fit, fit_text(m->image, container->image));
	for (size_t i = 0; i < m->n_labels; i++)
		fit = fit_worse(fit, fit_label(container, &m->labels[i]));
	return fit;
}

bool policy_match_container(const struct policy_match *match,
			    const struct policy_container *container)
{
	return policy_match_container_fit(match, container) == POLICY_FIT_YES;
}
