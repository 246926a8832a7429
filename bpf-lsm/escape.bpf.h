/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#pragma once

/*
 * The lines of `kernel:`: what reaches the kernel itself or the host instead of a file that a rule could name.
 * Which line an act belongs to is told here and in escape.bpf.c; what the subject's profiles say of a line is
 * decided by the judge (line.bpf.h).
 */

#include "hook.bpf.h"
#include "guard.bpf.h"

/* An act that no line speaks of. */
#define LINE_NONE HT_KERNEL_MAX
/* No line's, but the agent's own. */
#define LINE_AGENT (HT_KERNEL_MAX + 1U)
/* No line's, but the memory of a process, which is written whatever protects it. */
#define LINE_MEMORY (HT_KERNEL_MAX + 2U)

/* An act of the current, governed task. */
static __always_inline int line_judge(struct label *l, struct object *o, __u32 line)
{
	o->ops = HT_KERNEL_OP(line);
	return hook_judge(l, o);
}

/* The same on something that is Haetae's own. */
static __always_inline int guard_judge(struct label *l, struct object *o, __u32 op)
{
	o->ops = op;
	o->facts |= OBJECT_GUARDED;
	return hook_judge(l, o);
}

/* ---- where the task is ---- */

#define TS_COMPAT 2U

/* System calls by number, with bit 31 for the 32-bit table. Numbers from 424 on are the same in both. */
#define CALL_32 (1U << 31)
#define CALL_SAME_FROM 424U
#define CALL_X32 (1U << 30)

static __always_inline __u32 call_current(void)
{
	struct task_struct *task = bpf_get_current_task_btf();
	struct pt_regs___x86 *regs = (void *)bpf_task_pt_regs(task);
	__u32 number = (__u32)regs->orig_ax & ~CALL_X32;

	if ((task->thread_info.status & TS_COMPAT) && number < CALL_SAME_FROM)
		number |= CALL_32;
	return number;
}

/* The kernel opens a program, or its interpreter. */
static __always_inline bool call_is_exec(__u32 call)
{
	switch (call) {
	case 59:  /* execve */
	case 322: /* execveat */
	case 520: /* execve, and execveat, of x32 */
	case 545:
	case CALL_32 | 11:  /* execve */
	case CALL_32 | 358: /* execveat */
		return true;
	default:
		return false;
	}
}

struct covers_context {
	struct label *a, *b;
	__u32 have;
};

/* Is one profile of a, or a free slot, also one of b's slots? All pairs, one in each round. */
static long covers_step(__u32 index, struct covers_context *context)
{
	struct label *a = context->a, *b = context->b;
	__u32 slot = (index / HT_PROFILES_MAX) & (HT_PROFILES_MAX - 1), profile;

	if (!a || !b)
		return 1;
	profile = a->profiles[slot];
	if (!profile || profile == b->profiles[index & (HT_PROFILES_MAX - 1)])
		context->have |= 1U << slot;
	return 0;
}

/* Has a task of label b every profile that one of label a has? Then a gains nothing by what b does in its place. */
__global int label_covers(struct label *b, struct label *a)
{
	struct covers_context context = { .a = a, .b = b };

	if (!a || !b)
		return 0;
	bpf_loop(HT_PROFILES_MAX * HT_PROFILES_MAX, covers_step, &context, 0);
	return context.have == (1U << HT_PROFILES_MAX) - 1;
}

/* May a do to b what debuggers do? Both were bound in one cgroup, which is one container, or one unit; and no policy that is in
 * force for a, as one for a single service of a container, is left behind. */
static __always_inline bool container_is_same(struct label *a, struct label *b)
{
	return a && b && a->cgroup && a->cgroup == b->cgroup &&
	       (a->set == b->set || label_covers(b, a));
}

/* ---- opens ---- */

#define DEVICE_MAJOR(rdev) ((rdev) >> 20)
#define DEVICE_MINOR(rdev) ((rdev) & 0xfffffU)

/* Character devices that reach nothing but the one who opens them: an open list would never be complete, so
 * every other one is the line's. */
static __always_inline bool device_is_harmless(__u32 rdev, __u32 write)
{
	__u32 major = DEVICE_MAJOR(rdev), minor = DEVICE_MINOR(rdev);

	switch (major) {
	case 1: /* null, zero, full, random, urandom; of the rest only to read the kernel's log */
		return minor == 3 || minor == 5 || (minor >= 7 && minor <= 9) ||
		       (minor == 11 && !write);
	case 4: /* terminals */
	case 5:
	case 116: /* sound */
	case 226: /* graphics */
		return true;
	case 10: /* tun, fuse, kvm */
		return minor == 200 || minor == 229 || minor == 232;
	default:
		return major >= 136 && major <= 143; /* pseudo terminals */
	}
}

/* Filesystems that are the kernel's own controls. */
static __always_inline bool magic_is_control(unsigned long magic)
{
	switch (magic) {
	case 0x62656572: /* sysfs */
	case 0x27e0eb:	 /* cgroup */
	case 0x63677270: /* cgroup2 */
	case 0x64626720: /* debugfs */
	case 0x74726163: /* tracefs */
	case 0x73636673: /* securityfs */
	case 0xcafe4a11: /* bpf */
	case 0x42494e4d: /* binfmt_misc */
	case 0xde5e81e4: /* efivarfs */
	case 0x62656570: /* configfs */
	case 0x6165676c: /* pstore */
	case 0x7655821:	 /* resctrl */
	case 0xf97cff8c: /* selinuxfs */
	case 0x43415d53: /* smackfs */
	case 0xabba1974: /* xenfs */
		return true;
	default:
		return false;
	}
}

/* Is it /proc/PID/mem? Of the files of a process, no other has this name. */
static __always_inline bool name_is_memory(struct dentry *dentry)
{
	static const char mem[] = "mem";
	char text[sizeof(mem)] = {};
	struct qstr name;

	return BPF_CORE_READ_INTO(&name, dentry, d_name) == 0 && name.len == sizeof(mem) - 1 &&
	       bpf_probe_read_kernel(text, sizeof(mem) - 1, name.name) == 0 &&
	       bpf_strncmp(text, sizeof(mem), mem) == 0;
}

/* The files of a process, which programs write for good reasons (oom_score_adj, attr, uid_map, comm ...), belong
 * to a struct pid; nothing else in /proc does. The agent's are not to be written by others, those of processes outside of the
 * container are like their memory. */
__global __u32 proc_line(struct object *o)
{
	struct hlist_node *first = NULL;
	struct task_struct *task;
	struct proc_inode *proc;
	struct pid *pid = NULL;

	if (!o)
		return HT_KERNEL_SYSCTL;
	proc = (void *)(o->inode - bpf_core_field_offset(struct proc_inode, vfs_inode));
	if (BPF_CORE_READ_INTO(&pid, proc, pid) < 0 || !pid)
		return HT_KERNEL_SYSCTL;
	/* the thread with this number (PIDTYPE_PID is 0); none: it is gone */
	if (BPF_CORE_READ_INTO(&first, pid, tasks[0].first) < 0 || !first)
		return LINE_NONE;
	task = (void *)((__u64)first - bpf_core_field_offset(struct task_struct, pid_links));
	if (task_is_agents(task))
		return LINE_AGENT;
	if (!container_is_same(label_current(), label_find((__u64)task)))
		return HT_KERNEL_PTRACE;
	return name_is_memory((struct dentry *)o->dentry) ? LINE_MEMORY : LINE_NONE;
}

/* The line that the open of a file belongs to, LINE_NONE: none; LINE_AGENT. */
static __always_inline __u32 device_or_sysctl_line(struct file *file)
{
	__u32 write = (file->f_mode & FMODE_WRITE) || (file->f_flags & O_TRUNC);
	struct inode *inode = file->f_inode;
	__u32 type = inode->i_mode & S_IFMT;
	unsigned long magic;

	if (type == S_IFBLK)
		return HT_KERNEL_DEVICE;
	if (type == S_IFCHR)
		return device_is_harmless(inode->i_rdev, write) ? LINE_NONE : HT_KERNEL_DEVICE;
	if (!write)
		return LINE_NONE;
	magic = inode->i_sb->s_magic;
	if (magic == PROC_SUPER_MAGIC) {
		struct object o = {};

		object_of_file(&o, file);
		return proc_line(&o);
	}
	return magic_is_control(magic) ? HT_KERNEL_SYSCTL : LINE_NONE;
}

/* Is what escape_open() says of a file the answer to every such open of it? Of devices and of processes it is not, and of a control each is
 * to be told, if any is. Return: 0, 1. The function is by itself, as open_ops(), so that the verifier has one way on. */
__global __u32 escape_lasts(__u32 mode, __u32 writes, __u64 magic)
{
	__u32 type = mode & S_IFMT;

	return type != S_IFBLK && type != S_IFCHR && !(writes && (magic == PROC_SUPER_MAGIC || magic_is_control(magic)));
}

/* The open of a device or of a control. Return: 0, also for every other file; -EPERM. */
static __always_inline int escape_open(struct file *file)
{
	__u32 line = device_or_sysctl_line(file);
	struct object o = {};
	struct label *l;

	if (line == LINE_NONE)
		return 0;
	l = label_current();
	if (!l)
		return 0;
	if (line == LINE_MEMORY)
		return hook_memory(l);
	object_of_file(&o, file);
	return line == LINE_AGENT ? guard_judge(l, &o, HT_OP_WRITE) : line_judge(l, &o, line);
}
