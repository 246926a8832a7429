// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

/*
 * Hooks on open files: every read and write, memory that shows one, and descriptors that arrive from another task.
 * Whether memory may be executable is judged by the exec hooks.
 */

#include "use.bpf.h"

SEC("lsm/file_permission")
int BPF_PROG(haetae_file_permission, struct file *file, int mask, int ret)
{
	__u32 ops = 0;

	if (ret)
		return ret;
	if (mask & MAY_READ)
		ops |= HT_OP_READ;
	if (mask & (MAY_WRITE | MAY_APPEND))
		ops |= HT_OP_WRITE;
	return ops ? use_judge(file, ops) : 0;
}

SEC("lsm/file_receive")
int BPF_PROG(haetae_file_receive, struct file *file, int ret)
{
	__u32 ops = 0;

	if (ret)
		return ret;
	if (file->f_mode & FMODE_READ)
		ops |= HT_OP_READ;
	if (file->f_mode & FMODE_WRITE)
		ops |= HT_OP_WRITE;
	return ops ? use_judge(file, ops) : 0;
}

SEC("lsm/mmap_file")
int BPF_PROG(haetae_mmap_use, struct file *file, unsigned long reqprot, unsigned long prot,
	     unsigned long flags, int ret)
{
	__u32 ops = HT_OP_READ;

	if (ret || !file)
		return ret;
	if (prot & PROT_EXEC)
		return 0;
	if ((flags & MAP_TYPE & MAP_SHARED) && (prot & PROT_WRITE))
		ops |= HT_OP_WRITE;
	return use_judge(file, ops);
}

SEC("lsm/file_mprotect")
int BPF_PROG(haetae_mprotect_use, struct vm_area_struct *vma, unsigned long reqprot,
	     unsigned long prot, int ret)
{
	struct file *file;

	if (ret)
		return ret;
	file = vma->vm_file;
	if (!file || !(prot & PROT_WRITE) || !(vma->vm_flags & VM_SHARED))
		return 0;
	return use_judge(file, HT_OP_WRITE);
}
