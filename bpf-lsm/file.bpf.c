// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

/*
 * Hooks on files: open, and what changes names, contents and attributes without an open.
 */

#include "escape.bpf.h"
#include "memo.bpf.h"

/* Operations of one open, by its f_flags and f_mode. Opening to execute is not reading: the exec and mmap hooks judge it. (A
 * request of XFS takes the flags of an open from the one who asks, that one among them, so the call is asked too.) By itself,
 * so that the verifier has one way on from here. */
__global __u32 open_ops(__u32 flags, __u32 mode)
{
	__u32 ops = 0;

	if ((flags & F_FLAG_EXEC) && call_is_exec(call_current()))
		return 0;
	if (mode & FMODE_READ)
		ops |= HT_OP_READ;
	if ((mode & FMODE_WRITE) || (flags & O_TRUNC))
		ops |= HT_OP_WRITE;
	if (mode & FMODE_CREATED)
		ops |= HT_OP_CREATE;
	return ops;
}

/* The open of the file below a stacked filesystem's file, when it carries the upper name with the lower inode
 * (before 6.7), which no other open does. The upper open was judged a moment ago. Later kernels open it by a
 * path of a private mount (PLACE_BELOW). FMODE_BACKING is not asked: its bit has meant other things. */
static __always_inline bool open_is_backing(struct file *file)
{
	return file->f_path.dentry->d_inode != file->f_inode;
}

/* The open of what lies below a stacked filesystem's directory, and of its files from 6.7 on: through a mount that only the kernel uses,
 * of a filesystem that is mounted for others as well. As verdict_place() has it (PLACE_BELOW), without the walk up its names. What is to
 * be written may be Haetae's own, whatever stands above it: that is judged. Such a mount is read-only, or has no kind of access times; of
 * others, which are most, no more is asked. */
static __noinline bool open_is_below(struct file *file, __u32 ops)
{
	struct mount *mount = (struct mount *)walk_mount((__u64)file->f_path.mnt);
	struct mnt_namespace *ns = NULL;

	if ((file->f_path.mnt->mnt_flags & (MNT_READONLY | MNT_RELATIME)) == MNT_RELATIME)
		return false;
	if ((ops & ~HT_OP_READ) || (file->f_path.mnt->mnt_sb->s_flags & (SB_NOUSER | SB_KERNMOUNT)))
		return false;
	return BPF_CORE_READ_INTO(&ns, mount, mnt_ns) == 0 && (__u64)ns == MOUNT_NS_INTERNAL;
}

#define OPEN_IS_USE 1 /* what is open may be used, too */

/* An open that was not met before. Return: OPEN_IS_USE; 0: let through, as somebody else judges; -EPERM. */
static __noinline int open_judge(struct memo_question *q)
{
	struct file *file = q->file;
	int ret;

	ret = escape_open(file);
	if (ret)
		return ret;
	q->ops = open_ops(file->f_flags, file->f_mode);
	if (!q->ops)
		return 0;
	/* Masked and not asked for: for each branch here the verifier would go through all that follows once more. Nothing is
	 * remembered under 0. */
	q->near &= -(__u64)(escape_lasts(file->f_inode->i_mode, q->ops & HT_OP_WRITE, file->f_inode->i_sb->s_magic) &
			    memo_is_near(q));
	if (open_is_backing(file) || open_is_below(file, q->ops)) {
		memo_put(memo_get(), q->near);
		return OPEN_IS_USE; /* nobody has it but the file above, whose use is asked for as well */
	}
	ret = memo_judge(q, file->f_flags & O_TRUNC ? OBJECT_TWICE : 0);
	return ret ? ret : OPEN_IS_USE;
}

SEC("lsm/file_open")
int BPF_PROG(haetae_file_open, struct file *file, int ret)
{
	struct task_struct *task = bpf_get_current_task_btf();
	struct memo *m = memo_get();
	struct opened f;
	__u64 word, near;
	__u32 index;

	if (ret)
		return ret;
	index = governed_index((__u64)task);
	word = governed_at(index);
	if (!(__u32)word)
		return 0;
	opened_read(&f, file, (__u64)task, index, word);
	near = memo_near(m, &f, task);
	if (!memo_has(m, near)) {
		struct memo_question q = {
			.file = file, .near = near, .subject = f.subject, .epoch = f.epoch
		};

		ret = open_judge(&q);
		if (ret != OPEN_IS_USE)
			return ret ? -EPERM : 0;
	}
	memo_put(m, memo_use(m, &f, MEMO_USE_ALL));
	return 0;
}

SEC("lsm/path_truncate")
int BPF_PROG(haetae_path_truncate, const struct path *path, int ret)
{
	__u32 facts = OBJECT_AGAIN;
	struct label *l;

	if (ret)
		return ret;
	l = label_current();
	if (!l)
		return 0;
	/* before 6.2 also what is cut through a descriptor, memory included that has no name */
	if (path->mnt->mnt_sb->s_flags & (SB_NOUSER | SB_KERNMOUNT))
		facts |= OBJECT_USE;
	return hook_name_with(l, path, path->dentry, HT_OP_WRITE, facts);
}

SEC("lsm/path_unlink")
int BPF_PROG(haetae_path_unlink, const struct path *dir, struct dentry *dentry, int ret)
{
	struct label *l;

	if (ret)
		return ret;
	l = label_current();
	return l ? hook_name(l, dir, dentry, HT_OP_DELETE) : 0;
}

SEC("lsm/path_rmdir")
int BPF_PROG(haetae_path_rmdir, const struct path *dir, struct dentry *dentry, int ret)
{
	struct label *l;

	if (ret)
		return ret;
	l = label_current();
	return l ? hook_name(l, dir, dentry, HT_OP_DELETE) : 0;
}

SEC("lsm/path_mkdir")
int BPF_PROG(haetae_path_mkdir, const struct path *dir, struct dentry *dentry, __u16 mode, int ret)
{
	struct label *l;

	if (ret)
		return ret;
	l = label_current();
	return l ? hook_name(l, dir, dentry, HT_OP_CREATE) : 0;
}

/* The name is being looked up right now: nobody knows yet whether there is such a file. */
static __always_inline bool name_is_unlooked(struct dentry *dentry)
{
	unsigned int flag = 0x10000000;

	if (bpf_core_enum_value_exists(enum dentry_flags___enum, DCACHE_PAR_LOOKUP___enum))
		flag = bpf_core_enum_value(enum dentry_flags___enum, DCACHE_PAR_LOOKUP___enum);
	return dentry->d_flags & flag;
}

/* An open that may create a file asks before the name is looked up, if the kernel has no dentry of it. Where the file is
 * there the answer counts for nothing, so nothing is to be told of it. With ESTALE, the kernel looks the name up; it goes on
 * if the file is there, and does all once more if it is not, now with a dentry that says so. Once only: not every
 * filesystem keeps such a dentry. Return: 0; -ESTALE: ask again; 1: now it is to be told. */
static __always_inline int create_unlooked(struct label *l, const struct path *dir, struct dentry *dentry)
{
	struct dentry *parent = NULL;
	__u64 name;
	int ret;

	(void)BPF_CORE_READ_INTO(&parent, dentry, d_parent);
	name = walk_mix((__u64)parent, dentry->d_name.hash) | 1;
	if (l->unlooked == name) {
		l->unlooked = 0;
		return 1;
	}
	ret = hook_name_with(l, dir, dentry, HT_OP_CREATE, OBJECT_QUIET);
	if (!ret && (l->said & SAID_NOTHING))
		return 0;
	l->unlooked = name;
	return -ESTALE;
}

SEC("lsm/path_mknod")
int BPF_PROG(haetae_path_mknod, const struct path *dir, struct dentry *dentry, __u16 mode,
	     unsigned int dev, int ret)
{
	struct label *l;

	if (ret)
		return ret;
	l = label_current();
	if (!l)
		return 0;
	if (name_is_unlooked(dentry)) {
		ret = create_unlooked(l, dir, dentry);
		if (ret <= 0)
			return ret ? -ESTALE : 0;
	}
	return hook_name(l, dir, dentry, HT_OP_CREATE);
}

SEC("lsm/path_symlink")
int BPF_PROG(haetae_path_symlink, const struct path *dir, struct dentry *dentry,
	     const char *old_name, int ret)
{
	struct label *l;

	if (ret)
		return ret;
	l = label_current();
	return l ? hook_name(l, dir, dentry, HT_OP_CREATE) : 0;
}

static __always_inline int link_judge(struct label *l, struct verdict *v, struct dentry *old_dentry,
				      const struct path *new_dir, struct dentry *new_dentry)
{
	int ret;

	freeze_begin(v, old_dentry, FREEZE_LINK);
	/* a link stays on one mount, so the new directory's mount is the old name's as well */
	ret = hook_name_with(l, new_dir, old_dentry, HT_OP_LINK, OBJECT_LEAVES);
	if (ret)
		return ret;
	ret = hook_name_with(l, new_dir, new_dentry, HT_OP_CREATE, OBJECT_ARRIVES);
	if (ret || !v->freeze.lost)
		return ret;
	return hook_name_with(l, new_dir, old_dentry, HT_OP_LINK, OBJECT_FROZEN);
}

SEC("lsm/path_link")
int BPF_PROG(haetae_path_link, struct dentry *old_dentry, const struct path *new_dir,
	     struct dentry *new_dentry, int ret)
{
	struct verdict *v;
	struct label *l;

	if (ret)
		return ret;
	l = label_current();
	if (!l)
		return 0;
	v = pool_hold(l);
	if (!v)
		return pool_refuse();
	ret = link_judge(l, v, old_dentry, new_dir, new_dentry);
	pool_let_go(l, v);
	return ret;
}

/* One direction of a rename: the old name goes, the new one comes, and what had it goes. */
static __always_inline int rename_judge(struct label *l, struct verdict *v, const struct path *old_dir,
					struct dentry *old_dentry, const struct path *new_dir,
					struct dentry *new_dentry, unsigned int flags)
{
	__u32 ops = HT_OP_RENAME;
	int ret;

	if (flags & RENAME_WHITEOUT) /* a device of that name stays behind */
		ops |= HT_OP_CREATE;
	freeze_begin(v, old_dentry, FREEZE_RENAME);
	ret = hook_name_with(l, old_dir, old_dentry, ops, OBJECT_LEAVES);
	if (ret)
		return ret;
	ops = HT_OP_CREATE;
	if (walk_inode(new_dentry) && !(flags & RENAME_EXCHANGE))
		ops |= HT_OP_DELETE;
	ret = hook_name_with(l, new_dir, new_dentry, ops, OBJECT_ARRIVES);
	if (ret || !v->freeze.lost)
		return ret;
	return hook_name_with(l, old_dir, old_dentry, HT_OP_RENAME, OBJECT_FROZEN);
}

SEC("lsm/path_rename")
int BPF_PROG(haetae_path_rename, const struct path *old_dir, struct dentry *old_dentry,
	     const struct path *new_dir, struct dentry *new_dentry, unsigned int flags, int ret)
{
	struct verdict *v;
	struct label *l;

	if (ret)
		return ret;
	l = label_current();
	if (!l)
		return 0;
	v = pool_hold(l);
	if (!v)
		return pool_refuse();
	ret = rename_judge(l, v, old_dir, old_dentry, new_dir, new_dentry, flags);
	if (!ret && (flags & RENAME_EXCHANGE))
		ret = rename_judge(l, v, new_dir, new_dentry, old_dir, old_dentry, flags);
	pool_let_go(l, v);
	return ret;
}

SEC("lsm/path_chmod")
int BPF_PROG(haetae_path_chmod, const struct path *path, __u16 mode, int ret)
{
	struct label *l;

	if (ret)
		return ret;
	l = label_current();
	return l ? hook_path(l, path, HT_OP_ATTR) : 0;
}

SEC("lsm/path_chown")
int BPF_PROG(haetae_path_chown, const struct path *path, unsigned long uid, unsigned long gid,
	     int ret)
{
	struct label *l;

	if (ret)
		return ret;
	l = label_current();
	return l ? hook_path(l, path, HT_OP_ATTR) : 0;
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
