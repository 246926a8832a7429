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
#include "compile/below.h"
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
	struct ht_entry header;
};

/* What a class looks like from the edges that lead to it. */
struct emit_view {
	const struct automaton_node *node; /* NULL: no edges by name or wildcard */
	const struct verdict_head *verdict;
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

static int emitter_full(struct emitter *m)
{
	return emitter_error(m, AUTOMATON_NONE, "%s needs more than %u map entries: %s",
			     m->a->input->subject, IMAGE_PAIRS_MAX, m->a->input->remedy);
}

static int emitter_pair(struct emitter *m, uint32_t state, uint32_t kind, uint64_t name,
			struct ht_entry entry)
{
	if (m->n_pairs >= IMAGE_PAIRS_MAX)
		return emitter_full(m);
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
	int r;

	memcpy(&state, intern_get(&m->a->classes, class, NULL), sizeof(state));
	*ret = (struct emit_view){.verdict = intern_get(&m->a->verdicts, state.verdict, NULL)};
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

static struct ht_entry emit_masks(const struct verdict_head *v, uint32_t next)
{
	return (struct ht_entry){
		.next = next,
		.deny = v->deny,
		.audit = v->audit,
		.kill = v->kill,
		.image = v->image,
		.cond = v->cond,
		.would = v->would,
	};
}

static int emitter_entry(struct emitter *m, uint32_t class, uint32_t number, struct ht_entry *ret)
{
	struct emit_view view;
	int r;

	r = emitter_view(m, class, &view);
	if (r < 0)
		return r;
	if (view.verdict->n_binds > UINT16_MAX)
		return emitter_error(m, AUTOMATON_NONE,
				     "more than %u policies select one cgroup: use fewer",
				     UINT16_MAX);
	*ret = emit_masks(view.verdict, number);
	ret->flags = (view.verdict->n_binds + view.verdict->n_conds) << HT_ENTRY_COUNT_SHIFT;
	if (view.verdict->exe)
		ret->flags |= HT_ENTRY_EXE;
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

/* The header names what is refused, and what is recorded, anywhere. */
static void emitter_note(struct emitter *m, const struct verdict_head *v)
{
	const struct verdict_cond *conds = verdict_conds(v);
	struct ht_entry *h = &m->header;

	h->deny |= v->deny | v->image;
	h->audit |= v->audit;
	h->kill |= v->kill;
	h->image |= v->image;
	h->cond |= v->cond;
	h->would |= v->would;
	for (uint32_t i = 0; i < v->n_conds; i++) {
		h->deny |= conds[i].deny;
		h->audit |= conds[i].audit;
		h->kill |= conds[i].kill;
		h->would |= conds[i].would;
	}
}

static int emitter_rules(struct emitter *m, uint32_t state, const struct verdict_head *v)
{
	const struct verdict_rule *rules = verdict_rules(v);
	int r = 0;

	for (uint32_t i = 0; i < v->n_rules && r == 0; i++)
		r = emitter_pair(m, state, HT_EDGE_RULE, rules[i].key,
				 (struct ht_entry){.rule = rules[i].rule});
	return r;
}

static int emitter_binds(struct emitter *m, uint32_t state, const struct verdict_head *v)
{
	const uint32_t *binds = verdict_binds(v);
	int r = 0;

	for (uint32_t i = 0; i < v->n_binds && r == 0; i++)
		r = emitter_pair(m, state, HT_EDGE_BIND, i, (struct ht_entry){.next = binds[i]});
	return r;
}

static int emitter_conds(struct emitter *m, uint32_t state, const struct verdict_head *v)
{
	const struct verdict_cond *conds = verdict_conds(v);
	int r = 0;

	for (uint32_t i = 0; i < v->n_conds && r == 0; i++)
		r = emitter_pair(m, state, HT_EDGE_COND, i,
				 (struct ht_entry){
					 .next = conds[i].exe,
					 .flags = conds[i].uid,
					 .deny = conds[i].deny,
					 .audit = conds[i].audit,
					 .kill = conds[i].kill,
					 .would = conds[i].would,
				 });
	for (uint32_t i = 0; i < v->n_conds && r == 0; i++)
		r = emitter_pair(m, state, HT_EDGE_COND_RULE, i,
				 (struct ht_entry){.rule = conds[i].rule});
	return r;
}

/* What a state says, behind its edges. */
static int emitter_verdict(struct emitter *m, uint32_t state, const struct verdict_head *v)
{
	int r;

	emitter_note(m, v);
	r = emitter_rules(m, state, v);
	if (r == 0)
		r = emitter_binds(m, state, v);
	if (r == 0)
		r = emitter_conds(m, state, v);
	if (r == 0 && v->exe)
		r = emitter_pair(m, state, HT_EDGE_EXE, 0, (struct ht_entry){.rule = v->exe});
	return r;
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
	return r != 0 ? r : emitter_verdict(m, s->number, view.verdict);
}

/* ---- what is not of the automaton ---- */

/* The entries that stand for objects without a path, encoded. */
struct emit_others {
	uint64_t text[3][VERDICT_SIZE_MAX / sizeof(uint64_t)];
	const struct verdict_head *anonymous, *writable, *kernel;
};

static const struct verdict_head *encode(const struct automaton_verdict *v, uint64_t *out)
{
	(void)verdict_encode(v, NULL, 0, out);
	return (const struct verdict_head *)(const void *)out;
}

static void others_init(struct emit_others *o, const struct emit_extra *extra)
{
	o->anonymous = encode(&extra->anonymous, o->text[0]);
	o->writable = encode(&extra->writable, o->text[1]);
	o->kernel = encode(&extra->kernel, o->text[2]);
}

static bool says_something(const struct verdict_head *v)
{
	return v->deny || v->audit || v->would;
}

/* Behind HEADER, START and OTHER in state 0. */
static int emitter_others(struct emitter *m, const struct emit_extra *extra,
			  const struct emit_others *o)
{
	struct ht_entry entry = emit_masks(o->anonymous, HT_STATE_ANONYMOUS);
	int r = 0;

	entry.flags = HT_ENTRY_FINAL;
	for (size_t i = 0; i < extra->n_uids && r == 0; i++)
		r = emitter_pair(m, HT_STATE_HEADER, HT_EDGE_UID, extra->uids[i].uid,
				 (struct ht_entry){.rule = extra->uids[i].mask});
	if (r == 0)
		r = emitter_pair(m, HT_STATE_HEADER, HT_EDGE_ANONYMOUS, 0, entry);
	if (r == 0 && says_something(o->writable))
		r = emitter_pair(m, HT_STATE_HEADER, HT_EDGE_WRITABLE, 0,
				 emit_masks(o->writable, HT_STATE_WRITABLE));
	if (r == 0 && says_something(o->kernel))
		r = emitter_pair(m, HT_STATE_HEADER, HT_EDGE_KERNEL, 0,
				 emit_masks(o->kernel, HT_STATE_KERNEL));
	return r;
}

/* Their rules, in the order of their states. */
static int emitter_other_rules(struct emitter *m, const struct emit_others *o)
{
	int r;

	emitter_note(m, o->anonymous);
	emitter_note(m, o->writable);
	r = emitter_rules(m, HT_STATE_ANONYMOUS, o->anonymous);
	if (r == 0)
		r = emitter_rules(m, HT_STATE_WRITABLE, o->writable);
	if (r == 0)
		r = emitter_rules(m, HT_STATE_KERNEL, o->kernel);
	return r;
}

/* HEADER (written last), START and OTHER. */
static int emitter_fixed(struct emitter *m)
{
	const uint32_t other = 0;
	struct ht_entry entry;
	int r;

	r = emitter_pair(m, HT_STATE_HEADER, HT_EDGE_HEADER, 0, (struct ht_entry){});
	if (r == 0)
		r = emitter_entry(m, m->a->start, HT_STATE_START, &entry);
	if (r == 0)
		r = emitter_pair(m, HT_STATE_HEADER, HT_EDGE_START, 0, entry);
	if (r == 0)
		r = emitter_entry(m, other, HT_STATE_OTHER, &entry);
	if (r == 0)
		r = emitter_pair(m, HT_STATE_HEADER, HT_EDGE_OTHER, 0, entry);
	return r;
}

/* OTHER and START have their numbers; all others follow as they are met. */
static int emitter_start(struct emitter *m)
{
	const uint32_t other = 0;
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
	return r;
}

static int emitter_states(struct emitter *m, const struct emit_others *o)
{
	const struct emit_state other = {.class = 0, .number = HT_STATE_OTHER};
	const struct emit_state start = {.class = m->a->start, .number = HT_STATE_START};
	int r;

	r = emitter_state(m, &other);
	if (r == 0)
		r = emitter_state(m, &start);
	if (r == 0 && o)
		r = emitter_other_rules(m, o);
	for (size_t i = m->a->start == 0 ? 1 : 2; i < m->n_queue && r == 0; i++) {
		struct emit_state s = m->queue[i]; /* the queue may move */

		r = emitter_state(m, &s);
	}
	return r;
}

static int emitter_run(struct emitter *m, const struct emit_extra *extra)
{
	struct emit_others others;
	int r;

	if (extra)
		others_init(&others, extra);
	r = emitter_start(m);
	if (r == 0)
		r = emitter_fixed(m);
	if (r == 0 && extra)
		r = emitter_others(m, extra, &others);
	if (r == 0)
		r = emitter_states(m, extra ? &others : NULL);
	if (r != 0)
		return r;
	m->header.next = HT_STATE_START;
	m->header.flags = extra ? extra->flags : 0;
	m->pairs[0].entry = m->header;
	return 0;
}

int emit_automaton(struct emit *e, struct automaton *a, const struct emit_extra *extra,
		   struct image_profile *ret)
{
	_cleanup_(emitter_deinit) struct emitter m = {.e = e, .a = a};
	struct image_pair *pairs;
	int r;

	r = emitter_run(&m, extra);
	if (r != 0)
		return r;
	r = below_mark(&m.pairs, &m.n_pairs, IMAGE_PAIRS_MAX);
	if (r == BELOW_E_FULL)
		return emitter_full(&m);
	if (r < 0)
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
