/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#pragma once

/*
 * The decision: (subject, object, operations) -> how far it may go.
 *
 * Every profile of the subject must let the operation pass, on every chain of the object. The answer is
 * left in the label (level, told, reason, rule, profile) for the report; nothing outside this file
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

static __noinline void *verdict_profile(struct label *l, __u32 slot, __u32 *ret_id)
{
	__u32 id = l->profiles[slot & (HT_PROFILES_MAX - 1)];

	*ret_id = id;
	if (!id)
		return NULL;
	return profile_get(id, l->half);
}

/* A profile has something to say of the operations `told`. A profile that only records refuses nothing. Of two
 * that are equally bad the first is told. */
static __always_inline void verdict_merge(struct label *l, __u32 profile, __u32 flags, __u32 level,
					  __u32 told, __u32 reason, __u64 rule)
{
	if (!(flags & HT_PROFILE_ENFORCE) && level > LEVEL_WOULD_DENY)
		level = LEVEL_WOULD_DENY;
	if (!told || level <= l->level)
		return;
	l->level = level;
	l->told = told;
	l->reason = reason;
	l->profile = profile;
	l->rule = rule;
	l->chain = l->walk.straight ? HT_RECORD_STRAIGHT : 0;
	if (l->by_identity)
		l->chain = HT_RECORD_IDENTITY;
	l->canary = flags & HT_PROFILE_CANARY;
}

/* First pass: does a profile say anything of these operations anywhere? Most opens end here. */
__global int verdict_need(struct label *l, __u32 slot)
{
	struct ht_edge_key key = { .kind = HT_EDGE_HEADER };
	struct ht_entry *header;
	__u32 id, said;
	void *profile;

	if (!l)
		return 0;
	profile = verdict_profile(l, slot, &id);
	if (!id)
		return 0;
	header = profile ? bpf_map_lookup_elem(profile, &key) : NULL;
	if (!header) {
		verdict_merge(l, id, HT_PROFILE_ENFORCE, LEVEL_DENY, l->ops, HT_REASON_PROFILE, 0);
		return 0;
	}
	if (slot < DIRECTORY_SLOTS)
		directory_begin(l, slot, header);
	said = (header->deny | header->audit | header->would) & l->ops;
	if (freeze_wanted(l, profile))
		said |= header->deny;
	if (said)
		l->wanted |= 1U << (slot & (HT_PROFILES_MAX - 1));
	l->need |= said;
	if (header->flags & HT_PROFILE_RECORD_FILE) {
		l->record = 1;
		l->need |= l->ops & HT_OPS_FILE;
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
static __noinline int verdict_entry(struct label *l, void *profile, __u32 slot)
{
	__u32 id, flags, told, image, kill, state, reason;

	if (!l || !profile)
		return 0;
	state = l->state_here;
	reason = l->fault ? l->fault : HT_REASON_POLICY;
	flags = l->flags_here;
	id = l->profiles[slot & (HT_PROFILES_MAX - 1)];
	kill = l->position.entry.kill;

	told = l->position.entry.deny & l->ops;
	if (told)
		verdict_merge(l, id, flags, told & kill ? LEVEL_KILL : LEVEL_DENY, told, reason,
			      verdict_rule(profile, state, HT_RULE_DENY, told));
	image = l->position.entry.image & l->ops;
	if (image) {
		l->passing = 1; /* a file can be written to without another name */
		image = origin_refused(l, image);
		if (image)
			verdict_merge(l, id, flags, image & kill ? LEVEL_KILL : LEVEL_DENY, image,
				      HT_REASON_ORIGIN,
				      verdict_rule(profile, state, HT_RULE_IMAGE, image));
	}
	told = l->position.entry.would & l->ops;
	if (told)
		verdict_merge(l, id, flags, LEVEL_WOULD_DENY, told, reason,
			      verdict_rule(profile, state, HT_RULE_WOULD, told));
	told = l->position.entry.audit & l->ops;
	if (told)
		verdict_merge(l, id, flags, LEVEL_AUDIT, told, reason,
			      verdict_rule(profile, state, HT_RULE_AUDIT, told));
	return 0;
}

/* One exception that depends on the subject. */
static long verdict_condition(__u32 index, struct condition_context *context)
{
	struct label *l = context->label;
	void *profile = context->profile;
	struct ht_edge_key key = { .kind = HT_EDGE_COND };
	struct ht_entry *e;
	__u32 told, level = LEVEL_ALLOW, reason;
	__u64 rule;

	if (!l || !profile)
		return 1;
	if (l->condition.index >= l->condition.n)
		return 1;
	key.state = l->state_here;
	key.name = l->condition.index;
	l->condition.index++;
	e = profile_entry(profile, &key);
	if (!e) {
		l->position.damaged = 1;
		return 1;
	}
	told = (e->deny | e->would | e->audit) & l->ops;
	if (!told || condition_met(l, e))
		return 0;
	if (e->deny & l->ops)
		level = e->kill & e->deny & l->ops ? LEVEL_KILL : LEVEL_DENY;
	else
		level = e->would & l->ops ? LEVEL_WOULD_DENY : LEVEL_AUDIT;
	key.kind = HT_EDGE_COND_RULE;
	e = profile_entry(profile, &key);
	rule = e ? e->rule : 0;
	reason = l->fault ? l->fault : HT_REASON_POLICY;
	verdict_merge(l, l->condition.profile, l->condition.flags, level, told, reason, rule);
	return 0;
}

/* The exceptions of the entry where the walk ended. */
static __noinline int verdict_conditions(struct label *l, void *profile, __u32 slot)
{
	struct ht_edge_key key = { .kind = HT_EDGE_HEADER };
	struct condition_context context = { .label = l, .profile = profile };
	struct ht_entry *header;

	if (!l || !profile)
		return 0;
	header = profile_entry(profile, &key);
	if (!header)
		return 0;
	l->condition.profile = l->profiles[slot & (HT_PROFILES_MAX - 1)];
	l->condition.flags = header->flags;
	l->condition.n = l->position.entry.flags >> HT_ENTRY_COUNT_SHIFT;
	l->condition.index = 0;
	condition_subject(l, profile, slot, header->stamp);
	bpf_loop(HT_CONDS_MAX, verdict_condition, &context, 0);
	return 0;
}

/* Memory and programs that can be written and would run. */
static __noinline int verdict_writable(struct label *l, void *profile, __u32 slot, __u32 flags)
{
	struct ht_edge_key key = { .kind = HT_EDGE_WRITABLE };
	struct ht_entry *e;
	__u32 told, level;

	if (!l || !profile)
		return 0;
	e = profile_entry(profile, &key);
	if (!e)
		return 0;
	told = (e->deny | e->audit) & l->ops;
	if (told)
		l->passing = 1; /* who can write a program is no matter of its place */
	if (!told || (!(l->facts & OBJECT_WX) && !origin_writable(l)))
		return 0;
	level = LEVEL_AUDIT;
	if (e->deny & told)
		level = e->kill & e->deny & told ? LEVEL_KILL : LEVEL_DENY;
	verdict_merge(l, l->profiles[slot & (HT_PROFILES_MAX - 1)], flags, level, told,
		      HT_REASON_WRITABLE,
		      verdict_rule(profile, HT_STATE_WRITABLE,
				   level == LEVEL_AUDIT ? HT_RULE_AUDIT : HT_RULE_DENY, told));
	return 0;
}

/* The object lies in a directory where other spellings mean the same, so a rule on names in it decides nothing: what is
 * refused anywhere below is refused. Return: false: nothing is, beyond the profile's defaults, which go on to be judged. */
static __noinline int verdict_ambiguous(struct label *l, void *profile, __u32 slot)
{
	struct ht_edge_key key = { .kind = HT_EDGE_OTHER };
	struct ht_entry *other;
	__u32 told;

	if (!l || !profile)
		return 0;
	other = profile_entry(profile, &key);
	if (!other) {
		l->position.damaged = 1;
		return 0;
	}
	if (!l->position.entry.below) {
		l->position.entry = *other;
		return 0;
	}
	told = l->freeze.wanted ? HT_OP_ALL : l->position.entry.below | other->deny | other->image | other->cond;
	verdict_merge(l, l->profiles[slot & (HT_PROFILES_MAX - 1)], l->flags_here, LEVEL_DENY,
		      told & l->ops, HT_REASON_AMBIGUOUS,
		      verdict_rule(profile, l->position.entry.next, HT_RULE_BELOW, l->ops));
	return 1;
}

/* A rename or a link: what would be lost of the old place's protection? */
static __noinline int verdict_freeze(struct label *l, void *profile, __u32 slot)
{
	struct ht_edge_key key = { .kind = HT_EDGE_HEADER };
	struct freeze_place *p;
	struct ht_entry *header;
	__u32 id, lost;
	__u64 rule;

	if (!l || !profile)
		return 0;
	header = profile_entry(profile, &key);
	if (!header)
		return 0;
	if (l->facts & OBJECT_LEAVES) {
		freeze_leave(l, profile, slot);
		return 0;
	}
	id = l->profiles[slot & (HT_PROFILES_MAX - 1)];
	if (l->facts & OBJECT_ARRIVES) {
		freeze_arrive(l, slot);
		if (freeze_brings(l, slot))
			verdict_merge(l, id, header->flags, LEVEL_DENY, HT_OP_CREATE,
				      HT_REASON_FROZEN,
				      verdict_rule(profile, l->state_here, HT_RULE_BELOW, HT_OP_CREATE));
		return 0;
	}
	p = freeze_place(l, slot);
	lost = p->lost;
	rule = p->rule;
	if (lost & l->position.entry.deny)
		rule = verdict_rule(profile, l->state_here, HT_RULE_DENY, lost & l->position.entry.deny);
	else if (lost & l->position.entry.image)
		rule = verdict_rule(profile, l->state_here, HT_RULE_IMAGE, lost & l->position.entry.image);
	else if (!(lost & p->kept))
		rule = verdict_rule(profile, l->state_here, HT_RULE_BELOW, lost);
	if (lost)
		verdict_merge(l, id, header->flags, LEVEL_DENY, l->ops, HT_REASON_FROZEN, rule);
	return 0;
}

/* What a literal rule of the profile says of this very object, whatever name it was reached by. Return: false: nothing. */
static __always_inline bool verdict_identity(struct label *l, void *profile, __u32 slot)
{
	struct ht_edge_key key = { .kind = HT_EDGE_IDENTITY };
	struct ht_identity identity = {};
	bool stacked = false;
	struct ht_entry *e;

	if (!identity_read(l->dentry, &identity, &stacked))
		return false;
	identity.cgroup = l->origins[slot & (HT_PROFILES_MAX - 1)];
	key.name = identity_hash(&identity);
	e = profile_entry(profile, &key);
	if (!e && stacked && identity.generation && identity_has_lower(l->dentry)) {
		identity.generation = 0;
		key.name = identity_hash(&identity);
		e = profile_entry(profile, &key);
	}
	if (e)
		l->position.entry = *e;
	return e;
}

/* What the walk of the profile led to, or what the object itself is. Return: false: the profile is damaged. */
static __always_inline bool verdict_position(struct label *l, void *profile, __u32 slot)
{
	/* No name: no rule of a path can mean it. */
	bool anonymous = l->fault == HT_REASON_ANONYMOUS;

	if (l->by_identity) {
		l->position.damaged = 0;
		if (!verdict_identity(l, profile, slot))
			return true;
	} else if (anonymous) {
		if (!automaton_start(l, profile, HT_EDGE_ANONYMOUS))
			return false;
	} else if (!automaton_run(l, profile, slot)) {
		return false;
	} else if (automaton_is_ambiguous(l) && !(l->position.entry.flags & HT_ENTRY_FINAL) &&
		   verdict_ambiguous(l, profile, slot)) {
		return true;
	}
	l->state_here = anonymous ? HT_STATE_ANONYMOUS : l->position.entry.next;
	verdict_entry(l, profile, slot);
	if (l->position.entry.cond & l->ops) {
		l->passing = 1;
		verdict_conditions(l, profile, slot);
	}
	if (l->freeze.wanted && !l->fault) {
		freeze_conditions(l, profile, slot);
		verdict_freeze(l, profile, slot);
	}
	return !l->position.damaged;
}

/* Second pass: what does each profile say of the collected position? Third (by_identity): of the object, whatever it is
 * called; that only ever adds a refusal. Return: 1: ask for the identity, too; 0. */
__global int verdict_profile_judge(struct label *l, __u32 slot)
{
	struct ht_edge_key key = { .kind = HT_EDGE_HEADER };
	struct ht_entry *header;
	void *profile;
	__u32 id, ask;

	if (!l)
		return 0;
	profile = verdict_profile(l, slot, &id);
	if (!profile)
		return 0; /* free slot, or told by verdict_need() */
	header = bpf_map_lookup_elem(profile, &key);
	if (!header)
		return 0;
	l->flags_here = header->flags;
	ask = header->flags / HT_PROFILE_IDENTITIES & 1;
	l->freeze.wanted = !l->by_identity && freeze_wanted(l, profile);
	if (l->fault && l->fault != HT_REASON_ANONYMOUS) {
		/* of a rename nobody can tell what it takes where */
		verdict_merge(l, id, header->flags, LEVEL_DENY,
			      l->freeze.wanted ? l->ops : header->deny & l->ops, l->fault, 0);
		return ask;
	}
	if ((l->ops & HT_OPS_EXEC) && !l->by_identity)
		verdict_writable(l, profile, slot, header->flags);
	if (l->facts & OBJECT_MEMORY)
		return 0;
	if (!verdict_position(l, profile, slot))
		verdict_merge(l, l->profiles[slot & (HT_PROFILES_MAX - 1)], HT_PROFILE_ENFORCE,
			      LEVEL_DENY, l->ops, HT_REASON_PROFILE, 0);
	return ask;
}

/* Who says nothing of any name in the directory may say something of the object. */
static __always_inline void verdict_judge(struct label *l)
{
	__u32 i;

#pragma clang loop unroll(disable)
	for (i = 0; i < HT_PROFILES_MAX; i++) {
		if (!(l->wanted >> i))
			return;
		if (l->directory.plain >> i & 1)
			l->ask |= directory_identities(l, i) << i;
		else if (l->wanted >> i & 1)
			l->ask |= (__u32)verdict_profile_judge(l, i) << i;
	}
}

/* Last, what the profiles say of the object itself. The names told are those of the chain through the mounts. */
static __always_inline void verdict_identities(struct label *l, struct object *o)
{
	__u32 i, before = l->level, fault = l->fault;

	if (!l->ask || !identity_is_possible_of(l->dentry))
		return;
	l->fault = 0; /* of a chain: the object is what it is */
	l->by_identity = 1;
#pragma clang loop unroll(disable)
	for (i = 0; i < HT_PROFILES_MAX; i++) {
		if (!(l->ask >> i))
			break;
		if (l->ask & (1U << i))
			(void)verdict_profile_judge(l, i);
	}
	l->by_identity = 0;
	l->fault = fault;
	if (l->level > before && l->walk.straight)
		l->fault = walk_names(l, o);
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

static __always_inline void verdict_begin(struct label *l, struct object *o, __u32 half)
{
	l->half = half;
	l->ops = o->ops;
	l->facts = o->facts;
	l->dentry = o->dentry;
	l->mount = o->mount;
	l->origin = ORIGIN_UNKNOWN;
	l->need = 0;
	l->wanted = 0;
	l->ask = 0;
	l->by_identity = 0;
	l->record = 0;
	l->passing = 0;
	l->top = 0;
	l->fault = 0;
	l->level = LEVEL_ALLOW;
	l->told = o->ops;
	l->reason = HT_REASON_NONE;
	l->rule = 0;
	l->profile = 0;
	l->chain = 0;
	l->canary = 0;
	l->directory.place = 0;
	l->directory.plain = 0;
	l->walk.n = 0;
	l->walk.below = 0;
	l->walk.straight = 0;
}

/* The first pass over all profiles. */
static __always_inline void verdict_begin_needs(struct label *l, struct object *o,
						struct ht_settings *set)
{
	__u32 i;

	verdict_begin(l, o, set->current);
#pragma clang loop unroll(disable)
	for (i = 0; i < HT_PROFILES_MAX; i++) {
		if (!(l->slots >> i))
			break;
		(void)verdict_need(l, i);
	}
}

/* Reached through a bind mount: its name without it counts as well, if it has one: what lies outside of the container's root, as most
 * volumes do, has none. Return: has it? */
static __always_inline bool verdict_straight(struct label *l, struct object *o)
{
	struct dentry *stop = NULL;
	__u64 top = l->walk.top_mnt;

	if (BPF_CORE_READ_INTO(&stop, (struct mount *)top, mnt.mnt_root) < 0) {
		l->fault = HT_REASON_UNRESOLVED;
	} else {
		l->fault = walk_collect(l, o, 1, (__u64)stop);
		if (l->walk.status == WALK_OUTSIDE) {
			l->fault = l->level != LEVEL_ALLOW || l->record ? walk_names(l, o) : 0;
			return false;
		}
	}
	verdict_judge(l);
	return true;
}

/* Does any profile say anything of these operations anywhere? */
static __always_inline bool verdict_wanted(struct label *l, struct object *o)
{
	verdict_begin_needs(l, o, settings_get());
	return l->need || l->level != LEVEL_ALLOW;
}

/* Decide for a governed task. Return: LEVEL_*, the rest is in the label. */
__global int verdict_decide(struct label *l, struct object *o)
{
	bool keep;

	if (!l || !o)
		return LEVEL_DENY;
	verdict_begin_needs(l, o, settings_get());
	if (!l->need)
		return l->level;

	if (!(o->facts & OBJECT_MEMORY)) {
		l->fault = o->fault ? o->fault : verdict_place(o);
		if (l->fault == PLACE_BELOW) {
			l->fault = 0; /* an answer like others, which can be kept */
			return l->level;
		}
		if (!l->fault && !directory_enter(l, o)) {
			l->fault = walk_collect(l, o, 0, 0);
			if (!l->fault && l->walk.n)
				l->top = l->walk.top_mnt;
		}
	}
	verdict_judge(l);
	keep = directory_may_keep(l);
	if (l->walk.bind && !l->fault && !(o->facts & OBJECT_MEMORY))
		keep &= l->level < LEVEL_DENY && !verdict_straight(l, o);
	if (keep)
		(void)directory_keep(l, o);
	verdict_identities(l, o);
	return l->level;
}
