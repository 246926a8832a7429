/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#pragma once

/*
 * From the root down: step a profile's automaton (abi.h) over the collected components. Ends early in
 * an entry that holds for everything below.
 */

#include "walk.bpf.h"

struct automaton_context {
	struct verdict *verdict;
	void *profile; /* inner map */
	__u32 slot;
};

#define GLOB_STEPS_MAX (1U << 17) /* > 2 * 255 * 255: no pair of pattern and name needs more */

struct glob_context {
	struct verdict *verdict;
	struct ht_glob *glob;
};

/* One step of matching walk.name against a pattern of `*`, `?` and bytes: the usual two pointers and
 * one way back to the last star. */
static long glob_step(__u32 index, struct glob_context *context)
{
	struct verdict *v = context->verdict;
	struct ht_glob *glob = context->glob;
	struct glob_state *g;
	__u8 p, c;

	if (!v || !glob)
		return 1;
	g = &v->glob;
	if (g->pattern_at < glob->len) {
		p = glob->text[g->pattern_at & HT_GLOB_MAX];
		if (p == '*') {
			g->star = 1;
			g->star_at = g->pattern_at;
			g->star_name_at = g->name_at;
			g->pattern_at++;
			return 0;
		}
		c = v->walk.name[g->name_at & HT_NAME_MAX];
		if (g->name_at < g->name_len && (p == '?' || p == c)) {
			g->pattern_at++;
			g->name_at++;
			return 0;
		}
	} else if (g->name_at == g->name_len) {
		g->verdict = 1;
		return 1;
	}
	if (!g->star || g->star_name_at >= g->name_len)
		return 1;
	g->star_name_at++;
	g->name_at = g->star_name_at;
	g->pattern_at = g->star_at + 1;
	return 0;
}

static __always_inline void glob_reset(struct glob_state *g)
{
	g->pattern_at = 0;
	g->name_at = 0;
	g->star_at = 0;
	g->star_name_at = 0;
	g->star = 0;
	g->verdict = 0;
}

/* Bit of one wildcard of the state. */
static long glob_bit(__u32 index, struct automaton_context *context)
{
	struct verdict *v = context->verdict;
	struct ht_edge_key key = { .kind = HT_EDGE_GLOB };
	struct glob_context match = {};
	struct ht_entry *e;
	struct ht_glob *glob;
	__u32 i;

	if (!v)
		return 1;
	i = v->glob.index;
	key.state = v->glob.state;
	key.name = i;
	e = profile_entry(context->profile, &key);
	if (!e) {
		v->position.damaged = 1;
		return 1;
	}
	glob = bpf_map_lookup_elem(&globs, &e->next);
	if (!glob) {
		v->position.damaged = 1;
		return 1;
	}
	glob_reset(&v->glob);
	match.verdict = v;
	match.glob = glob;
	bpf_loop(GLOB_STEPS_MAX, glob_step, &match, 0);
	if (v->glob.verdict)
		v->glob.mask |= 1U << (i & 31);
	v->glob.index = i + 1;
	return 0;
}

/* Which wildcards of the state match the component: sets glob.mask. */
static __always_inline int automaton_globs(struct verdict *v, void *profile, __u64 dentry)
{
	struct automaton_context context = { .verdict = v, .profile = profile };
	struct qstr name;
	int len;

	if (!v || !profile)
		return -1;
	v->glob.mask = 0;
	v->glob.index = 0;
	if (dentry) {
		if (BPF_CORE_READ_INTO(&name, (struct dentry *)dentry, d_name) < 0)
			return -1;
		len = walk_read_name(v, &name);
		if (len < 0)
			return -1;
		v->glob.name_len = len;
	}
	v->glob.state = v->position.entry.next;
	bpf_loop(v->position.entry.flags & HT_ENTRY_GLOBS, glob_bit, &context, 0);
	return 0;
}

/* Follow the edge for a component. dentry 0: its name is in walk.name already (glob.name_len bytes). */
static __always_inline bool automaton_follow(struct verdict *v, void *profile, __u64 hash,
					     __u64 dentry)
{
	struct position *p = &v->position;
	struct ht_edge_key key = { .state = p->entry.next, .kind = HT_EDGE_NAME, .name = hash };
	struct ht_entry *e = NULL;

	if (p->entry.flags & HT_ENTRY_NAMES)
		e = bpf_map_lookup_elem(profile, &key);
	if (!e && (p->entry.flags & HT_ENTRY_GLOBS)) {
		if (automaton_globs(v, profile, dentry) < 0)
			p->damaged = 1;
		if (v->glob.mask) {
			key.kind = HT_EDGE_MASK;
			key.name = v->glob.mask;
			e = profile_entry(profile, &key);
		}
	}
	if (!e && (p->entry.flags & HT_ENTRY_ELSE)) {
		key.kind = HT_EDGE_ELSE;
		key.name = 0;
		e = profile_entry(profile, &key);
	}
	if (!e) {
		key.state = 0;
		key.kind = HT_EDGE_OTHER;
		key.name = 0;
		e = profile_entry(profile, &key);
	}
	if (!e || p->damaged) {
		p->damaged = 1;
		return false;
	}
	p->entry = *e;
	p->step++;
	return true;
}

/* Is the next component one of which nobody can tell what it will be called next time? */
static __always_inline bool automaton_is_ambiguous(struct verdict *v)
{
	return v->walk.ambiguous && v->walk.n - v->position.step == v->walk.ambiguous;
}

static long automaton_step(__u32 index, struct automaton_context *context)
{
	struct verdict *v = context->verdict;
	struct component *c;
	__u32 step, slot;

	if (!v || !context->profile)
		return 1;
	step = v->position.step;
	slot = context->slot;
	/* Of the directory; what is final above it is so in it. */
	if (slot < DIRECTORY_SLOTS &&
	    (step + 1 == v->walk.n || (step < v->walk.n && (v->position.entry.flags & HT_ENTRY_FINAL))))
		v->directory.slots[slot].known.entry = v->position.entry;
	if (step >= v->walk.n || (v->position.entry.flags & HT_ENTRY_FINAL) ||
	    automaton_is_ambiguous(v))
		return 1;
	c = &v->walk.components[(v->walk.n - 1 - step) & (HT_WALK_COMPONENTS - 1)];
	return !automaton_follow(v, context->profile, c->hash, c->dentry);
}

/* Put the position at an entry of the profile. */
static __always_inline bool automaton_start(struct verdict *v, void *profile, __u32 kind)
{
	struct ht_edge_key key = { .kind = kind };
	struct ht_entry *e = bpf_map_lookup_elem(profile, &key);

	v->position.step = 0;
	v->position.damaged = !e;
	if (!e)
		return false;
	v->position.entry = *e;
	return true;
}

/* Walk the profile in a slot over the collected components. Return: false if the profile is damaged. */
static __always_inline bool automaton_run(struct verdict *v, void *profile, __u32 slot)
{
	struct automaton_context context = { .verdict = v, .profile = profile, .slot = slot };
	struct memo_directory *known = &v->directory.slots[slot & (DIRECTORY_SLOTS - 1)].known;

	if (v->walk.below) {
		v->position.entry = known->entry;
		v->position.step = 0;
		v->position.damaged = 0;
	} else {
		known->entry.next = 0;
		if (!automaton_start(v, profile, HT_EDGE_START))
			return false;
	}
	bpf_loop(HT_WALK_COMPONENTS, automaton_step, &context, 0);
	/* Rules are at most HT_RULE_DEPTH_MAX deep, so more components than are kept change nothing. */
	if (v->walk.n > HT_WALK_COMPONENTS && !(v->position.entry.flags & HT_ENTRY_FINAL))
		return false;
	return !v->position.damaged;
}
