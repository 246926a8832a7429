/* SPDX-License-Identifier: Apache-2.0 */

/*
 * A reduced automaton as pairs, sorted by key (state, kind, name).
 *
 * States are numbered breadth first from the start state; OTHER and START have their fixed numbers.
 * Every entry that leads to a state says what the walk needs to know of that state, so one map
 * lookup per component suffices in the kernel.
 */

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "compile/array.h"
#include "compile/automaton.h"
#include "util/cleanup.h"

/* One class about to be written under one number. */
struct emit_state {
	uint32_t class;
	uint32_t number;
};

struct emitter {
	struct emit *e;
	struct automaton *a;
	struct image_pair *pairs;
	size_t n_pairs;
	size_t pairs_size;
	uint32_t *numbers; /* by class, 0: not yet met */
	size_t n_numbers;
	size_t numbers_size;
	struct emit_state *queue;
	size_t n_queue;
	size_t queue_size;
	uint32_t next; /* free number */
	uint32_t deny; /* of all states */
	uint32_t audit;
};

/* What a class looks like from the edges that lead to it. */
struct emit_view {
	const struct automaton_node *node; /* NULL: no edges by name or wildcard */
	struct automaton_verdict verdict;
	uint32_t n_binds;
	uint32_t other; /* class of the ELSE edge, 0: none needed */
	bool final;
};

static void emitter_deinit(struct emitter *m)
{
	free(m->pairs);
	free(m->numbers);
	free(m->queue);
}

void emit_deinit(struct emit *e)
{
	intern_deinit(&e->glob_ids);
	free(e->globs);
	e->globs = NULL;
	e->n_globs = e->globs_size = 0;
}

/* The pattern to name in a diagnostic: one that has the component, else the last. */
static const struct input_pattern *emitter_culprit(const struct emitter *m, uint32_t component)
{
	const struct input *in = m->a->input;

	for (size_t i = 0; i < in->n_patterns && component != AUTOMATON_NONE; i++) {
		const struct input_pattern *p = &in->patterns[i];

		if (p->loop == component)
			return p;
		for (uint32_t j = 0; j < p->n; j++)
			if (in->sequence[p->first + j] == component)
				return p;
	}
	return &in->patterns[in->n_patterns - 1];
}

#define emitter_error(m, component, ...)                                                           \
	input_error((m)->a->input->diags, emitter_culprit(m, component)->policy,                   \
		    emitter_culprit(m, component)->location, __VA_ARGS__)

static int emitter_pair(struct emitter *m, uint32_t state, uint32_t kind, uint64_t name,
			struct ht_entry entry)
{
	if (m->n_pairs >= IMAGE_PAIRS_MAX)
		return emitter_error(m, AUTOMATON_NONE, "%s needs more than %u map entries: %s",
				     m->a->input->subject, IMAGE_PAIRS_MAX, m->a->input->remedy);
	if (array_reserve(m->pairs, m->pairs_size, m->n_pairs + 1) < 0)
		return -ENOMEM;
	m->pairs[m->n_pairs++] = (struct image_pair){
		.key = {.state = state, .kind = kind, .name = name},
		.entry = entry,
	};
	return 0;
}

static int emitter_view(struct emitter *m, uint32_t class, struct emit_view *ret)
{
	struct automaton_state state;
	size_t len;
	int r;

	memcpy(&state, intern_get(&m->a->classes, class, NULL), sizeof(state));
	*ret = (struct emit_view){};
	memcpy(&ret->verdict, intern_get(&m->a->verdicts, state.verdict, &len),
	       sizeof(ret->verdict));
	ret->n_binds = (uint32_t)((len - sizeof(ret->verdict)) / sizeof(uint32_t));
	if (!(state.node & AUTOMATON_CONSTANT)) {
		ret->node = &m->a->nodes[state.node];
		ret->other = ret->node->other;
		return 0;
	}
	if (state.node == (AUTOMATON_CONSTANT | state.verdict)) {
		ret->final = true;
		return 0;
	}
	/* Here one verdict, below it constantly another. */
	r = automaton_class(m->a, state.node, state.node & ~AUTOMATON_CONSTANT, &ret->other);
	return r;
}

/* Number of a class; a new one is queued to be written. */
static int emitter_number(struct emitter *m, uint32_t class, uint32_t *ret_number)
{
	while (m->n_numbers <= class) {
		if (array_reserve(m->numbers, m->numbers_size, m->n_numbers + 1) < 0)
			return -ENOMEM;
		m->numbers[m->n_numbers++] = 0;
	}
	if (m->numbers[class] == 0) {
		if (array_reserve(m->queue, m->queue_size, m->n_queue + 1) < 0)
			return -ENOMEM;
		m->numbers[class] = m->next++;
		m->queue[m->n_queue++] =
			(struct emit_state){.class = class, .number = m->numbers[class]};
	}
	*ret_number = m->numbers[class];
	return 0;
}

static int emitter_entry(struct emitter *m, uint32_t class, uint32_t number, struct ht_entry *ret)
{
	struct emit_view view;
	int r;

	r = emitter_view(m, class, &view);
	if (r < 0)
		return r;
	if (view.n_binds > UINT16_MAX)
		return emitter_error(m, AUTOMATON_NONE,
				     "more than %u policies select one cgroup: use fewer",
				     UINT16_MAX);
	*ret = (struct ht_entry){
		.next = number,
		.flags = view.n_binds << HT_ENTRY_COUNT_SHIFT,
		.deny = (uint16_t)view.verdict.deny,
		.audit = (uint16_t)view.verdict.audit,
	};
	if (view.final)
		ret->flags |= HT_ENTRY_FINAL;
	if (view.other != 0)
		ret->flags |= HT_ENTRY_ELSE;
	if (view.node && view.node->n_names > 0)
		ret->flags |= HT_ENTRY_NAMES;
	if (view.node)
		ret->flags |= view.node->n_globs;
	return 0;
}

static int emitter_edge(struct emitter *m, uint32_t state, uint32_t kind, uint64_t name,
			uint32_t class)
{
	struct ht_entry entry;
	uint32_t number;
	int r;

	r = emitter_number(m, class, &number);
	if (r == 0)
		r = emitter_entry(m, class, number, &entry);
	if (r != 0)
		return r;
	return emitter_pair(m, state, kind, name, entry);
}

static int pair_compare(const void *a, const void *b)
{
	const struct ht_edge_key *x = &((const struct image_pair *)a)->key,
				 *y = &((const struct image_pair *)b)->key;

	return x->name < y->name ? -1 : x->name > y->name;
}

/* Two names of one directory under one hash would share a verdict. Beyond chance (2^-64 each), so
 * the answer is to refuse and to name both. */
static int emitter_collision(struct emitter *m, const struct automaton_node *node, uint64_t hash)
{
	const struct automaton_edge *names = m->a->edges + node->first_edge;
	struct component found[2] = {};
	uint32_t last = AUTOMATON_NONE;
	size_t n = 0;

	for (uint32_t i = 0; i < node->n_names && n < ARRAY_LEN(found); i++) {
		struct component c = input_component(m->a->input, names[i].label);

		if (m->e->hash(m->e->key, c.text, c.len) != hash)
			continue;
		found[n++] = c;
		last = names[i].label;
	}
	return emitter_error(
		m, last,
		"names \"%.*s\" and \"%.*s\" of one directory have the same hash under "
		"this machine's key: leave out one of the rules, or replace the key",
		(int)found[0].len, (const char *)found[0].text, (int)found[1].len,
		(const char *)found[1].text);
}

static int emitter_names(struct emitter *m, uint32_t state, const struct automaton_node *node)
{
	size_t first = m->n_pairs;
	int r;

	/* Numbered in the order of the policy, then sorted: state numbers are the same under any
	 * key. */
	for (uint32_t i = 0; i < node->n_names; i++) {
		struct automaton_edge edge = m->a->edges[node->first_edge + i];
		struct component c = input_component(m->a->input, edge.label);

		r = emitter_edge(m, state, HT_EDGE_NAME, m->e->hash(m->e->key, c.text, c.len),
				 edge.target);
		if (r != 0)
			return r;
	}
	if (node->n_names == 0)
		return 0;
	qsort(m->pairs + first, m->n_pairs - first, sizeof(*m->pairs), pair_compare);
	for (size_t i = first + 1; i < m->n_pairs; i++)
		if (m->pairs[i].key.name == m->pairs[i - 1].key.name)
			return emitter_collision(m, node, m->pairs[i].key.name);
	return 0;
}

static int emitter_glob_id(struct emit *e, struct component c, uint32_t *ret_id)
{
	struct image_glob *glob;
	uint32_t index;
	int r;

	r = image_names_glob(e->names, c.text, c.len, ret_id);
	if (r < 0)
		return r;
	if (array_reserve(e->globs, e->globs_size, e->n_globs + 1) < 0)
		return -ENOMEM;
	r = intern_put(&e->glob_ids, ret_id, sizeof(*ret_id), &index);
	if (r != INTERN_NEW)
		return r;
	glob = &e->globs[e->n_globs++];
	*glob = (struct image_glob){.id = *ret_id, .glob = {.len = (uint32_t)c.len}};
	memcpy(glob->glob.text, c.text, c.len);
	return 0;
}

static int emitter_globs(struct emitter *m, uint32_t state, const struct automaton_node *node)
{
	for (uint32_t i = 0; i < node->n_globs; i++) {
		uint32_t component = m->a->globs[node->first_glob + i];
		struct ht_entry entry = {};
		int r;

		r = emitter_glob_id(m->e, input_component(m->a->input, component), &entry.next);
		if (r == 0)
			r = emitter_pair(m, state, HT_EDGE_GLOB, i, entry);
		if (r != 0)
			return r;
	}
	return 0;
}

static int emitter_rules(struct emitter *m, uint32_t state, const struct automaton_verdict *verdict)
{
	m->deny |= verdict->deny;
	m->audit |= verdict->audit;
	for (uint32_t op = 0; op < HT_OP_MAX; op++) {
		int r;

		if (!(verdict->deny & (1U << op)))
			continue;
		r = emitter_pair(m, state, HT_EDGE_RULE, op,
				 (struct ht_entry){.rule = verdict->rule[op]});
		if (r != 0)
			return r;
	}
	return 0;
}

static int emitter_binds(struct emitter *m, const struct emit_state *s, uint32_t n)
{
	struct automaton_state state;

	memcpy(&state, intern_get(&m->a->classes, s->class, NULL), sizeof(state));
	for (uint32_t i = 0; i < n; i++) {
		struct ht_entry entry = {};
		const uint8_t *text = intern_get(&m->a->verdicts, state.verdict, NULL);
		int r;

		memcpy(&entry.next, text + sizeof(struct automaton_verdict) + i * sizeof(uint32_t),
		       sizeof(entry.next));
		r = emitter_pair(m, s->number, HT_EDGE_BIND, i, entry);
		if (r != 0)
			return r;
	}
	return 0;
}

/* All pairs of one state, in the order of their kinds. */
static int emitter_state(struct emitter *m, const struct emit_state *s)
{
	struct emit_view view;
	int r;

	r = emitter_view(m, s->class, &view);
	if (r != 0)
		return r;
	if (view.node) {
		const struct automaton_edge *masks =
			m->a->edges + view.node->first_edge + view.node->n_names;

		r = emitter_names(m, s->number, view.node);
		for (uint32_t i = 0; i < view.node->n_masks && r == 0; i++)
			r = emitter_edge(m, s->number, HT_EDGE_MASK, masks[i].label,
					 masks[i].target);
	}
	if (r == 0 && view.other != 0)
		r = emitter_edge(m, s->number, HT_EDGE_ELSE, 0, view.other);
	if (r == 0 && view.node)
		r = emitter_globs(m, s->number, view.node);
	if (r == 0)
		r = emitter_rules(m, s->number, &view.verdict);
	if (r == 0)
		r = emitter_binds(m, s, view.n_binds);
	return r;
}

/* Header, start and other come first; then OTHER's rules under state 1, and all states. */
static int emitter_run(struct emitter *m, uint32_t flags)
{
	const uint32_t other = 0;
	struct ht_entry entry;
	uint32_t number;
	int r;

	m->next = HT_STATE_OTHER;
	r = emitter_number(m, other, &number);
	if (r != 0)
		return r;
	/* The start state keeps its number even where it says the same as OTHER. */
	m->next = HT_STATE_START;
	if (m->a->start != other)
		r = emitter_number(m, m->a->start, &number);
	m->next = HT_STATE_FIRST;
	if (r == 0)
		r = emitter_pair(m, HT_STATE_HEADER, HT_EDGE_HEADER, 0, (struct ht_entry){});
	if (r == 0)
		r = emitter_entry(m, m->a->start, HT_STATE_START, &entry);
	if (r == 0)
		r = emitter_pair(m, HT_STATE_HEADER, HT_EDGE_START, 0, entry);
	if (r == 0)
		r = emitter_entry(m, other, HT_STATE_OTHER, &entry);
	if (r == 0)
		r = emitter_pair(m, HT_STATE_HEADER, HT_EDGE_OTHER, 0, entry);
	if (r == 0 && m->a->start == other) {
		struct emit_state start = {.class = other, .number = HT_STATE_START};

		r = emitter_state(m, &m->queue[0]);
		if (r == 0)
			r = emitter_state(m, &start);
	}
	for (size_t i = m->a->start == other ? 1 : 0; i < m->n_queue && r == 0; i++) {
		struct emit_state s = m->queue[i]; /* the queue may move */

		r = emitter_state(m, &s);
	}
	if (r != 0)
		return r;
	m->pairs[0].entry = (struct ht_entry){
		.next = HT_STATE_START,
		.flags = flags,
		.deny = (uint16_t)m->deny,
		.audit = (uint16_t)m->audit,
	};
	return 0;
}

int emit_automaton(struct emit *e, struct automaton *a, uint32_t flags, struct image_profile *ret)
{
	_cleanup_(emitter_deinit) struct emitter m = {.e = e, .a = a};
	struct image_pair *pairs;
	int r;

	r = emitter_run(&m, flags);
	if (r != 0)
		return r;
	pairs = realloc(m.pairs, m.n_pairs * sizeof(*pairs));
	if (!pairs)
		return -ENOMEM;
	m.pairs = NULL;
	ret->pairs = pairs;
	ret->n_pairs = m.n_pairs;
	ret->digest = ht_hash_name(e->key, pairs, m.n_pairs * sizeof(*pairs));
	return 0;
}
