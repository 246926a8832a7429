/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * The `container:` entries of the policies in force, left in the runtime directory for the runtimes' hook: who would have
 * to be governed, should the agent not answer. No file: nobody.
 */

#include <stdbool.h>
#include <stddef.h>

#include "container/facts.h"
#include "policy/policy.h"

#define SELECTORS_MAX (4U << 20) /* bytes of the file */

struct selector {
	char *policy;
	bool enforce; /* the policy refuses: without it no container must start */
	struct policy_match match; /* of it the container alone; a cgroup or unit beside it is not looked at */
};

struct selectors {
	struct selector *items;
	size_t n;
};

void selectors_deinit(struct selectors *selectors);
#define _cleanup_selectors_ _cleanup_(selectors_deinit)

/* Of the policies that have any; without one the file goes. Return: 0, negative errno. */
int selectors_save(const char *runtime_dir, const struct policy *const *policies, size_t n);
/* No enforcement, no selectors. Return: 0, negative errno. */
int selectors_remove(const char *runtime_dir);
/* Return: 0; -ENOENT there are none; -EPROTO not of that form; other negative errno: it cannot be read. */
int selectors_load(const char *runtime_dir, struct selectors *ret);
/* From the file's content. Return: 0, -EPROTO, -ENOMEM. */
int selectors_parse(const char *text, size_t len, struct selectors *ret);
/* The first one of a policy in enforce mode that the container may fit. NULL: none. */
const struct selector *selectors_find(const struct selectors *selectors, const struct container_facts *facts);
