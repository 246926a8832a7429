/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#pragma once

/*
 * Which profiles the policies' `match:` gives a cgroup, told from its names alone. The matcher is the
 * profile with id 0 (abi.h).
 *
 * Used when a cgroup is made, and in the exec hook when some cgroup could not be bound then.
 */

#include "automaton.bpf.h"
#include "cgroup.bpf.h"
#include "pool.bpf.h"

/* Components of the cgroup's path, leaf first, as walk_collect() leaves them for a file. The names are
 * kernfs nodes: component.dentry holds the node. */
struct kernfs_context {
	struct verdict *verdict;
	__u64 node;
};

static __always_inline struct kernfs_node *kernfs_parent(struct kernfs_node *node)
{
	struct kernfs_node___parent *a = (void *)node;
	struct kernfs_node___rcu_parent *b = (void *)node;
	struct kernfs_node *parent = NULL;

	if (bpf_core_field_exists(b->__parent))
		(void)BPF_CORE_READ_INTO(&parent, b, __parent);
	else
		(void)BPF_CORE_READ_INTO(&parent, a, parent);
	return parent;
}

static long kernfs_collect(__u32 index, struct kernfs_context *context)
{
	struct verdict *v = context->verdict;
	struct kernfs_node *node = (struct kernfs_node *)context->node, *parent;
	struct component *c;
	const char *name = NULL;
	long len;

	if (!v || !node)
		return 1;
	parent = kernfs_parent(node);
	if (!parent) {
		v->walk.status = WALK_DONE; /* the root has no name */
		return 1;
	}
	if (BPF_CORE_READ_INTO(&name, node, name) < 0)
		return 1;
	len = bpf_probe_read_kernel_str(v->walk.name, sizeof(v->walk.name), name);
	if (len <= 0)
		return 1;
	c = &v->walk.components[v->walk.n & (HT_WALK_COMPONENTS - 1)];
	c->hash = walk_hash(v, len - 1);
	c->dentry = (__u64)name;
	v->walk.n++;
	context->node = (__u64)parent;
	return 0;
}

#define MATCH_NOTHING 0U
#define MATCH_DONE 1U
#define MATCH_FAILED 2U

struct match_context {
	struct label *label; /* when binding */
	struct verdict *verdict;
	void *matcher;
	__u64 origin;	       /* when binding: the cgroup to name as the origin */
	__u32 half;	       /* of the profiles map, where the matcher is */
};

static __always_inline struct ht_entry *match_profile(void *matcher, __u32 state, __u32 i)
{
	struct ht_edge_key key = { .state = state, .kind = HT_EDGE_BIND, .name = i };

	return bpf_map_lookup_elem(matcher, &key);
}

/* Add what the state on the way brings: it belongs to the cgroup or to one above it. By itself, so that the verifier follows
 * it once. */
__global int match_bind(struct label *l, struct verdict *v, __u64 origin, __u32 half)
{
	void *matcher = profile_get(0, half);
	struct ht_entry *e;
	__u32 i, n;

	if (!l || !v)
		return 0;
	if (!matcher) {
		l->bound[BOUND_BY_TASK] |= BIND_FAILED;
		return 0;
	}
	n = v->position.entry.flags >> HT_ENTRY_COUNT_SHIFT;
#pragma clang loop unroll(disable)
	for (i = 0; i < HT_PROFILES_MAX; i++) {
		if (i >= n)
			break;
		e = match_profile(matcher, v->position.entry.next, i);
		l->bound[BOUND_BY_TASK] |= e ? label_add(l, origin, e->next) : BIND_FAILED;
	}
	if (n > HT_PROFILES_MAX)
		l->bound[BOUND_BY_TASK] |= BIND_FAILED;
	return 0;
}

/* Step the matcher by one component; its name is read again only for the wildcards' sake. */
static long match_step(__u32 index, struct match_context *context)
{
	struct verdict *v = context->verdict;
	struct component *c;
	__u32 step;
	long len;

	if (!v || !context->matcher)
		return 1;
	step = v->position.step;
	if (step >= v->walk.n || (v->position.entry.flags & HT_ENTRY_FINAL))
		return 1;
	c = &v->walk.components[(v->walk.n - 1 - step) & (HT_WALK_COMPONENTS - 1)];
	len = bpf_probe_read_kernel_str(v->walk.name, sizeof(v->walk.name), (void *)c->dentry);
	v->glob.name_len = len > 0 ? len - 1 : 0;
	if (!automaton_follow(v, context->matcher, c->hash, 0))
		return 1;
	if (context->origin)
		match_bind(context->label, v, context->origin, context->half);
	return 0;
}

/* Put the matcher's position where the cgroup's names lead. Return: MATCH_*. */
static __always_inline __u32 match_run(struct match_context *match, struct cgroup *cgrp)
{
	struct kernfs_context collect = { .verdict = match->verdict };
	struct verdict *v = match->verdict;
	struct kernfs_node *node = NULL;
	struct ht_settings *set = settings_get();

	if (!set)
		return MATCH_FAILED;
	match->half = set->current;
	match->matcher = profile_get(0, match->half);
	if (!match->matcher)
		return MATCH_NOTHING; /* nothing was published yet */
	if (BPF_CORE_READ_INTO(&node, cgrp, kn) < 0)
		return MATCH_FAILED;
	v->walk.n = 0;
	v->walk.status = WALK_RUNNING;
	collect.node = (__u64)node;
	bpf_loop(CGROUP_WALK_MAX, kernfs_collect, &collect, 0);
	/* Patterns are at most HT_CGROUP_DEPTH_MAX deep; unit names at any depth see the topmost
	 * HT_WALK_COMPONENTS levels. */
	if (v->walk.status != WALK_DONE || !automaton_start(v, match->matcher, HT_EDGE_START))
		return MATCH_FAILED;
	bpf_loop(HT_WALK_COMPONENTS, match_step, match, 0);
	return v->position.damaged ? MATCH_FAILED : MATCH_DONE;
}

/* Profiles that a new cgroup's own path brings. Return: how many, negative: it could not be told. */
static __always_inline int cgroup_match(struct verdict *v, struct cgroup *cgrp,
					struct ht_cgroup *ret)
{
	struct match_context match = { .verdict = v };
	struct ht_entry *e;
	__u32 i, n;

	switch (match_run(&match, cgrp)) {
	case MATCH_NOTHING:
		return 0;
	case MATCH_FAILED:
		return -EPERM;
	}
	n = v->position.entry.flags >> HT_ENTRY_COUNT_SHIFT;
#pragma clang loop unroll(disable)
	for (i = 0; i < HT_PROFILES_MAX; i++) {
		if (i >= n)
			break;
		e = match_profile(match.matcher, v->position.entry.next, i);
		if (!e)
			return -EPERM;
		ret->profiles[i] = e->next;
	}
	return n > HT_PROFILES_MAX ? -EPERM : (int)n;
}

__global __u32 label_match_in(struct label *l, struct verdict *v, __u64 cgroup, __u64 origin)
{
	struct match_context match = { .label = l, .verdict = v, .origin = origin };

	if (!l || !v)
		return BIND_FAILED;
	l->bound[BOUND_BY_TASK] = 0;
	if (match_run(&match, (struct cgroup *)cgroup) == MATCH_FAILED)
		return BIND_FAILED;
	return l->bound[BOUND_BY_TASK];
}

/* Add to a label what a cgroup and every one above it would bring, without the cgroups map.
 * Return: BIND_* bits. */
static __always_inline __u32 label_match(struct label *l, __u64 cgroup, __u64 origin)
{
	struct verdict *v = pool_take();
	__u32 result;

	if (!v)
		return BIND_FAILED;
	result = label_match_in(l, v, cgroup, origin);
	pool_give(v);
	return result;
}
