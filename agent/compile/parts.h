/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* The patterns of one policy and what each stands for; and the judge that reads them. */

#include "compile/automaton.h"
#include "compile/conditions.h"

enum part_role {
	PART_SPEAKS, /* the path of a rule that refuses or records */
	PART_EXCEPT,
	PART_ALLOW,
	PART_LIBRARY, /* where `libraries: default` allows */
	PART_EXE,     /* a program of a condition */
};

struct part {
	uint32_t rule; /* index; parts of one rule are neighbours. AUTOMATON_NONE: of no rule */
	uint32_t ops;  /* PART_EXE: number of the condition */
	enum part_role role;
};

/* What the judge needs to know of a rule with `unless`. */
struct part_condition {
	uint32_t exe;
	uint32_t uid;
};

struct parts {
	const struct policy *policy;
	int64_t now;
	struct input input;
	struct part *parts; /* of each pattern */
	size_t parts_size;
	struct conditions conditions;
	struct part_condition *of_rule; /* by index of the rule */
	uint64_t exec_default;		/* rule ids */
	uint64_t file_default;
};

/* judge.c: the verdict where these patterns match (automaton_judge). */
int parts_judge(const void *userdata, const uint32_t *matched, size_t n,
		struct automaton_verdict *v, uint32_t *binds, size_t *ret_n_binds);
/* What holds for objects without a path: of one class, by one rule. */
void verdict_add(struct automaton_verdict *v, uint32_t class, uint32_t ops, uint64_t rule);
