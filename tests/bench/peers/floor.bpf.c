// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

/*
 * Programs that do nothing, on the hooks that an agent of this kind cannot do without. What they
 * cost is the least that any of them can: the kernel's way into a program and out again.
 */

#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

#define EMPTY(hook)                                                                                \
	SEC("lsm/" #hook)                                                                          \
	int floor_##hook(void *arguments)                                                          \
	{                                                                                          \
		return 0;                                                                          \
	}

EMPTY(file_open)
EMPTY(file_permission)
EMPTY(mmap_file)
EMPTY(path_mknod)
EMPTY(path_unlink)
EMPTY(path_rename)
EMPTY(task_alloc)
EMPTY(bprm_check_security)

char LICENSE[] SEC("license") = "Dual BSD/GPL";
