/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#pragma once

/*
 * Verdicts that were given before.
 *
 * A tag is one number mixed out of everything that an unrecorded "allowed" followed from. A table holds tags; who comes
 * to the same tag has the same answer. There is nothing to invalidate and nothing that could be read half: whatever
 * changes leads to another tag, and a place in the table is one word. What goes in:
 *
 *   subject   the set of its profiles, each with the cgroup that bound it, for all tasks that have that. It stands beside the task's
 *             governed word, with a check over it, the word and the task: it is of this task and of this state of its label. Where
 *             another label has the same word, and for the use of what is open, the task and its word
 *   policy    the epoch, which moves after each publish, each change of labels by the agent, each object that was bound by
 *             identity
 *   object    dentry, inode (and on the long way its number of links); for each dentry from it up to the root of the mount: its address,
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
 * What is bound by identity (identity.bpf.h, with the bits of struct ht_shared, which are set before an entry is there) is a function of
 * what is in the tag as well: the inode by its address, which
 * does not come to another object under one dentry without moving its d_seq; the cgroup; and the entries, which the agent
 * adds before it moves the epoch. So an "allowed" from before is not met once identities_put() has come back. An entry that is
 * removed only ever refused, and refusals of the object itself are not kept. On an overlay a copy into the upper layer changes the generation
 * and nothing in the tag, but what was bound without one stays bound, and what is bound with one is bound after that
 * copy, so the epoch moves after it.
 *
 * What was not simply allowed (refused, to be recorded) is kept under the short tag with what is to be told of it, several
 * words and a check over them and the tag: a place that is half written, or another's, is no answer. It is counted and
 * reported each time like the first. Where a record is made, the names are collected anew for it.
 *
 * Two different states come to one tag by chance once in 2^64; nobody outside
 * the kernel knows the seed or the addresses.
 *
 * The long way goes up the names each time. Up to the root of the mount the pointers are the hook's own, and plain loads follow them, MEMO_LEVELS deep. The
 * topmost mounts of namespaces stand in a table of their own. From the root of another mount the way goes on at its
 * mountpoint, at most MEMO_ABOVE directories and MEMO_MOUNTS mounts. Everything else is walked (walk.bpf.h), where the
 * walk's own digest makes the tag; so is what a bind mount shows a part of, because it has another name besides.
 *
 * The short way does not go up. While a dentry lives, what it hangs from lives, and the only thing that puts it or
 * anything above it elsewhere is a move; so does a mount keep its mountpoint. What goes into its tag in the place of the
 * chain of dentries:
 *
 *   name      a word by the dentry's address: moves on before a dentry there gets an object, as every one does that came
 *             to lie at the address of another, and when it is moved
 *   trees     moves on when any directory is moved, wherever. Files are moved all the time and are above nothing, but for
 *             one that another is mounted on: what is mounted on a file is left to the long way
 *
 * Both are read before the answer is looked for, and an answer is kept only if nothing was being moved after they were
 * read (moves.bpf.c): so one that was found before a move, or during it, is under a count that nobody comes to any more. A file
 * that is being opened holds its dentry: what was read of its word stays true until the answer is kept. An answer of
 * the long way holds at an instant after that, so it may be kept under the short tag too.
 *
 * A file that is opened for the first time is not found by its tag. Where its directory is known (directory.bpf.h), one
 * name is followed from there, and the object itself is asked for. What both plainly allow is allowed, if it changes
 * nothing on a filesystem that has something of Haetae's; all else goes the long way.
 */

#include "hook.bpf.h"

#define MEMO_LEVELS 16
#define MEMO_ABOVE 8
#define MEMO_MOUNTS 3
#define MEMO_USE_ALL 0U

/* A file and the task that asks for it. Each field of the kernel's is read once: it is a load with checks around it, and
 * the compiler may not make one of two. */
struct opened {
	struct file *file;
	struct dentry *dentry;
	struct subject_tags subject;
	__u32 mode;
	__u32 epoch;
};

/* An open that the short way does not answer. */
struct memo_question {
	struct file *file;
	__u64 near; /* the tag to keep an answer under; 0: none */
	struct subject_tags subject; /* whose it is */
	__u32 epoch;
	__u32 ops;
};

/* What is known of an object before it is judged. */
struct memo_object {
	__u64 place; /* all but the subject; 0: this way does not serve it */
	__u64 top;   /* of its mount, as memo_top() */
};

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

struct memo_above {
	struct mount_place mount; /* where the way stands */
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
	struct mount_place next;
	__u64 at, top;
	__u32 i;

	if (!a || !mount_read(&next, mount))
		return 0;
#pragma clang loop unroll(disable)
	for (i = 0; i < MEMO_MOUNTS; i++) {
		at = next.parent;
		a->dentry = next.mountpoint;
		if (!mount_read(&a->mount, at) || !memo_above_names(a))
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
	a.from = memo_address(m);
	return memo_above(m, walk_mount((__u64)mnt), &a);
}

/* A file by where it is, for some operations on it. The epoch and the event counter are read before anything that
 * they stand for. */
static __noinline int memo_look(struct memo_question *q, struct memo_object *ret)
{
	struct mnt_namespace *ns = bpf_get_current_task_btf()->nsproxy->mnt_ns;
	struct vfsmount *mnt = q->file->f_path.mnt;
	struct inode *inode = q->file->f_inode;
	struct memo *m = memo_get();
	__u64 h, place, event;

	event = namespace_event(ns);
	place = ret->top = memo_top(number_of((__u64)mnt, m), number_of((__u64)ns, m), event);
	if (m->tops[place & (MEMO_TOPS - 1)] != place)
		place = memo_mounted(m, mnt, place, number_of((__u64)ns, m), event);
	if (!place)
		return 0;
	h = memo_chain(q->file->f_path.dentry, mnt->mnt_root, m);
	if (!h)
		return 0;
	h = memo_mix(h, place);
	h = memo_mix(h, number_of((__u64)inode, m) + ((__u64)inode->i_nlink << 48));
	ret->place = memo_mix(h, (__u64)q->epoch << 32 | q->ops);
	return 0;
}

static __always_inline __u64 memo_walked(struct verdict *v, struct object *o, __u64 mount, __u64 asked)
{
	struct dentry *stop = NULL;
	struct inode *inode;
	__u32 nlink = 0;
	__u64 h, top;

	v->walk.straight = 0;
	(void)walk_pass(v, o->mount, o->dentry, 0);
	if (v->walk.status != WALK_DONE)
		return 0;
	h = memo_mix(memo_mix(mount, o->mount), v->walk.digest);
	if (v->walk.bind) {
		top = v->walk.top_mnt;
		if (BPF_CORE_READ_INTO(&stop, (struct mount *)top, mnt.mnt_root) < 0)
			return 0;
		v->walk.straight = 1;
		v->walk.stop = (__u64)stop;
		(void)walk_pass(v, o->mount, o->dentry, 0);
		if (v->walk.status != WALK_DONE && v->walk.status != WALK_OUTSIDE)
			return 0;
		h = memo_mix(memo_mix(h, v->walk.digest), v->walk.status);
	}
	inode = (struct inode *)o->inode;
	if (BPF_CORE_READ_INTO(&nlink, inode, i_nlink) < 0)
		return 0;
	h = memo_mix(h, o->inode + ((__u64)nlink << 48));
	return memo_mix(h, asked);
}

/* The same for an object that memo_look() does not serve: by the digest of its walks. mount: memo_top() of it; asked: epoch
 * and operations. */
__global __u64 memo_walk(struct object *o, __u64 mount, __u64 asked)
{
	struct verdict *v;
	__u64 tag;

	if (!o)
		return 0;
	v = pool_claim();
	if (!v)
		return 0;
	tag = memo_walked(v, o, mount, asked);
	pool_give(v);
	return tag;
}

/* index, word: of the task. */
static __always_inline void opened_read(struct opened *ret, struct file *file, __u64 task, __u32 index,
					__u64 word)
{
	subject_read(&ret->subject, task, index, word);
	ret->epoch = *(volatile __u32 *)&settings_get()->epoch;
	ret->file = file;
	ret->dentry = file->f_path.dentry;
	ret->mode = file->f_mode;
}

/* What the tags of a file for a subject begin with. */
static __always_inline __u64 opened_object(struct memo *m, const struct opened *f, __u64 subject)
{
	return memo_mix2(subject, number_of((__u64)f->dentry, m), number_of((__u64)f->file->f_inode, m));
}

/* One open file and the task that uses it. ops: READ and WRITE as they were judged, or MEMO_USE_ALL: all that the file was
 * opened for. That is part of it: another file can come to lie at the same address. */
static __always_inline __u64 memo_use(struct memo *m, const struct opened *f, __u32 ops)
{
	__u32 mode = f->mode & (FMODE_READ | FMODE_WRITE);

	return memo_mix2(opened_object(m, f, f->subject.task), number_of((__u64)f->file, m),
			 (__u64)(ops << 2 | mode) << 32 | f->epoch);
}

/* An open by the short way: its dentry, as long as neither that nor any directory was moved. The bits of the mode and of
 * the flags, none of which is in both, say what open_judge() makes operations of. */
static __always_inline __u64 memo_near(struct memo *m, const struct opened *f, struct task_struct *task)
{
	__u32 asked = (f->mode & (FMODE_READ | FMODE_WRITE | FMODE_CREATED)) |
		      (f->file->f_flags & (O_TRUNC | F_FLAG_EXEC));
	__u64 name = *(volatile __u64 *)memo_name(m, number_of((__u64)f->dentry, m)), h;
	__u64 trees = *(volatile __u64 *)&m->shared.moves.trees;
	struct mnt_namespace *ns = task->nsproxy->mnt_ns;

	h = opened_object(m, f, f->subject.shared);
	h = memo_mix2(h, number_of((__u64)f->file->f_path.mnt, m), (__u64)f->epoch << 32 | asked);
	h = memo_mix2(h, number_of((__u64)ns, m), namespace_event(ns));
	return memo_mix2(h, name, trees);
}

/* Has the object no name but the one at hand? */
static __always_inline bool memo_is_single(struct file *file)
{
	struct inode *inode = file->f_inode;

	return inode->i_nlink == 1 || (inode->i_mode & S_IFMT) == S_IFDIR;
}

/* May the "allowed" that was just decided of this file be kept at all? */
static __always_inline bool memo_may_keep(struct label *l, struct file *file)
{
	return (l->said & SAID_ALLOWED) && memo_is_single(file);
}

static __always_inline __u64 memo_check(__u64 tag, const struct memo_answer *a)
{
	__u64 h = memo_mix2(tag, a->rule, a->profile);

	return memo_mix2(h, a->told | (__u64)a->level << 16 | (__u64)a->reason << 24, a->canary);
}

/* What was said before. Return: false: nothing is known. An empty place, as most are, is soon told. */
static __always_inline bool memo_recall(struct memo *m, __u64 tag, struct memo_answer *ret)
{
	struct memo_answer *a = &m->answers[tag & (MEMO_ANSWERS - 1)];

	if (!a->check)
		return false;
	*ret = *a;
	return memo_check(tag, ret) == ret->check;
}

/* Keep what was just said, if it is said of the name through the mounts. What is said of the object itself is not kept: the
 * agent takes such entries away without a word. */
static __always_inline void memo_remember(struct memo *m, __u64 tag, struct label *l, struct file *file)
{
	struct memo_answer a;

	if (!(l->said & SAID_ANSWER) || !memo_is_single(file))
		return;
	a = l->known;
	a.check = memo_check(tag, &a);
	m->answers[tag & (MEMO_ANSWERS - 1)] = a;
}

/* Has the file hung where it does since v->directory.names were read? */
static __always_inline bool memo_holds(struct memo *m, struct verdict *v, struct dentry *dentry)
{
	__u64 *word = memo_name(m, number_of((__u64)dentry, m));

	return *(volatile __u64 *)word == v->directory.names.own &&
	       *(volatile __u64 *)&m->shared.moves.trees == v->directory.names.trees && names_count(m);
}

/* Can the operations change something that is Haetae's own? Then the guard is asked, whatever the policies say. */
static __always_inline bool memo_is_guarded(const struct memo_question *q)
{
	struct ht_guard_file key = { .dev = q->file->f_inode->i_sb->s_dev };

	return (q->ops & GUARD_OPS) && bpf_map_lookup_elem(&guard_files, &key);
}

/* What the profiles of a subject say of a name in a directory that all of them know. */
#define BELOW_ALLOWED 1U
#define BELOW_IDENTITIES 2U /* the object itself may be meant by one of them */

/* Does the profile in a slot plainly allow operations on the object called directory.name? Return: BELOW_* bits; 0: no, or its
 * entry for the directory is not known. */
__global __u32 memo_slot(struct verdict *v, __u32 slot, __u64 place, __u32 ops)
{
	struct ht_edge_key key = { .kind = HT_EDGE_HEADER };
	struct memo_directory *known;
	struct ht_entry *e;
	void *profile;
	__u32 said;

	if (!v)
		return 0;
	slot &= DIRECTORY_SLOTS - 1;
	if (!v->profiles[slot])
		return BELOW_ALLOWED; /* a slot that is free again */
	profile = profile_get(v->profiles[slot], v->half);
	e = profile ? profile_entry(profile, &key) : NULL;
	if (!e || (e->flags & HT_PROFILE_RECORD_FILE))
		return 0;
	if (!((e->deny | e->audit | e->would) & ops))
		return BELOW_ALLOWED;
	directory_begin(v, slot, e);
	if (!directory_recall(v, slot, place))
		return 0;
	known = &v->directory.slots[slot].known;
	said = directory_said(known);
	if (directory_has_names(known)) {
		if ((known->entry.flags & HT_ENTRY_GLOBS) || !directory_name(v))
			return 0;
		key.state = known->entry.next;
		key.kind = HT_EDGE_NAME;
		key.name = v->directory.hash;
		e = profile_entry(profile, &key);
		if (e)
			said = directory_ops(e);
	}
	return said & ops ? 0 : BELOW_ALLOWED | directory_identities(v, slot) * BELOW_IDENTITIES;
}

/* All profiles. Return: as memo_slot(). */
static __noinline __u32 memo_slots(struct verdict *v, __u64 place, __u32 ops)
{
	__u32 ret = 0, said, i;

#pragma clang loop unroll(disable)
	for (i = 0; i < DIRECTORY_SLOTS; i++) {
		if (!(v->slots >> i))
			break;
		said = memo_slot(v, i, place, ops);
		if (!said)
			return 0;
		ret |= said;
	}
	return v->slots >> DIRECTORY_SLOTS ? 0 : ret;
}

/* As directory_enter(), by the hook's own pointers. */
static __always_inline bool memo_goes_below(struct memo *m, struct memo_question *q, struct label *l, struct verdict *v)
{
	struct dentry *dentry = q->file->f_path.dentry;
	struct vfsmount *mnt = q->file->f_path.mnt;
	__u64 place;
	__u32 said;

	verdict_profiles(v, l);
	v->directory.names.own = *(volatile __u64 *)memo_name(m, number_of((__u64)dentry, m));
	v->directory.names.trees = *(volatile __u64 *)&m->shared.moves.trees;
	if (!names_count(m))
		return false;
	place = directory_place(m, q->epoch, number_of((__u64)dentry->d_parent, m), number_of((__u64)mnt, m),
				v->directory.names.trees);
	v->directory.name.len = dentry->d_name.len;
	v->directory.name.name = dentry->d_name.name;
	v->directory.hash = 0;
	v->half = settings_get()->current;
	said = memo_slots(v, place, q->ops);
	if (!said || !memo_holds(m, v, dentry))
		return false;
	return !(said & BELOW_IDENTITIES) || !identity_is_possible(q->file->f_inode->i_ino);
}

/* Is the open of a file plainly allowed, going by where its directory leads to? */
static __noinline bool memo_below(struct memo *m, struct memo_question *q, struct label *l)
{
	struct verdict *v = NULL;
	bool below;

	if (q->file->f_path.dentry != q->file->f_path.mnt->mnt_root && !memo_is_guarded(q))
		v = pool_claim();
	if (!v)
		return false;
	below = memo_goes_below(m, q, l, v);
	pool_give(v);
	return below;
}

/* Does a file have a short tag? A file that is mounted on another has not: its name is that one's, whose moves are not those of a
 * directory. Return: 0, 1. By itself, so that the verifier has one way on from here. */
__global __u32 memo_can_be_near(__u64 dentry, __u64 root, __u32 mode)
{
	return names_count(memo_get()) && (dentry != root || (mode & S_IFMT) == S_IFDIR);
}

static __always_inline __u32 memo_is_near(const struct memo_question *q)
{
	struct memo *m = memo_get();

	return memo_can_be_near(number_of((__u64)q->file->f_path.dentry, m),
				number_of((__u64)q->file->f_path.mnt->mnt_root, m), q->file->f_inode->i_mode);
}

/* Judge the open of a file for a task whose label is not looked up yet, and which is governed as far as its word tells.
 * Return: 0, -EPERM. */
static __always_inline int memo_judge(struct memo_question *q, __u32 facts)
{
	struct object o = { .ops = q->ops, .facts = facts };
	struct memo_object known = {};
	struct memo *m = memo_get();
	__u64 shared = 0;
	struct label *l;
	int ret;

	l = label_find(current_task());
	if (!l)
		return 0;
	/* If a profile comes or goes at this moment there is none. Masked, as each branch here is two ways on for the verifier. */
	q->near &= (differ(q->subject.shared, q->subject.task) & differ(q->subject.shared, subject_set(l))) - 1;
	object_of_file(&o, q->file);
	if (memo_recall(m, q->near, &l->known) && q->near) {
		o.facts |= OBJECT_KNOWN;
		return hook_judge(l, &o);
	}
	if (memo_below(m, q, l)) {
		if (memo_is_single(q->file))
			memo_put(m, q->near);
		return 0;
	}
	q->ops |= facts << HT_KERNEL_SHIFT;
	memo_look(q, &known);
	if (!known.place)
		known.place = memo_walk(&o, known.top, (__u64)q->epoch << 32 | q->ops);
	if (known.place) {
		shared = memo_subject(known.place, l->set, 0);
		if (memo_has(m, shared)) {
			memo_put(m, q->near);
			return 0;
		}
	}
	ret = hook_judge(l, &o);
	if (q->near)
		memo_remember(m, q->near, l, q->file);
	if (ret || !memo_may_keep(l, q->file))
		return ret;
	if (shared)
		memo_put(m, shared);
	memo_put(m, q->near);
	if (l->said & SAID_TOP)
		m->tops[known.top & (MEMO_TOPS - 1)] = known.top;
	return 0;
}
