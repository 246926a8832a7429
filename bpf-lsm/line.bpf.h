/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#pragma once

/*
 * The decision on a line of `kernel:`, with the same outcome as verdict_decide(). Which line an act belongs to is told
 * by the hooks (escape.bpf.c).
 */

#include "verdict.bpf.h"

/* What one profile says. A missing entry refuses nothing, a missing profile everything. */
__global int line_profile(struct verdict *v, __u32 slot)
{
	struct ht_edge_key key = { .kind = HT_EDGE_HEADER };
	__u32 id, flags, bit, class, level;
	struct ht_entry *e;
	void *profile;

	if (!v)
		return 0;
	profile = verdict_profile(v, slot, &id);
	if (!id)
		return 0;
	e = profile ? profile_entry(profile, &key) : NULL;
	if (!e) {
		verdict_merge(v, id, HT_PROFILE_ENFORCE, LEVEL_DENY, v->ops, HT_REASON_PROFILE, 0);
		return 0;
	}
	flags = e->flags;
	key.kind = HT_EDGE_KERNEL;
	e = profile_entry(profile, &key);
	if (!e)
		return 0;
	bit = v->ops >> HT_KERNEL_SHIFT;
	class = HT_RULE_DENY;
	if (e->deny & bit)
		level = e->kill & bit ? LEVEL_KILL : LEVEL_DENY;
	else if (e->would & bit)
		class = HT_RULE_WOULD, level = LEVEL_WOULD_DENY;
	else if (e->audit & bit)
		class = HT_RULE_AUDIT, level = LEVEL_AUDIT;
	else
		return 0;
	verdict_merge(v, id, flags, level, v->ops, HT_REASON_KERNEL,
		      verdict_rule(profile, HT_STATE_KERNEL, class, bit));
	return 0;
}

/* object.ops is one HT_KERNEL_OP(). Return: LEVEL_*. */
__global __u32 line_decide(struct verdict *v, struct object *o)
{
	struct ht_settings *set = settings_get();
	__u32 i;

	if (!v || !o || !set)
		return LEVEL_DENY;
	verdict_begin(v, o, set->current);
#pragma clang loop unroll(disable)
	for (i = 0; i < HT_PROFILES_MAX; i++)
		(void)line_profile(v, i);
	/* The path is for the record alone; what has none is told by its last name. */
	v->fault = HT_REASON_UNRESOLVED;
	if (v->level != LEVEL_ALLOW && o->mount && !(o->facts & OBJECT_QUIET))
		v->fault = walk_names(v, o);
	return v->level;
}
