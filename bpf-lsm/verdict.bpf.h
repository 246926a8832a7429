/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#pragma once

/*
 * The decision: (subject, object, operations) -> how far it may go.
 *
 * Every profile of the subject must let the operation pass, on every chain of the object. The answer is
 * left in the verdict (level, told, reason, rule, profile) for the report; nothing outside this file
 * decides, and nothing here reports.
 */

#include "directory.bpf.h"
#include "freeze.bpf.h"
#include "identity.bpf.h"
#include "origin.bpf.h"

/* Rising: the worst is told. */
#define LEVEL_ALLOW 0U
#define LEVEL_AUDIT 1U
#define LEVEL_WOULD_DENY 2U
#define LEVEL_DENY 3U
#define LEVEL_KILL 4U

static __noinline void *verdict_profile(struct verdict *v, __u32 slot, __u32 *ret_id)
{
	__u32 id = v->profiles[slot & (HT_PROFILES_MAX - 1)];

	*ret_id = id;
	if (!id)
		return NULL;
	return profile_get(id, v->half);
}

/* A profile has something to say of the operations `told`. A profile that only records refuses nothing. Of two
 * that are equally bad the first is told. */
static __always_inline void verdict_merge(struct verdict *v, __u32 profile, __u32 flags, __u32 level,
					  __u32 told, __u32 reason, __u64 rule)
{
	if (!(flags & HT_PROFILE_ENFORCE) && level > LEVEL_WOULD_DENY)
		level = LEVEL_WOULD_DENY;
	if (!told || level <= v->level)
		return;
	v->level = level;
	v->told = told;
	v->reason = reason;
	v->profile = profile;
	v->rule = rule;
	v->chain = v->walk.straight ? HT_RECORD_STRAIGHT : 0;
	if (v->by_identity)
		v->chain = HT_RECORD_IDENTITY;
	v->canary = flags & HT_PROFILE_CANARY;
}

/* First pass: does a profile say anything of these operations anywhere? Most opens end here. */
__global int verdict_need(struct verdict *v, __u32 slot)
{
	struct ht_edge_key key = { .kind = HT_EDGE_HEADER };
	struct ht_entry *header;
	__u32 id, said;
	void *profile;

	if (!v)
		return 0;
	profile = verdict_profile(v, slot, &id);
	if (!id)
		return 0;
	header = profile ? bpf_map_lookup_elem(profile, &key) : NULL;
	if (!header) {
		verdict_merge(v, id, HT_PROFILE_ENFORCE, LEVEL_DENY, v->ops, HT_REASON_PROFILE, 0);
		return 0;
	}
	if (slot < DIRECTORY_SLOTS)
		directory_begin(v, slot, header);
	said = (header->deny | header->audit | header->would) & v->ops;
	if (freeze_wanted(v, profile))
		said |= header->deny;
	if (said)
		v->wanted |= 1U << (slot & (HT_PROFILES_MAX - 1));
	v->need |= said;
	if (header->flags & HT_PROFILE_RECORD_FILE) {
		v->record = 1;
		v->need |= v->ops & HT_OPS_FILE;
	}
	return 0;
}

/* Number of the lowest bit (the instruction set has no such instruction). Global, so that it is checked once and not
 * on every way that leads here. */
__global __u32 op_number(__u32 ops)
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

/* The rule of the lowest of the operations. 0: the image names none. */
static __noinline __u64 verdict_rule(void *profile, __u32 state, __u32 class, __u32 ops)
{
	struct ht_edge_key key = { .state = state, .kind = HT_EDGE_RULE };
	struct ht_entry *e;

	key.name = HT_RULE_KEY(class, op_number(ops));
	e = profile_entry(profile, &key);
	if (!e) {
		key.name = HT_RULE_KEY(class, HT_RULE_COMMON);
		e = profile_entry(profile, &key);
	}
	return e ? e->rule : 0;
}

/* What the entry where the walk ended (position.entry) says of the operations. */
static __noinline int verdict_entry(struct verdict *v, void *profile, __u32 slot)
{
	__u32 id, flags, told, image, kill, state, reason;

	if (!v || !profile)
		return 0;
	state = v->state_here;
	reason = v->fault ? v->fault : HT_REASON_POLICY;
	flags = v->flags_here;
	id = v->profiles[slot & (HT_PROFILES_MAX - 1)];
	kill = v->position.entry.kill;

	told = v->position.entry.deny & v->ops;
	if (told)
		verdict_merge(v, id, flags, told & kill ? LEVEL_KILL : LEVEL_DENY, told, reason,
			      verdict_rule(profile, state, HT_RULE_DENY, told));
	image = v->position.entry.image & v->ops;
	if (image) {
		v->passing = 1; /* a file can be written to without another name */
		image = origin_refused(v, image);
		if (image)
			verdict_merge(v, id, flags, image & kill ? LEVEL_KILL : LEVEL_DENY, image,
				      HT_REASON_ORIGIN,
				      verdict_rule(profile, state, HT_RULE_IMAGE, image));
	}
	told = v->position.entry.would & v->ops;
	if (told)
		verdict_merge(v, id, flags, LEVEL_WOULD_DENY, told, reason,
			      verdict_rule(profile, state, HT_RULE_WOULD, told));
	told = v->position.entry.audit & v->ops;
	if (told)
		verdict_merge(v, id, flags, LEVEL_AUDIT, told, reason,
			      verdict_rule(profile, state, HT_RULE_AUDIT, told));
	return 0;
}

/* One exception that depends on the subject. */
static long verdict_condition(__u32 index, struct condition_context *context)
{
	struct verdict *v = context->verdict;
	void *profile = context->profile;
	struct ht_edge_key key = { .kind = HT_EDGE_COND };
	struct ht_entry *e;
	__u32 told, level = LEVEL_ALLOW, reason;
	__u64 rule;

	if (!v || !profile)
		return 1;
	if (v->condition.index >= v->condition.n)
		return 1;
	key.state = v->state_here;
	key.name = v->condition.index;
	v->condition.index++;
	e = profile_entry(profile, &key);
	if (!e) {
		v->position.damaged = 1;
		return 1;
	}
	told = (e->deny | e->would | e->audit) & v->ops;
	if (!told || condition_met(v, e))
		return 0;
	if (e->deny & v->ops)
		level = e->kill & e->deny & v->ops ? LEVEL_KILL : LEVEL_DENY;
	else
		level = e->would & v->ops ? LEVEL_WOULD_DENY : LEVEL_AUDIT;
	key.kind = HT_EDGE_COND_RULE;
	e = profile_entry(profile, &key);
	rule = e ? e->rule : 0;
	reason = v->fault ? v->fault : HT_REASON_POLICY;
	verdict_merge(v, v->condition.profile, v->condition.flags, level, told, reason, rule);
	return 0;
}

/* The exceptions of the entry where the walk ended. */
static __noinline int verdict_conditions(struct verdict *v, void *profile, __u32 slot)
{
	struct ht_edge_key key = { .kind = HT_EDGE_HEADER };
	struct condition_context context = { .verdict = v, .profile = profile };
	struct ht_entry *header;

	if (!v || !profile)
		return 0;
	header = profile_entry(profile, &key);
	if (!header)
		return 0;
	v->condition.profile = v->profiles[slot & (HT_PROFILES_MAX - 1)];
	v->condition.flags = header->flags;
	v->condition.n = v->position.entry.flags >> HT_ENTRY_COUNT_SHIFT;
	v->condition.index = 0;
	condition_subject(v, profile, slot, header->stamp);
	bpf_loop(HT_CONDS_MAX, verdict_condition, &context, 0);
	return 0;
}

/* Memory and programs that can be written and would run. */
static __noinline int verdict_writable(struct verdict *v, void *profile, __u32 slot, __u32 flags)
{
	struct ht_edge_key key = { .kind = HT_EDGE_WRITABLE };
	struct ht_entry *e;
	__u32 told, level;

	if (!v || !profile)
		return 0;
	e = profile_entry(profile, &key);
	if (!e)
		return 0;
	told = (e->deny | e->audit) & v->ops;
	if (told)
		v->passing = 1; /* who can write a program is no matter of its place */
	if (!told || (!(v->facts & OBJECT_WX) && !origin_writable(v)))
		return 0;
	level = LEVEL_AUDIT;
	if (e->deny & told)
		level = e->kill & e->deny & told ? LEVEL_KILL : LEVEL_DENY;
	verdict_merge(v, v->profiles[slot & (HT_PROFILES_MAX - 1)], flags, level, told,
		      HT_REASON_WRITABLE,
		      verdict_rule(profile, HT_STATE_WRITABLE,
				   level == LEVEL_AUDIT ? HT_RULE_AUDIT : HT_RULE_DENY, told));
	return 0;
}

/* The object lies in a directory where other spellings mean the same, so a rule on names in it decides nothing: what is
 * refused anywhere below is refused. Return: false: nothing is, beyond the profile's defaults, which go on to be judged. */
static __noinline int verdict_ambiguous(struct verdict *v, void *profile, __u32 slot)
{
	struct ht_edge_key key = { .kind = HT_EDGE_OTHER };
	struct ht_entry *other;
	__u32 told;

	if (!v || !profile)
		return 0;
	other = profile_entry(profile, &key);
	if (!other) {
		v->position.damaged = 1;
		return 0;
	}
	if (!v->position.entry.below) {
		v->position.entry = *other;
		return 0;
	}
	told = v->freeze.wanted ? HT_OP_ALL : v->position.entry.below | other->deny | other->image | other->cond;
	verdict_merge(v, v->profiles[slot & (HT_PROFILES_MAX - 1)], v->flags_here, LEVEL_DENY,
		      told & v->ops, HT_REASON_AMBIGUOUS,
		      verdict_rule(profile, v->position.entry.next, HT_RULE_BELOW, v->ops));
	return 1;
}

/* A rename or a link: what would be lost of the old place's protection? */
static __noinline int verdict_freeze(struct verdict *v, void *profile, __u32 slot)
{
	struct ht_edge_key key = { .kind = HT_EDGE_HEADER };
	struct freeze_place *p;
	struct ht_entry *header;
	__u32 id, lost;
	__u64 rule;

	if (!v || !profile)
		return 0;
	header = profile_entry(profile, &key);
	if (!header)
		return 0;
	if (v->facts & OBJECT_LEAVES) {
		freeze_leave(v, profile, slot);
		return 0;
	}
	id = v->profiles[slot & (HT_PROFILES_MAX - 1)];
	if (v->facts & OBJECT_ARRIVES) {
		freeze_arrive(v, slot);
		if (freeze_brings(v, slot))
			verdict_merge(v, id, header->flags, LEVEL_DENY, HT_OP_CREATE,
				      HT_REASON_FROZEN,
				      verdict_rule(profile, v->state_here, HT_RULE_BELOW, HT_OP_CREATE));
		return 0;
	}
	p = freeze_place(v, slot);
	lost = p->lost;
	rule = p->rule;
	if (lost & v->position.entry.deny)
		rule = verdict_rule(profile, v->state_here, HT_RULE_DENY, lost & v->position.entry.deny);
	else if (lost & v->position.entry.image)
		rule = verdict_rule(profile, v->state_here, HT_RULE_IMAGE, lost & v->position.entry.image);
	else if (!(lost & p->kept))
		rule = verdict_rule(profile, v->state_here, HT_RULE_BELOW, lost);
	if (lost)
		verdict_merge(v, id, header->flags, LEVEL_DENY, v->ops, HT_REASON_FROZEN, rule);
	return 0;
}

/* What a literal rule of the profile says of this very object, whatever name it was reached by. Return: false: nothing. */
static __always_inline bool verdict_identity(struct verdict *v, void *profile, __u32 slot)
{
	struct ht_edge_key key = { .kind = HT_EDGE_IDENTITY };
	struct ht_identity identity = {};
	bool stacked = false;
	struct ht_entry *e;

	if (!identity_read(v->dentry, &identity, &stacked))
		return false;
	identity.cgroup = v->origins[slot & (HT_PROFILES_MAX - 1)];
	key.name = identity_hash(&identity);
	e = profile_entry(profile, &key);
	if (!e && stacked && identity.generation && identity_has_lower(v->dentry)) {
		identity.generation = 0;
		key.name = identity_hash(&identity);
		e = profile_entry(profile, &key);
	}
	if (e)
		v->position.entry = *e;
	return e;
}

/* What the walk of the profile led to, or what the object itself is. Return: false: the profile is damaged. */
static __always_inline bool verdict_position(struct verdict *v, void *profile, __u32 slot)
{
	/* No name: no rule of a path can mean it. */
	bool anonymous = v->fault == HT_REASON_ANONYMOUS;

	if (v->by_identity) {
		v->position.damaged = 0;
		if (!verdict_identity(v, profile, slot))
			return true;
	} else if (anonymous) {
		if (!automaton_start(v, profile, HT_EDGE_ANONYMOUS))
			return false;
	} else if (!automaton_run(v, profile, slot)) {
		return false;
	} else if (automaton_is_ambiguous(v) && !(v->position.entry.flags & HT_ENTRY_FINAL) &&
		   verdict_ambiguous(v, profile, slot)) {
		return true;
	}
	v->state_here = anonymous ? HT_STATE_ANONYMOUS : v->position.entry.next;
	verdict_entry(v, profile, slot);
	if (v->position.entry.cond & v->ops) {
		v->passing = 1;
		verdict_conditions(v, profile, slot);
	}
	if (v->freeze.wanted && !v->fault) {
		freeze_conditions(v, profile, slot);
		verdict_freeze(v, profile, slot);
	}
	return !v->position.damaged;
}

/* Second pass: what does each profile say of the collected position? Third (by_identity): of the object, whatever it is
 * called; that only ever adds a refusal. Return: 1: ask for the identity, too; 0. */
__global int verdict_profile_judge(struct verdict *v, __u32 slot)
{
	struct ht_edge_key key = { .kind = HT_EDGE_HEADER };
	struct ht_entry *header;
	void *profile;
	__u32 id, ask;

	if (!v)
		return 0;
	profile = verdict_profile(v, slot, &id);
	if (!profile)
		return 0; /* free slot, or told by verdict_need() */
	header = bpf_map_lookup_elem(profile, &key);
	if (!header)
		return 0;
	v->flags_here = header->flags;
	ask = header->flags / HT_PROFILE_IDENTITIES & 1;
	v->freeze.wanted = !v->by_identity && freeze_wanted(v, profile);
	if (v->fault && v->fault != HT_REASON_ANONYMOUS) {
		/* of a rename nobody can tell what it takes where */
		verdict_merge(v, id, header->flags, LEVEL_DENY,
			      v->freeze.wanted ? v->ops : header->deny & v->ops, v->fault, 0);
		return ask;
	}
	if ((v->ops & HT_OPS_EXEC) && !v->by_identity)
		verdict_writable(v, profile, slot, header->flags);
	if (v->facts & OBJECT_MEMORY)
		return 0;
	if (!verdict_position(v, profile, slot))
		verdict_merge(v, v->profiles[slot & (HT_PROFILES_MAX - 1)], HT_PROFILE_ENFORCE,
			      LEVEL_DENY, v->ops, HT_REASON_PROFILE, 0);
	return ask;
}

/* Who says nothing of any name in the directory may say something of the object. */
static __always_inline void verdict_judge(struct verdict *v)
{
	__u32 i;

#pragma clang loop unroll(disable)
	for (i = 0; i < HT_PROFILES_MAX; i++) {
		if (!(v->wanted >> i))
			return;
		if (v->directory.plain >> i & 1)
			v->ask |= directory_identities(v, i) << i;
		else if (v->wanted >> i & 1)
			v->ask |= (__u32)verdict_profile_judge(v, i) << i;
	}
}

/* Last, what the profiles say of the object itself. The names told are those of the chain through the mounts. */
static __always_inline void verdict_identities(struct verdict *v, struct object *o)
{
	__u32 i, before = v->level, fault = v->fault;

	if (!v->ask || !identity_is_possible_of(v->dentry))
		return;
	v->fault = 0; /* of a chain: the object is what it is */
	v->by_identity = 1;
#pragma clang loop unroll(disable)
	for (i = 0; i < HT_PROFILES_MAX; i++) {
		if (!(v->ask >> i))
			break;
		if (v->ask & (1U << i))
			(void)verdict_profile_judge(v, i);
	}
	v->by_identity = 0;
	v->fault = fault;
	if (v->level > before && v->walk.straight)
		v->fault = walk_names(v, o);
}

static __always_inline __u64 current_mount_namespace(void)
{
	struct task_struct *task = bpf_get_current_task_btf();
	__u64 distance = number_of((__u64)task->nsproxy->mnt_ns, task);

	return bpf_get_current_task() + distance;
}

/* mnt_ns of a mount that only the kernel uses: ERR_PTR(-EINVAL), MNT_NS_INTERNAL in fs/mount.h. */
#define MOUNT_NS_INTERNAL ((__u64)-22)
/* A stacked filesystem opens what lies below it, through a private mount that no descriptor of a task ever
 * shows. The open above was judged a moment ago, by its name; this one has none. (Directories on an overlay
 * come this way on every kernel; regular files are told by open_is_backing().) */
#define PLACE_BELOW 0xffffU /* also: what has no name is used through a descriptor, as a pipe is */

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
	/* The flags alone say less: debugfs and mqueue are mounted by the kernel and in containers, and the file of a namespace can
	 * be mounted on another. */
	if ((flags & (SB_NOUSER | SB_KERNMOUNT)) && (!ns || (__u64)ns == MOUNT_NS_INTERNAL))
		return o->facts & OBJECT_USE ? PLACE_BELOW : HT_REASON_ANONYMOUS;
	if ((__u64)ns == MOUNT_NS_INTERNAL && !(o->ops & HT_OPS_EXEC))
		return PLACE_BELOW;
	/* What was handed in is judged by the names it has where it comes from. */
	if (ns && (o->facts & OBJECT_USE))
		return 0;
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

static __always_inline void verdict_begin(struct verdict *v, struct object *o, __u32 half)
{
	v->half = half;
	v->ops = o->ops;
	v->facts = o->facts;
	v->dentry = o->dentry;
	v->mount = o->mount;
	v->origin = ORIGIN_UNKNOWN;
	v->need = 0;
	v->wanted = 0;
	v->ask = 0;
	v->by_identity = 0;
	v->record = 0;
	v->passing = 0;
	v->top = 0;
	v->fault = 0;
	v->level = LEVEL_ALLOW;
	v->told = o->ops;
	v->reason = HT_REASON_NONE;
	v->rule = 0;
	v->profile = 0;
	v->chain = 0;
	v->canary = 0;
	v->directory.place = 0;
	v->directory.plain = 0;
	v->walk.n = 0;
	v->walk.below = 0;
	v->walk.straight = 0;
}

/* The first pass over all profiles. */
static __always_inline void verdict_begin_needs(struct verdict *v, struct object *o,
						struct ht_settings *set)
{
	__u32 i;

	verdict_begin(v, o, set->current);
#pragma clang loop unroll(disable)
	for (i = 0; i < HT_PROFILES_MAX; i++) {
		if (!(v->slots >> i))
			break;
		(void)verdict_need(v, i);
	}
}

/* Reached through a bind mount: its name without it counts as well, if it has one: what lies outside of the container's root, as most
 * volumes do, has none. The names that are told are those that decided. Return: has it? */
static __always_inline bool verdict_straight(struct verdict *v, struct object *o)
{
	struct dentry *stop = NULL;
	__u64 top = v->walk.top_mnt;
	bool has = true;

	if (BPF_CORE_READ_INTO(&stop, (struct mount *)top, mnt.mnt_root) < 0) {
		v->fault = HT_REASON_UNRESOLVED;
	} else {
		v->fault = walk_collect(v, o, 1, (__u64)stop);
		if (v->walk.status == WALK_OUTSIDE) {
			v->fault = 0;
			has = false;
		}
	}
	if (has)
		verdict_judge(v);
	if (!v->fault && !v->chain && (v->level != LEVEL_ALLOW || v->record))
		v->fault = walk_names(v, o);
	return has;
}

/* Does any profile say anything of these operations anywhere? */
static __always_inline bool verdict_wanted(struct verdict *v, struct object *o)
{
	verdict_begin_needs(v, o, settings_get());
	return v->need || v->level != LEVEL_ALLOW;
}

/* Decide for a governed task. Return: LEVEL_*, the rest is in the verdict. */
__global int verdict_decide(struct verdict *v, struct object *o)
{
	bool keep;

	if (!v || !o)
		return LEVEL_DENY;
	verdict_begin_needs(v, o, settings_get());
	if (!v->need)
		return v->level;

	if (!(o->facts & OBJECT_MEMORY)) {
		v->fault = o->fault ? o->fault : verdict_place(o);
		if (v->fault == PLACE_BELOW) {
			v->fault = 0; /* an answer like others, which can be kept */
			return v->level;
		}
		if (!v->fault && !directory_enter(v, o)) {
			v->fault = walk_collect(v, o, 0, 0);
			if (!v->fault && v->walk.n)
				v->top = v->walk.top_mnt;
		}
	}
	verdict_judge(v);
	keep = directory_may_keep(v);
	if (v->walk.bind && !v->fault && !(o->facts & OBJECT_MEMORY))
		keep &= v->level < LEVEL_DENY && !verdict_straight(v, o);
	if (keep)
		(void)directory_keep(v, o);
	verdict_identities(v, o);
	return v->level;
}
