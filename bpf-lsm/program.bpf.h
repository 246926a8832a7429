/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#pragma once

/*
 * Programs that were run before: whether they may be, and what they are called.
 *
 * Both go by a tag of the file, as the short way of opens does (memo.bpf.h): its dentry with the word that a move or another
 * object moves on, the count of moves of directories, its mount, the task's mount namespace and its event counter, the
 * epoch. A name can also be taken off a program, and then it may not run. So its inode is in the tag with the number of its links, and
 * the dentry's own d_seq, which moves when its name is taken off: with both, another link that is made before does not hide
 * that. Like what is kept for a mapped library, only a plain "allowed" of a single link is kept, which depends on nothing but what is in the
 * tag and the subject's set of profiles: exceptions for what a task runs, what came with the image, what is written or recorded are asked
 * for anew. Each file that the kernel is about to hand to a format is asked for by itself, a script and its interpreter
 * too. Whose label was made or completed by this very exec is judged.
 *
 * A name is the same for every subject. The tag was made before the names were read for it, and while nothing was being moved: whatever
 * moves one of them later than that moves the tag, so a text that is newer than its tag is never met. A place in the table is written by
 * whoever makes its count odd; a reader that sees it odd, or another one afterwards, has read nothing.
 */

#include "memo.bpf.h"

static __always_inline struct program *program_at(__u64 place)
{
	struct memo *m = memo_get();

	return m ? &m->programs[place & (MEMO_PROGRAMS - 1)] : NULL;
}

/* Take the name of what runs from the table. Return: false: it is not there. */
static __always_inline bool program_recall(struct label *l, __u64 place)
{
	struct program *p = program_at(place);
	__u64 count;
	__u32 len;

	if (!p)
		return false;
	count = *(volatile __u64 *)&p->count;
	len = *(volatile __u32 *)&p->len;
	if ((count & 1) || *(volatile __u64 *)&p->place != place || !len || len > HT_TEXT_EXE_MAX ||
	    bpf_probe_read_kernel(l->exe, len, p->text) < 0 || *(volatile __u64 *)&p->count != count)
		return false;
	l->exe_len = len;
	l->exe_flags = 0;
	l->exe_whole = 1;
	return true;
}

/* Keep the name of what runs, all of which the label has. */
static __always_inline void program_keep(struct label *l, __u64 place)
{
	struct program *p = program_at(place);
	__u32 len = l->exe_len;
	__u64 count;

	if (!p || len > HT_TEXT_EXE_MAX)
		return;
	count = *(volatile __u64 *)&p->count;
	if ((count & 1) || __sync_val_compare_and_swap(&p->count, count, count + 1) != count)
		return;
	*(volatile __u64 *)&p->place = place;
	*(volatile __u32 *)&p->len = bpf_probe_read_kernel(p->text, len, l->exe) < 0 ? 0 : len;
	__sync_fetch_and_add(&p->count, 1);
}

/* Return: 0: this way does not serve it. */
static __always_inline __u64 program_tag(struct memo *m, struct file *file, __u32 epoch)
{
	struct mnt_namespace *ns = bpf_get_current_task_btf()->nsproxy->mnt_ns;
	struct dentry *dentry = file->f_path.dentry;
	struct vfsmount *mnt = file->f_path.mnt;
	struct inode *inode = file->f_inode;
	__u64 name = *(volatile __u64 *)memo_name(m, number_of((__u64)dentry, m)), h;
	__u64 trees = *(volatile __u64 *)&m->shared.moves.trees;

	h = memo_mix2(ht_key1, number_of((__u64)dentry, m), (__u64)dentry->d_seq.seqcount.sequence << 32 | epoch);
	h = memo_mix2(h, number_of((__u64)inode, m), (__u64)inode->i_nlink << 32 | HT_OP_EXEC);
	h = memo_mix2(h, number_of((__u64)mnt, m), number_of((__u64)ns, m));
	h = memo_mix2(h, namespace_event(ns), name);
	h = memo_mix2(h, trees, 2);
	return h & -(__u64)memo_can_be_near(number_of((__u64)dentry, m), number_of((__u64)mnt->mnt_root, m), inode->i_mode);
}

/* Judge what is about to run. Return: 0, -EPERM. */
static __noinline int program_judge(struct label *l, struct file *file)
{
	struct object o = { .ops = HT_OP_EXEC, .facts = OBJECT_TWICE };
	struct ht_settings *set = settings_get();
	struct memo *m = memo_get();
	__u64 shared;
	int ret;

	if (!m || !set)
		return -EPERM;
	object_of_file(&o, file);
	l->runs.place = program_tag(m, file, *(volatile __u32 *)&set->epoch);
	l->runs.dentry = o.dentry;
	l->runs.mount = o.mount;
	shared = memo_subject(l->runs.place, l->set, 0);
	if (!l->fresh && memo_has(m, shared) && l->runs.place) {
		l->facts = OBJECT_TWICE; /* as if it was judged */
		l->dentry = o.dentry;
		return 0;
	}
	ret = hook_judge(l, &o);
	if (!ret && l->runs.place && memo_may_keep(l, file))
		memo_put(m, shared);
	return ret;
}
