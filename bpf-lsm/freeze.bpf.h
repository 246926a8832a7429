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

static __always_inline void freeze_begin(struct label *l, struct dentry *dentry, __u32 ops)
{
	struct inode *inode = (struct inode *)walk_inode(dentry);
	__u16 mode = 0;

	__builtin_memset(&l->freeze, 0, sizeof(l->freeze));
	l->freeze.ops = ops;
	(void)BPF_CORE_READ_INTO(&mode, inode, i_mode);
	l->freeze.directory = (mode & S_IFMT) == S_IFDIR;
}

static __always_inline struct freeze_place *freeze_place(struct label *l, __u32 slot)
{
	if (l->walk.straight)
		slot |= HT_PROFILES_MAX;
	return &l->freeze.places[slot & (2 * HT_PROFILES_MAX - 1)];
}

/* Is anything in this profile protected beyond its defaults? */
static __always_inline bool freeze_wanted(struct label *l, void *profile)
{
	struct ht_edge_key key = { .kind = HT_EDGE_START };
	struct ht_entry *start;

	if (!(l->facts & OBJECT_FREEZE))
		return false;
	start = profile_entry(profile, &key);
	return !start || start->below;
}

/* One exception that depends on the subject: what does it refuse of this one? */
static long freeze_condition(__u32 index, struct condition_context *context)
{
	struct label *l = context->label;
	struct ht_edge_key key = { .kind = HT_EDGE_COND };
	struct ht_entry *e;

	if (!l || !context->profile || l->freeze.seen >= l->condition.n)
		return 1;
	key.state = l->state_here;
	key.name = l->freeze.seen;
	l->freeze.seen++;
	e = profile_entry(context->profile, &key);
	if (!e) {
		l->position.damaged = 1;
		return 1;
	}
	if (!(e->deny & l->freeze.ops) || condition_met(l, e))
		return 0;
	l->freeze.refused |= e->deny;
	if (l->freeze.rule)
		return 0;
	key.kind = HT_EDGE_COND_RULE;
	e = profile_entry(context->profile, &key);
	l->freeze.rule = e ? e->rule : 0;
	return 0;
}

/* What the exceptions of the entry refuse the subject: sets freeze.refused and freeze.rule. */
static __noinline int freeze_conditions(struct label *l, void *profile, __u32 slot)
{
	struct condition_context context = { .label = l, .profile = profile };
	struct ht_edge_key key = { .kind = HT_EDGE_HEADER };
	struct ht_entry *header;

	if (!l || !profile)
		return 0;
	l->freeze.refused = 0;
	l->freeze.rule = 0;
	if (!(l->facts & OBJECT_LEAVES) || !(l->position.entry.cond & l->freeze.ops))
		return 0;
	header = profile_entry(profile, &key);
	if (!header)
		return 0;
	l->condition.n = l->position.entry.flags >> HT_ENTRY_COUNT_SHIFT;
	l->freeze.seen = 0;
	condition_subject(l, profile, slot, header->stamp);
	bpf_loop(HT_CONDS_MAX, freeze_condition, &context, 0);
	return 0;
}

/* The old place, where the walk ended, after freeze_conditions(). Until the new one is seen to keep it, all is
 * lost. */
static __always_inline void freeze_leave(struct label *l, void *profile, __u32 slot)
{
	struct ht_edge_key key = { .kind = HT_EDGE_OTHER };
	struct freeze_place *p = freeze_place(l, slot);
	struct ht_entry *other = profile_entry(profile, &key);
	__u32 kept;

	if (!other) {
		l->position.damaged = 1;
		return;
	}
	kept = l->position.entry.deny | l->position.entry.image | l->freeze.refused;
	p->state = l->state_here;
	p->kept = kept & l->freeze.ops & ~(other->deny | other->image | other->cond);
	p->below = l->freeze.directory ? l->position.entry.below & l->freeze.ops : 0;
	p->lost = p->kept | p->below;
	p->rule = l->freeze.rule;
	if (p->lost)
		l->freeze.lost++;
}

/* The new place, where the walk ended: is everything kept? */
static __always_inline void freeze_arrive(struct label *l, __u32 slot)
{
	struct freeze_place *p = freeze_place(l, slot);
	__u32 refused = l->position.entry.deny | l->position.entry.image;

	if (!p->lost)
		return;
	if (p->state == l->state_here) {
		p->lost = 0;
	} else {
		p->lost = p->kept & ~refused;
		/* Of what is below the new place only this much is certain: where nothing changes any more. */
		if (l->position.entry.flags & HT_ENTRY_FINAL)
			p->lost |= p->below & ~refused;
		else
			p->lost |= p->below;
	}
	if (!p->lost)
		l->freeze.lost--;
}

/* A directory would bring along names that may not be made below its new place. */
static __always_inline bool freeze_brings(struct label *l, __u32 slot)
{
	struct freeze_place *p = freeze_place(l, slot);

	return l->freeze.directory && p->state != l->state_here &&
	       !(l->position.entry.flags & HT_ENTRY_FINAL) &&
	       (l->position.entry.below & HT_OP_CREATE);
}
