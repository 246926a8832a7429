/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Random policies and paths over a tiny alphabet, so that rules overlap and paths hit them.
 * Everything follows from the seed.
 */

#include <stdint.h>

#include "builder.h"

struct random {
	uint64_t state;
};

uint64_t random_next(struct random *r);
/* 0 to n - 1. */
uint32_t random_below(struct random *r, uint32_t n);

#define RANDOM_DEPTH_MAX 8U
#define RANDOM_NAME_MAX 16U

struct random_path {
	char names[RANDOM_DEPTH_MAX][RANDOM_NAME_MAX]; /* any byte but NUL and slash */
	struct image_component components[RANDOM_DEPTH_MAX];
	size_t n;
};

struct random_shape {
	uint32_t rules; /* at most */
	uint32_t depth; /* components of a pattern, at most */
	bool literal;	/* no wildcards but `*` */
	bool no_exec;	/* no exec default */
	bool plain; /* deny and allow rules of paths, as they are: no conditions, times, switches */
};

/* The moment of everything random: rules may be staged until then, or gone. */
#define RANDOM_NOW 50

/* A whole question; owns what it points to. */
struct random_question {
	struct random_path object;
	struct random_path program;
	struct policy_question question;
};

struct policy *random_policy(struct random *r, const char *name, const struct random_shape *shape);
/* One more deny rule. Return: its place. */
void random_deny_rule(struct random *r, struct policy *policy, const struct random_shape *shape);
/* Half of the paths are made to match some pattern of the policy, or nearly. */
void random_path(struct random *r, const struct policy *policy, struct random_path *ret);
/* Everything that can be asked, of a path and by a program that the policy's patterns know, or
 * nearly. Each call draws all of it anew; ret must stay where it is. */
void random_question(struct random *r, const struct policy *policy, struct random_question *ret);
/* The seed of HAETAE_TEST_SEED, or the given one. */
uint64_t random_seed(uint64_t otherwise);
void random_path_print(const struct image_component *components, size_t n, FILE *out);
