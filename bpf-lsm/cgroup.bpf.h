/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#pragma once

/*
 * Which profiles a cgroup brings: those of its own entry and of every ancestor's, counted from the root
 * of the hierarchy, so a nested cgroup never escapes what is above it.
 */

#include "subject.bpf.h"

struct bind_context {
	__u64 cgroup; /* struct cgroup */
	__u64 bound;  /* deepest governed cgroup id */
	struct label *label; /* NULL: only look */
	__u32 found;
	__u32 added;
	__u32 failed;
};

static __always_inline void bind_profile(struct bind_context *b, __u64 id, __u32 profile)
{
	__u32 r;

	if (!profile)
		return;
	b->found = 1;
	if (!b->label)
		return;
	r = label_add(b->label, id, profile);
	if (r == 2)
		b->added = 1;
	if (r == 0)
		b->failed = 1;
}

static long bind_step(__u32 index, struct bind_context *b)
{
	struct cgroup *cgrp = (struct cgroup *)b->cgroup;
	struct cgroup_subsys_state *parent = NULL;
	struct ht_cgroup *c;
	__u64 id = 0;
	__u32 i;

	if (!cgrp)
		return 1;
	if (BPF_CORE_READ_INTO(&id, cgrp, kn, id) < 0) {
		b->failed = 1;
		return 1;
	}
	c = bpf_map_lookup_elem(&cgroups, &id);
	if (c) {
		if (!b->bound)
			b->bound = id;
#pragma clang loop unroll(disable)
		for (i = 0; i < HT_PROFILES_MAX; i++)
			bind_profile(b, id, c->profiles[i]);
	}
	if (BPF_CORE_READ_INTO(&parent, cgrp, self.parent) < 0) {
		b->failed = 1;
		return 1;
	}
	/* `self` is the first member, so the parent's state is the parent */
	b->cgroup = (__u64)parent - bpf_core_field_offset(struct cgroup, self);
	return parent == NULL;
}

/* Walk from a cgroup up to the root. cgroup.max.depth of any sane system is far below the bound; a
 * cgroup deeper than it fails closed. */
#define CGROUP_WALK_MAX 512U

static __always_inline void bind_run(struct bind_context *b)
{
	if (bpf_loop(CGROUP_WALK_MAX, bind_step, b, 0) == CGROUP_WALK_MAX)
		b->failed = 1;
}

static __always_inline __u64 task_cgroup(struct task_struct *task)
{
	struct cgroup *cgrp = NULL;

	if (BPF_CORE_READ_INTO(&cgrp, task, cgroups, dfl_cgrp) < 0)
		return 0;
	return (__u64)cgrp;
}
