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
};

struct policy *random_policy(struct random *r, const char *name, const struct random_shape *shape);
/* One more deny rule. Return: its place. */
void random_deny_rule(struct random *r, struct policy *policy, const struct random_shape *shape);
/* Half of the paths are made to match some pattern of the policy, or nearly. */
void random_path(struct random *r, const struct policy *policy, struct random_path *ret);
/* The seed of HAETAE_TEST_SEED, or the given one. */
uint64_t random_seed(uint64_t otherwise);
void random_path_print(const struct image_component *components, size_t n, FILE *out);
