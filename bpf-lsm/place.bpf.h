/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#pragma once

/*
 * The names of an object that a hook knows by its dentry alone.
 *
 * A dentry has a name for each mount of its filesystem that shows it. Those in the task's own mount namespace are the
 * ones that a rule can mean, so all of them are found and each is judged. Between two looks at the way up from the
 * dentry that see the same nothing was renamed on it, so no mount was missed for that reason; and the mount that the
 * task came through is in the list as long as the hook runs.
 */

#include "verdict.bpf.h"

#define PLACES_RUNNING 0U
#define PLACES_DONE 1U
#define PLACES_BROKEN 2U
#define PLACES_MOVING 3U

/* Mounts of one filesystem, over all namespaces. */
#define PLACES_STEPS_MAX (1U << 16)
#define PLACES_ATTEMPTS 32U

#define PLACES_NOT_FOUND 0U /* too deep to tell */
#define PLACES_FOUND 1U
#define PLACES_OUTSIDE 2U

/* One step up, until places.root or the top. */
static long places_up(__u32 index, struct walk_context *context)
{
	struct verdict *v = context->verdict;
	struct places *p;
	struct dentry *dentry, *parent = NULL;
	__u32 seq = 0;

	if (!v)
		return 1;
	p = &v->places;
	if (p->dentry == p->root) {
		p->found = PLACES_FOUND;
		return 1;
	}
	dentry = (struct dentry *)p->dentry;
	if (BPF_CORE_READ_INTO(&seq, dentry, d_seq.seqcount.sequence) < 0 ||
	    BPF_CORE_READ_INTO(&parent, dentry, d_parent) < 0) {
		p->status = PLACES_BROKEN;
		return 1;
	}
	if (seq & 1) {
		p->status = PLACES_MOVING;
		return 1;
	}
	p->digest = walk_mix(walk_mix(p->digest, p->dentry), seq);
	if ((__u64)parent == p->dentry) {
		p->found = PLACES_OUTSIDE;
		return 1;
	}
	p->dentry = (__u64)parent;
	return 0;
}

/* Go up from the object: is root on the way? Return: PLACES_FOUND, _OUTSIDE, _NOT_FOUND. */
static __always_inline __u32 places_look(struct verdict *v, struct object *o, __u64 root)
{
	struct walk_context context = { .verdict = v };

	v->places.dentry = o->dentry;
	v->places.root = root;
	v->places.digest = 0;
	v->places.found = PLACES_NOT_FOUND;
	bpf_loop(HT_WALK_MAX + 1, places_up, &context, 0);
	return v->places.found;
}

struct places_context {
	struct verdict *verdict;
	struct object *object;
};

/* One mount of the filesystem. */
static long places_step(__u32 index, struct places_context *context)
{
	struct verdict *v = context->verdict;
	struct object *o = context->object;
	struct mnt_namespace *space = NULL;
	struct dentry *root = NULL;
	struct mount *mount;
	struct places *p;
	__u64 next = 0;

	if (!v || !o)
		return 1;
	p = &v->places;
	if (bpf_probe_read_kernel(&next, sizeof(next), (void *)p->link) < 0) {
		p->status = PLACES_BROKEN;
		return 1;
	}
	if (next == p->end) {
		p->status = PLACES_DONE;
		return 1;
	}
	if (bpf_core_field_exists(((struct mount___chain *)0)->mnt_next_for_sb)) {
		mount = (struct mount *)next;
		p->link = next + bpf_core_field_offset(struct mount___chain, mnt_next_for_sb);
	} else {
		mount = (struct mount *)(next - bpf_core_field_offset(struct mount___ring, mnt_instance));
		p->link = next;
	}
	if (BPF_CORE_READ_INTO(&space, mount, mnt_ns) < 0 ||
	    BPF_CORE_READ_INTO(&root, mount, mnt.mnt_root) < 0) {
		p->status = PLACES_BROKEN;
		return 1;
	}
	p->any = (__u64)mount;
	/* It need not show the object: an overlay works in a directory beside the one that it mounts. */
	if ((__u64)space == MOUNT_NS_INTERNAL) {
		p->internal = 1;
		return 0;
	}
	if ((__u64)space != p->space || places_look(v, o, (__u64)root) == PLACES_OUTSIDE)
		return 0;
	if (p->status != PLACES_RUNNING)
		return 1;
	if (p->n < PLACES_MAX)
		p->mounts[p->n & (PLACES_MAX - 1)] = (__u64)mount;
	p->n++;
	return 0;
}

static __always_inline bool places_start(struct verdict *v, struct object *o)
{
	struct dentry *dentry = (struct dentry *)o->dentry;
	struct super_block *sb = NULL;

	v->places.any = 0;
	v->places.n = 0;
	v->places.internal = 0;
	if (BPF_CORE_READ_INTO(&sb, dentry, d_sb) < 0 || !sb)
		return false;
	if (bpf_core_field_exists(((struct mount___chain *)0)->mnt_next_for_sb)) {
		v->places.link = (__u64)sb + bpf_core_field_offset(struct super_block___chain, s_mounts);
		v->places.end = 0;
	} else {
		v->places.link = (__u64)sb + bpf_core_field_offset(struct super_block___ring, s_mounts);
		v->places.end = v->places.link;
	}
	v->places.space = current_mount_namespace();
	v->places.status = PLACES_RUNNING;
	return v->places.space != 0;
}

static long places_attempt(__u32 index, struct places_context *context)
{
	struct verdict *v = context->verdict;
	struct object *o = context->object;
	__u64 digest;

	if (!v || !o)
		return 1;
	if (!places_start(v, o)) {
		v->places.status = PLACES_BROKEN;
		return 1;
	}
	(void)places_look(v, o, 0);
	digest = v->places.digest;
	if (v->places.status == PLACES_RUNNING)
		bpf_loop(PLACES_STEPS_MAX, places_step, context, 0);
	if (v->places.status == PLACES_DONE) {
		(void)places_look(v, o, 0);
		if (v->places.digest == digest && v->places.status == PLACES_DONE)
			return 1;
		v->places.status = PLACES_MOVING;
	}
	/* a mount that is taken off the list under the walk makes it break off */
	return 0;
}

/* Find the mounts that show the object. Return: 0, or the HT_REASON_* why they are not known. */
__global __u32 places_find(struct verdict *v, struct object *o)
{
	struct places_context context = { .verdict = v, .object = o };

	if (!v || !o)
		return HT_REASON_UNRESOLVED;
	bpf_loop(PLACES_ATTEMPTS, places_attempt, &context, 0);
	if (v->places.status == PLACES_MOVING)
		return HT_REASON_MOVING;
	if (v->places.status != PLACES_DONE || v->places.n > PLACES_MAX)
		return HT_REASON_UNRESOLVED;
	return v->places.n || v->places.internal ? 0 : HT_REASON_FOREIGN;
}

/* Does the task act as somebody else for the length of a call? A stacked filesystem does what it has to do below as
 * whoever mounted it. */
static __always_inline bool task_borrows_creds(void)
{
	struct task_struct *task = (struct task_struct *)bpf_get_current_task();
	const struct cred *own = NULL, *used = NULL;

	if (BPF_CORE_READ_INTO(&own, task, real_cred) < 0 ||
	    BPF_CORE_READ_INTO(&used, task, cred) < 0)
		return false;
	return own != used;
}

/* Memory with a descriptor, a socket, a pipe: nothing that a rule on paths could mean. */
static __always_inline bool places_is_nameless(struct object *o)
{
	struct dentry *dentry = (struct dentry *)o->dentry;
	unsigned long flags = 0;

	return BPF_CORE_READ_INTO(&flags, dentry, d_sb, s_flags) == 0 &&
	       (flags & SB_NOUSER);
}

/* Decide of an object that is known by its dentry: the worst that is said of any of its names. Return: LEVEL_*. */
static __always_inline __u32 places_decide(struct verdict *v, struct object *o)
{
	__u32 level, i;

	if (!verdict_wanted(v, o) || places_is_nameless(o))
		return LEVEL_ALLOW;
	o->fault = places_find(v, o);
	/* What lies below a stacked filesystem: the object above was judged a moment ago, by its name. */
	if (v->places.internal && task_borrows_creds())
		return LEVEL_ALLOW;
	if (!o->fault && !v->places.n)
		o->fault = HT_REASON_FOREIGN;
	o->mount = v->places.any;
	v->places.level = LEVEL_ALLOW;
	v->places.worst = 0;
#pragma clang loop unroll(disable)
	for (i = 0; i < PLACES_MAX; i++) {
		if (i >= v->places.n || o->fault)
			break;
		o->mount = v->places.mounts[i];
		level = verdict_decide(v, o);
		if (level > v->places.level) {
			v->places.level = level;
			v->places.worst = i;
		}
	}
	if (o->fault || v->places.n > 1) {
		/* once more, so that the verdict says why */
		if (!o->fault)
			o->mount = v->places.mounts[v->places.worst & (PLACES_MAX - 1)];
		return verdict_decide(v, o);
	}
	return v->places.level;
}
