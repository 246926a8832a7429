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

static __always_inline __u32 judge_verdict(struct verdict *v, __u32 level)
{
	switch (level) {
	case LEVEL_ALLOW:
		return HT_VERDICT_ALLOW;
	case LEVEL_AUDIT:
		return HT_VERDICT_AUDIT;
	case LEVEL_WOULD_DENY:
		return HT_VERDICT_WOULD_DENY;
	}
	if (v->canary)
		return HT_VERDICT_SELF_TEST;
	return level == LEVEL_KILL ? HT_VERDICT_KILL : HT_VERDICT_DENY;
}

/* A subject that could not be labelled as its cgroup wants it. */
static __always_inline __u32 judge_unbound(struct verdict *v, struct object *o)
{
	struct ht_settings *set = settings_get();

	verdict_begin(v, o, set ? set->current : 0);
	v->reason = HT_REASON_LABEL;
	v->fault = HT_REASON_LABEL;
	return LEVEL_DENY;
}

/* The same was asked before, and nothing that the answer followed from has changed. */
static __always_inline __u32 judge_known(struct verdict *v, struct object *o, const struct memo_answer *known)
{
	verdict_begin(v, o, 0);
	v->level = known->level;
	v->told = known->told;
	v->reason = known->reason;
	v->rule = known->rule;
	v->profile = known->profile;
	v->canary = known->canary;
	v->check = known->check;
	return v->level;
}

struct library_context {
	struct verdict *verdict;
};

/* Does ".so" stand at glob.index of walk.name? */
static long library_step(__u32 index, struct library_context *context)
{
	struct verdict *v = context->verdict;
	__u32 i;

	if (!v)
		return 1;
	i = v->glob.index;
	if (i + 3 > v->glob.name_len)
		return 1;
	if (v->walk.name[i & HT_NAME_MAX] == '.' && v->walk.name[(i + 1) & HT_NAME_MAX] == 's' &&
	    v->walk.name[(i + 2) & HT_NAME_MAX] == 'o') {
		v->glob.verdict = 1;
		return 1;
	}
	v->glob.index = i + 1;
	return 0;
}

/* Is the name of a dentry a library's, `*.so*`? Its bytes go through walk.name. */
__global int name_is_library(struct verdict *v, __u64 dentry)
{
	struct library_context context = { .verdict = v };
	struct qstr name;
	int len;

	if (!v || BPF_CORE_READ_INTO(&name, (struct dentry *)dentry, d_name) < 0)
		return 0;
	len = walk_read_name(v, &name);
	if (len < 0)
		return 0;
	v->glob.name_len = len;
	v->glob.index = 0;
	v->glob.verdict = 0;
	bpf_loop(HT_NAME_MAX, library_step, &context, 0);
	return v->glob.verdict;
}

/* The record of what was decided. */
static __always_inline void judge_tell(struct verdict *v, struct object *o, __u32 op, __u32 verdict)
{
	int told = 0;

	if (o->facts & OBJECT_KNOWN) {
		v->reuse = 1;
		told = report_tell(v, o, op, verdict, 0);
		v->reuse = 0;
	}
	if (told)
		return;
	if ((o->facts & OBJECT_KNOWN) || v->walk.below) /* not all names are in the verdict */
		v->fault = walk_names(v, o);
	(void)report_tell(v, o, op, verdict, 0);
}

/* What the hook is to know of it, and the next one. */
static __always_inline void judge_say(struct label *l, struct verdict *v, struct object *o)
{
	__u32 said = 0, lasts = !v->passing && !v->fault;

	if (v->met_new)
		l->met = v->met;
	if (o->facts & OBJECT_KNOWN)
		return;
	l->known.rule = v->rule;
	l->known.profile = v->profile;
	l->known.told = v->told;
	l->known.level = v->level;
	l->known.reason = v->reason;
	l->known.canary = v->canary;
	if (v->level == LEVEL_ALLOW && !v->record)
		said = SAID_NOTHING | lasts * SAID_ALLOWED;
	else if (v->level != LEVEL_ALLOW && !v->chain)
		said = lasts * SAID_ANSWER;
	if (v->top == o->mount)
		said |= SAID_TOP;
	l->said = said;
}

#define LEVEL_OPEN (LEVEL_KILL + 1U) /* the profiles are to be asked */

/* Begin a verdict. By itself, as what comes after it: a place of the pool and a spare one are two things to the verifier, which
 * follows the judge once for each. Return: LEVEL_*. */
__global __u32 judge_begin(struct label *l, struct verdict *v, struct object *o)
{
	if (!l || !v || !o)
		return LEVEL_DENY;
	verdict_subject(v, l);
	/* The last thing this task was asked was the same act: refused if it comes to that, but not told twice. */
	v->again = (o->facts & OBJECT_AGAIN) && (l->facts & OBJECT_TWICE) && l->dentry == o->dentry;
	l->facts = o->facts;
	l->dentry = o->dentry;
	if (o->facts & OBJECT_UNBOUND)
		return judge_unbound(v, o);
	if (o->facts & OBJECT_KNOWN)
		return judge_known(v, o, &l->known);
	if (o->facts & OBJECT_MAPS)
		o->ops = name_is_library(v, o->dentry) ? HT_OP_MAP_LIBRARY : HT_OP_MAP;
	if ((o->facts & OBJECT_GUARDED) || ((o->ops & GUARD_OPS) && guard_covers(o)))
		return guard_decide(v, o);
	return LEVEL_OPEN;
}

/* Hand on what was decided. Return: 0, -EPERM. */
__global int judge_end(struct label *l, struct verdict *v, struct object *o, __u32 level)
{
	__u32 verdict;

	if (!l || !v || !o)
		return -EPERM;
	judge_say(l, v, o);
	if ((o->facts & OBJECT_QUIET) || (v->again && level < LEVEL_DENY))
		return level >= LEVEL_DENY ? -EPERM : 0;
	if (level == LEVEL_ALLOW && !(v->record && v->walk.n && (o->ops & HT_OPS_FILE)))
		return 0;
	verdict = judge_verdict(v, level);
	if (report_count(v, o, judge_op(v->told), verdict))
		judge_tell(v, o, judge_op(v->told), verdict);
	if (level == LEVEL_KILL)
		(void)bpf_send_signal(SIGKILL); /* to the thread group; it is refused in any case */
	return level >= LEVEL_DENY ? -EPERM : 0;
}

SEC("freplace/judge")
int haetae_judge(struct label *l, struct object *o)
{
	struct verdict *v;
	__u32 held, level;
	int ret;

	if (!l || !o)
		return -EPERM;
	held = l->held;
	v = held ? pool_held(held) : pool_take();
	if (!v)
		return pool_refuse();
	level = judge_begin(l, v, o);
	if (level == LEVEL_OPEN) {
		if (o->ops & HT_OPS_KERNEL)
			level = line_decide(v, o);
		else if (o->facts & OBJECT_DENTRY)
			level = places_decide(v, o);
		else
			level = verdict_decide(v, o);
	}
	ret = judge_end(l, v, o, level);
	if (!held)
		pool_give(v);
	return ret ? -EPERM : 0;
}
