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

	if (!s)
		return false;
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

static bool has_label(const struct policy_container *c, const struct policy_label *wanted)
{
	for (size_t i = 0; i < c->n_labels; i++)
		if (strcmp(c->labels[i].key, wanted->key) == 0)
			return text_matches(wanted->value, c->labels[i].value);
	return false;
}

bool policy_match_container(const struct policy_match *match,
			    const struct policy_container *container)
{
	const struct policy_container_match *m = &match->container;

	if (m->runtime && (!container->runtime || strcmp(m->runtime, container->runtime) != 0))
		return false;
	if (m->name && !text_matches(m->name, container->name))
		return false;
	if (m->image && !text_matches(m->image, container->image))
		return false;
	for (size_t i = 0; i < m->n_labels; i++)
		if (!has_label(container, &m->labels[i]))
			return false;
	return true;
}
