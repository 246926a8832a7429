/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#pragma once

/*
 * The subject: the label of a task, and how a task comes to have one.
 *
 * A task that was moved or started into a governed cgroup from outside is the runtime at work; it is
 * bound by its first exec there, and that exec is judged. Whatever a bound task forks is bound from
 * birth. A label is never taken away by what the task does.
 */

#include "maps.bpf.h"

static __always_inline struct label *label_of(__u64 task)
{
	struct label *l = bpf_map_lookup_elem(&labels, &task);

	if (!l || l->state != LABEL_LIVE)
		return NULL;
	return l;
}

static __always_inline struct label *label_current(void)
{
	return label_of(bpf_get_current_task());
}

struct label_add_context {
	struct label *label;
	__u64 cgroup;
	__u32 profile;
	__u32 done;
};

static long label_add_step(__u32 index, struct label_add_context *context)
{
	struct label *l = context->label;
	__u32 slot = index & (HT_PROFILES_MAX - 1);
	__u32 old;

	if (!l)
		return 1;
	old = l->profiles[slot];
	if (!old)
		old = __sync_val_compare_and_swap(&l->profiles[slot], 0, context->profile);
	if (!old) {
		__sync_fetch_and_or(&l->slots, 1U << slot);
		l->origins[slot] = context->cgroup;
		context->done = 2;
		return 1;
	}
	if (old == context->profile) {
		context->done = 1;
		return 1;
	}
	return 0;
}

/* Add a profile. Return: 2 added, 1 had it, 0 no free slot. */
__global __u32 label_add(struct label *l, __u64 cgroup, __u32 profile)
{
	struct label_add_context context = {
		.label = l,
		.cgroup = cgroup,
		.profile = profile,
	};

	if (!l)
		return 0;
	bpf_loop(HT_PROFILES_MAX, label_add_step, &context, 0);
	return context.done;
}

/* Make a new label from a template. Return: NULL if it could not be stored. */
static __always_inline struct label *label_new(__u64 task, __u32 template)
{
	struct label *from = bpf_map_lookup_elem(&label_templates, &template), *l;

	if (!from || map_update(&labels, &task, from, BPF_ANY) < 0)
		return NULL;
	l = bpf_map_lookup_elem(&labels, &task);
	if (l)
		l->state = LABEL_LIVE;
	return l;
}

static __always_inline void label_delete(__u64 task)
{
	struct label *l = bpf_map_lookup_elem(&labels, &task);

	if (!l)
		return;
	l->state = LABEL_DEAD;
	(void)map_delete(&labels, &task);
}
