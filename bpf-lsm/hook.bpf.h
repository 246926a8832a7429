/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#pragma once

/*
 * What every hook does once it has a subject and an object: decide, count, try to report, return.
 */

#include "report.bpf.h"
#include "cgroup.bpf.h"

/* Bits of the operation a record names: the lowest one told. */
static __always_inline __u32 hook_op(__u32 told)
{
	return told & -told;
}

static __always_inline __u32 hook_verdict(struct label *l, __u32 level)
{
	switch (level) {
	case LEVEL_ALLOW:
		return HT_VERDICT_ALLOW;
	case LEVEL_AUDIT:
		return HT_VERDICT_AUDIT;
	case LEVEL_WOULD_DENY:
		return HT_VERDICT_WOULD_DENY;
	}
	if (l->canary)
		return HT_VERDICT_SELF_TEST;
	return level == LEVEL_KILL ? HT_VERDICT_KILL : HT_VERDICT_DENY;
}

static __always_inline int hook_judge(struct label *l, struct object *o)
{
	__u32 level;

	if (!l || !o)
		return -EPERM;
	level = verdict_decide(l, o);
	if (level == LEVEL_ALLOW && !(l->record && l->walk.n && (o->ops & HT_OPS_FILE)))
		return 0;
	report_verdict(l, o, hook_op(l->told), hook_verdict(l, level), 0);
	if (level == LEVEL_KILL)
		(void)bpf_send_signal(SIGKILL); /* to the thread group; it is refused in any case */
	return level >= LEVEL_DENY ? -EPERM : 0;
}

/* The kernel handed the pointers of a hook to us, so plain loads follow them. */
static __always_inline void object_of_file(struct object *o, struct file *file)
{
	o->mount = walk_mount((__u64)file->f_path.mnt);
	o->dentry = (__u64)file->f_path.dentry;
	o->inode = (__u64)file->f_inode;
}

/* An object that is a file. */
static __always_inline int hook_file(struct label *l, struct file *file, __u32 ops)
{
	struct object o = { .ops = ops };

	object_of_file(&o, file);
	return hook_judge(l, &o);
}

/* An object that is a name in a directory. */
static __always_inline int hook_name(struct label *l, const struct path *dir,
				     struct dentry *dentry, __u32 ops)
{
	struct object o = { .ops = ops, .dentry = (__u64)dentry };

	o.mount = walk_mount((__u64)dir->mnt);
	o.inode = (__u64)dentry->d_inode;
	return hook_judge(l, &o);
}

/* An object that is a path. */
static __always_inline int hook_path(struct label *l, const struct path *path, __u32 ops)
{
	return hook_name(l, path, path->dentry, ops);
}
