// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

/*
 * New cgroups are matched against the policies here, before the kernel makes them visible, so a container
 * is governed before anything can be attached to it. And the iterator that labels what already runs.
 */

#include "hook.bpf.h"
#include "match.bpf.h"

#define CGROUP_PATH_MAX 1024U

static __always_inline bool cgroup_is_v2(struct cgroup *cgrp)
{
	int hierarchy = -1;

	/* the unified hierarchy is the first that the kernel makes: number 0, "0::" in /proc */
	return BPF_CORE_READ_INTO(&hierarchy, cgrp, root, hierarchy_id) == 0 && hierarchy == 0;
}

static __always_inline void cgroup_notice(__u16 kind, __u64 id, const char *path,
					  struct ht_cgroup *c)
{
	struct ht_ledger *led = ledger_get();
	struct slot *s = slot_claim();
	bool done = false;
	long len;
	__u32 i;

	if (s) {
		slot_reset(s, kind);
		s->record.cgroup = id;
#pragma clang loop unroll(disable)
		for (i = 0; i < HT_PROFILES_MAX; i++) {
			if (!c->profiles[i])
				break;
			s->record.profiles[i] = c->profiles[i];
			s->record.nprofiles = i + 1;
		}
		s->record.path.off = sizeof(struct ht_record);
		len = bpf_probe_read_kernel_str(s->text, CGROUP_PATH_MAX, path);
		if (len > 0) {
			s->pos = (__u32)(len - 1) & (CGROUP_PATH_MAX - 1);
			s->record.path.len = s->pos;
		}
		done = slot_emit(s, &notices, led);
		slot_release(s);
	}
	if (led)
		__sync_fetch_and_add(done ? &led->notices_emitted : &led->notices_lost, 1);
}

SEC("tp_btf/cgroup_mkdir")
int BPF_PROG(haetae_cgroup_mkdir, struct cgroup *cgrp, const char *path)
{
	struct ht_ledger *led = ledger_get();
	struct ht_cgroup c = {};
	struct verdict *scratch;
	__u32 zero = 0;
	__u64 id = 0;
	int n = -EPERM;

	if (!cgroup_is_v2(cgrp))
		return 0;
	scratch = bpf_map_lookup_elem(&mkdir_scratch, &zero);
	if (scratch && BPF_CORE_READ_INTO(&id, cgrp, kn, id) == 0)
		n = cgroup_match(scratch, cgrp, &c);
	if (n == 0)
		return 0;
	if (n < 0 || map_update(&cgroups, &id, &c, BPF_ANY) < 0) {
		unbound_count();
		if (led)
			__sync_fetch_and_add(&led->binds_failed, 1);
		return 0;
	}
	cgroup_notice(HT_RECORD_BIND, id, path, &c);
	return 0;
}

static __always_inline int cgroup_forget(struct cgroup *cgrp, const char *path)
{
	struct ht_cgroup *c, copy;
	__u64 id = 0;

	if (!cgroup_is_v2(cgrp) || BPF_CORE_READ_INTO(&id, cgrp, kn, id) < 0)
		return 0;
	c = bpf_map_lookup_elem(&cgroups, &id);
	if (!c)
		return 0;
	copy = *c;
	if (map_delete(&cgroups, &id) == 0)
		cgroup_notice(HT_RECORD_UNBIND, id, path, &copy);
	return 0;
}

/* Nothing is in it, and nothing gets into it any more. */
SEC("tp_btf/cgroup_rmdir")
int BPF_PROG(haetae_cgroup_rmdir, struct cgroup *cgrp, const char *path)
{
	return cgroup_forget(cgrp, path);
}

/* The kernel lets go of it: at once, or when the memory that was charged to it is reclaimed, which can take days. Here for
 * what the agent bound while it was removed. */
SEC("tp_btf/cgroup_release")
int BPF_PROG(haetae_cgroup_release, struct cgroup *cgrp, const char *path)
{
	return cgroup_forget(cgrp, path);
}

/* ---- the iterator: bring every task's label in line with the cgroups map ---- */

struct unbind_context {
	struct label *label;
	__u32 removed;
};

static long unbind_step(__u32 index, struct unbind_context *context)
{
	struct label *l = context->label;
	__u32 slot = index & (HT_PROFILES_MAX - 1), profile;
	struct unbind_key key = {};

	if (!l)
		return 1;
	profile = l->profiles[slot];
	if (!profile)
		return 0;
	key.cgroup = l->origins[slot];
	key.profile = profile;
	if (!bpf_map_lookup_elem(&unbinds, &key))
		return 0;
	if (__sync_val_compare_and_swap(&l->profiles[slot], profile, 0) == profile) {
		__sync_fetch_and_add(&l->set, -label_set_of(profile, key.cgroup));
		context->removed++;
	}
	return 0;
}

/* Make the number of a label's set that of its profiles. A child that is born while its parent's label is being changed can have the one
 * from after that, and the other from before. Return: was it another? */
__global __u32 label_count_set(struct label *l)
{
	__u64 set = 0;
	__u32 i;

	if (!l)
		return 0;
#pragma clang loop unroll(disable)
	for (i = 0; i < HT_PROFILES_MAX; i++) {
		if (l->profiles[i])
			set += label_set_of(l->profiles[i], l->origins[i]);
	}
	set -= l->set;
	if (set)
		__sync_fetch_and_add(&l->set, set);
	return set != 0;
}

/* One byte of output for each task whose label changed, 'F' for one that could not be labelled. The
 * agent runs it until a pass changes nothing. */
SEC("iter/task")
int haetae_label_tasks(struct bpf_iter__task *ctx)
{
	struct task_struct *task = ctx->task;
	struct seq_file *seq = ctx->meta->seq;
	struct unbind_context unbind = {};
	char changed = 'C', failed = 'F';
	__u64 cgroup;
	struct label *l;
	__u32 result = 0;

	if (!task || (task->flags & PF_KTHREAD))
		return 0;
	cgroup = task_cgroup(task);
	l = label_of((__u64)task);
	if (!l && cgroup_is_fresh(cgroup) && !enforcement_ended()) {
		l = label_new((__u64)task, TEMPLATE_ITERATOR);
		result = l ? BIND_ADDED : BIND_FAILED;
	}
	/* What is new first: a running task is never between two policies. */
	if (l) {
		result |= label_bind(l, cgroup, BOUND_BY_ITERATOR);
		unbind.label = l;
		bpf_loop(HT_PROFILES_MAX, unbind_step, &unbind, 0);
		if (label_count_set(l))
			result |= BIND_ADDED;
	}
	if (l && (result || unbind.removed)) {
		governed_note(governed_word((__u64)ctx->task), 0);
		subject_tell((__u64)ctx->task, l);
	}
	if (result & BIND_FAILED)
		bpf_seq_write(seq, &failed, 1);
	else if ((result & BIND_ADDED) || unbind.removed)
		bpf_seq_write(seq, &changed, 1);
	return 0;
}
