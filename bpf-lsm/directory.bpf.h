/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#pragma once

/*
 * Where all names up to a directory lead to in a profile.
 *
 * What is opened for the first time, made, taken away or renamed lies in a directory where something was asked for
 * before, as a rule. Of a subject with one profile the entry is kept that the walk through the automaton had come to
 * before the last name. The next verdict in that directory begins there and follows one name. Only the walk is saved: the
 * object itself, its last name, its links, its mount and the subject are looked at each time.
 *
 * A place in the table is found by a tag, as answers are (memo.bpf.h), and a check over its content and the tag goes with
 * it: what is half written, or another's, is no entry. What goes into the tag only ever moves on, so what has changed is
 * asked for under another one:
 *
 *   subject    its only profile
 *   policy     the epoch. The entry is a place in one content of the profile, too, so the stamp of that is kept with it:
 *              between the turn of a publish and the move of the epoch both contents are met
 *   directory  its address, and the word that moves on before a dentry there gets an object, and when it is moved: a
 *              directory of another name, and another one that came to lie there, have another word
 *   trees      how often any directory was moved, wherever: the names above it
 *   mount      the mount, the task's mount namespace and its event counter: all that is above the root of the mount. A
 *              mount that is not in that namespace has no names there: what is used through one is judged, but nothing is
 *              kept of it. A bind mount's names are two chains: nothing is kept of those either
 *
 * The object hangs in the directory by the name that was read, at one instant between two looks at its own word and at
 * `trees` that see the same, with nothing being moved (moves.bpf.c); every move of it, into the directory, out of it or
 * within, moves its word. The root of a mount has its name elsewhere and does not come this way. On an overlay the dentry
 * is the overlay's in all of this, whichever layer its inode lies in. Does the directory take other spellings, or could it
 * come to, nothing is kept: such a flag can be set as long as it is empty, and moves nothing.
 *
 * An entry is kept if that held from before the tag was made until after the verdict.
 */

#include "automaton.bpf.h"

static __always_inline __u64 directory_check(__u64 tag, const struct memo_directory *d)
{
	__u64 h = memo_mix2(tag, (__u64)d->entry.next << 32 | d->entry.flags, d->entry.rule);

	return memo_mix2(h, (__u64)d->entry.below << 32 | d->stamp,
			 (__u64)d->others << 32 | (__u32)d->entry.cond << 16 | d->entry.would);
}

/* dir, mnt: distances from the memo. trees was read, and nothing was moving, before this. */
static __always_inline __u64 directory_tag(struct memo *m, __u64 profile, __u32 epoch, __u64 dir, __u64 mnt,
					   __u64 trees)
{
	struct mnt_namespace *ns = bpf_get_current_task_btf()->nsproxy->mnt_ns;
	__u64 h, name = *(volatile __u64 *)memo_name(m, dir);

	h = memo_mix2(ht_key0, profile << 32 | epoch, dir);
	h = memo_mix2(h, mnt, number_of((__u64)ns, m));
	h = memo_mix2(h, namespace_event(ns), name);
	return memo_mix2(h, trees, 1);
}

/* Where the object hangs. Return: false: it is the root of its mount, or it cannot be read. */
static __always_inline bool directory_of(struct verdict *v, struct object *o, __u64 *ret)
{
	struct dentry *root = NULL;
	struct mount *mount = (struct mount *)o->mount;

	if (BPF_CORE_READ_INTO(&root, mount, mnt.mnt_root) < 0 || (__u64)root == o->dentry ||
	    bpf_probe_read_kernel(v->walk.head, sizeof(v->walk.head), (void *)o->dentry) < 0)
		return false;
	*ret = *(__u64 *)(v->walk.head + bpf_core_field_offset(struct dentry, d_parent));
	return *ret != o->dentry;
}

static __always_inline __u32 directory_ops(const struct ht_entry *e)
{
	return e->deny | e->audit | e->image | e->cond | e->would;
}

/* Is nothing said of what is asked, whatever the object is called in the directory that is known? Of a rename or a link that is all that
 * it could take along; what a directory takes is asked for by its states. */
static __always_inline bool directory_is_plain(struct verdict *v)
{
	const struct memo_directory *d = &v->directory.known;
	__u32 asked = v->ops, said = d->others;

	if (d->entry.flags & HT_ENTRY_FINAL)
		said = directory_ops(&d->entry);
	else if (d->entry.flags & (HT_ENTRY_NAMES | HT_ENTRY_GLOBS))
		return false;
	if ((v->facts & OBJECT_FREEZE) &&
	    (v->freeze.directory || v->freeze.lost || (v->facts & OBJECT_FROZEN)))
		return false;
	if (v->facts & OBJECT_LEAVES)
		asked |= v->freeze.ops;
	return !(v->ops & HT_OPS_EXEC) && !(said & asked);
}

/* Read the one name that is left and hash it, in the place of a walk. Return: false: it cannot be read. */
static __always_inline bool directory_name(struct verdict *v, struct object *o)
{
	struct qstr name;
	int len;

	__builtin_memcpy(&name, v->walk.head + bpf_core_field_offset(struct dentry, d_name), sizeof(name));
	len = walk_read_name(v, &name);
	if (len < 0)
		return false;
	v->walk.components[0].hash = walk_hash(v, len);
	v->walk.components[0].dentry = o->dentry;
	return true;
}

/* Put the one name of the object that is left, and the entry before it, in the place of a walk; where it does not matter what the object
 * is called (directory.plain), without the name. v->directory.tag is what to keep an entry under if there is none. Return: 1; 0: it
 * has to be walked. */
__global int directory_enter(struct verdict *v, struct object *o)
{
	struct ht_settings *set = settings_get();
	struct memo_directory *d;
	struct memo *m = memo_get();
	struct names now;
	__u64 dir = 0, mnt;
	__u32 epoch, plain;

	if (!v || !o)
		return 0;
	v->directory.tag = 0;
	epoch = *(volatile __u32 *)&set->epoch;
	if (v->slots != 1 || !v->stamp || (o->facts & OBJECT_USE) ||
	    !names_read(&v->directory.names, o->dentry) || !directory_of(v, o, &dir))
		return 0;
	mnt = o->mount + bpf_core_field_offset(struct mount, mnt) - memo_address(m);
	v->directory.tag = directory_tag(m, v->profiles[0], epoch, dir - memo_address(m), mnt,
					 v->directory.names.trees);
	d = &m->directories[v->directory.tag & (MEMO_DIRECTORIES - 1)];
	v->directory.known = *d;
	if (directory_check(v->directory.tag, &v->directory.known) != v->directory.known.check ||
	    v->directory.known.stamp != v->stamp)
		return 0;
	plain = directory_is_plain(v);
	if (!plain && !directory_name(v, o))
		return 0;
	if (!names_read(&now, o->dentry) || now.own != v->directory.names.own ||
	    now.trees != v->directory.names.trees)
		return 0;
	v->walk.n = 1;
	v->walk.below = 1;
	v->walk.ambiguous = 0;
	v->walk.straight = 0;
	v->walk.bind = 0;
	v->directory.plain = plain;
	return 1;
}

/* What is said of a name in the directory that the profile does not know there. */
static __always_inline __u32 directory_others(struct verdict *v)
{
	struct ht_edge_key key = { .kind = HT_EDGE_OTHER };
	void *profile = profile_get(v->profiles[0], v->half);
	struct ht_entry *e;

	if (v->above.flags & HT_ENTRY_ELSE) {
		key.state = v->above.next;
		key.kind = HT_EDGE_ELSE;
	}
	e = profile ? bpf_map_lookup_elem(profile, &key) : NULL;
	return e ? directory_ops(e) : HT_OP_ALL;
}

/* Keep where the verdict that was just given was before the last name. */
__global int directory_keep(struct verdict *v, struct object *o)
{
	struct memo_directory *d;
	struct memo *m = memo_get();
	struct names now;
	__u64 dir = 0;
	__u32 flags = 0;

	if (!v || !o || v->fault || v->walk.bind || v->walk.ambiguous || v->position.damaged ||
	    !v->walk.n || v->walk.n > HT_WALK_COMPONENTS || !v->above.next)
		return 0;
	if (!directory_of(v, o, &dir) || BPF_CORE_READ_INTO(&flags, (struct dentry *)dir, d_flags) < 0 ||
	    (flags & DCACHE_OP_COMPARE))
		return 0;
	if (!names_read(&now, o->dentry) || now.own != v->directory.names.own ||
	    now.trees != v->directory.names.trees)
		return 0;
	v->directory.known.entry = v->above;
	v->directory.known.stamp = v->stamp;
	v->directory.known.others = directory_others(v);
	v->directory.known.check = directory_check(v->directory.tag, &v->directory.known);
	d = &m->directories[v->directory.tag & (MEMO_DIRECTORIES - 1)];
	*d = v->directory.known;
	return 0;
}
