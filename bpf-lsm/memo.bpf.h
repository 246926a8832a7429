/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#pragma once

/*
 * Verdicts that were given before.
 *
 * A tag is one number mixed out of everything that an unrecorded "allowed" followed from. A table holds tags; who comes
 * to the same tag has the same answer. There is nothing to invalidate and nothing that could be read half: whatever
 * changes leads to another tag, and a place in the table is one word. What goes in:
 *
 *   subject   the task and the state of its label (governed word), or, shared by tasks, the set of its profiles, each
 *             with the cgroup that bound it
 *   policy    the epoch, which moves after each publish, each change of labels by the agent, each object that was bound by
 *             identity
 *   object    dentry, inode and its number of links; for each dentry from it up to the root of the mount: its address,
 *             its d_seq, which moves with every rename, and the kernel's hash of its name, which tells it from another
 *             dentry that came to lie at the same address
 *   mount     the mount, the task's mount namespace, and its event counter, which moves with every mount that comes,
 *             goes or moves
 *   operation
 *
 * Each of these only ever moves on, so a tag that was made from what has changed meanwhile is never met again, and no
 * order between making it, deciding and keeping it can go wrong. An inode with several links is not kept: the last name
 * could be taken away and another appear.
 *
 * What is bound by identity (identity.bpf.h) is a function of what is in the tag as well: the inode by its address, which
 * does not come to another object under one dentry without moving its d_seq; the cgroup; and the entries, which the agent
 * adds before it moves the epoch. So an "allowed" from before is not met once identities_put() has come back. An entry that is
 * removed only ever refused, and refusals are not kept. On an overlay a copy into the upper layer changes the generation
 * and nothing in the tag, but what was bound without one stays bound, and what is bound with one is bound after that
 * copy, so the epoch moves after it.
 *
 * Two different states come to one tag by chance once in 2^64; nobody outside
 * the kernel knows the seed or the addresses.
 *
 * Up to the root of the mount the pointers are the hook's own, and plain loads follow them, MEMO_LEVELS deep. The
 * topmost mounts of namespaces stand in a table of their own. From the root of another mount the way goes on at its
 * mountpoint, at most MEMO_ABOVE directories and MEMO_MOUNTS mounts. Everything else is walked (walk.bpf.h), where the
 * walk's own digest makes the tag; so is what a bind mount shows a part of, because it has another name besides.
 */

#include "hook.bpf.h"

#define MEMO_LEVELS 16
#define MEMO_ABOVE 8
#define MEMO_MOUNTS 3
#define MEMO_USE_ALL 0U
#define MEMO_FACTOR 0x9e3779b97f4a7c15ULL

/* What is known of an object before it is judged. */
struct memo_object {
	__u64 place; /* all but the subject; 0: this way does not serve it */
	__u64 top;   /* of its mount, as memo_top() */
	__u32 epoch;
	__u32 ops;
};

static __always_inline __u64 memo_mix(__u64 h, __u64 v)
{
	h = (h ^ v) * MEMO_FACTOR;
	return h ^ h >> 32;
}

static __always_inline struct memo *memo_get(void)
{
	__u32 zero = 0;

	return bpf_map_lookup_elem(&memo, &zero);
}

static __always_inline bool memo_has(struct memo *m, __u64 tag)
{
	return m->tags[tag & (MEMO_TAGS - 1)] == tag;
}

static __always_inline void memo_put(struct memo *m, __u64 tag)
{
	m->tags[tag & (MEMO_TAGS - 1)] = tag;
}

static __always_inline __u64 memo_subject(__u64 object, __u64 a, __u64 b)
{
	return memo_mix(memo_mix(object, a), b);
}

/* The tag of a mount in whose place a name begins: nothing is above it. */
static __always_inline __u64 memo_top(__u64 mnt, __u64 ns, __u64 event)
{
	return memo_mix(memo_mix(memo_mix(ht_key1, mnt), ns), event);
}

/* Dentries up to the root of the mount. Return: 0 if it is deeper than this way goes, or moving. */
static __always_inline __u64 memo_chain(struct dentry *dentry, struct dentry *root, const void *from)
{
	__u64 h = ht_key0;
	__u32 seq, i;

#pragma clang loop unroll(disable)
	for (i = 0; i < MEMO_LEVELS; i++) {
		if (dentry == root)
			return h | 1;
		seq = dentry->d_seq.seqcount.sequence;
		if (seq & 1)
			return 0;
		h = memo_mix(h, number_of((__u64)dentry, from));
		h = memo_mix(h, (__u64)seq << 32 | dentry->d_name.hash);
		dentry = dentry->d_parent;
	}
	return 0;
}

/* Neighbours in every struct mount: one read for the three. */
struct memo_mount {
	__u64 parent;
	__u64 mountpoint;
	__u64 root;
};

#define MEMO_MOUNT_IS_NEIGHBOURS                                                      \
	(bpf_core_field_offset(struct mount, mnt_mountpoint) ==                       \
		 bpf_core_field_offset(struct mount, mnt_parent) + 8 &&               \
	 bpf_core_field_offset(struct mount, mnt.mnt_root) ==                         \
		 bpf_core_field_offset(struct mount, mnt_parent) + 16)

static __always_inline bool memo_mount_read(struct memo_mount *ret, __u64 mount)
{
	return bpf_probe_read_kernel(ret, sizeof(*ret),
				     (void *)(mount + bpf_core_field_offset(struct mount,
									    mnt_parent))) == 0;
}

struct memo_above {
	struct memo_mount mount; /* where the way stands */
	__u64 dentry;
	__u64 h;
	__u64 ns;
	__u64 event;
	__u64 from; /* the memo's own address, as a number */
	__u8 head[64];
};

/* Dentries from a mountpoint up to the root of the mount it is in. Return: 0: too deep, moving, unreadable. */
__global int memo_above_names(struct memo_above *a)
{
	__u32 i, seq, hash;

	if (!a)
		return 0;
#pragma clang loop unroll(disable)
	for (i = 0; i < MEMO_ABOVE; i++) {
		if (a->dentry == a->mount.root)
			return 1;
		if (bpf_probe_read_kernel(a->head, sizeof(a->head), (void *)a->dentry) < 0)
			return 0;
		seq = *(__u32 *)(a->head + bpf_core_field_offset(struct dentry, d_seq));
		hash = *(__u32 *)(a->head + bpf_core_field_offset(struct dentry, d_name.hash));
		if (seq & 1)
			return 0;
		a->h = memo_mix(memo_mix(a->h, a->dentry), (__u64)seq << 32 | hash);
		a->dentry = *(__u64 *)(a->head + bpf_core_field_offset(struct dentry, d_parent));
	}
	return a->dentry == a->mount.root;
}

/* On from the root of a mount. Return: 0: this way does not serve it. */
static __noinline __u64 memo_above(struct memo *m, __u64 mount, struct memo_above *a)
{
	struct memo_mount next;
	__u64 at, top;
	__u32 i;

	if (!MEMO_MOUNT_IS_NEIGHBOURS || !m || !a || !memo_mount_read(&next, mount))
		return 0;
#pragma clang loop unroll(disable)
	for (i = 0; i < MEMO_MOUNTS; i++) {
		at = next.parent;
		a->dentry = next.mountpoint;
		if (!memo_mount_read(&a->mount, at) || !memo_above_names(a))
			return 0;
		top = memo_top(at + bpf_core_field_offset(struct mount, mnt) - a->from, a->ns, a->event);
		if (m->tops[top & (MEMO_TOPS - 1)] == top || a->mount.parent == at)
			return a->h;
		next = a->mount;
	}
	return 0;
}

/* Where a mount that is no top stands, for the tags of what is in it. Return: 0: this way does not serve it. */
static __always_inline __u64 memo_mounted(struct memo *m, struct vfsmount *mnt, __u64 top, __u64 ns,
					  __u64 event)
{
	struct memo_above a = { .h = top, .ns = ns, .event = event };
	struct dentry *root = mnt->mnt_root;

	if (root->d_parent != root)
		return 0; /* a part of its filesystem */
	a.from = bpf_get_current_task() - number_of(current_task(), m);
	return memo_above(m, walk_mount((__u64)mnt), &a);
}

/* A file by where it is, for some operations on it. The epoch and the event counter are read before anything that
 * they stand for. */
static __always_inline void memo_look(struct memo *m, struct file *file, __u32 ops,
				      struct memo_object *ret)
{
	struct task_struct *task = bpf_get_current_task_btf();
	struct ht_settings *set = settings_get();
	struct mnt_namespace *ns = task->nsproxy->mnt_ns;
	struct vfsmount *mnt = file->f_path.mnt;
	struct inode *inode = file->f_inode;
	__u64 h, place, event;

	ret->place = 0;
	ret->ops = ops;
	ret->epoch = set ? *(volatile __u32 *)&set->epoch : 0;
	event = ns->event;
	place = ret->top = memo_top(number_of((__u64)mnt, m), number_of((__u64)ns, m), event);
	if (m->tops[place & (MEMO_TOPS - 1)] != place)
		place = memo_mounted(m, mnt, place, number_of((__u64)ns, m), event);
	if (!place)
		return;
	h = memo_chain(file->f_path.dentry, mnt->mnt_root, m);
	if (!h)
		return;
	h = memo_mix(h, place);
	h = memo_mix(h, number_of((__u64)inode, m) + ((__u64)inode->i_nlink << 48));
	ret->place = memo_mix(h, (__u64)ret->epoch << 32 | ops);
}

/* The same for an object that memo_look() does not serve: by the digest of its walks. */
__global __u64 memo_walk(struct label *l, struct object *o, struct memo_object *known)
{
	struct dentry *stop = NULL;
	struct inode *inode;
	__u32 nlink = 0;
	__u64 h, top;

	if (!l || !o || !known)
		return 0;
	l->walk.straight = 0;
	(void)walk_pass(l, o->mount, o->dentry, 0);
	if (l->walk.status != WALK_DONE)
		return 0;
	h = memo_mix(memo_mix(known->top, o->mount), l->walk.digest);
	if (l->walk.bind) {
		top = l->walk.top_mnt;
		if (BPF_CORE_READ_INTO(&stop, (struct mount *)top, mnt.mnt_root) < 0)
			return 0;
		l->walk.straight = 1;
		l->walk.stop = (__u64)stop;
		(void)walk_pass(l, o->mount, o->dentry, 0);
		if (l->walk.status != WALK_DONE && l->walk.status != WALK_OUTSIDE)
			return 0;
		h = memo_mix(memo_mix(h, l->walk.digest), l->walk.status);
	}
	inode = (struct inode *)o->inode;
	if (BPF_CORE_READ_INTO(&nlink, inode, i_nlink) < 0)
		return 0;
	h = memo_mix(h, o->inode + ((__u64)nlink << 48));
	return memo_mix(h, (__u64)known->epoch << 32 | known->ops);
}

/* One open file and the task that uses it. ops: READ and WRITE as they were judged, or MEMO_USE_ALL: all that the file was
 * opened for. That is part of it: another file can come to lie at the same address. */
static __always_inline __u64 memo_use(struct memo *m, struct file *file, __u64 task, __u64 word,
				      __u32 epoch, __u32 ops)
{
	__u32 mode = file->f_mode & (FMODE_READ | FMODE_WRITE);
	__u64 h = memo_mix(ht_key1 + ((__u64)(ops << 2 | mode) << 32 | epoch), number_of((__u64)file, m));

	h = memo_mix(h, number_of((__u64)file->f_inode, m));
	h = memo_mix(h, number_of((__u64)file->f_path.dentry, m));
	return memo_subject(h, number_of(task, m), word);
}

/* May what was just decided of this file be kept at all? */
static __always_inline bool memo_may_keep(struct label *l, struct file *file)
{
	struct inode *inode = file->f_inode;

	return l->level == LEVEL_ALLOW && !l->record && !l->passing && !l->fault &&
	       (inode->i_nlink == 1 || (inode->i_mode & S_IFMT) == S_IFDIR);
}

/*
 * Judge a file for a task whose label is not looked up yet. word: the task's governed word, low half not 0.
 * Return: 0, -EPERM.
 */
static __always_inline int memo_judge(struct file *file, __u32 ops, __u32 facts, __u64 task,
				      __u64 word)
{
	struct object o = { .ops = ops, .facts = facts };
	struct memo_object known = {};
	struct memo *m = memo_get();
	__u64 own, shared = 0;
	struct label *l;
	int ret;

	if (!m)
		return -EPERM;
	memo_look(m, file, ops | facts << HT_KERNEL_SHIFT, &known);
	own = known.place ? memo_subject(known.place, number_of(task, m), word) : 0;
	if (own && memo_has(m, own))
		return 0;
	l = label_find(task);
	if (!l)
		return 0;
	object_of_file(&o, file);
	if (!known.place)
		known.place = memo_walk(l, &o, &known);
	if (known.place) {
		shared = memo_subject(known.place, l->set, 0);
		if (memo_has(m, shared)) {
			if (own)
				memo_put(m, own);
			return 0;
		}
	}
	ret = hook_judge(l, &o);
	if (ret || !memo_may_keep(l, file))
		return ret;
	if (shared)
		memo_put(m, shared);
	if (own)
		memo_put(m, own);
	if (l->top == o.mount)
		m->tops[known.top & (MEMO_TOPS - 1)] = known.top;
	return 0;
}
