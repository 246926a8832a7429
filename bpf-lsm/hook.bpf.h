/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#pragma once

/*
 * What every hook does once it has a subject and an object: have it judged (decide, count, try to report), return.
 */

#include "report.bpf.h"
#include "guard.bpf.h"
#include "cgroup.bpf.h"

/* Where every hook ends. What stands here refuses; before a hook is attached, the program haetae_judge takes its place
 * (judge.bpf.c). So the kernel checks the decision once, and not once more for every hook, which is most of the time
 * that a start takes. A hook that is taken down can outlive its judge for some moments, as the kernel lets go of links
 * in an order of its own: then the programs of a later load decide alone, or nobody does.
 * Return: 0, anything else refuses. */
__global int judge(struct label *l, struct object *o)
{
	struct ht_settings *set = settings_get();

	return set->ended || (set->links && set->load != ht_load) ? 0 : -EPERM;
}

static __always_inline int hook_judge(struct label *l, struct object *o)
{
	l->said = 0; /* who refuses in the judge's place says nothing */
	return judge(l, o) ? -EPERM : 0;
}

/* The kernel handed the pointers of a hook to us, so plain loads follow them. */
static __always_inline void object_of_file(struct object *o, struct file *file)
{
	o->mount = walk_mount((__u64)file->f_path.mnt);
	o->dentry = (__u64)file->f_path.dentry;
	o->inode = (__u64)file->f_inode;
}

/* An object that is a file, and what is to be known of it. */
static __always_inline int hook_file_with(struct label *l, struct file *file, __u32 ops, __u32 facts)
{
	struct object o = { .ops = ops, .facts = facts };

	object_of_file(&o, file);
	return hook_judge(l, &o);
}

/* An object that is a name in a directory, and what is to be known of it. */
static __always_inline int hook_name_with(struct label *l, const struct path *dir,
					  struct dentry *dentry, __u32 ops, __u32 facts)
{
	struct object o = { .ops = ops, .facts = facts, .dentry = (__u64)dentry };

	o.mount = walk_mount((__u64)dir->mnt);
	o.inode = (__u64)dentry->d_inode;
	return hook_judge(l, &o);
}

/* An object that is a name in a directory. */
static __always_inline int hook_name(struct label *l, const struct path *dir,
				     struct dentry *dentry, __u32 ops)
{
	return hook_name_with(l, dir, dentry, ops, 0);
}

/* An object that is a path. */
static __always_inline int hook_path(struct label *l, const struct path *path, __u32 ops)
{
	return hook_name(l, path, path->dentry, ops);
}

/* An object that is known by its dentry alone (place.bpf.h). */
static __always_inline int hook_dentry(struct label *l, struct dentry *dentry, __u32 ops, __u32 facts)
{
	struct object o = { .ops = ops, .facts = facts | OBJECT_DENTRY, .dentry = (__u64)dentry };

	o.inode = (__u64)dentry->d_inode;
	return hook_judge(l, &o);
}

/* Memory without a file that would be executable: there is nothing to run in it but what is written to it, at once, before, by
 * another mapping, or by userfaultfd(2). Or a way to write to memory that is executable. */
static __always_inline int hook_memory(struct label *l)
{
	struct object o = { .ops = HT_OP_MAP, .facts = OBJECT_MEMORY | OBJECT_WX };

	return hook_judge(l, &o);
}
