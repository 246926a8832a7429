/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#pragma once

/*
 * What every hook does once it has a subject and an object: decide, count, try to report, return.
 */

#include "report.bpf.h"
#include "cgroup.bpf.h"

/* Bits of the operation a record names: the lowest refused one. */
static __always_inline __u32 hook_op(__u32 deny)
{
	return deny & -deny;
}

static __always_inline int hook_judge(struct label *l, struct object *o)
{
	__u32 verdict, enforce;

	if (!l || !o)
		return -EPERM;
	if (!verdict_decide(l, o))
		return 0;
	enforce = l->enforce;
	verdict = HT_VERDICT_WOULD_DENY;
	if (enforce)
		verdict = l->canary ? HT_VERDICT_SELF_TEST : HT_VERDICT_DENY;
	report_verdict(l, o, hook_op(l->deny), verdict, 0);
	return enforce ? -EPERM : 0;
}

/* An object that is a file. */
static __always_inline int hook_file(struct label *l, struct file *file, __u32 ops)
{
	struct object o = { .ops = ops };
	struct vfsmount *mnt = NULL;
	struct dentry *dentry = NULL;
	struct inode *inode = NULL;

	(void)BPF_CORE_READ_INTO(&mnt, file, f_path.mnt);
	(void)BPF_CORE_READ_INTO(&dentry, file, f_path.dentry);
	(void)BPF_CORE_READ_INTO(&inode, file, f_inode);
	o.mount = walk_mount((__u64)mnt);
	o.dentry = (__u64)dentry;
	o.inode = (__u64)inode;
	return hook_judge(l, &o);
}

/* An object that is a name in a directory. */
static __always_inline int hook_name(struct label *l, const struct path *dir,
				     struct dentry *dentry, __u32 ops)
{
	struct object o = { .ops = ops, .dentry = (__u64)dentry };
	struct vfsmount *mnt = NULL;
	struct inode *inode = NULL;

	(void)BPF_CORE_READ_INTO(&mnt, dir, mnt);
	(void)BPF_CORE_READ_INTO(&inode, dentry, d_inode);
	o.mount = walk_mount((__u64)mnt);
	o.inode = (__u64)inode;
	return hook_judge(l, &o);
}

/* An object that is a path. */
static __always_inline int hook_path(struct label *l, const struct path *path, __u32 ops)
{
	struct dentry *dentry = NULL;

	(void)BPF_CORE_READ_INTO(&dentry, path, dentry);
	return hook_name(l, path, dentry, ops);
}
