/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Subset construction over path components.
 *
 * An item is a pattern and how far it has come: its number and one of four kinds in the low bits.
 * How many components a LIVE item has behind it is the depth of its node, so it needs no place in
 * the item; the depth is part of the node's key. Patterns that may end at any depth and start at the
 * root ("unit:" of the cgroup matcher) are under way everywhere; they are kept out of the sets, which
 * would otherwise carry all of them all the time.
 *
 * Size is bounded three ways, each ending in a diagnostic: states, items kept, items touched. The
 * last two bound memory and time when few states are made of many patterns each.
 */

#include "compile/automaton.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "compile/array.h"
#include "util/cleanup.h"

#define ITEM_LIVE 0U	 /* waits for component number `depth` of its pattern */
#define ITEM_HERE 1U	 /* matches this very path */
#define ITEM_ABSORBED 2U /* matches this path and all below */
#define ITEM_LOOP 3U	 /* waits for its loop component, here and everywhere below */
#define ITEM_KIND(item) ((item)&3U)
#define ITEM_PATTERN(item) ((item) >> 2)
#define ITEM(pattern, kind) ((uint32_t)(pattern) << 2 | (kind))

/* 64 MiB of item sets; some seconds of work at the very worst. Common policies stay below a
 * thousandth of either. */
#define ITEMS_KEPT_MAX (16U << 20)
#define ITEMS_TOUCHED_MAX (256U << 20)

/* An item that goes on if the component matches one or two wildcards. */
struct candidate {
	uint32_t item;
	uint32_t glob; /* component ids, then bits */
	uint32_t also;
	uint32_t bits;
};

#define RELATION_CACHE 4096U /* entries; a miss only costs time */

struct relation {
	uint64_t pair; /* ids + 1 of both, 0: free */
	uint8_t known; /* COMPONENT_* */
};

/* Scratch of one construction. */
struct builder {
	struct automaton *a;
	const struct input *in;
	uint32_t *implicit; /* patterns under way everywhere */
	size_t n_implicit;
	size_t implicit_size;

	uint32_t node;	 /* being expanded */
	uint32_t *items; /* of the node; sets may move while new ones come */
	size_t n_items;
	size_t items_size;
	uint32_t *base; /* items every successor has */
	size_t n_base;
	size_t base_size;
	uint64_t *names; /* component id << 32 | item, sorted */
	size_t n_names;
	size_t names_size;
	struct candidate *candidates;
	size_t n_candidates;
	size_t candidates_size;
	uint32_t globs[HT_GLOBS_MAX]; /* component ids, rising */
	uint32_t n_globs;
	uint8_t relation[HT_GLOBS_MAX][HT_GLOBS_MAX];
	uint32_t masks[IMAGE_MASKS_MAX];

	uint32_t *set; /* the successor: depth and items; then what is kept of it */
	size_t n_set;
	size_t set_size;
	uint32_t *matched;
	size_t matched_size;
	uint32_t *binds;
	size_t binds_size;
	uint8_t *verdict; /* encoded */
	size_t verdict_size;

	size_t kept;
	size_t touched;
	struct relation *cache;
};

static void builder_deinit(struct builder *b)
{
	free(b->implicit);
	free(b->items);
	free(b->base);
	free(b->names);
	free(b->candidates);
	free(b->set);
	free(b->matched);
	free(b->binds);
	free(b->verdict);
	free(b->cache);
}

/* The pattern to name in a diagnostic about the node being expanded: one with a wildcard at this
 * place, else any. */
static const struct input_pattern *builder_culprit(const struct builder *b)
{
	if (b->n_candidates > 0)
		return &b->in->patterns[ITEM_PATTERN(b->candidates[b->n_candidates - 1].item)];
	if (b->n_items > 0)
		return &b->in->patterns[ITEM_PATTERN(b->items[b->n_items - 1])];
	return &b->in->patterns[b->in->n_patterns - 1];
}

#define builder_error(b, ...)                                                                      \
	input_error((b)->in->diags, builder_culprit(b)->policy, builder_culprit(b)->location,      \
		    __VA_ARGS__)

static int builder_too_big(const struct builder *b)
{
	return builder_error(b, "%s needs more than %u states, or too many rules in each: %s",
			     b->in->subject, IMAGE_STATES_MAX, b->in->remedy);
}

/* ---- states ---- */

/* Verdict of the set's items of the given kinds. */
static int builder_judge(struct builder *b, const uint32_t *items, size_t n, bool absorbed_only,
			 uint32_t *ret_verdict)
{
	struct automaton *a = b->a;
	struct automaton_verdict verdict = {};
	size_t n_matched = 0, n_binds = 0, len;
	int r;

	if (array_reserve(b->matched, b->matched_size, n) < 0 ||
	    array_reserve(b->binds, b->binds_size, n) < 0 ||
	    array_reserve(b->verdict, b->verdict_size, VERDICT_SIZE_MAX + n * sizeof(uint32_t)) < 0)
		return -ENOMEM;
	for (size_t i = 0; i < n; i++)
		if (ITEM_KIND(items[i]) == ITEM_ABSORBED ||
		    (!absorbed_only && ITEM_KIND(items[i]) == ITEM_HERE))
			b->matched[n_matched++] = ITEM_PATTERN(items[i]);
	r = a->judge(a->userdata, b->matched, n_matched, &verdict, b->binds, &n_binds);
	if (r != 0)
		return r;
	assert(n_binds <= n_matched);
	len = verdict_encode(&verdict, b->binds, n_binds, b->verdict);
	r = intern_put(&a->verdicts, b->verdict, len, ret_verdict);
	return r < 0 ? r : 0;
}

static int builder_new_node(struct builder *b, uint32_t id, const uint32_t *set, size_t n_set)
{
	struct automaton *a = b->a;
	struct automaton_node node = {
		.depth = set[0],
		.loop = b->n_implicit > 0,
		.other = AUTOMATON_NONE,
		.class = AUTOMATON_NONE,
	};
	int r;

	for (size_t i = 1; i < n_set; i++)
		node.loop |= ITEM_KIND(set[i]) == ITEM_LOOP;
	if (node.depth == AUTOMATON_NONE && !node.loop) {
		r = builder_judge(b, set + 1, n_set - 1, true, &node.constant);
		if (r != 0)
			return r;
	}
	if (array_reserve(a->nodes, a->nodes_size, (size_t)id + 1) < 0)
		return -ENOMEM;
	a->nodes[id] = node;
	b->kept += n_set;
	if (b->kept > ITEMS_KEPT_MAX)
		return builder_too_big(b);
	return 0;
}

/* The state of b->set: its verdict, and the node of what is left under way. */
static int builder_state(struct builder *b, uint32_t depth, uint32_t *ret_state)
{
	struct automaton *a = b->a;
	struct automaton_state state = {};
	bool live = false;
	size_t n = 1;
	int r;

	b->touched += b->n_set + 1;
	if (b->touched > ITEMS_TOUCHED_MAX)
		return builder_too_big(b);
	u32_sort(b->set + 1, b->n_set - 1);
	r = builder_judge(b, b->set + 1, b->n_set - 1, false, &state.verdict);
	if (r != 0)
		return r;
	for (size_t i = 1; i < b->n_set; i++) {
		if (ITEM_KIND(b->set[i]) == ITEM_HERE)
			continue;
		live |= ITEM_KIND(b->set[i]) == ITEM_LIVE;
		b->set[n++] = b->set[i];
	}
	b->set[0] = live ? depth : AUTOMATON_NONE;
	r = intern_put(&a->sets, b->set, n * sizeof(*b->set), &state.node);
	if (r < 0)
		return r;
	if (r == INTERN_NEW) {
		r = builder_new_node(b, state.node, b->set, n);
		if (r != 0)
			return r;
	}
	r = intern_put(&a->states, &state, sizeof(state), ret_state);
	if (r < 0)
		return r;
	return a->states.n > IMAGE_STATES_MAX ? builder_too_big(b) : 0;
}

static int builder_set_start(struct builder *b)
{
	if (array_reserve(b->set, b->set_size, b->n_base + 1) < 0)
		return -ENOMEM;
	b->set[0] = AUTOMATON_NONE;
	if (b->n_base > 0)
		memcpy(b->set + 1, b->base, b->n_base * sizeof(*b->base));
	b->n_set = b->n_base + 1;
	return 0;
}

static int builder_set_add(struct builder *b, uint32_t item)
{
	if (array_reserve(b->set, b->set_size, b->n_set + 1) < 0)
		return -ENOMEM;
	b->set[b->n_set++] = item;
	return 0;
}

static int builder_set_add_globs(struct builder *b, uint32_t mask)
{
	int r = 0;

	if (mask == 0)
		return 0;
	for (size_t i = 0; i < b->n_candidates && r == 0; i++)
		if ((b->candidates[i].bits & ~mask) == 0)
			r = builder_set_add(b, b->candidates[i].item);
	b->touched += b->n_candidates;
	return r;
}

/* ---- what a component does to the items of a node ---- */

/* The item goes on as `next` if the component matches. */
static int builder_test(struct builder *b, uint32_t component, uint32_t also, uint32_t next)
{
	switch ((enum component_kind)b->in->kinds[component]) {
	case COMPONENT_ANY:
		assert(also == AUTOMATON_NONE);
		if (array_reserve(b->base, b->base_size, b->n_base + 1) < 0)
			return -ENOMEM;
		b->base[b->n_base++] = next;
		return 0;
	case COMPONENT_LITERAL:
		assert(also == AUTOMATON_NONE);
		if (array_reserve(b->names, b->names_size, b->n_names + 1) < 0)
			return -ENOMEM;
		b->names[b->n_names++] = (uint64_t)component << 32 | next;
		return 0;
	case COMPONENT_GLOB:
		break;
	}
	if (array_reserve(b->candidates, b->candidates_size, b->n_candidates + 1) < 0)
		return -ENOMEM;
	b->candidates[b->n_candidates++] =
		(struct candidate){.item = next, .glob = component, .also = also};
	return 0;
}

static uint32_t item_arrived(const struct input_pattern *p, uint32_t pattern)
{
	if (p->subtree)
		return ITEM(pattern, ITEM_ABSORBED);
	if (p->loop != AUTOMATON_NONE)
		return ITEM(pattern, ITEM_LOOP);
	return ITEM(pattern, ITEM_HERE);
}

static int builder_step_item(struct builder *b, uint32_t item, uint32_t depth)
{
	uint32_t pattern = ITEM_PATTERN(item), next;
	const struct input_pattern *p = &b->in->patterns[pattern];
	bool last;

	if (ITEM_KIND(item) == ITEM_LIVE) {
		last = depth + 1 == p->n;
		next = last ? item_arrived(p, pattern) : item;
		return builder_test(b, b->in->sequence[p->first + depth],
				    last ? p->also : AUTOMATON_NONE, next);
	}
	if (array_reserve(b->base, b->base_size, b->n_base + 1) < 0)
		return -ENOMEM;
	b->base[b->n_base++] = item; /* absorbed and looping items stay */
	if (ITEM_KIND(item) == ITEM_LOOP)
		return builder_test(b, p->loop, AUTOMATON_NONE, ITEM(pattern, ITEM_HERE));
	return 0;
}

static int builder_add_glob(struct builder *b, uint32_t component)
{
	uint32_t i = 0;

	while (i < b->n_globs && b->globs[i] < component)
		i++;
	if (i < b->n_globs && b->globs[i] == component)
		return 0;
	if (b->n_globs == HT_GLOBS_MAX)
		return builder_error(
			b,
			"more than %u different wildcard patterns compete for one path "
			"component: merge some of them, or write \"*\"",
			HT_GLOBS_MAX);
	memmove(b->globs + i + 1, b->globs + i, (b->n_globs - i) * sizeof(*b->globs));
	b->globs[i] = component;
	b->n_globs++;
	return 0;
}

static uint32_t builder_glob_bit(const struct builder *b, uint32_t component)
{
	for (uint32_t i = 0; i < b->n_globs; i++)
		if (b->globs[i] == component)
			return 1U << i;
	return 0;
}

/* Number the node's wildcards. */
static int builder_number_globs(struct builder *b)
{
	int r;

	b->n_globs = 0;
	for (size_t i = 0; i < b->n_candidates; i++) {
		r = builder_add_glob(b, b->candidates[i].glob);
		if (r == 0 && b->candidates[i].also != AUTOMATON_NONE)
			r = builder_add_glob(b, b->candidates[i].also);
		if (r != 0)
			return r;
	}
	for (size_t i = 0; i < b->n_candidates; i++) {
		struct candidate *c = &b->candidates[i];

		c->bits = builder_glob_bit(b, c->glob);
		if (c->also != AUTOMATON_NONE)
			c->bits |= builder_glob_bit(b, c->also);
	}
	return 0;
}

/* ---- edges ---- */

/* Comparing two texts costs at most the product of their lengths: hostile patterns pay for it. */
static void builder_charge(struct builder *b, struct component c, size_t len)
{
	b->touched += 1 + c.len * len / 16;
}

static uint8_t builder_relation(struct builder *b, uint32_t x, uint32_t y)
{
	uint64_t pair = ((uint64_t)x + 1) << 32 | ((uint64_t)y + 1);
	struct relation *slot =
		&b->cache[(pair * 0x9e3779b97f4a7c15ULL >> 32) & (RELATION_CACHE - 1)];
	struct component p, q;

	if (slot->pair == pair)
		return slot->known;
	p = input_component(b->in, x);
	q = input_component(b->in, y);
	builder_charge(b, p, q.len);
	*slot = (struct relation){.pair = pair};
	if (component_disjoint(p, q))
		slot->known |= COMPONENT_DISJOINT;
	if (component_implies(p, q))
		slot->known |= COMPONENT_IMPLIES;
	return slot->known;
}

static int builder_add_edge(struct builder *b, uint32_t label, uint32_t mask, uint32_t target)
{
	struct automaton *a = b->a;

	if (array_reserve(a->edges, a->edges_size, a->n_edges + 1) < 0)
		return -ENOMEM;
	a->edges[a->n_edges++] =
		(struct automaton_edge){.label = label, .mask = mask, .target = target};
	return 0;
}

static uint32_t builder_match_globs(struct builder *b, uint32_t component)
{
	struct component name = input_component(b->in, component);
	uint32_t mask = 0;

	for (uint32_t i = 0; i < b->n_globs; i++) {
		struct component glob = input_component(b->in, b->globs[i]);

		builder_charge(b, glob, name.len);
		if (component_match(glob, name.text, name.len))
			mask |= 1U << i;
	}
	return mask;
}

/* An edge for each distinct literal, with everything the wildcards say about that very name. */
static int builder_name_edges(struct builder *b, uint32_t depth, uint32_t *ret_n)
{
	uint32_t n = 0, target, mask, component;
	int r;

	u64_sort(b->names, b->n_names);
	for (size_t i = 0; i < b->n_names; n++) {
		component = (uint32_t)(b->names[i] >> 32);
		mask = builder_match_globs(b, component);
		r = builder_set_start(b);
		for (; r == 0 && i < b->n_names && b->names[i] >> 32 == component; i++)
			r = builder_set_add(b, (uint32_t)b->names[i]);
		if (r == 0)
			r = builder_set_add_globs(b, mask);
		if (r == 0)
			r = builder_state(b, depth, &target);
		if (r == 0)
			r = builder_add_edge(b, component, mask, target);
		if (r != 0)
			return r;
	}
	*ret_n = n;
	return 0;
}

static int builder_mask_edges(struct builder *b, uint32_t depth, uint32_t *ret_n)
{
	uint32_t target;
	size_t n;
	int r;

	for (uint32_t i = 0; i < b->n_globs; i++)
		for (uint32_t j = 0; j < b->n_globs; j++)
			b->relation[i][j] = builder_relation(b, b->globs[i], b->globs[j]);
	n = component_combine(b->relation, b->n_globs, b->masks, IMAGE_MASKS_MAX);
	if (n > IMAGE_MASKS_MAX)
		return builder_error(
			b,
			"the wildcard patterns that compete for one path component can "
			"match in more than %u combinations: give them different "
			"beginnings or ends, or use fewer",
			IMAGE_MASKS_MAX);
	for (size_t i = 0; i < n; i++) {
		r = builder_set_start(b);
		if (r == 0)
			r = builder_set_add_globs(b, b->masks[i]);
		if (r == 0)
			r = builder_state(b, depth, &target);
		if (r == 0)
			r = builder_add_edge(b, b->masks[i], b->masks[i], target);
		if (r != 0)
			return r;
	}
	*ret_n = (uint32_t)n;
	return 0;
}

/* Sort the node's items by what the next component does to them. */
static int builder_step_items(struct builder *b, uint32_t depth)
{
	const uint32_t *set;
	size_t len;
	int r;

	b->n_items = b->n_base = b->n_names = b->n_candidates = 0;
	set = intern_get(&b->a->sets, b->node, &len);
	if (array_reserve(b->items, b->items_size, len / sizeof(*set)) < 0)
		return -ENOMEM;
	b->n_items = len / sizeof(*set) - 1;
	memcpy(b->items, set + 1, b->n_items * sizeof(*set));
	for (size_t i = 0; i < b->n_items; i++) {
		r = builder_step_item(b, b->items[i], depth);
		if (r < 0)
			return r;
	}
	for (size_t i = 0; i < b->n_implicit; i++) {
		uint32_t p = b->implicit[i];

		r = builder_test(b, b->in->patterns[p].loop, AUTOMATON_NONE, ITEM(p, ITEM_HERE));
		if (r < 0)
			return r;
	}
	u32_sort(b->base, b->n_base);
	b->touched += b->n_items + b->n_implicit;
	return builder_number_globs(b);
}

static int builder_expand(struct builder *b)
{
	struct automaton *a = b->a;
	uint32_t depth = a->nodes[b->node].depth, next, n_names, n_masks = 0, other;
	size_t first_edge = a->n_edges, first_glob = a->n_globs;
	int r;

	r = builder_step_items(b, depth);
	if (r != 0)
		return r;
	next = depth == AUTOMATON_NONE ? AUTOMATON_NONE : depth + 1;
	r = builder_name_edges(b, next, &n_names);
	if (r == 0)
		r = builder_mask_edges(b, next, &n_masks);
	if (r == 0)
		r = builder_set_start(b);
	if (r == 0)
		r = builder_state(b, next, &other);
	if (r != 0)
		return r;
	if (array_reserve(a->globs, a->globs_size, a->n_globs + b->n_globs) < 0)
		return -ENOMEM;
	if (b->n_globs > 0)
		memcpy(a->globs + a->n_globs, b->globs, b->n_globs * sizeof(*b->globs));
	a->n_globs += b->n_globs;

	a->nodes[b->node].first_edge = first_edge;
	a->nodes[b->node].first_glob = first_glob;
	a->nodes[b->node].n_names = n_names;
	a->nodes[b->node].n_masks = n_masks;
	a->nodes[b->node].n_globs = b->n_globs;
	a->nodes[b->node].other = other;
	return 0;
}

/* Everything under way at the root. */
static int builder_start(struct builder *b)
{
	const struct input *in = b->in;
	uint32_t nothing;
	int r;

	r = builder_judge(b, NULL, 0, false, &nothing); /* verdict 0 */
	if (r != 0)
		return r;
	b->n_base = 0;
	r = builder_set_start(b);
	for (uint32_t i = 0; i < in->n_patterns && r == 0; i++) {
		const struct input_pattern *p = &in->patterns[i];

		if (p->n == 0 && p->loop != AUTOMATON_NONE) {
			r = array_reserve(b->implicit, b->implicit_size, b->n_implicit + 1);
			if (r == 0)
				b->implicit[b->n_implicit++] = i;
		} else {
			r = builder_set_add(b, p->n == 0 ? item_arrived(p, i) : ITEM(i, ITEM_LIVE));
		}
	}
	return r != 0 ? r : builder_state(b, 0, &b->a->start);
}

int automaton_build(struct automaton *a, const struct input *input, automaton_judge judge,
		    const void *userdata)
{
	_cleanup_(builder_deinit) struct builder b = {.a = a, .in = input};
	int r;

	a->input = input;
	a->judge = judge;
	a->userdata = userdata;
	b.cache = calloc(RELATION_CACHE, sizeof(*b.cache));
	/* never NULL: those of a node are counted from here, also if no node has any */
	if (!b.cache || array_reserve(a->edges, a->edges_size, 1) < 0)
		return -ENOMEM;
	r = builder_start(&b);
	if (r != 0)
		return r;
	for (b.node = 0; b.node < a->sets.n; b.node++) {
		if (a->nodes[b.node].depth == AUTOMATON_NONE && !a->nodes[b.node].loop)
			continue;
		r = builder_expand(&b);
		if (r != 0)
			return r;
	}
	return 0;
}

void automaton_deinit(struct automaton *a)
{
	intern_deinit(&a->sets);
	intern_deinit(&a->verdicts);
	intern_deinit(&a->states);
	intern_deinit(&a->classes);
	free(a->nodes);
	free(a->edges);
	free(a->globs);
	*a = (struct automaton){};
}
