/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * The algebra of one component's pattern: `*` is any bytes, `?` any one byte, every other byte
 * itself. What is decided here about two patterns decides which names the kernel can tell apart, so
 * each function says in which direction it may be wrong.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "abi.h"

enum component_kind {
	COMPONENT_LITERAL, /* no wildcard */
	COMPONENT_ANY,	   /* `*` alone: every name */
	COMPONENT_GLOB,
};

/* A canonical pattern, borrowed text. */
struct component {
	const uint8_t *text;
	size_t len;
};

/* Canonical form of a component: each run of wildcards becomes its `?`s and then at most one `*`,
 * which matches the same names, so patterns that differ only in spelling have one text.
 * Return: its kind with out and *ret_len; -E2BIG if it is longer than HT_GLOB_MAX. */
int component_canonicalize(const void *text, size_t len, uint8_t out[HT_GLOB_MAX], size_t *ret_len);

/* Does the pattern match the name? Linear in space, product of the lengths in time. Exact. */
bool component_match(struct component pattern, const void *name, size_t len);

/* No name matches both. Exact over names of any length; "false" is always safe. */
bool component_disjoint(struct component a, struct component b);

/* Every name that a matches, b matches. May miss some ("false" is always safe), never invents one.
 */
bool component_implies(struct component a, struct component b);

/* What is known of two wildcards of one state. */
#define COMPONENT_DISJOINT (1U << 0)
#define COMPONENT_IMPLIES (1U << 1) /* the first implies the second */

/* Every set of wildcards that some name can match, the empty set left out; sets nobody can match
 * may be among them. relation[i][j]: COMPONENT_* of wildcard i to wildcard j. n <= HT_GLOBS_MAX.
 * masks: room for max sets, filled in rising order. Return: number of sets, or max + 1 if there are
 * more (masks is of no use then). */
size_t component_combine(uint8_t relation[HT_GLOBS_MAX][HT_GLOBS_MAX], unsigned n, uint32_t *masks,
			 size_t max);
