// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

/*
 * The decision and its report, once for all hooks: this program takes the place of judge() in each of them before
 * they are attached (agent/kernel/judge.c).
 */

#include "report.bpf.h"
#include "line.bpf.h"
#include "guard.bpf.h"
#include "place.bpf.h"

AREA;

/* Bits of the operation a record names: the lowest one told. */
static __always_inline __u32 judge_op(__u32 told)
{
	return told & -told;
}

static __always_inline __u32 judge_verdict(struct label *l, __u32 level)
{
	switch (level) {
	case LEVEL_ALLOW:
		return HT_VERDICT_ALLOW;
	case LEVEL_AUDIT:
		return HT_VERDICT_AUDIT;
	case LEVEL_WOULD_DENY:
		return HT_VERDICT_WOULD_DENY;
	}
	if (l->canary)
		return HT_VERDICT_SELF_TEST;
	return level == LEVEL_KILL ? HT_VERDICT_KILL : HT_VERDICT_DENY;
}

/* A subject that could not be labelled as its cgroup wants it. */
static __always_inline __u32 judge_unbound(struct label *l, struct object *o)
{
	struct ht_settings *set = settings_get();

	verdict_begin(l, o, set ? set->current : 0);
	l->reason = HT_REASON_LABEL;
	l->fault = HT_REASON_LABEL;
	return LEVEL_DENY;
}

/* The same was asked before, and nothing that the answer followed from has changed. */
static __always_inline __u32 judge_known(struct label *l, struct object *o)
{
	verdict_begin(l, o, 0);
	l->level = l->known.level;
	l->told = l->known.told;
	l->reason = l->known.reason;
	l->rule = l->known.rule;
	l->profile = l->known.profile;
	l->canary = l->known.canary;
	return l->level;
}

/* The record of what was decided. */
static __always_inline void judge_tell(struct label *l, struct object *o, __u32 op, __u32 verdict)
{
	int told = 0;

	if (o->facts & OBJECT_KNOWN) {
		l->reuse = 1;
		told = report_tell(l, o, op, verdict, 0);
		l->reuse = 0;
	}
	if (told)
		return;
	if ((o->facts & OBJECT_KNOWN) || l->walk.below) /* not all names are in the label */
		l->fault = walk_names(l, o);
	(void)report_tell(l, o, op, verdict, 0);
}

SEC("freplace/judge")
int haetae_judge(struct label *l, struct object *o)
{
	__u32 level;

	if (!l || !o)
		return -EPERM;
	/* The last thing this task was asked was the same act: refused if it comes to that, but not told twice. */
	l->again = (o->facts & OBJECT_AGAIN) && (l->facts & OBJECT_TWICE) && l->dentry == o->dentry;
	if (o->facts & OBJECT_UNBOUND)
		level = judge_unbound(l, o);
	else if (o->facts & OBJECT_KNOWN)
		level = judge_known(l, o);
	else if ((o->facts & OBJECT_GUARDED) || ((o->ops & GUARD_OPS) && guard_covers(o)))
		level = guard_decide(l, o);
	else if (o->ops & HT_OPS_KERNEL)
		level = line_decide(l, o);
	else if (o->facts & OBJECT_DENTRY)
		level = places_decide(l, o);
	else
		level = verdict_decide(l, o);
	if ((o->facts & OBJECT_QUIET) || (l->again && level < LEVEL_DENY))
		return level >= LEVEL_DENY ? -EPERM : 0;
	if (level == LEVEL_ALLOW && !(l->record && l->walk.n && (o->ops & HT_OPS_FILE)))
		return 0;
	if (report_count(l, o, judge_op(l->told), judge_verdict(l, level)))
		judge_tell(l, o, judge_op(l->told), judge_verdict(l, level));
	if (level == LEVEL_KILL)
		(void)bpf_send_signal(SIGKILL); /* to the thread group; it is refused in any case */
	return level >= LEVEL_DENY ? -EPERM : 0;
}
