/* SPDX-License-Identifier: Apache-2.0 */

/*
 * What is refused somewhere below a place, for a directory that would be renamed: a pass over the finished pairs.
 *
 * States and edges form a graph that is a tree but for wildcards that lead back. So what holds below a state is
 * gathered along its edges until nothing is added any more; it only grows, and there are few bits.
 */

#include "compile/below.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "compile/array.h"
#include "util/cleanup.h"

struct below {
	uint32_t ops;  /* HT_OP_* beyond the defaults */
	uint64_t rule; /* one that refuses some of them */
};

struct below_pass {
	struct image_pair *pairs;
	size_t n_pairs;
	struct below *states; /* by number */
	size_t n_states;
	uint32_t defaults;
};

static void below_pass_deinit(struct below_pass *p)
{
	free(p->states);
}

static bool pair_is_edge(const struct image_pair *pair)
{
	return pair->key.kind == HT_EDGE_NAME || pair->key.kind == HT_EDGE_MASK ||
	       pair->key.kind == HT_EDGE_ELSE;
}

static bool pair_leads(const struct image_pair *pair)
{
	return pair_is_edge(pair) || pair->key.kind == HT_EDGE_START;
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

static const struct ht_entry *pass_lookup(const struct below_pass *p, uint32_t state, uint32_t kind,
					  uint64_t name)
{
	struct image_pair key = {.key = {.state = state, .kind = kind, .name = name}}, *pair;

	pair = bsearch(&key, p->pairs, p->n_pairs, sizeof(*p->pairs), pair_compare);
	return pair ? &pair->entry : NULL;
}

/* Refused here under whatever condition, beyond the defaults. */
static uint32_t pass_ops(const struct below_pass *p, const struct ht_entry *e)
{
	return (uint32_t)(e->deny | e->image | e->cond) & ~p->defaults;
}

/* A rule of the place that an edge leads to. */
static uint64_t pass_rule(const struct below_pass *p, const struct ht_entry *e)
{
	static const uint32_t classes[] = {HT_RULE_DENY, HT_RULE_IMAGE};
	const uint32_t refused[] = {e->deny & ~p->defaults, e->image & ~p->defaults};
	const struct ht_entry *rule;

	for (size_t i = 0; i < sizeof(classes) / sizeof(classes[0]); i++) {
		if (refused[i] == 0)
			continue;
		rule = pass_lookup(p, e->next, HT_EDGE_RULE,
				   HT_RULE_KEY(classes[i], (uint32_t)__builtin_ctz(refused[i])));
		if (!rule)
			rule = pass_lookup(p, e->next, HT_EDGE_RULE,
					   HT_RULE_KEY(classes[i], HT_RULE_COMMON));
		if (rule)
			return rule->rule;
	}
	rule = pass_lookup(p, e->next, HT_EDGE_COND_RULE, 0);
	return rule ? rule->rule : 0;
}

/* What one edge adds to the state it begins at. Return: whether anything. */
static bool pass_edge(struct below_pass *p, const struct image_pair *pair)
{
	const struct ht_entry *e = &pair->entry;
	struct below *from = &p->states[pair->key.state];
	uint32_t here = pass_ops(p, e), ops = here;
	uint64_t rule = 0;

	if (!(e->flags & HT_ENTRY_FINAL))
		ops |= p->states[e->next].ops;
	if (ops == 0)
		return false;
	if (from->rule == 0) {
		rule = here != 0 ? pass_rule(p, e) : p->states[e->next].rule;
		from->rule = rule;
	}
	if ((from->ops | ops) == from->ops)
		return rule != 0;
	from->ops |= ops;
	return true;
}

static int pass_begin(struct below_pass *p)
{
	const struct ht_entry *other = pass_lookup(p, HT_STATE_HEADER, HT_EDGE_OTHER, 0);

	if (!other)
		return -EINVAL;
	p->defaults = (uint32_t)(other->deny | other->image | other->cond);
	for (size_t i = 0; i < p->n_pairs; i++) {
		const struct image_pair *pair = &p->pairs[i];
		size_t last = pair_leads(pair) && pair->entry.next > pair->key.state ?
				      pair->entry.next :
				      pair->key.state;

		if (last >= p->n_states)
			p->n_states = last + 1;
	}
	p->states = calloc(p->n_states, sizeof(*p->states));
	return p->states ? 0 : -ENOMEM;
}

/* Put it down: in each entry that leads somewhere, and a rule for each state. */
static int pass_write(struct below_pass *p, size_t max)
{
	size_t n = p->n_pairs, size = p->n_pairs;

	for (size_t i = 0; i < n; i++) {
		struct ht_entry *e = &p->pairs[i].entry;

		if (pair_leads(&p->pairs[i]))
			e->below = e->flags & HT_ENTRY_FINAL ? pass_ops(p, e) :
							       p->states[e->next].ops;
	}
	for (size_t i = 0; i < p->n_states; i++) {
		if (p->states[i].ops == 0)
			continue;
		if (p->n_pairs >= max)
			return BELOW_E_FULL;
		if (array_reserve(p->pairs, size, p->n_pairs + 1) < 0)
			return -ENOMEM;
		p->pairs[p->n_pairs++] = (struct image_pair){
			.key = {.state = (uint32_t)i,
				.kind = HT_EDGE_RULE,
				.name = HT_RULE_KEY(HT_RULE_BELOW, HT_RULE_COMMON)},
			.entry = {.rule = p->states[i].rule},
		};
	}
	qsort(p->pairs, p->n_pairs, sizeof(*p->pairs), pair_compare);
	return 0;
}

int below_mark(struct image_pair **pairs, size_t *n_pairs, size_t max)
{
	_cleanup_(below_pass_deinit) struct below_pass p = {.pairs = *pairs, .n_pairs = *n_pairs};
	bool changed;
	int r;

	r = pass_begin(&p);
	if (r < 0)
		return r;
	do {
		changed = false;
		for (size_t i = p.n_pairs; i-- > 0;)
			if (pair_is_edge(&p.pairs[i]))
				changed |= pass_edge(&p, &p.pairs[i]);
	} while (changed);
	r = pass_write(&p, max);
	*pairs = p.pairs;
	*n_pairs = p.n_pairs;
	return r;
}
