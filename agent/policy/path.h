/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Path patterns: canonical form, and how the sets of paths that two patterns name lie to each
 * other.
 *
 * A pattern is a list of components. `*` stands for any bytes of one component (none included), `?`
 * for exactly one byte; there is no escape and no set, so every other byte is itself. A leading dot
 * is not special: `*` matches hidden names.
 */

#include <stdbool.h>
#include <stddef.h>

#include "policy/policy.h"

/* What is wrong with the text of a path. */
struct path_problem {
	char text[128];
	const char *expected; /* static, NULL: text says it */
	size_t offset;	      /* the offending bytes in the text */
	size_t len;
};

/* Bring text into canonical form. *ret_path has no location; free its text with free().
 * Return: 0; POLICY_E_INVALID with *reterr_problem (the first one found); -ENOMEM. */
int policy_path_parse(const char *text, size_t len, size_t depth_max, struct policy_path *ret_path,
		      struct path_problem *reterr_problem);
/* A pattern of one component (a unit name), the same way. */
int policy_component_check(const char *text, size_t len, struct path_problem *reterr_problem);

/* True only if outer certainly matches every path that inner matches (a few exotic pairs of
 * wildcards that do are not recognised; nothing is ever taken for covered that is not). */
bool policy_path_covers(const struct policy_path *outer, const struct policy_path *inner);
/* Is there any path that both match? Exact. */
bool policy_path_overlaps(const struct policy_path *a, const struct policy_path *b);

/* The same for single components. len <= HT_NAME_MAX. */
bool policy_component_covers(const char *outer, size_t outer_len, const char *inner,
			     size_t inner_len);
bool policy_component_overlaps(const char *a, size_t a_len, const char *b, size_t b_len);
bool policy_component_has_wildcard(const char *s, size_t len);

/* Step through the components of a canonical text: *p starts at the text.
 * Return: false at the end; else *ret_name, *ret_len and *p moved on. */
bool policy_path_next(const char **p, const char **ret_name, size_t *ret_len);
