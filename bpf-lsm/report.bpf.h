/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#pragma once

/*
 * Telling what was decided. Always after the decision, never part of it: count, then try to emit a record,
 * else add to an aggregate, else count the loss. counted = emitted + aggregated + lost, exactly.
 */

#include "pool.bpf.h"
#include "verdict.bpf.h"

/* label.fresh: bound by an exec that */
#define FRESH_STARTS 1U
#define FRESH_RUNS 2U /* has its program in place, and was not told yet */

#define RATE_WINDOW_NS 1000000000ULL

struct report_context {
	struct verdict *verdict;
	struct slot *slot;
};

/* Append "/name" of the next component, counted from the root. */
static long report_component(__u32 index, struct report_context *context)
{
	struct verdict *v = context->verdict;
	struct slot *s = context->slot;
	struct component *c;
	struct dentry *dentry;
	struct qstr name;
	__u32 pos, len;

	if (!v || !s)
		return 1;
	if (v->position.step >= v->walk.n)
		return 1;
	c = &v->walk.components[(v->walk.n - 1 - v->position.step) & (HT_WALK_COMPONENTS - 1)];
	dentry = (struct dentry *)c->dentry;
	pos = s->pos;
	if (v->walk.names == WALK_DENTRIES) {
		name.name = (void *)((c->hash & ~WALK_NAME_TOP) | (c->dentry & WALK_NAME_TOP));
		len = c->hash >> 56;
	} else if (BPF_CORE_READ_INTO(&name, dentry, d_name) < 0) {
		return 1;
	} else {
		len = name.len;
	}
	if (pos >= HT_TEXT_PATH_MAX || len > HT_NAME_MAX || pos + 1 + len > HT_TEXT_PATH_MAX) {
		s->record.flags |= HT_RECORD_PATH_TRUNCATED;
		return 1;
	}
	s->text[pos] = '/';
	if (bpf_probe_read_kernel(&s->text[pos + 1], len & HT_NAME_MAX, name.name) < 0)
		return 1;
	s->pos = pos + 1 + len;
	v->position.step++;
	return 0;
}

/* The path of the collected components. */
static __always_inline void report_path(struct verdict *v, struct slot *s)
{
	struct report_context context = { .verdict = v, .slot = s };

	s->record.path.off = sizeof(struct ht_record) + s->pos;
	v->position.step = 0;
	if (!v->walk.n && s->pos < HT_TEXT_PATH_MAX) {
		s->text[s->pos] = '/';
		s->pos++;
	}
	bpf_loop(HT_WALK_COMPONENTS, report_component, &context, 0);
	if (v->walk.n > HT_WALK_COMPONENTS)
		s->record.flags |= HT_RECORD_PATH_TRUNCATED;
	s->record.path.len = sizeof(struct ht_record) + s->pos - s->record.path.off;
}

/* The last name alone, for what has no position. */
static __always_inline void report_name(struct slot *s, __u64 dentry)
{
	struct qstr name;

	s->record.path.off = sizeof(struct ht_record);
	if (!dentry || s->pos || BPF_CORE_READ_INTO(&name, (struct dentry *)dentry, d_name) < 0 ||
	    name.len > HT_NAME_MAX ||
	    bpf_probe_read_kernel(s->text, name.len & HT_NAME_MAX, name.name) < 0)
		return;
	s->pos = name.len & HT_NAME_MAX;
	s->record.path.len = s->pos;
}

/* Bytes of text, loaded where they are used: the verifier forgets what was known of a former load. */
static __always_inline __u32 slot_pos(struct slot *s)
{
	return *(volatile __u32 *)&s->pos;
}

/* What a task runs. label: the address of its label. */
static __always_inline void report_exe(__u64 label, __u32 len, __u32 flags, struct slot *s)
{
	__u32 pos = slot_pos(s);

	s->record.exe.off = sizeof(struct ht_record) + pos;
	if (len > HT_TEXT_EXE_MAX || pos > HT_TEXT_PATH_MAX)
		return;
	if (bpf_probe_read_kernel(&s->text[pos], len, (void *)(label + offsetof(struct label, exe))) < 0)
		return;
	s->pos = pos + len;
	s->record.exe.len = len;
	s->record.flags |= flags;
}

/* The task itself runs the object: one name for both, as it was when the task began to. */
static __always_inline void report_runs(struct verdict *v, struct slot *s)
{
	report_exe(v->label, v->exe_len, v->exe_flags, s);
	s->record.path = s->record.exe;
}

/* The arguments of the running image. */
static __always_inline void report_argv(struct slot *s)
{
	struct mm_struct *mm = bpf_get_current_task_btf()->mm;
	unsigned long start, end;
	__u32 pos = slot_pos(s), len;

	s->record.argv.off = sizeof(struct ht_record) + pos;
	start = mm->arg_start;
	end = mm->arg_end;
	if (end <= start || pos > HT_TEXT_PATH_MAX + HT_TEXT_EXE_MAX)
		return;
	if (end - start > HT_TEXT_ARGV_MAX) {
		s->record.flags |= HT_RECORD_ARGV_TRUNCATED;
		end = start + HT_TEXT_ARGV_MAX;
	}
	len = end - start;
	if (len > HT_TEXT_ARGV_MAX || bpf_probe_read_user(&s->text[pos], len, (void *)start) < 0)
		return;
	s->pos = pos + len;
	s->record.argv.len = len;
}

static __always_inline void report_subject(__u64 exec_id, __u64 cgroup, struct ht_record *r)
{
	struct task_struct *task = bpf_get_current_task_btf(), *parent = task->real_parent;
	const struct cred *cred = task->real_cred;
	__u64 ids = bpf_get_current_pid_tgid();

	r->pid = ids >> 32;
	r->tid = (__u32)ids;
	r->start = task->group_leader->start_boottime;
	r->ppid = parent->tgid;
	r->parent_start = parent->group_leader->start_boottime;
	r->uid = cred->uid.val;
	r->gid = cred->gid.val;
	bpf_get_current_comm(r->comm, sizeof(r->comm));
	r->exec_id = exec_id;
	r->cgroup = cgroup;
}

/* What is told of an inode lies at its beginning, but for one: one read for all of it. */
#define INODE_HEAD 128U

/* head: INODE_HEAD bytes of scratch. */
static __always_inline void report_object(struct object *o, struct ht_record *r, __u8 *head)
{
	struct inode *inode = (struct inode *)o->inode;
	struct super_block *sb;

	if (!inode || bpf_probe_read_kernel(head, INODE_HEAD, inode) < 0)
		return;
	r->ino = *(unsigned long *)(head + bpf_core_field_offset(struct inode, i_ino));
	r->mode = *(__u16 *)(head + bpf_core_field_offset(struct inode, i_mode));
	r->nlink = *(__u32 *)(head + bpf_core_field_offset(struct inode, i_nlink));
	sb = *(struct super_block **)(head + bpf_core_field_offset(struct inode, i_sb));
	(void)BPF_CORE_READ_INTO(&r->dev, sb, s_dev);
	(void)BPF_CORE_READ_INTO(&r->inode_generation, inode, i_generation);
	if (!r->nlink)
		r->flags |= HT_RECORD_DELETED;
}

static __always_inline struct slot *slot_claim(void)
{
	__u32 cpu = bpf_get_smp_processor_id(), i;

#pragma clang loop unroll(disable)
	for (i = 0; i < HT_SLOTS_PER_CPU; i++) {
		__u32 index = (cpu * HT_SLOTS_PER_CPU + i) % (ht_slots ? ht_slots : 1);
		struct slot *s = bpf_map_lookup_elem(&slots, &index);

		if (s && __sync_val_compare_and_swap(&s->busy, 0, 1) == 0)
			return s;
	}
	return NULL;
}

static __always_inline void slot_release(struct slot *s)
{
	__sync_lock_test_and_set(&s->busy, 0);
}

static __always_inline void slot_reset(struct slot *s, __u16 kind)
{
	s->pos = 0;
	s->of = 0;
	__builtin_memset(&s->record, 0, sizeof(s->record));
	s->record.abi = HT_ABI;
	s->record.kind = kind;
	s->record.time = bpf_ktime_get_boot_ns();
	s->record.cpu = bpf_get_smp_processor_id();
}

/* Hand the slot to a ring. Return: true if it is there. */
static __always_inline bool slot_emit(struct slot *s, void *ring, struct ht_ledger *led)
{
	__u32 size = sizeof(struct ht_record) + slot_pos(s);

	if (size > HT_RECORD_SIZE_MAX || !led)
		return false;
	s->record.size = size;
	s->record.seq = __sync_fetch_and_add(&led->seq, 1);
	return bpf_ringbuf_output(ring, &s->record, size, 0) == 0;
}

/* May this cgroup have one more record now? */
static __always_inline bool report_rate(struct verdict *v, __u64 now)
{
	__u64 id = v->cgroup, window;
	struct ht_cgroup *c = bpf_map_lookup_elem(&cgroups, &id);
	struct ht_settings *set = settings_get();

	if (!c || !set)
		return true; /* its cgroup is gone: what is left of it is few */
	__sync_fetch_and_add(&c->counted, 1);
	window = c->window;
	if (now - window > RATE_WINDOW_NS &&
	    __sync_val_compare_and_swap(&c->window, window, now) == window)
		c->used = 0;
	return __sync_fetch_and_add(&c->used, 1) < set->rate_max;
}

/* Count it with its kind. Return: 1 counted, 0 no room; with first_only 2, not counted, when it is the first
 * of its kind in this turn. */
static __always_inline __u32 report_aggregate(struct verdict *v, struct object *o, __u32 op,
					      __u32 verdict, __u64 now, bool first_only)
{
	struct ht_aggregate_key key = {
		.cgroup = v->cgroup,
		.rule = v->rule,
		.profile = v->profile,
		.op = op ? op_number(op) : 0,
		.verdict = verdict,
		.reason = v->reason,
	};
	struct inode *inode = (struct inode *)o->inode;
	struct ht_aggregate *a, empty = {};
	__u32 zero = 0, fresh = 0;
	void *inner;

	inner = bpf_map_lookup_elem(&aggregates, &zero);
	if (!inner)
		return 0;
	a = bpf_map_lookup_elem(inner, &key);
	if (!a) {
		empty.first = now;
		(void)map_update(inner, &key, &empty, BPF_NOEXIST);
		a = bpf_map_lookup_elem(inner, &key);
		if (!a)
			return 0;
		fresh = 1;
	}
	if (fresh && first_only)
		return 2;
	__sync_fetch_and_add(&a->count, 1);
	a->last = now;
	a->pid = bpf_get_current_pid_tgid() >> 32;
	a->uid = (__u32)bpf_get_current_uid_gid();
	a->exec_id = v->exec_id;
	bpf_get_current_comm(a->comm, sizeof(a->comm));
	if (inode) {
		(void)BPF_CORE_READ_INTO(&a->ino, inode, i_ino);
		(void)BPF_CORE_READ_INTO(&a->dev, inode, i_sb, s_dev);
	}
	return 1;
}

/* The path of the object. What is refused again by an answer that was kept has the path that it had: what the answer goes by
 * stands for all names up to the root. As long as the text is where the last record was made it is told again, and no name is
 * looked at. */
static __always_inline void report_object_path(struct verdict *v, struct object *o, struct slot *s)
{
	if (v->reuse) {
		s->record.path = s->path;
		s->pos = s->path.len;
		s->of = v->check;
	} else if (v->fault || !o->dentry) {
		report_name(s, o->dentry);
	} else {
		report_path(v, s);
		if (!(o->facts & OBJECT_KNOWN) || (s->record.flags & HT_RECORD_PATH_TRUNCATED))
			return;
		s->path = s->record.path;
		s->of = v->check;
	}
}

#define RECORD_LOST 0U
#define RECORD_SENT 1U
#define RECORD_NONE 2U /* verdict.reuse, and the path is gone */

/* Return: RECORD_*. */
static __always_inline __u32 report_record(struct verdict *v, struct object *o, __u32 op,
					   __u32 verdict, __u32 argc, struct ht_ledger *led)
{
	struct ht_settings *set = settings_get();
	struct slot *s = slot_claim();
	struct ht_record *r;
	bool done;

	if (!s)
		return RECORD_LOST;
	if (v->reuse && s->of != v->check) {
		slot_release(s);
		return RECORD_NONE;
	}
	slot_reset(s, HT_RECORD_VERDICT);
	r = &s->record;
	r->verdict = verdict;
	r->reason = v->reason;
	r->op = op;
	r->rule = v->rule;
	r->profile = v->profile;
	r->generation = set ? set->generation : 0;
	r->flags = v->chain;
	if (v->fresh == FRESH_STARTS || (v->fresh && argc))
		r->flags |= HT_RECORD_FIRST_EXEC;
	report_subject(v->exec_id, v->cgroup, r);
	report_object(o, r, v->walk.name);
	if (o->facts & OBJECT_RUNS) {
		report_runs(v, s);
	} else {
		report_object_path(v, o, s);
		report_exe(v->label, v->exe_len, v->exe_flags, s);
	}
	if (argc) {
		r->argc = argc;
		report_argv(s);
	}
	if (verdict == HT_VERDICT_DENY || verdict == HT_VERDICT_KILL ||
	    verdict == HT_VERDICT_SELF_TEST)
		done = slot_emit(s, &refusals, led);
	else
		done = slot_emit(s, &notices, led);
	slot_release(s);
	return done ? RECORD_SENT : RECORD_LOST;
}

/* Count a verdict. Return: 1: it is to have a record of its own. */
__global int report_count(struct verdict *v, struct object *o, __u32 op, __u32 verdict)
{
	__u64 now = bpf_ktime_get_boot_ns();
	struct ht_ledger *led = ledger_get();
	__u32 told, reason;

	if (!v || !o || !led)
		return 0;
	verdict &= HT_VERDICT_SLOTS - 1;
	reason = v->reason & (HT_REASON_SLOTS - 1);
	__sync_fetch_and_add(&led->counted[verdict], 1);
	__sync_fetch_and_add(&led->failures[reason], 1);
	/* Beyond the rate the first of each kind in a turn still has its own record, so that a flood
	 * cannot hide another act. */
	told = report_rate(v, now) ? 2 : report_aggregate(v, o, op, verdict, now, true);
	if (told == 2)
		return 1;
	if (told)
		__sync_fetch_and_add(&led->aggregated[verdict], 1);
	else
		__sync_fetch_and_add(&led->lost[verdict], 1);
	return 0;
}

/* The record of one that was counted. argc: of the image that runs now, if its arguments belong to the verdict; else 0.
 * Return: 1; 0: nothing was told, as verdict.reuse asks for a path that is gone. */
__global int report_tell(struct verdict *v, struct object *o, __u32 op, __u32 verdict, __u32 argc)
{
	struct ht_ledger *led = ledger_get();
	__u32 sent;

	if (!v || !o || !led)
		return 1;
	verdict &= HT_VERDICT_SLOTS - 1;
	sent = report_record(v, o, op, verdict, argc, led);
	if (sent == RECORD_NONE)
		return 0;
	if (sent == RECORD_SENT)
		__sync_fetch_and_add(&led->emitted[verdict], 1);
	else if (report_aggregate(v, o, op, verdict, bpf_ktime_get_boot_ns(), false))
		__sync_fetch_and_add(&led->aggregated[verdict], 1);
	else
		__sync_fetch_and_add(&led->lost[verdict], 1);
	return 1;
}
