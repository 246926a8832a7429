/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#pragma once

/*
 * Using a file that is open. What a governed task opened itself was judged then, and its use is kept as a tag
 * (memo.bpf.h); what came to it otherwise, inherited, received, or opened before the policy was there, is judged at
 * its first use, of reading and of writing by themselves.
 */

#include "memo.bpf.h"

static __always_inline __u32 use_epoch(void)
{
	struct ht_settings *set = settings_get();

	return set ? *(volatile __u32 *)&set->epoch : 0;
}

/* The open was allowed: the task may use the file for what it was opened for. */
static __always_inline void use_permit(struct file *file, __u64 word)
{
	struct memo *m = memo_get();

	if (m)
		memo_put(m, memo_use(m, file, current_task(), word, use_epoch(), MEMO_USE_ALL));
}

/* Pipes, sockets and terminals carry nothing of a file's. */
static __always_inline bool use_is_of_file(struct file *file)
{
	__u32 type = file->f_inode->i_mode & S_IFMT;

	return type == S_IFREG || type == S_IFDIR || type == S_IFBLK;
}

/* ops: READ, WRITE or both. Return: 0, -EPERM. */
static __always_inline int use_judge(struct file *file, __u32 ops)
{
	__u64 task = current_task(), word = governed_look(task);
	struct memo *m = memo_get();
	__u32 epoch, mode;
	struct label *l;
	int ret;

	if (!(__u32)word)
		return 0;
	/* The kernel reads a program that it starts: the exec hooks judge that. */
	if ((file->f_flags & F_FLAG_EXEC) || !use_is_of_file(file))
		return 0;
	epoch = use_epoch();
	if (m && (memo_has(m, memo_use(m, file, task, word, epoch, MEMO_USE_ALL)) ||
		  memo_has(m, memo_use(m, file, task, word, epoch, ops))))
		return 0;
	l = label_find(task);
	if (!l)
		return 0;
	ret = hook_file_with(l, file, ops, OBJECT_USE);
	if (ret || !m)
		return ret;
	mode = file->f_mode;
	if ((!(mode & FMODE_READ) || (ops & HT_OP_READ)) && (!(mode & FMODE_WRITE) || (ops & HT_OP_WRITE)))
		ops = MEMO_USE_ALL;
	memo_put(m, memo_use(m, file, task, word, epoch, ops));
	return 0;
}

/* Memory shows a file. To show it so that it can run is no reading. */
static __always_inline int use_map(struct file *file, unsigned long prot, unsigned long flags)
{
	__u32 ops = prot & PROT_EXEC ? 0 : HT_OP_READ;

	if ((flags & MAP_TYPE & MAP_SHARED) && (prot & PROT_WRITE))
		ops |= HT_OP_WRITE;
	return ops ? use_judge(file, ops) : 0;
}

/* Memory that shows a file is made writable. */
static __always_inline int use_remap(struct vm_area_struct *vma, unsigned long prot)
{
	struct file *file = vma->vm_file;

	if (!file || !(prot & PROT_WRITE) || !(vma->vm_flags & VM_SHARED))
		return 0;
	return use_judge(file, HT_OP_WRITE);
}
