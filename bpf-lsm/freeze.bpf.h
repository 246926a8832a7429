/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#pragma once

/*
 * What a rename or a link would take out of protection.
 *
 * A rule protects a place. Whoever moves an object, or a directory above it, to another place would be rid of the rule.
 * So what is refused at the old place has to be refused at the new one as well: for each profile, on each chain. It is
 * asked in three steps, each a verdict of its own: OBJECT_LEAVES takes down what the old place refuses, OBJECT_ARRIVES
 * strikes out what the new one refuses too, and if something is left OBJECT_FROZEN refuses it by the old name.
 *
 * What a profile refuses by default is not meant: that holds wherever nothing else is said. Two names that lead to one
 * state of the automaton have the same said of them, and of all that is below them.
 */

#include "condition.bpf.h"

/* Operations that a rename takes along. Not create: it is about the name that stays behind. */
#define FREEZE_RENAME (HT_OP_ALL & ~HT_OP_CREATE)
/* A link leaves the old name in its place, so what is about names stays. */
#define FREEZE_LINK (FREEZE_RENAME & ~(HT_OP_DELETE | HT_OP_RENAME))

static __always_inline void freeze_begin(struct verdict *v, struct dentry *dentry, __u32 ops)
{
	struct inode *inode = (struct inode *)walk_inode(dentry);
	__u16 mode = 0;

	__builtin_memset(&v->freeze, 0, sizeof(v->freeze));
	v->freeze.ops = ops;
	(void)BPF_CORE_READ_INTO(&mode, inode, i_mode);
	v->freeze.directory = (mode & S_IFMT) == S_IFDIR;
}

static __always_inline struct freeze_place *freeze_place(struct verdict *v, __u32 slot)
{
	if (v->walk.straight)
		slot |= HT_PROFILES_MAX;
	return &v->freeze.places[slot & (2 * HT_PROFILES_MAX - 1)];
}

/* Is anything in this profile protected beyond its defaults? */
static __always_inline bool freeze_wanted(struct verdict *v, void *profile)
{
	struct ht_edge_key key = { .kind = HT_EDGE_START };
	struct ht_entry *start;

	if (!(v->facts & OBJECT_FREEZE))
		return false;
	start = profile_entry(profile, &key);
	return !start || start->below;
}

/* One exception that depends on the subject: what does it refuse of this one? */
static long freeze_condition(__u32 index, struct condition_context *context)
{
	struct verdict *v = context->verdict;
	struct ht_edge_key key = { .kind = HT_EDGE_COND };
	struct ht_entry *e;

	if (!v || !context->profile || v->freeze.seen >= v->condition.n)
		return 1;
	key.state = v->state_here;
	key.name = v->freeze.seen;
	v->freeze.seen++;
	e = profile_entry(context->profile, &key);
	if (!e) {
		v->position.damaged = 1;
		return 1;
	}
	if (!(e->deny & v->freeze.ops) || condition_met(v, e))
		return 0;
	v->freeze.refused |= e->deny;
	if (v->freeze.rule)
		return 0;
	key.kind = HT_EDGE_COND_RULE;
	e = profile_entry(context->profile, &key);
	v->freeze.rule = e ? e->rule : 0;
	return 0;
}

/* What the exceptions of the entry refuse the subject: sets freeze.refused and freeze.rule. */
static __noinline int freeze_conditions(struct verdict *v, void *profile, __u32 slot)
{
	struct condition_context context = { .verdict = v, .profile = profile };
	struct ht_edge_key key = { .kind = HT_EDGE_HEADER };
	struct ht_entry *header;

	if (!v || !profile)
		return 0;
	v->freeze.refused = 0;
	v->freeze.rule = 0;
	if (!(v->facts & OBJECT_LEAVES) || !(v->position.entry.cond & v->freeze.ops))
		return 0;
	header = profile_entry(profile, &key);
	if (!header)
		return 0;
	v->condition.n = v->position.entry.flags >> HT_ENTRY_COUNT_SHIFT;
	v->freeze.seen = 0;
	condition_subject(v, profile, slot, header->stamp);
	bpf_loop(HT_CONDS_MAX, freeze_condition, &context, 0);
	return 0;
}

/* The old place, where the walk ended, after freeze_conditions(). Until the new one is seen to keep it, all is
 * lost. */
static __always_inline void freeze_leave(struct verdict *v, void *profile, __u32 slot)
{
	struct ht_edge_key key = { .kind = HT_EDGE_OTHER };
	struct freeze_place *p = freeze_place(v, slot);
	struct ht_entry *other = profile_entry(profile, &key);
	__u32 kept;

	if (!other) {
		v->position.damaged = 1;
		return;
	}
	kept = v->position.entry.deny | v->position.entry.image | v->freeze.refused;
	p->state = v->state_here;
	p->kept = kept & v->freeze.ops & ~(other->deny | other->image | other->cond);
	p->below = v->freeze.directory ? v->position.entry.below & v->freeze.ops : 0;
	p->lost = p->kept | p->below;
	p->rule = v->freeze.rule;
	if (p->lost)
		v->freeze.lost++;
}

/* The new place, where the walk ended: is everything kept? */
static __always_inline void freeze_arrive(struct verdict *v, __u32 slot)
{
	struct freeze_place *p = freeze_place(v, slot);
	__u32 refused = v->position.entry.deny | v->position.entry.image;

	if (!p->lost)
		return;
	if (p->state == v->state_here) {
		p->lost = 0;
	} else {
		p->lost = p->kept & ~refused;
		/* Of what is below the new place only this much is certain: where nothing changes any more. */
		if (v->position.entry.flags & HT_ENTRY_FINAL)
			p->lost |= p->below & ~refused;
		else
			p->lost |= p->below;
	}
	if (!p->lost)
		v->freeze.lost--;
}

/* A directory would bring along names that may not be made below its new place. */
static __always_inline bool freeze_brings(struct verdict *v, __u32 slot)
{
	struct freeze_place *p = freeze_place(v, slot);

	return v->freeze.directory && p->state != v->state_here &&
	       !(v->position.entry.flags & HT_ENTRY_FINAL) &&
	       (v->position.entry.below & HT_OP_CREATE);
}
