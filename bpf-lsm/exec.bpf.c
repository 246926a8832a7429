// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

/*
 * Making a file run: execve at every level of interpreters, and mapping it executable, which is what the
 * dynamic loader does. Also where a task is bound: at its first exec in a governed cgroup.
 */

#include "hook.bpf.h"
#include "match.bpf.h"
#include "program.bpf.h"
#include "use.bpf.h"

const volatile __u64 ht_key0 SEC(".rodata") = 0;
const volatile __u64 ht_key1 SEC(".rodata") = 0;
const volatile __u32 ht_slots = 8;
const volatile __u32 ht_load = 0;

/* The label to judge an exec by, after the profiles of the task's cgroup were added to it. Where the cgroups map may
 * lack a cgroup, the names of the task's cgroup are matched as well.
 * Return: 0 (*ret_label may be NULL: not governed); EXEC_IS_FIRST: it had none before; -EPERM: governed, but that could not be stored. */
#define EXEC_IS_FIRST 1
static __noinline int exec_subject(struct label **ret_label)
{
	struct task_struct *task = bpf_get_current_task_btf();
	__u64 key = (__u64)task, id = bpf_get_current_cgroup_id(), cgroup;
	struct label *l = label_of(key);
	bool fresh = !l, match;
	__u32 result;

	*ret_label = l;
	if (l && l->cgroup_seen == id)
		return 0;
	cgroup = task_cgroup(task);
	match = unbound_any();
	if (!l) {
		if ((!match && !cgroup_governed(cgroup)) || enforcement_ended())
			return 0;
		l = label_new(key, TEMPLATE_ZERO);
		if (!l)
			return -EPERM;
		l->fresh = FRESH_STARTS;
		*ret_label = l;
	}
	result = label_bind(l, cgroup, BOUND_BY_TASK);
	if (match)
		result |= label_match(l, cgroup, id);
	if (result & BIND_FAILED) {
		l->cgroup_seen = 0; /* try again at the next exec */
		return -EPERM;
	}
	if (fresh && !label_governs(l)) {
		label_delete(current_task());
		*ret_label = NULL;
		return 0;
	}
	if (!l->cgroup)
		l->cgroup = id;
	l->cgroup_seen = id;
	governed_note(governed_word(current_task()), 0);
	subject_tell(current_task(), l);
	return fresh ? EXEC_IS_FIRST : 0;
}

/* A governed exec that cannot be judged: refused, counted, told as far as possible. */
static __noinline int exec_fail(struct label *l)
{
	struct object o = { .ops = HT_OP_EXEC, .facts = OBJECT_UNBOUND };
	struct ht_ledger *led;

	if (l)
		return hook_judge(l, &o);
	led = ledger_get();
	if (led) {
		__sync_fetch_and_add(&led->counted[HT_VERDICT_DENY], 1);
		__sync_fetch_and_add(&led->lost[HT_VERDICT_DENY], 1);
		__sync_fetch_and_add(&led->failures[HT_REASON_LABEL], 1);
	}
	return -EPERM;
}

/* systemd runs this in a unit's cgroup to set the unit up (since 256), and it runs the unit's program. */
static const char systemd_executor[] = "systemd-executor";

static __always_inline bool name_is_executor(struct dentry *dentry)
{
	char text[sizeof(systemd_executor)];
	struct qstr name;

	if (BPF_CORE_READ_INTO(&name, dentry, d_name) < 0 || name.len != sizeof(text) - 1 ||
	    bpf_probe_read_kernel(text, sizeof(text), name.name) < 0)
		return false;
	return bpf_strncmp(text, sizeof(text), systemd_executor) == 0;
}

/* PID 1 (parent) made the task. Is this still PID 1's own code, which runs the executor that lies beside PID 1's program?
 * The executor itself goes on to what a unit names, whatever that is called and wherever its links lead. */
static __always_inline bool exec_is_executor(struct task_struct *task, struct task_struct *parent,
					     struct dentry *dentry)
{
	struct dentry *directory = NULL, *systemds = NULL;
	struct file *runs = NULL, *systemd = NULL;

	if (BPF_CORE_READ_INTO(&runs, task, mm, exe_file) < 0 ||
	    BPF_CORE_READ_INTO(&systemd, parent, mm, exe_file) < 0 || !runs || runs != systemd ||
	    BPF_CORE_READ_INTO(&directory, dentry, d_parent) < 0 ||
	    BPF_CORE_READ_INTO(&systemds, systemd, f_path.dentry, d_parent) < 0)
		return false;
	return directory == systemds && name_is_executor(dentry);
}

/* Did the task itself say to execute something that it has open, or its own program? A name in a directory, whatever link
 * stands there, is no such thing. */
static __always_inline bool exec_is_of_descriptor(struct linux_binprm *bprm)
{
	static const char by_proc[] = "/proc/self/", by_fd[] = "/dev/fd/";
	char text[sizeof(by_proc)] = {};
	const char *name = NULL;

	if (BPF_CORE_READ_INTO(&name, bprm, filename) < 0 ||
	    bpf_probe_read_kernel_str(text, sizeof(text), name) < 0)
		return false;
	return bpf_strncmp(text, sizeof(by_proc) - 1, by_proc) == 0 ||
	       bpf_strncmp(text, sizeof(by_fd) - 1, by_fd) == 0;
}

/* A task without a label, in a governed cgroup, executes for the first time. Is it a runtime that runs itself once
 * more, before its set-up? It is still in the mount namespace of the one that made it, and runs a copy of itself
 * that has no name there (runc: a memfd, or a mount that was taken off again), by a descriptor; or it is systemd's
 * executor. What a container chose to run cannot be either: its first program is started in another mount namespace, or by
 * its path, and where that path leads is not asked. */
static __noinline bool exec_is_runtime(struct linux_binprm *bprm)
{
	struct task_struct *task = (struct task_struct *)bpf_get_current_task(), *parent = NULL;
	struct mnt_namespace *own = NULL, *makers = NULL;
	struct object o = { .ops = HT_OP_EXEC };
	int maker = 0;

	if (BPF_CORE_READ_INTO(&parent, task, real_parent) < 0 ||
	    BPF_CORE_READ_INTO(&own, task, nsproxy, mnt_ns) < 0 ||
	    BPF_CORE_READ_INTO(&makers, parent, nsproxy, mnt_ns) < 0 ||
	    BPF_CORE_READ_INTO(&maker, parent, tgid) < 0 || !own || own != makers)
		return false;
	object_of_file(&o, bprm->file);
	if (maker == 1)
		return exec_is_executor(task, parent, bprm->file->f_path.dentry);
	return exec_is_of_descriptor(bprm) && verdict_place(&o) != 0;
}

SEC("lsm/bprm_check_security")
int BPF_PROG(haetae_bprm_check_security, struct linux_binprm *bprm, int ret)
{
	struct label *l = NULL;
	int r;

	if (ret)
		return ret;
	r = exec_subject(&l);
	if (r < 0)
		return exec_fail(l);
	if (!l)
		return 0;
	if (r == EXEC_IS_FIRST && exec_is_runtime(bprm)) {
		label_delete(current_task());
		return 0;
	}
	return program_judge(l, bprm->file);
}

/* The kernel maps what it was asked to execute, in one or more parts, right after that was judged: the same act. */
static __always_inline __u32 map_facts(struct label *l, struct object *o, __u32 facts)
{
	facts |= OBJECT_AGAIN | OBJECT_MAPS;
	if ((l->facts & OBJECT_TWICE) && l->dentry == o->dentry)
		facts |= OBJECT_TWICE;
	return facts;
}

/* Has the hook a pointer for its first argument? Kernels from 6.5 on believe that of every argument, and drop what a program would
 * do without one; newer ones know better, and want to see it asked. */
static __always_inline bool hook_has_first(const void *ctx)
{
	__u64 first = 1;

	(void)bpf_probe_read_kernel(&first, sizeof(first), ctx);
	return first;
}

/* A file is shown so that it can run. Its name decides whether that is a library, so for a kept "allowed" both are one
 * operation. The short way is not for it: a name can be taken off what runs without a move. Return: 0, -EPERM. */
static __noinline int map_judge(struct file *file, struct label *l, __u32 facts)
{
	struct memo_question q = { .file = file, .ops = HT_OP_MAP };
	struct ht_settings *set = settings_get();
	struct memo_object known = {};
	struct memo *m = memo_get();
	struct object o = {};
	__u64 shared = 0;
	int ret;

	if (!m || !set)
		return -EPERM;
	q.epoch = *(volatile __u32 *)&set->epoch;
	if (!facts)
		(void)memo_look(&q, &known);
	if (known.place) {
		shared = memo_subject(known.place, l->set, 0);
		if (memo_has(m, shared)) {
			l->facts = 0; /* another act */
			return 0;
		}
	}
	object_of_file(&o, file);
	o.ops = HT_OP_MAP;
	o.facts = map_facts(l, &o, facts);
	ret = hook_judge(l, &o);
	if (!ret && shared && memo_may_keep(l, file))
		memo_put(m, shared);
	return ret;
}

SEC("lsm/mmap_file")
int BPF_PROG(haetae_mmap_file, struct file *file, unsigned long reqprot, unsigned long prot,
	     unsigned long flags, int ret)
{
	struct label *l;

	if (ret)
		return ret;
	if (!(__u32)governed_look(current_task()))
		return 0;
	if (!file || !hook_has_first(ctx)) {
		l = prot & PROT_EXEC ? label_current() : NULL;
		return l ? hook_memory(l) : 0;
	}
	ret = use_map(file, prot, flags); /* which needs no label, as a rule */
	if (ret || !(prot & PROT_EXEC))
		return ret;
	l = label_current();
	if (!l)
		return 0;
	return map_judge(file, l, prot & PROT_WRITE ? OBJECT_WX : 0) ? -EPERM : 0;
}

/* A mapping made executable after the fact. On a stacked filesystem the mapping holds the file below, which
 * tells the task's own path apart. */
SEC("lsm/file_mprotect")
int BPF_PROG(haetae_file_mprotect, struct vm_area_struct *vma, unsigned long reqprot,
	     unsigned long prot, int ret)
{
	struct backing_file___user_path *backing;
	struct object o = {};
	struct path user = {};
	struct file *file;
	struct label *l;
	bool written;

	if (ret)
		return ret;
	ret = use_remap(vma, prot);
	if (ret || !(prot & PROT_EXEC))
		return ret;
	l = label_current();
	if (!l)
		return 0;
	/* Written, or written to since it was mapped: it has pages of its own. */
	written = (prot & PROT_WRITE) || (vma->vm_flags & VM_WRITE) || vma->anon_vma;
	file = vma->vm_file;
	if (!file)
		return hook_memory(l);
	object_of_file(&o, file);
	o.facts = written ? OBJECT_MAPS | OBJECT_WX : OBJECT_MAPS;
	backing = (void *)file;
	if (bpf_core_field_exists(backing->user_path) && verdict_place(&o) == PLACE_BELOW &&
	    BPF_CORE_READ_INTO(&user, backing, user_path) == 0) {
		o.mount = walk_mount((__u64)user.mnt);
		o.dentry = (__u64)user.dentry;
	}
	o.ops = HT_OP_MAP;
	return hook_judge(l, &o);
}

/* Take the path of the collected components as what the task runs. */
static __always_inline void exec_remember(struct label *l, struct slot *s)
{
	__u32 len = s->record.path.len;

	l->exe_flags = 0;
	l->exe_whole = !(s->record.flags & HT_RECORD_PATH_TRUNCATED) && len && len <= HT_TEXT_EXE_MAX;
	if (len > HT_TEXT_EXE_MAX) {
		len = HT_TEXT_EXE_MAX;
		l->exe_flags = HT_RECORD_EXE_TRUNCATED;
	}
	if (bpf_probe_read_kernel(l->exe, len, s->text) < 0)
		len = l->exe_whole = 0;
	l->exe_len = len;
}

/* Name what the task runs. It is held since it was judged; fault: HT_REASON_* why it has no path. Return: the same, of the
 * name. */
__global __u32 exec_name(struct label *l, struct verdict *v, struct object *o, __u32 fault)
{
	struct slot *s;

	if (!l || !v || !o)
		return HT_REASON_UNRESOLVED;
	v->fault = fault ? fault : walk_names(v, o);
	s = slot_claim();
	if (!s)
		return v->fault;
	slot_reset(s, HT_RECORD_VERDICT);
	if (v->fault)
		report_name(s, o->dentry);
	else
		report_path(v, s);
	exec_remember(l, s);
	slot_release(s);
	return v->fault;
}

/* What the task runs from here on: exceptions ask for it, and records name it. A hook that cannot be passed by: programs on
 * tracepoints can be preempted on newer kernels, and are then left out for whoever else comes to the same place on this
 * CPU meanwhile. A task that kept the name of its former program would keep the exceptions of that. */
SEC("lsm/bprm_committed_creds")
int BPF_PROG(haetae_bprm_committed_creds, struct linux_binprm *bprm)
{
	struct ht_ledger *led = ledger_get();
	struct object o = { .ops = HT_OP_EXEC };
	struct label *l = label_current();
	struct verdict *v;
	__u32 fault;
	__u64 place;

	if (!l || !led)
		return 0;
	object_of_file(&o, bprm->file);
	l->exec_id = ((__u64)(bpf_get_smp_processor_id() + 1) << 48) |
		     __sync_fetch_and_add(&led->execs, 1);
	__builtin_memset(l->met.stamps, 0, sizeof(l->met.stamps));
	if (l->fresh)
		l->fresh = FRESH_RUNS;
	fault = verdict_place(&o);
	place = fault || l->runs.dentry != o.dentry || l->runs.mount != o.mount ? 0 : l->runs.place;
	l->runs.place = 0;
	if (place && program_recall(l, place))
		return 0;
	l->exe_len = 0;
	l->exe_whole = 0;
	v = pool_take();
	if (!v)
		return 0; /* without a name it meets no exception */
	fault = exec_name(l, v, &o, fault);
	pool_give(v);
	if (place && l->exe_whole && !fault)
		program_keep(l, place);
	return 0;
}

/* Does a profile of the subject want allowed execs recorded? A missing one counts as yes. */
struct exec_context {
	struct verdict *verdict;
};

static long exec_recorded_step(__u32 index, struct exec_context *context)
{
	struct ht_edge_key key = { .kind = HT_EDGE_HEADER };
	struct verdict *v = context->verdict;
	struct ht_entry *header;
	void *profile;
	__u32 id;

	if (!v)
		return 1;
	if (!(v->slots >> index))
		return 1;
	profile = verdict_profile(v, index, &id);
	if (!id)
		return 0;
	header = profile ? bpf_map_lookup_elem(profile, &key) : NULL;
	if (!header || (header->flags & HT_PROFILE_RECORD_EXEC))
		v->record = 1;
	return 0;
}

static __always_inline bool exec_recorded(struct verdict *v)
{
	struct exec_context context = { .verdict = v };
	struct ht_settings *set = settings_get();

	v->half = set ? set->current : 0;
	v->record = 0;
	bpf_loop(HT_PROFILES_MAX, exec_recorded_step, &context, 0);
	return v->record;
}

/* The name of what runs was not kept, or not all of it. */
static __always_inline void exec_walk(struct verdict *v, struct object *o)
{
	v->fault = verdict_place(o);
	v->walk.n = 0;
	if (!v->fault)
		v->fault = walk_names(v, o);
}

/* Tell it, if it is to be told. */
__global int exec_tell(struct label *l, struct verdict *v, struct object *o, __u32 argc)
{
	if (!l || !v || !o)
		return 0;
	verdict_subject(v, l);
	v->reason = HT_REASON_NONE;
	v->rule = 0;
	v->profile = v->profiles[0];
	v->chain = 0;
	v->fault = 0;
	if (!exec_recorded(v) || !report_count(v, o, HT_OP_EXEC, HT_VERDICT_ALLOW))
		return 0;
	if (!(o->facts & OBJECT_RUNS))
		exec_walk(v, o);
	report_tell(v, o, HT_OP_EXEC, HT_VERDICT_ALLOW, argc);
	return 0;
}

/* An exec went through: told, with the arguments, which are in their place only now. */
SEC("tp_btf/sched_process_exec")
int BPF_PROG(haetae_process_exec, struct task_struct *task, int old_pid, struct linux_binprm *bprm)
{
	struct object o = { .ops = HT_OP_EXEC };
	struct label *l = label_current();
	struct verdict *v;

	if (!l)
		return 0;
	v = pool_take();
	if (v) {
		object_of_file(&o, bprm->file);
		o.facts = l->exe_whole ? OBJECT_RUNS : 0;
		exec_tell(l, v, &o, bprm->argc);
		pool_give(v);
	} else {
		pool_lose(HT_VERDICT_ALLOW);
	}
	l->fresh = 0;
	return 0;
}
