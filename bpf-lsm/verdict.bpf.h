/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#pragma once

/*
 * The decision: (subject, object, operations) -> refused or not.
 *
 * Every profile of the subject must let the operation pass, on every chain of the object. The answer is
 * left in the label (deny, enforce, reason, rule, profile) for the report; nothing outside this file
 * decides, and nothing here reports.
 */

#include "automaton.bpf.h"

struct verdict_context {
	struct label *label;
	struct object *object;
};

static __always_inline void *verdict_profile(struct label *l, __u32 slot, __u32 *ret_id)
{
	__u32 id = l->profiles[slot & (HT_PROFILES_MAX - 1)];

	*ret_id = id;
	if (!id)
		return NULL;
	return profile_get(id, l->half);
}

/* A profile refuses `deny` of what was asked. Enforcing profiles win over recording ones, else the
 * first to say so is told. */
static __always_inline void verdict_merge(struct label *l, __u32 profile, __u32 flags, __u32 deny,
					  __u32 reason, __u64 rule, __u32 chain)
{
	__u32 enforce = flags & HT_PROFILE_ENFORCE;

	if (!deny || (l->deny && (l->enforce || !enforce)))
		return;
	l->deny = deny;
	l->enforce = enforce;
	l->reason = reason;
	l->profile = profile;
	l->rule = rule;
	l->chain = chain;
	l->canary = flags & HT_PROFILE_CANARY;
}

/* First pass: does any profile refuse one of these operations anywhere? Most opens end here. */
static long verdict_need(__u32 index, struct verdict_context *context)
{
	struct label *l = context->label;
	struct ht_edge_key key = { .kind = HT_EDGE_HEADER };
	struct ht_entry *header;
	void *profile;
	__u32 id;

	if (!l || !(l->slots >> (index & 31)))
		return 1;
	profile = verdict_profile(l, index, &id);
	if (!id)
		return 0;
	header = profile ? bpf_map_lookup_elem(profile, &key) : NULL;
	if (!header) {
		verdict_merge(l, id, HT_PROFILE_ENFORCE, l->ops, HT_REASON_PROFILE, 0, 0);
		return 0;
	}
	l->need |= header->deny & l->ops;
	return 0;
}

/* Number of the lowest bit (the instruction set has no such instruction). */
static __always_inline __u32 op_number(__u32 ops)
{
	__u32 n = 0;

	if (!(ops & 0xffff)) {
		n += 16;
		ops >>= 16;
	}
	if (!(ops & 0xff)) {
		n += 8;
		ops >>= 8;
	}
	if (!(ops & 0xf)) {
		n += 4;
		ops >>= 4;
	}
	if (!(ops & 0x3)) {
		n += 2;
		ops >>= 2;
	}
	return ops & 1 ? n : n + 1;
}

static __always_inline __u64 verdict_rule(void *profile, __u32 state, __u32 deny)
{
	struct ht_edge_key key = { .state = state, .kind = HT_EDGE_RULE };
	struct ht_entry *e;

	key.name = op_number(deny);
	e = bpf_map_lookup_elem(profile, &key);
	return e ? e->rule : 0;
}

/* Second pass: what does each profile say of the collected position? */
__global int verdict_profile_judge(struct label *l, __u32 slot)
{
	struct ht_edge_key key = { .kind = HT_EDGE_HEADER };
	struct ht_entry *header;
	__u32 id, flags, deny;
	void *profile;

	if (!l)
		return 0;
	profile = verdict_profile(l, slot, &id);
	if (!profile)
		return 0; /* free slot, or told by verdict_need() */
	header = bpf_map_lookup_elem(profile, &key);
	if (!header)
		return 0;
	flags = header->flags;
	deny = header->deny & l->ops;
	if (!deny)
		return 0;
	if (l->fault == HT_REASON_ANONYMOUS) {
		/* No name: no rule can mean it, the profile's defaults do. */
		if (!automaton_start(l, profile, HT_EDGE_OTHER))
			goto damaged;
	} else if (l->fault) {
		verdict_merge(l, id, flags, deny, l->fault, 0, 0);
		return 0;
	} else if (!automaton_run(l, profile)) {
		goto damaged;
	}
	deny = l->position.entry.deny & l->ops;
	if (deny)
		verdict_merge(l, id, flags, deny,
			      l->fault ? l->fault : HT_REASON_POLICY,
			      verdict_rule(profile, l->position.entry.next, deny), l->chain);
	return 0;
damaged:
	verdict_merge(l, id, HT_PROFILE_ENFORCE, l->ops, HT_REASON_PROFILE, 0, 0);
	return 0;
}

static long verdict_judge(__u32 index, struct verdict_context *context)
{
	struct label *l = context->label;

	if (!l || !(l->slots >> (index & 31)))
		return 1;
	(void)verdict_profile_judge(l, index);
	return 0;
}

static __always_inline __u64 current_mount_namespace(void)
{
	struct task_struct *task = (struct task_struct *)bpf_get_current_task();
	struct mnt_namespace *ns = NULL;

	if (BPF_CORE_READ_INTO(&ns, task, nsproxy, mnt_ns) < 0)
		return 0;
	return (__u64)ns;
}

/* mnt_ns of a mount that only the kernel uses: ERR_PTR(-EINVAL), MNT_NS_INTERNAL in fs/mount.h. */
#define MOUNT_NS_INTERNAL ((__u64)-22)
/* A stacked filesystem opens what lies below it, through a private mount that no descriptor of a task ever
 * shows. The open above was judged a moment ago, by its name; this one has none. (Directories on an overlay
 * come this way on every kernel; regular files are told by open_is_backing().) */
#define PLACE_BELOW 0xffffU

/* Has the object a position in the task's own mount tree? Return: 0, PLACE_BELOW, or the HT_REASON_* why
 * not. */
static __always_inline __u32 verdict_place(struct object *o)
{
	struct mount *mount = (struct mount *)o->mount;
	struct inode *inode = (struct inode *)o->inode;
	struct mnt_namespace *ns = NULL;
	struct super_block *sb = NULL;
	unsigned long flags = 0;
	__u32 nlink = 1;

	if (BPF_CORE_READ_INTO(&sb, mount, mnt.mnt_sb) < 0 ||
	    BPF_CORE_READ_INTO(&flags, sb, s_flags) < 0 ||
	    BPF_CORE_READ_INTO(&ns, mount, mnt_ns) < 0)
		return HT_REASON_UNRESOLVED;
	if (flags & (SB_NOUSER | SB_KERNMOUNT))
		return HT_REASON_ANONYMOUS;
	if ((__u64)ns == MOUNT_NS_INTERNAL && !(o->ops & HT_OPS_EXEC))
		return PLACE_BELOW;
	if (!ns || (__u64)ns != current_mount_namespace())
		return HT_REASON_FOREIGN;
	/* A deleted file still carries its last name; that name may not make it executable. */
	if ((o->ops & HT_OPS_EXEC) && inode) {
		if (BPF_CORE_READ_INTO(&nlink, inode, i_nlink) < 0)
			return HT_REASON_UNRESOLVED;
		if (!nlink)
			return HT_REASON_ANONYMOUS;
	}
	return 0;
}

/* Decide for a governed task. Return: non-zero if anything is refused (label.deny). */
__global int verdict_decide(struct label *l, struct object *o)
{
	struct verdict_context context = { .label = l, .object = o };
	struct ht_settings *set = settings_get();
	struct dentry *stop = NULL;
	__u64 top;

	if (!l || !o || !set)
		return true;
	l->half = set->current;
	l->ops = o->ops;
	l->need = 0;
	l->deny = 0;
	l->enforce = 0;
	l->reason = HT_REASON_NONE;
	l->rule = 0;
	l->profile = 0;
	l->chain = 0;
	l->canary = 0;
	l->walk.n = 0;
	bpf_loop(HT_PROFILES_MAX, verdict_need, &context, 0);
	if (!l->need)
		return l->deny != 0;

	l->fault = verdict_place(o);
	if (l->fault == PLACE_BELOW)
		return l->deny != 0;
	if (!l->fault)
		l->fault = walk_collect(l, o, 0, 0);
	bpf_loop(HT_PROFILES_MAX, verdict_judge, &context, 0);
	if (l->fault || (l->deny && l->enforce) || !l->walk.bind)
		return l->deny != 0;

	/* Reached through a bind mount: its name without it counts as well. */
	top = l->walk.top_mnt;
	if (BPF_CORE_READ_INTO(&stop, (struct mount *)top, mnt.mnt_root) < 0) {
		l->fault = HT_REASON_UNRESOLVED;
	} else {
		l->fault = walk_collect(l, o, 1, (__u64)stop);
		if (l->walk.status == WALK_OUTSIDE)
			return l->deny != 0;
	}
	l->chain = l->deny ? l->chain : HT_RECORD_STRAIGHT;
	bpf_loop(HT_PROFILES_MAX, verdict_judge, &context, 0);
	return l->deny != 0;
}
