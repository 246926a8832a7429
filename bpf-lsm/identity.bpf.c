// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

/*
 * What the agent opened, as the kernel has it. The agent makes the iterator for one task that has opened the objects by
 * path inside a container; nothing is taken from user space but which objects these are.
 *
 * An object of its own: it is loaded when it is needed for the first time, and nothing is attached.
 */

#include "identity.bpf.h"
#include "subject.bpf.h"

AREA;

/* Mounts that can lie over each other on the root of a namespace. */
#define ROOT_MOUNTS_MAX 8

/* Is (mount, dentry) the root of its mount namespace: nothing but mounts on mounts' roots above it? Rule paths begin
 * there, and not at the root that a task chose for itself with chroot(). */
static __always_inline bool is_namespace_root(__u64 mount, __u64 dentry)
{
	struct dentry *root = NULL, *point = NULL;
	struct mount *parent = NULL;
	int i;

#pragma clang loop unroll(disable)
	for (i = 0; i < ROOT_MOUNTS_MAX; i++) {
		if (BPF_CORE_READ_INTO(&root, (struct mount *)mount, mnt.mnt_root) < 0 ||
		    (__u64)root != dentry ||
		    BPF_CORE_READ_INTO(&parent, (struct mount *)mount, mnt_parent) < 0)
			return false;
		if ((__u64)parent == mount)
			return true;
		if (BPF_CORE_READ_INTO(&point, (struct mount *)mount, mnt_mountpoint) < 0)
			return false;
		dentry = (__u64)point;
		mount = (__u64)parent;
	}
	return false;
}

SEC("iter/task_file")
int haetae_identities(struct bpf_iter__task_file *ctx)
{
	struct seq_file *seq = ctx->meta->seq;
	struct file *file = ctx->file;
	struct ht_opened opened = {};
	__u64 mount, dentry;
	bool stacked = false;

	if (!ctx->task || !file)
		return 0;
	mount = (__u64)file->f_path.mnt - bpf_core_field_offset(struct mount, mnt);
	dentry = (__u64)file->f_path.dentry;
	opened.fd = ctx->fd;
	if (label_of((__u64)ctx->task))
		opened.flags |= HT_OPENED_BOUND;
	if (identity_read(dentry, &opened.identity, &stacked))
		opened.flags |= HT_OPENED_OBJECT;
	if (is_namespace_root(mount, dentry))
		opened.flags |= HT_OPENED_ROOT;
	bpf_seq_write(seq, &opened, sizeof(opened));
	return 0;
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
