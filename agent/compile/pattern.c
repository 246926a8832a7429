/* SPDX-License-Identifier: Apache-2.0 */

/*
 * The algebra of one component's pattern, and the sets of wildcards a name can match.
 *
 * Why the pruning of component_combine() loses nothing: let S be the set of wildcards that some
 * name matches. (1) No two members are disjoint, since the name is in both; so dropping sets with a
 * disjoint pair never drops S. (2) If i is in S and i implies j, the name matches j, so j is in S;
 * so dropping sets that lack an implied member never drops S. Both facts are used only where
 * component_disjoint() and component_implies() say yes, and both say yes only when it is so (see
 * there). All remaining sets are listed.
 */

#include "compile/pattern.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

int component_canonicalize(const void *text, size_t len, uint8_t out[HT_GLOB_MAX], size_t *ret_len)
{
	const uint8_t *p = text;
	size_t n = 0;
	bool star = false, wild = false;

	for (size_t i = 0; i < len; i++) {
		bool last = i + 1 == len || (p[i + 1] != '*' && p[i + 1] != '?');

		if (p[i] == '*') {
			wild = star = true;
		} else {
			if (n == HT_GLOB_MAX)
				return -E2BIG;
			out[n++] = p[i];
			wild |= p[i] == '?';
		}
		if (star && last) {
			if (n == HT_GLOB_MAX)
				return -E2BIG;
			out[n++] = '*';
			star = false;
		}
	}
	*ret_len = n;
	if (!wild)
		return COMPONENT_LITERAL;
	return n == 1 && out[0] == '*' ? COMPONENT_ANY : COMPONENT_GLOB;
}

/* Greedy with one step back: when a later star is reached, an earlier one needs no other try,
 * because whatever it could still take, the later star can take instead. */
bool component_match(struct component pattern, const void *name, size_t len)
{
	const uint8_t *p = pattern.text, *s = name;
	size_t i = 0, j = 0, star = SIZE_MAX, from = 0;

	while (j < len) {
		if (i < pattern.len && p[i] == '*') {
			star = i++;
			from = j;
		} else if (i < pattern.len && (p[i] == '?' || p[i] == s[j])) {
			i++;
			j++;
		} else if (star != SIZE_MAX) {
			i = star + 1;
			j = ++from;
		} else {
			return false;
		}
	}
	while (i < pattern.len && p[i] == '*')
		i++;
	return i == pattern.len;
}

static bool token_compatible(uint8_t a, uint8_t b)
{
	return a == b || a == '?' || b == '?';
}

/* A cheap "surely disjoint": the tokens before the first star of either differ. */
static bool component_heads_differ(struct component a, struct component b)
{
	for (size_t i = 0; i < a.len && i < b.len; i++) {
		if (a.text[i] == '*' || b.text[i] == '*')
			return false;
		if (!token_compatible(a.text[i], b.text[i]))
			return true;
	}
	return false;
}

static bool component_tails_differ(struct component a, struct component b)
{
	for (size_t i = 1; i <= a.len && i <= b.len; i++) {
		uint8_t x = a.text[a.len - i], y = b.text[b.len - i];

		if (x == '*' || y == '*')
			return false;
		if (!token_compatible(x, y))
			return true;
	}
	return false;
}

/* meet[j] at step i: some string is matched by a[i..] and by b[j..]. Filled from the ends: a star
 * matches nothing (its own tail goes on), or swallows one token of the other side; two single
 * tokens meet if one byte suits both. A string common to both always decomposes so, and each step
 * names a byte (or none), so the answer is exact. */
bool component_disjoint(struct component a, struct component b)
{
	bool meet[HT_GLOB_MAX + 2] = {}, diagonal, old;

	if (component_heads_differ(a, b) || component_tails_differ(a, b))
		return true;
	for (size_t i = a.len + 1; i-- > 0;) {
		diagonal = false; /* meet[j + 1] of the step before */
		for (size_t j = b.len + 1; j-- > 0;) {
			bool star_a = i < a.len && a.text[i] == '*';
			bool star_b = j < b.len && b.text[j] == '*';
			bool right = j < b.len && meet[j + 1];

			old = meet[j];
			if (i == a.len && j == b.len)
				meet[j] = true;
			else if (star_a || star_b)
				meet[j] = (i < a.len && old) || right;
			else
				meet[j] = i < a.len && j < b.len && diagonal &&
					  token_compatible(a.text[i], b.text[j]);
			/* a star swallows a token of the other side only if there is one;
			 * `old` and `right` are exactly those two moves */
			diagonal = old;
		}
	}
	return !meet[0];
}

/* b matches a read as a text of tokens, where a's `*` can only be taken by b's `*`, and a's `?`
 * only by `?` or `*`. Then any name that a matches, cut as a's tokens cut it, is matched by b piece
 * by piece: b's `*` takes any pieces, b's `?` exactly one byte, a byte itself. So "true" is a
 * proof. */
bool component_implies(struct component a, struct component b)
{
	const uint8_t *p = b.text, *s = a.text;
	size_t i = 0, j = 0, star = SIZE_MAX, from = 0;

	while (j < a.len) {
		if (i < b.len && p[i] == '*') {
			star = i++;
			from = j;
		} else if (i < b.len && s[j] != '*' && (p[i] == '?' || p[i] == s[j])) {
			i++;
			j++;
		} else if (star != SIZE_MAX) {
			i = star + 1;
			j = ++from;
		} else {
			return false;
		}
	}
	while (i < b.len && p[i] == '*')
		i++;
	return i == b.len;
}

struct combine {
	uint32_t needs[HT_GLOBS_MAX]; /* closed under implication, itself included */
	uint32_t clash[HT_GLOBS_MAX];
	unsigned n;
	uint32_t *masks;
	size_t count;
	size_t max;
};

/* Members below bit i are decided: `in` (closed under implication) and `out`. Leaving everything
 * else out is always a valid end, so the search never wanders without finding a set. */
static void combine_step(struct combine *c, unsigned i, uint32_t in, uint32_t out)
{
	if (c->count > c->max)
		return;
	if (i == c->n) {
		if (in == 0)
			return;
		if (c->count < c->max)
			c->masks[c->count] = in;
		c->count++;
		return;
	}
	if (in & (1U << i)) {
		combine_step(c, i + 1, in, out);
		return;
	}
	combine_step(c, i + 1, in, out | 1U << i);
	if (!(c->needs[i] & out) && !(c->clash[i] & (in | c->needs[i])))
		combine_step(c, i + 1, in | c->needs[i], out);
}

static void combine_prepare(struct combine *c, uint8_t relation[HT_GLOBS_MAX][HT_GLOBS_MAX])
{
	uint32_t direct[HT_GLOBS_MAX] = {};

	for (unsigned i = 0; i < c->n; i++) {
		c->needs[i] = 1U << i;
		for (unsigned j = 0; j < c->n; j++) {
			if (i != j && (relation[i][j] & COMPONENT_IMPLIES))
				c->needs[i] |= 1U << j;
			if (i != j && (relation[i][j] & COMPONENT_DISJOINT))
				direct[i] |= 1U << j;
		}
	}
	for (unsigned k = 0; k < c->n; k++)
		for (unsigned i = 0; i < c->n; i++)
			if (c->needs[i] & (1U << k))
				c->needs[i] |= c->needs[k];
	/* i clashes with j if anything i brings along is disjoint from anything j brings along. */
	for (unsigned i = 0; i < c->n; i++) {
		uint32_t against = 0;

		for (unsigned j = 0; j < c->n; j++)
			if (c->needs[i] & (1U << j))
				against |= direct[j];
		for (unsigned j = 0; j < c->n; j++)
			if (c->needs[j] & against)
				c->clash[i] |= 1U << j;
	}
}

static int mask_compare(const void *a, const void *b)
{
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

	return x < y ? -1 : x > y;
}

size_t component_combine(uint8_t relation[HT_GLOBS_MAX][HT_GLOBS_MAX], unsigned n, uint32_t *masks,
			 size_t max)
{
	struct combine c = {.n = n, .masks = masks, .max = max};

	combine_prepare(&c, relation);
	combine_step(&c, 0, 0, 0);
	if (c.count <= max)
		qsort(masks, c.count, sizeof(*masks), mask_compare);
	return c.count;
}
