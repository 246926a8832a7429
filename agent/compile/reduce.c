/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Reduction: nodes that behave alike get one class, edges that say what the next edge in line would
 * say anyway are dropped, and a node below which the verdict can never change becomes a constant.
 *
 * Nodes with a depth lead to greater depths, so going through them from the last to the first meets
 * every target before its sources, and one pass finds the smallest automaton. Nodes that loop (the
 * cgroup matcher's "unit at any depth") lead to each other; they keep a class each, which is
 * correct and, since they differ in what they have absorbed, close to the smallest anyway.
 */

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "compile/array.h"
#include "compile/automaton.h"
#include "util/cleanup.h"

struct reducer {
	struct automaton *a;
	struct intern signatures;
	uint32_t *first; /* node of each signature */
	size_t first_size;
	uint32_t *text; /* signature being written */
	size_t n_text;
	size_t text_size;
};

static void reducer_deinit(struct reducer *r)
{
	intern_deinit(&r->signatures);
	free(r->first);
	free(r->text);
}

int automaton_class(struct automaton *a, uint32_t node_class, uint32_t verdict, uint32_t *ret_class)
{
	struct automaton_state key = {.node = node_class, .verdict = verdict};
	int r = intern_put(&a->classes, &key, sizeof(key), ret_class);

	return r < 0 ? r : 0;
}

static int state_class(struct automaton *a, uint32_t id, uint32_t *ret_class)
{
	struct automaton_state state;

	memcpy(&state, intern_get(&a->states, id, NULL), sizeof(state));
	assert(a->nodes[state.node].class != AUTOMATON_NONE);
	return automaton_class(a, a->nodes[state.node].class, state.verdict, ret_class);
}

/* Where a component goes that matches exactly these wildcards and has no edge by name. */
static uint32_t node_fallthrough(const struct automaton_node *node,
				 const struct automaton_edge *masks, uint32_t mask)
{
	size_t low = 0, high = node->n_masks;

	if (mask == 0)
		return node->other;
	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (masks[middle].label == mask)
			return masks[middle].target;
		if (masks[middle].label < mask)
			low = middle + 1;
		else
			high = middle;
	}
	/* A name that exists matches them, so this set is satisfiable and must have been listed. */
	assert(false);
	return node->other;
}

/* Replace targets by classes and drop what needs no edge. */
static int node_prune(struct automaton *a, struct automaton_node *node)
{
	struct automaton_edge *names = a->edges + node->first_edge, *masks = names + node->n_names;
	uint32_t n = 0;
	int r;

	r = state_class(a, node->other, &node->other);
	if (r < 0)
		return r;
	for (uint32_t i = 0; i < node->n_names + node->n_masks; i++) {
		r = state_class(a, names[i].target, &names[i].target);
		if (r < 0)
			return r;
	}
	for (uint32_t i = 0; i < node->n_names; i++)
		if (names[i].target != node_fallthrough(node, masks, names[i].mask))
			names[n++] = names[i];
	node->n_names = n;
	n = 0;
	for (uint32_t i = 0; i < node->n_masks; i++)
		if (masks[i].target != node->other)
			names[node->n_names + n++] = masks[i];
	node->n_masks = n;
	if (n == 0)
		node->n_globs = 0;
	return 0;
}

static int reducer_write(struct reducer *r, uint32_t value)
{
	if (array_reserve(r->text, r->text_size, r->n_text + 1) < 0)
		return -ENOMEM;
	r->text[r->n_text++] = value;
	return 0;
}

/* All that decides how a node behaves, as numbers. */
static int reducer_sign(struct reducer *r, const struct automaton_node *node)
{
	const struct automaton *a = r->a;
	const struct automaton_edge *edges = a->edges + node->first_edge;
	int e;

	r->n_text = 0;
	e = reducer_write(r, node->other);
	if (e == 0)
		e = reducer_write(r, node->n_globs);
	for (uint32_t i = 0; i < node->n_globs && e == 0; i++)
		e = reducer_write(r, a->globs[node->first_glob + i]);
	if (e == 0)
		e = reducer_write(r, node->n_names);
	for (uint32_t i = 0; i < node->n_names + node->n_masks && e == 0; i++) {
		e = reducer_write(r, edges[i].label);
		if (e == 0)
			e = reducer_write(r, edges[i].target);
	}
	return e;
}

static int reducer_classify(struct reducer *r, uint32_t id)
{
	struct automaton *a = r->a;
	struct automaton_node *node = &a->nodes[id];
	struct automaton_state other;
	uint32_t signature;
	int e;

	memcpy(&other, intern_get(&a->classes, node->other, NULL), sizeof(other));
	if (node->n_names == 0 && node->n_masks == 0 &&
	    other.node == (AUTOMATON_CONSTANT | other.verdict)) {
		node->class = other.node;
		return 0;
	}
	e = reducer_sign(r, node);
	if (e < 0)
		return e;
	e = intern_put(&r->signatures, r->text, r->n_text * sizeof(*r->text), &signature);
	if (e < 0)
		return e;
	if (e == INTERN_NEW) {
		if (array_reserve(r->first, r->first_size, (size_t)signature + 1) < 0)
			return -ENOMEM;
		r->first[signature] = id;
	}
	node->class = r->first[signature];
	return 0;
}

int automaton_reduce(struct automaton *a)
{
	_cleanup_(reducer_deinit) struct reducer reducer = {.a = a};
	uint32_t nothing;
	int r;

	r = automaton_class(a, AUTOMATON_CONSTANT | 0, 0, &nothing); /* class 0: OTHER */
	if (r < 0)
		return r;
	for (uint32_t i = 0; i < a->sets.n; i++)
		if (a->nodes[i].depth == AUTOMATON_NONE)
			a->nodes[i].class =
				a->nodes[i].loop ? i : AUTOMATON_CONSTANT | a->nodes[i].constant;
	for (uint32_t i = a->sets.n; i-- > 0;) {
		if (a->nodes[i].depth == AUTOMATON_NONE && !a->nodes[i].loop)
			continue;
		r = node_prune(a, &a->nodes[i]);
		if (r == 0 && a->nodes[i].depth != AUTOMATON_NONE)
			r = reducer_classify(&reducer, i);
		if (r < 0)
			return r;
	}
	return state_class(a, a->start, &a->start);
}
