/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#pragma once

/*
 * Haetae's own: what a governed task may not touch whatever its policies say, also in audit mode.
 *
 * Files are known by what the kernel itself calls them: device, inode and generation, read in the kernel when the
 * agent shows a descriptor (guard.bpf.c). So every name counts, through whatever mount.
 */

#include "verdict.bpf.h"

#define GUARD_OPS                                                                               \
	(HT_OP_WRITE | HT_OP_CREATE | HT_OP_DELETE | HT_OP_RENAME | HT_OP_LINK | HT_OP_ATTR)

/* ---- tasks ---- */

/* /proc/PID/stat tells the start of a task in these. */
#define START_TICK_NS 10000000ULL

/* Is a task a thread of the agent? A number alone could be another process's by now: the start must fit too. */
static __always_inline bool task_is_agent(struct task_struct *task)
{
	struct ht_settings *set = settings_get();
	__u64 start = 0;

	if (!set->agent_pid || (__u32)BPF_CORE_READ(task, tgid) != set->agent_pid)
		return false;
	if (BPF_CORE_READ_INTO(&start, task, group_leader, start_boottime) < 0)
		return false;
	return start / START_TICK_NS == set->agent_start;
}

/* The same, or of a process that the agent made: those that look into containers have its memory. */
static __always_inline bool task_is_agents(struct task_struct *task)
{
	struct task_struct *parent = NULL;

	if (task_is_agent(task))
		return true;
	return BPF_CORE_READ_INTO(&parent, task, real_parent) == 0 && task_is_agent(parent);
}

/* Refused, whatever the policies say. Return: LEVEL_DENY. */
static __always_inline __u32 guard_decide(struct verdict *v, struct object *o)
{
	__u32 guarded = o->ops & GUARD_OPS;

	verdict_begin(v, o, 0);
	v->level = LEVEL_DENY;
	v->told = guarded ? guarded : o->ops;
	v->reason = HT_REASON_GUARD;
	v->fault = HT_REASON_GUARD; /* the record has the last name alone */
	return LEVEL_DENY;
}

/* ---- files ---- */

struct guard_context {
	__u64 dentry;
	__u32 dev;
	__u32 covered;
};

/* HT_GUARD_* of what a name stands for. */
static __noinline __u32 guard_kinds(__u64 dentry, __u32 dev)
{
	struct ht_guard_file key = { .dev = dev };
	struct inode *inode = NULL;
	__u32 *kinds;

	if (BPF_CORE_READ_INTO(&inode, (struct dentry *)dentry, d_inode) < 0 || !inode ||
	    BPF_CORE_READ_INTO(&key.ino, inode, i_ino) < 0 ||
	    BPF_CORE_READ_INTO(&key.generation, inode, i_generation) < 0)
		return 0;
	kinds = bpf_map_lookup_elem(&guard_files, &key);
	return kinds ? *kinds : 0;
}

static __always_inline __u64 guard_parent(__u64 dentry)
{
	struct dentry *parent = NULL;

	if (BPF_CORE_READ_INTO(&parent, (struct dentry *)dentry, d_parent) < 0 ||
	    (__u64)parent == dentry)
		return 0;
	return (__u64)parent;
}

static long guard_step(__u32 index, struct guard_context *context)
{
	__u64 dentry = context->dentry;

	if (!dentry)
		return 1;
	if (guard_kinds(dentry, context->dev) & HT_GUARD_TREE) {
		context->covered = 1;
		return 1;
	}
	context->dentry = guard_parent(dentry);
	return 0;
}

/* Would these operations change something that is Haetae's? Most filesystems have nothing of it, so this is one
 * lookup for them. */
__global int guard_covers(struct object *o)
{
	struct guard_context context = {};
	struct ht_guard_file key = {};
	__u32 kinds, ops;
	__u64 dentry;

	if (!o)
		return 0;
	dentry = o->dentry;
	ops = o->ops;
	if (BPF_CORE_READ_INTO(&key.dev, (struct dentry *)dentry, d_sb, s_dev) < 0 ||
	    !bpf_map_lookup_elem(&guard_files, &key))
		return 0;
	kinds = guard_kinds(dentry, key.dev);
	if ((kinds & (HT_GUARD_FILE | HT_GUARD_TREE)) ||
	    ((kinds & HT_GUARD_WAY) && (ops & (HT_OP_DELETE | HT_OP_RENAME))))
		return 1;
	context.dentry = guard_parent(dentry);
	context.dev = key.dev;
	if (context.dentry && (guard_kinds(context.dentry, key.dev) & HT_GUARD_CONTROLS))
		return 1;
	bpf_loop(HT_WALK_MAX, guard_step, &context, 0);
	return context.covered;
}

/* ---- BPF objects ---- */

static __always_inline bool guard_has_id(__u32 kind, __u32 id)
{
	struct ht_guard_id key = { .kind = kind, .id = id };

	return bpf_map_lookup_elem(&guard_ids, &key) != NULL;
}
