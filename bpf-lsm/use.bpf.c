// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

/*
 * Hooks on open files: every read and write, and descriptors that arrive from another task. Memory that shows one is
 * judged where it is judged whether it may be executable (exec.bpf.c).
 */

#include "use.bpf.h"

SEC("lsm/file_permission")
int BPF_PROG(haetae_file_permission, struct file *file, int mask, int ret)
{
	__u32 ops = 0;
	__u64 word;

	if (ret)
		return ret;
	word = use_unknown(file);
	if (!word)
		return 0;
	if (mask & MAY_READ)
		ops |= HT_OP_READ;
	if (mask & (MAY_WRITE | MAY_APPEND))
		ops |= HT_OP_WRITE;
	return ops && use_ask(file, ops, word) ? -EPERM : 0;
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
