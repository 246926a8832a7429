/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#pragma once

/*
 * Where the object's content comes from: the container's image, or what was written since.
 *
 * An overlay shows the files of read-only layers until they are changed, and then a copy in its upper layer. Its
 * inode says which: it knows what it has in the upper layer, if anything. Where that member stands in the inode is
 * not in the kernel's own types, as overlayfs is a module; the agent reads it from the module's.
 */

#include "walk.bpf.h"

#define ORIGIN_UNKNOWN 0U /* not looked at yet */
#define ORIGIN_IMAGE 1U
#define ORIGIN_WRITTEN 2U /* written in the container; or it cannot be told */
#define ORIGIN_PLAIN 3U	  /* on a filesystem that has no image */

static __always_inline __u32 origin_of(__u64 dentry)
{
	struct ht_settings *set = settings_get();
	struct inode *inode = NULL;
	unsigned long magic = 0;
	__u64 upper = 0;

	if (!set || BPF_CORE_READ_INTO(&inode, (struct dentry *)dentry, d_inode) < 0 ||
	    BPF_CORE_READ_INTO(&magic, inode, i_sb, s_magic) < 0)
		return ORIGIN_WRITTEN;
	if (magic != OVERLAYFS_SUPER_MAGIC)
		return ORIGIN_PLAIN;
	if (!set->overlay_upper ||
	    bpf_probe_read_kernel(&upper, sizeof(upper), (void *)inode + set->overlay_upper) < 0)
		return ORIGIN_WRITTEN;
	return upper ? ORIGIN_WRITTEN : ORIGIN_IMAGE;
}

/* Of the operations that only an object of the image may have, those that this one may not. */
__global __u32 origin_refused(struct verdict *v, __u32 ops)
{
	if (!v)
		return ops;
	if (v->origin == ORIGIN_UNKNOWN)
		v->origin = v->fault ? ORIGIN_WRITTEN : origin_of(v->dentry);
	if (v->origin == ORIGIN_IMAGE)
		return 0;
	/* libraries: only where there is an image to come with */
	return v->origin == ORIGIN_PLAIN ? ops & ~HT_OP_MAP_LIBRARY : ops;
}

/* Can the container write the file? What came with the image it would have to replace first, and a mount that is
 * read-only it cannot. On a plain filesystem the file's mode tells. */
__global __u32 origin_writable(struct verdict *v)
{
	struct task_struct *task = (struct task_struct *)bpf_get_current_task();
	struct dentry *dentry;
	struct mount *mount;
	struct inode *inode = NULL;
	unsigned long s_flags = 0;
	__u32 uid = 0, gid = 0, i_uid = 0, i_gid = 0;
	int mnt_flags = 0;
	__u16 mode = 0;

	if (!v || (v->facts & OBJECT_MEMORY))
		return 0;
	if (v->fault == HT_REASON_ANONYMOUS)
		return 1;
	if (v->origin == ORIGIN_UNKNOWN)
		v->origin = origin_of(v->dentry);
	if (v->origin == ORIGIN_IMAGE)
		return 0;
	mount = (struct mount *)v->mount;
	if (BPF_CORE_READ_INTO(&mnt_flags, mount, mnt.mnt_flags) < 0 ||
	    BPF_CORE_READ_INTO(&s_flags, mount, mnt.mnt_sb, s_flags) < 0)
		return 1;
	if ((mnt_flags & MNT_READONLY) || (s_flags & SB_RDONLY))
		return 0;
	if (v->origin == ORIGIN_WRITTEN)
		return 1;
	dentry = (struct dentry *)v->dentry;
	if (BPF_CORE_READ_INTO(&inode, dentry, d_inode) < 0 ||
	    BPF_CORE_READ_INTO(&mode, inode, i_mode) < 0 ||
	    BPF_CORE_READ_INTO(&i_uid, inode, i_uid.val) < 0 ||
	    BPF_CORE_READ_INTO(&i_gid, inode, i_gid.val) < 0 ||
	    BPF_CORE_READ_INTO(&uid, task, cred, fsuid.val) < 0 ||
	    BPF_CORE_READ_INTO(&gid, task, cred, fsgid.val) < 0)
		return 1;
	/* an owner can give itself the permission */
	return uid == i_uid || (gid == i_gid && (mode & 020)) || (mode & 02);
}
