/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#pragma once

/*
 * Which profiles a cgroup brings: those of its own entry and of every ancestor's, counted from the root
 * of the hierarchy, so a nested cgroup never escapes what is above it.
 */

#include "subject.bpf.h"

/* Walk from a cgroup up to the root. cgroup.max.depth of any sane system is far below the bound; a
 * cgroup deeper than it fails closed. */
#define CGROUP_WALK_MAX 512U

struct bind_context {
	struct label *label; /* NULL: only look */
	__u64 cgroup;	     /* struct cgroup, where the walk stands */
	__u64 bound;	     /* deepest governed cgroup id */
	__u32 failed;
	__u32 settled; /* bind_fresh_step() */
	__u32 by;      /* BOUND_BY_* */
};

/* The id of the cgroup where the walk stands, and on to its parent. Return: 0 at the end. */
static __always_inline __u64 bind_next(struct bind_context *b)
{
	struct cgroup *cgrp = (struct cgroup *)b->cgroup;
	struct cgroup_subsys_state *parent = NULL;
	__u64 id = 0;

	if (!cgrp)
		return 0;
	if (BPF_CORE_READ_INTO(&id, cgrp, kn, id) < 0 ||
	    BPF_CORE_READ_INTO(&parent, cgrp, self.parent) < 0) {
		b->failed = 1;
		return 0;
	}
	/* `self` is the first member of every kernel's struct cgroup, so no parent stays 0 */
	b->cgroup = parent ? (__u64)parent - bpf_core_field_offset(struct cgroup, self) : 0;
	return id;
}

static long bind_look_step(__u32 index, struct bind_context *b)
{
	__u64 id = bind_next(b);

	if (!id)
		return 1;
	if (bpf_map_lookup_elem(&cgroups, &id)) {
		b->bound = id;
		return 1;
	}
	return 0;
}

static long bind_add_step(__u32 index, struct bind_context *b)
{
	__u64 id = bind_next(b);
	struct label *l = b->label;
	struct ht_cgroup *c;
	__u32 i;

	if (!id || !l)
		return 1;
	c = bpf_map_lookup_elem(&cgroups, &id);
	if (!c)
		return 0;
	if (!b->bound)
		b->bound = id;
#pragma clang loop unroll(disable)
	for (i = 0; i < HT_PROFILES_MAX; i++) {
		if (!c->profiles[i])
			break;
		l->bound[b->by & 1] |= label_add(l, id, c->profiles[i]);
	}
	return 0;
}

/* Was everything that governs a cgroup put there by the binding under way? Then what runs in it ran before. Else a task without a
 * label came from outside and is setting something up: it is bound by its first exec, whatever is published meanwhile. */
static long bind_fresh_step(__u32 index, struct bind_context *b)
{
	struct ht_settings *set = settings_get();
	__u64 id = bind_next(b);
	struct ht_cgroup *c;

	if (!id)
		return 1;
	c = bpf_map_lookup_elem(&cgroups, &id);
	if (!c)
		return 0;
	b->bound = id;
	if (set && c->round > set->rounds)
		return 0;
	b->settled = 1;
	return 1;
}

/* Does a task without a label need one from the iterator? Yes if that cannot be told. */
__global __u32 cgroup_is_fresh(__u64 cgroup)
{
	struct bind_context b = { .cgroup = cgroup };

	if (bpf_loop(CGROUP_WALK_MAX, bind_fresh_step, &b, 0) == CGROUP_WALK_MAX || b.failed)
		return 1;
	return b.bound && !b.settled;
}

/* Is a cgroup (struct cgroup) or one above it governed? Return: the id of the nearest one, 0: none; all bits
 * set if that cannot be told. */
__global __u64 cgroup_governed(__u64 cgroup)
{
	struct bind_context b = { .cgroup = cgroup };

	if (bpf_loop(CGROUP_WALK_MAX, bind_look_step, &b, 0) == CGROUP_WALK_MAX || b.failed)
		return ~0ULL;
	return b.bound;
}

/* Add what a cgroup and those above it bring to a label. by: BOUND_BY_*. Return: BIND_* bits. */
__global __u32 label_bind(struct label *l, __u64 cgroup, __u32 by)
{
	struct bind_context b = { .label = l, .cgroup = cgroup, .by = by };

	if (!l)
		return BIND_FAILED;
	l->bound[by & 1] = 0;
	if (bpf_loop(CGROUP_WALK_MAX, bind_add_step, &b, 0) == CGROUP_WALK_MAX || b.failed)
		return BIND_FAILED;
	if (b.bound && !l->cgroup)
		l->cgroup = b.bound;
	return l->bound[by & 1];
}

/* Nobody is bound any more: the programs are on their way out (agent/kernel/detach.c). */
static __always_inline bool enforcement_ended(void)
{
	struct ht_settings *set = settings_get();

	return set && set->ended;
}

static __always_inline __u64 task_cgroup(struct task_struct *task)
{
	struct cgroup *cgrp = NULL;

	if (BPF_CORE_READ_INTO(&cgrp, task, cgroups, dfl_cgrp) < 0)
		return 0;
	return (__u64)cgrp;
}
