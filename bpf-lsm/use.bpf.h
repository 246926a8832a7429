/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#pragma once

/*
 * Using a file that is open. What a governed task opened itself was judged then, and its use is kept as a tag
 * (memo.bpf.h); what came to it otherwise, inherited, received, or opened before the policy was there, is judged at
 * its first use, of reading and of writing by themselves.
 */

#include "memo.bpf.h"

/* Pipes, sockets and terminals carry nothing of a file's. */
static __always_inline bool use_is_of_file(struct file *file)
{
	__u32 type = file->f_inode->i_mode & S_IFMT;

	return type == S_IFREG || type == S_IFDIR || type == S_IFBLK;
}

/* The task has not opened the file, as far as is known. Return: 0, -EPERM. */
static __noinline int use_ask(struct file *file, __u32 ops, __u64 word)
{
	__u64 task = current_task();
	struct memo *m = memo_get();
	struct opened f;
	struct label *l;

	/* The kernel reads a program that it starts: the exec hooks judge that. */
	if (file->f_flags & F_FLAG_EXEC)
		return 0;
	opened_read(&f, file, task, governed_index(task), word);
	if (!use_is_of_file(file)) {
		memo_put(m, memo_use(m, &f, MEMO_USE_ALL)); /* so it is not asked for again */
		return 0;
	}
	if (memo_has(m, memo_use(m, &f, ops)))
		return 0;
	l = label_find(task);
	if (!l)
		return 0;
	if (hook_file_with(l, file, ops, OBJECT_USE))
		return -EPERM;
	if ((!(f.mode & FMODE_READ) || (ops & HT_OP_READ)) &&
	    (!(f.mode & FMODE_WRITE) || (ops & HT_OP_WRITE)))
		ops = MEMO_USE_ALL;
	memo_put(m, memo_use(m, &f, ops));
	return 0;
}

/* May the current task use the file in any way that it was opened for? Return: 0: it may; else the word of the task, which
 * has to be asked for. */
static __always_inline __u64 use_unknown(struct file *file)
{
	__u64 task = current_task(), word;
	__u32 index = governed_index(task);
	struct memo *m = memo_get();
	struct opened f;

	word = governed_at(index);
	if (!(__u32)word)
		return 0;
	opened_read(&f, file, task, index, word);
	return memo_has(m, memo_use(m, &f, MEMO_USE_ALL)) ? 0 : word;
}

/* ops: READ, WRITE or both. Return: 0, -EPERM. */
static __always_inline int use_judge(struct file *file, __u32 ops)
{
	__u64 word = use_unknown(file);

	return word && use_ask(file, ops, word) ? -EPERM : 0;
}

/* Memory shows a file, also where it is to run. The kernel alone maps what it was asked to execute: that is no reading. Shared
 * memory of a file that is open to be written is writing, whatever protects it now: userfaultfd(2) fills what such a file has
 * not yet, if it lives in memory, through a mapping that may only be read. */
static __always_inline int use_map(struct file *file, unsigned long prot, unsigned long flags)
{
	__u32 ops = (prot & PROT_EXEC) && (file->f_flags & F_FLAG_EXEC) ? 0 : HT_OP_READ;

	if ((flags & MAP_TYPE & MAP_SHARED) && ((prot & PROT_WRITE) || (file->f_mode & FMODE_WRITE)))
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
