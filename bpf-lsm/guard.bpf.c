// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

/*
 * The agent's process and BPF objects. Files are guarded where files are judged (hook.bpf.h).
 */

#include "escape.bpf.h"

/* ---- the agent's process ---- */

static __always_inline int guard_task(struct task_struct *task)
{
	struct label *l = label_current();
	struct object o = {};

	return l && task_is_agents(task) ? guard_judge(l, &o, HT_KERNEL_OP(HT_KERNEL_PTRACE)) : 0;
}

SEC("lsm/task_kill")
int BPF_PROG(haetae_task_kill, struct task_struct *task)
{
	return guard_task(task);
}

SEC("lsm/task_setscheduler")
int BPF_PROG(haetae_task_setscheduler, struct task_struct *task)
{
	return guard_task(task);
}

SEC("lsm/task_setnice")
int BPF_PROG(haetae_task_setnice, struct task_struct *task)
{
	return guard_task(task);
}

SEC("lsm/task_setrlimit")
int BPF_PROG(haetae_task_setrlimit, struct task_struct *task)
{
	return guard_task(task);
}

SEC("lsm/task_setioprio")
int BPF_PROG(haetae_task_setioprio, struct task_struct *task)
{
	return guard_task(task);
}

/* A lock or a lease on what is Haetae's keeps the agent from its records, by a descriptor that may only read. */
SEC("lsm/file_lock")
int BPF_PROG(haetae_file_lock, struct file *file)
{
	struct object o = { .ops = HT_OP_WRITE };
	struct label *l = label_current();

	if (!l)
		return 0;
	object_of_file(&o, file);
	return guard_covers(&o) ? guard_judge(l, &o, HT_OP_WRITE) : 0;
}

/* ---- BPF objects: a governed task gets at them by no way (a pin in a bpffs that was handed to it, an id) ---- */

static __always_inline int guard_object(__u32 kind, __u32 id)
{
	struct label *l = label_current();
	struct object o = {};

	return l && guard_has_id(kind, id) ? guard_judge(l, &o, HT_KERNEL_OP(HT_KERNEL_BPF)) : 0;
}

SEC("lsm/bpf_map")
int BPF_PROG(haetae_bpf_map, struct bpf_map *map)
{
	return guard_object(HT_GUARD_MAP, map->id);
}

SEC("lsm/bpf_prog")
int BPF_PROG(haetae_bpf_prog, struct bpf_prog *prog)
{
	return guard_object(HT_GUARD_PROGRAM, prog->aux->id);
}

/* ---- and nobody at all by an id; the agent itself goes by its pins ---- */

/* Tell of a process that nothing governs. It has no label to make a record in, so it is counted with its kind. */
static __noinline void guard_count(__u32 op)
{
	struct ht_aggregate_key key = {
		.cgroup = bpf_get_current_cgroup_id(),
		.verdict = HT_VERDICT_DENY,
		.reason = HT_REASON_GUARD,
	};
	struct ht_aggregate *a, empty = {};
	struct ht_ledger *led = ledger_get();
	__u32 zero = 0;
	void *inner;

	if (!led)
		return;
	key.op = op;
	__sync_fetch_and_add(&led->counted[HT_VERDICT_DENY], 1);
	__sync_fetch_and_add(&led->failures[HT_REASON_GUARD], 1);
	inner = bpf_map_lookup_elem(&aggregates, &zero);
	a = inner ? bpf_map_lookup_elem(inner, &key) : NULL;
	if (inner && !a) {
		empty.first = bpf_ktime_get_boot_ns();
		(void)map_update(inner, &key, &empty, BPF_NOEXIST);
		a = bpf_map_lookup_elem(inner, &key);
	}
	if (!a) {
		__sync_fetch_and_add(&led->lost[HT_VERDICT_DENY], 1);
		return;
	}
	__sync_fetch_and_add(&a->count, 1);
	a->last = bpf_ktime_get_boot_ns();
	a->pid = bpf_get_current_pid_tgid() >> 32;
	a->uid = (__u32)bpf_get_current_uid_gid();
	bpf_get_current_comm(a->comm, sizeof(a->comm));
	__sync_fetch_and_add(&led->aggregated[HT_VERDICT_DENY], 1);
}

/* The owner of a descriptor is told that something can be read, by a signal of choice, SIGKILL among them, and nobody is asked
 * whether he may send that. Whoever made the agent an owner, this may be said in another's name or in an interrupt, which
 * must not touch the label of whom it interrupted; and the agent wants no such signal from anybody. */
SEC("lsm/file_send_sigiotask")
int BPF_PROG(haetae_file_send_sigiotask, struct task_struct *task)
{
	if (!task_is_agents(task))
		return 0;
	guard_count(HT_KERNEL_SHIFT + HT_KERNEL_PTRACE);
	return -EPERM;
}

/* Is it an attempt to get at one of Haetae's objects by its id? */
static __always_inline bool guard_is_asked(int command, union bpf_attr *attr)
{
	__u32 kind, id = 0;

	if (command == BPF_MAP_GET_FD_BY_ID)
		kind = HT_GUARD_MAP;
	else if (command == BPF_PROG_GET_FD_BY_ID)
		kind = HT_GUARD_PROGRAM;
	else if (command == BPF_LINK_GET_FD_BY_ID)
		kind = HT_GUARD_LINK;
	else
		return false;
	/* the id is the first member for all three; what the hook gets is the kernel's own copy */
	return bpf_probe_read_kernel(&id, sizeof(id), attr) == 0 && guard_has_id(kind, id);
}

/* Every bpf(): a line of `kernel:` too. */
SEC("lsm/bpf")
int BPF_PROG(haetae_bpf, int command, union bpf_attr *attr)
{
	struct label *l = label_current();
	struct object o = {};

	if (guard_is_asked(command, attr)) {
		if (l)
			return guard_judge(l, &o, HT_KERNEL_OP(HT_KERNEL_BPF));
		guard_count(HT_KERNEL_SHIFT + HT_KERNEL_BPF);
		return -EPERM;
	}
	return l ? line_judge(l, &o, HT_KERNEL_BPF) : 0;
}

/* ---- registering files ---- */

/* The agent asks for the statistics of a filesystem by a descriptor, and finds here what the kernel calls the
 * file: stat() would tell the filesystem's own view of device and inode. */
SEC("lsm/sb_statfs")
int BPF_PROG(haetae_sb_statfs, struct dentry *dentry)
{
	struct ht_guard_file answer = {};
	struct inode *inode;
	__u32 zero = 0;

	if (!task_is_agent(bpf_get_current_task_btf()))
		return 0;
	inode = dentry->d_inode;
	if (!inode)
		return 0;
	answer.ino = inode->i_ino;
	answer.generation = inode->i_generation;
	answer.dev = dentry->d_sb->s_dev;
	(void)map_update(&guard_answer, &zero, &answer, BPF_ANY);
	return 0;
}
