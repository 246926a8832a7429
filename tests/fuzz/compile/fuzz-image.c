/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Fuzz target of the image's reader, evaluate-image.c: whatever the pairs say, an evaluation ends
 * with an answer or with -EINVAL. Bytes: number of globs, number of components, then short pairs
 * and texts.
 */

#include <errno.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "compile/judge.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define MUST(condition)                                                                            \
	do {                                                                                       \
		if (!(condition)) {                                                                \
			fprintf(stderr, "%s:%d: %s\n", __FILE__, __LINE__, #condition);            \
			abort();                                                                   \
		}                                                                                  \
	} while (0)

static const struct ht_hash_key key = {.k0 = 1, .k1 = 2};

#define PAIRS_MAX 256U
#define GLOBS_MAX 8U

struct reader {
	const uint8_t *data;
	size_t left;
};

static uint32_t take(struct reader *r, size_t n)
{
	uint32_t value = 0;

	for (; n > 0 && r->left > 0; n--, r->left--)
		value = value << 8 | *r->data++;
	return value;
}

/* Names are hashes; a small number stands for the hash of a component of that number. */
static uint64_t take_name(struct reader *r, uint32_t kind, const struct image_component *c,
			  size_t n)
{
	uint32_t value = take(r, 2);

	if (kind == HT_EDGE_NAME && n > 0)
		return ht_hash_name(&key, c[value % n].name, c[value % n].len);
	return value;
}

static int pair_compare(const void *a, const void *b)
{
	const struct ht_edge_key *x = &((const struct image_pair *)a)->key,
				 *y = &((const struct image_pair *)b)->key;

	if (x->state != y->state)
		return x->state < y->state ? -1 : 1;
	if (x->kind != y->kind)
		return x->kind < y->kind ? -1 : 1;
	return x->name < y->name ? -1 : x->name > y->name;
}

static void read_pairs(struct reader *r, struct image_profile *p, const struct image_component *c,
		       size_t n)
{
	while (r->left > 0 && p->n_pairs < PAIRS_MAX) {
		struct image_pair *pair = &p->pairs[p->n_pairs++];

		pair->key.state = take(r, 1) & 15;
		pair->key.kind = take(r, 1) & 15;
		pair->key.name = take_name(r, pair->key.kind, c, n);
		pair->entry.next = take(r, 1);
		pair->entry.flags = take(r, 3);
		pair->entry.deny = (uint16_t)take(r, 2);
		pair->entry.audit = (uint16_t)take(r, 2);
		pair->entry.kill = (uint16_t)take(r, 1);
		pair->entry.image = (uint16_t)take(r, 2);
		pair->entry.cond = (uint16_t)take(r, 1);
		pair->entry.would = (uint16_t)take(r, 1);
	}
	qsort(p->pairs, p->n_pairs, sizeof(*p->pairs), pair_compare);
}

static void check_answer(const struct policy_answer *a, uint32_t ops)
{
	MUST(((a->deny | a->would | a->audit) & ~ops) == 0);
	MUST((a->kill & ~a->deny) == 0);
	MUST((a->deny & a->would) == 0 && (a->deny & a->audit) == 0 && (a->would & a->audit) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct image_component components[] = {
		{"usr", 3}, {"bin", 3}, {"a", 1}, {"ab", 2}, {"\xff*?", 3}};
	struct image_glob globs[GLOBS_MAX] = {};
	struct image_pair pairs[PAIRS_MAX] = {};
	struct image image = {.globs = globs};
	struct reader r = {data, size};
	struct policy_question q = {.components = components, .exe = components};
	struct policy_answer answer;
	uint32_t ids[HT_PROFILES_MAX];
	int found;

	q.n = take(&r, 1) % 6;
	q.n_exe = take(&r, 1) % 6;
	q.ops = take(&r, 4) & (HT_OP_ALL | HT_OPS_KERNEL);
	q.uid = take(&r, 1);
	q.nameless = take(&r, 1) & 1;
	q.writable = q.stacked = take(&r, 1) & 1;
	for (size_t i = 0; i < GLOBS_MAX; i++) {
		globs[i].id = (uint32_t)i;
		globs[i].glob.len = take(&r, 1); /* also of more than there are */
		globs[i].glob.text[0] = (uint8_t)take(&r, 1);
		globs[i].glob.text[1] = '*';
	}
	image.n_globs = GLOBS_MAX;
	image.matcher.pairs = pairs;
	read_pairs(&r, &image.matcher, components, 5);
	found = image_evaluate(&image, &image.matcher, &key, &q, &answer);
	MUST(found == 0 || found == -EINVAL);
	if (found == 0)
		check_answer(&answer, q.ops);
	found = image_match_cgroup(&image, &key, "/usr/bin/a/ab", ids);
	MUST(found >= 0 || found == -EINVAL);
	return 0;
}
