// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

/*
 * Ways out of a container through the kernel or the host: hooks of the lines of `kernel:`.
 *
 * None reads the verdict of an earlier program (`ret`): its place depends on the number of arguments, which
 * changes between kernels, and the kernel runs no further program once one has refused.
 *
 * Where no hook stands before an act, the capability that the act needs is the gate. It is asked only after the
 * kernel has found that the task holds it, so what fails anyway is neither judged nor recorded.
 */

#include "escape.bpf.h"

/* ---- capabilities ---- */

#define CAP_DAC_READ_SEARCH 2
#define CAP_SYS_MODULE 16
#define CAP_SYS_RAWIO 17
#define CAP_SYS_ADMIN 21
#define CAP_SYS_BOOT 22
#define CAP_SYS_TIME 25
#define CAP_MKNOD 27
#define CAP_OPT_NOAUDIT 2U
#define CAP_GATES                                                                               \
	((1ULL << CAP_SYS_MODULE) | (1ULL << CAP_SYS_RAWIO) | (1ULL << CAP_SYS_ADMIN) |         \
	 (1ULL << CAP_SYS_BOOT) | (1ULL << CAP_SYS_TIME) | (1ULL << CAP_MKNOD) |                \
	 (1ULL << CAP_DAC_READ_SEARCH))

static __always_inline bool call_is_mount(__u32 call)
{
	switch (call) {
	case 155: /* pivot_root */
	case 165: /* mount */
	case 166: /* umount2 */
	case 428: /* open_tree */
	case 429: /* move_mount */
	case 430: /* fsopen */
	case 431: /* fsconfig */
	case 432: /* fsmount */
	case 433: /* fspick */
	case 442: /* mount_setattr */
	case 467: /* open_tree_attr */
	case CALL_32 | 21:  /* mount */
	case CALL_32 | 22:  /* umount */
	case CALL_32 | 52:  /* umount2 */
	case CALL_32 | 217: /* pivot_root */
		return true;
	default:
		return false;
	}
}

/* What reaches past the mounts that a task sees, to all that their filesystems hold or the machine has in memory. */
static __always_inline bool call_is_past_mounts(__u32 call)
{
	switch (call) {
	case 167: /* swapon */
	case 168: /* swapoff */
	case 179: /* quotactl */
	case 300: /* fanotify_init: asked for whole mounts and permissions; without, it is as inotify */
	case 443: /* quotactl_fd */
	case CALL_32 | 87:  /* swapon */
	case CALL_32 | 115: /* swapoff */
	case CALL_32 | 131: /* quotactl */
	case CALL_32 | 338: /* fanotify_init */
		return true;
	default:
		return false;
	}
}

static __always_inline bool call_is_handle(__u32 call)
{
	return call == 304 || call == (CALL_32 | 342); /* open_by_handle_at */
}

static __always_inline bool call_is_setns(__u32 call)
{
	return call == 308 || call == (CALL_32 | 346);
}

static __always_inline bool call_is_reboot(__u32 call)
{
	return call == 169 || call == (CALL_32 | 88);
}

/* Inside a PID namespace reboot() ends that namespace's processes, not the machine. */
static __always_inline bool task_is_in_pid_namespace(void)
{
	struct task_struct *task = bpf_get_current_task_btf();

	return BPF_CORE_READ(task, thread_pid, level) > 0;
}

/* CAP_SYS_ADMIN is asked for hundreds of reasons; only those system calls count that have no other hook. */
static __always_inline __u32 capability_line(int cap)
{
	__u32 call;

	switch (cap) {
	case CAP_SYS_MODULE:
		return HT_KERNEL_MODULE;
	case CAP_SYS_RAWIO: /* ports, kcore, model specific registers, raw commands */
	case CAP_MKNOD:	    /* asked for block and character devices, not for whiteouts */
		return HT_KERNEL_DEVICE;
	case CAP_SYS_TIME:
		return HT_KERNEL_CLOCK;
	case CAP_SYS_BOOT:
		return call_is_reboot(call_current()) && task_is_in_pid_namespace() ?
			       LINE_NONE : HT_KERNEL_KEXEC;
	case CAP_DAC_READ_SEARCH:
		return HT_KERNEL_MOUNT;
	case CAP_SYS_ADMIN:
		call = call_current();
		if (call_is_mount(call) || call_is_past_mounts(call) || call_is_handle(call))
			return HT_KERNEL_MOUNT;
		return call_is_setns(call) ? HT_KERNEL_NAMESPACES : LINE_NONE;
	default:
		return LINE_NONE;
	}
}

/* Since 6.11 who may not open by handle for the one capability is asked for another. It is the same refusal. */
static __always_inline bool cred_searches(const struct cred *cred)
{
	__u32 low = 0;

	return bpf_probe_read_kernel(&low, sizeof(low), &cred->cap_effective) == 0 &&
	       (low & (1U << CAP_DAC_READ_SEARCH));
}

SEC("lsm/capable")
int BPF_PROG(haetae_capable, const struct cred *cred, struct user_namespace *ns, int cap,
	     unsigned int opts)
{
	struct object o = {};
	struct label *l;
	__u32 line;

	if (cap < 0 || cap > 63 || !((CAP_GATES >> cap) & 1))
		return 0;
	/* root asks for this one all day */
	if (cap == CAP_DAC_READ_SEARCH && !call_is_handle(call_current()))
		return 0;
	l = label_current();
	if (!l || (opts & CAP_OPT_NOAUDIT))
		return 0; /* a question, not an act */
	/* Not with its own credentials: a stacked filesystem at work below. (Those of io_uring have a hook.) */
	if ((__u64)cred != (__u64)bpf_get_current_task_btf()->real_cred)
		return 0;
	line = capability_line(cap);
	if (line == LINE_NONE)
		return 0;
	if (cap == CAP_SYS_ADMIN && call_is_handle(call_current()) && cred_searches(cred))
		o.facts = OBJECT_QUIET;
	return line_judge(l, &o, line);
}

/* ---- mounts: the call that names a place, for the record; all others by their capability ---- */

SEC("lsm/sb_mount")
int BPF_PROG(haetae_sb_mount, const char *device, const struct path *path)
{
	struct label *l = label_current();
	struct object o = {};

	if (!l)
		return 0;
	o.mount = walk_mount((__u64)path->mnt);
	o.dentry = (__u64)path->dentry;
	o.inode = (__u64)path->dentry->d_inode;
	return line_judge(l, &o, HT_KERNEL_MOUNT);
}

/* ---- tasks ---- */

#define PTRACE_MODE_NOAUDIT 4U

/* The program that a task runs. */
static __always_inline void object_of_task(struct object *o, struct task_struct *task)
{
	struct file *exe = NULL;
	struct dentry *dentry = NULL;
	struct inode *inode = NULL;

	if (BPF_CORE_READ_INTO(&exe, task, mm, exe_file) < 0 || !exe ||
	    BPF_CORE_READ_INTO(&dentry, exe, f_path.dentry) < 0 ||
	    BPF_CORE_READ_INTO(&inode, exe, f_inode) < 0)
		return;
	o->dentry = (__u64)dentry;
	o->inode = (__u64)inode;
}

/* Tracing, reading and writing memory, and what else asks for it: descriptors, namespaces, roots and links in
 * /proc of another task. */
SEC("lsm/ptrace_access_check")
int BPF_PROG(haetae_ptrace_access_check, struct task_struct *child, unsigned int mode)
{
	struct label *l = label_current();
	struct object o = {};

	if (!l || container_is_same(l, label_of((__u64)child)))
		return 0;
	if (mode & PTRACE_MODE_NOAUDIT) /* how much a listing may show */
		o.facts = OBJECT_QUIET;
	if (task_is_agents(child))
		return guard_judge(l, &o, HT_KERNEL_OP(HT_KERNEL_PTRACE));
	object_of_task(&o, child);
	return line_judge(l, &o, HT_KERNEL_PTRACE);
}

SEC("lsm/ptrace_traceme")
int BPF_PROG(haetae_ptrace_traceme, struct task_struct *parent)
{
	struct label *l = label_current();
	struct object o = {};

	if (!l || container_is_same(label_of((__u64)parent), l))
		return 0;
	object_of_task(&o, parent);
	return line_judge(l, &o, HT_KERNEL_PTRACE);
}

/* ---- what has a hook of its own ---- */

static __always_inline int escape_judge(__u32 line)
{
	struct label *l = label_current();
	struct object o = {};

	return l ? line_judge(l, &o, line) : 0;
}

/* The kernel loads a module because of what a task asked for: a socket's family, a program's format. */
SEC("lsm/kernel_module_request")
int haetae_kernel_module_request(void *ctx)
{
	return escape_judge(HT_KERNEL_MODULE);
}

SEC("lsm/perf_event_open")
int haetae_perf_event_open(void *ctx)
{
	return escape_judge(HT_KERNEL_PERF);
}

SEC("lsm/userns_create")
int haetae_userns_create(void *ctx)
{
	return escape_judge(HT_KERNEL_NAMESPACES);
}

SEC("lsm/uring_sqpoll")
int haetae_uring_sqpoll(void *ctx)
{
	return escape_judge(HT_KERNEL_IO_URING_SQPOLL);
}

SEC("lsm/uring_override_creds")
int haetae_uring_override_creds(void *ctx)
{
	return escape_judge(HT_KERNEL_IO_URING_SQPOLL);
}

/* Commands of sockets and filesystems say the same as their system calls; a device's are raw. */
SEC("lsm/uring_cmd")
int BPF_PROG(haetae_uring_cmd, struct io_uring_cmd *command)
{
	struct label *l = label_current();
	struct object o = {};
	__u32 type;

	if (!l)
		return 0;
	type = command->file->f_inode->i_mode & S_IFMT;
	if (type != S_IFBLK && type != S_IFCHR)
		return 0;
	object_of_file(&o, command->file);
	return line_judge(l, &o, HT_KERNEL_IO_URING_SQPOLL);
}
