/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Policies by hand for the tests of this room, which must not depend on the parser. Running out of
 * memory ends the test.
 */

#include <stdint.h>
#include <stdio.h>

#include "compile/judge.h"
#include "util/cleanup.h"

/* Mode enforce, both defaults allow, no match entry. */
struct policy *policy_build(const char *name);
struct policy *policy_build_free(struct policy *policy);
DEFINE_CLEANUP(struct policy *, policy_build_freep, policy_build_free)
#define _cleanup_policy_ _cleanup_(policy_build_freep)

/* A path that ends in slash-star-star is a subtree. Each rule stands on the line of its number
 * (from 1) and has its id from name and number. Return: the rule, until the next one is added. */
struct policy_rule *policy_build_rule(struct policy *policy, enum policy_rule_kind kind,
				      const char *path, uint32_t ops);
void policy_build_except(struct policy *policy, const char *path); /* of the last rule */
/* `unless` of the last rule: one more program, one more user (rising). */
void policy_build_exe(struct policy *policy, const char *path);
void policy_build_uid(struct policy *policy, uint32_t uid);
/* A switch: &policy->anonymous, &policy->writable or a line of policy->kernel. */
void policy_build_switch(struct policy *policy, struct policy_rule *rule, uint32_t ops,
			 enum policy_action action);
/* Sets the default to deny and adds its rule. */
void policy_build_default(struct policy *policy, enum policy_rule_kind kind);
/* Either may be NULL. */
void policy_build_match(struct policy *policy, const char *cgroup, const char *unit);
struct policy *policy_build_copy(const struct policy *policy);

/* As a user would write it, foreign bytes escaped. */
void policy_build_print(const struct policy *policy, FILE *out);

/* All operations on files, for anybody. */
struct policy_question question_of(const struct image_component *components, size_t n);
/* Split "/a/b" in place of a kernel's walk. Return: number of components. */
size_t components_split(const char *path, struct image_component *ret, size_t max);
