/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#pragma once

/*
 * Where all names up to a directory lead to in a profile.
 *
 * What is opened for the first time, made, taken away or renamed lies in a directory where something was asked for
 * before, as a rule. For each of a subject's profiles, if it has no more than DIRECTORY_SLOTS, the entry is kept that the walk
 * through the automaton had come to before the last name. The next verdict in that directory, of whatever subject with these
 * profiles, begins there and follows one name. Only the walk is saved: the object itself, its last name, its links, its mount and the
 * subject are looked at each time. A profile that says nothing of the operation anywhere needs no entry.
 *
 * A place in the table is found by a tag, as answers are (memo.bpf.h), and a check over its content and the tag goes with
 * it: what is half written, or another's, is no entry. What goes into the tag only ever moves on, so what has changed is
 * asked for under another one:
 *
 *   subject    one of its profiles
 *   policy     the epoch. The entry is a place in one content of the profile, too, so the stamp of that is kept with it:
 *              between the turn of a publish and the move of the epoch both contents are met
 *   directory  its address, and the word that moves on before a dentry there gets an object, and when it is moved: a
 *              directory of another name, and another one that came to lie there, have another word
 *   trees      how often any directory was moved, wherever: the names above it
 *   mount      the mount, the task's mount namespace and its event counter: all that is above the root of the mount. A
 *              mount that is not in that namespace has no names there: what is used through one is judged, but nothing is
 *              kept of it. A bind mount's names are two chains: nothing is kept of those either, unless the second never meets the
 *              container's root, and says nothing: whatever changes that moves what is in the tag
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

/* What the tags of the entries for a directory have in common. dir, mnt: distances from the memo. trees was read, and nothing was
 * moving, before this. */
static __always_inline __u64 directory_place(struct memo *m, __u32 epoch, __u64 dir, __u64 mnt, __u64 trees)
{
	struct mnt_namespace *ns = bpf_get_current_task_btf()->nsproxy->mnt_ns;
	__u64 h, name = *(volatile __u64 *)memo_name(m, dir);

	h = memo_mix2(ht_key0, dir, mnt);
	h = memo_mix2(h, number_of((__u64)ns, m), namespace_event(ns));
	return memo_mix2(h, name, trees) + epoch;
}

static __always_inline __u64 directory_tag(__u64 place, __u32 profile)
{
	return memo_mix2(place, profile, 1);
}

/* A verdict begins, of which this is the header of the profile in a slot. */
static __always_inline void directory_begin(struct verdict *v, __u32 slot, const struct ht_entry *header)
{
	struct directory_slot *s = &v->directory.slots[slot & (DIRECTORY_SLOTS - 1)];

	s->known.entry.next = 0;
	s->stamp = header->stamp;
	s->flags = header->flags;
}

/* Fill in the entry of the profile in a slot. Return: false: it is not known. */
static __always_inline bool directory_recall(struct verdict *v, __u32 slot, __u64 place)
{
	struct directory_slot *s = &v->directory.slots[slot & (DIRECTORY_SLOTS - 1)];
	__u64 tag = directory_tag(place, v->profiles[slot & (DIRECTORY_SLOTS - 1)]);

	s->known = memo_get()->directories[tag & (MEMO_DIRECTORIES - 1)];
	if (directory_check(tag, &s->known) == s->known.check && s->known.stamp == s->stamp)
		return true;
	s->known.entry.next = 0;
	return false;
}

/* The same, by itself: the judge asks in a loop. Return: 1, 0. */
__global __u32 directory_known(struct verdict *v, __u32 slot, __u64 place)
{
	return v && directory_recall(v, slot, place);
}

static __always_inline __u32 directory_ops(const struct ht_entry *e)
{
	return e->deny | e->audit | e->image | e->cond | e->would;
}

/* Does it matter there what an object is called? */
static __always_inline bool directory_has_names(const struct memo_directory *d)
{
	return !(d->entry.flags & HT_ENTRY_FINAL) && (d->entry.flags & (HT_ENTRY_NAMES | HT_ENTRY_GLOBS));
}

/* HT_OP_* of which something is said there, of what has none of its names. */
static __always_inline __u32 directory_said(const struct memo_directory *d)
{
	return d->entry.flags & HT_ENTRY_FINAL ? directory_ops(&d->entry) : d->others;
}

/* Read and hash the name of the object, unless that was done. Return: false: it cannot be read. */
static __always_inline bool directory_name(struct verdict *v)
{
	int len;

	if (v->directory.hash)
		return true;
	len = walk_read_name(v, &v->directory.name);
	if (len < 0)
		return false;
	v->directory.hash = walk_hash(v, len);
	return v->directory.hash != 0;
}

/* May the profile in a slot know objects by identity? Return: 1, 0. */
static __always_inline __u32 directory_identities(const struct verdict *v, __u32 slot)
{
	return v->directory.slots[slot & (DIRECTORY_SLOTS - 1)].flags / HT_PROFILE_IDENTITIES & 1;
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

/* Has a rename or a link something to take along that could be lost? */
static __always_inline bool directory_freezes(const struct verdict *v)
{
	return (v->facts & OBJECT_FREEZE) &&
	       (v->freeze.directory || v->freeze.lost || (v->facts & OBJECT_FROZEN));
}

/* Is nothing said of what is asked, whatever the object is called in the directory that is known? Of a rename or a link that is all that
 * it could take along; what a directory takes is asked for by its states. */
static __always_inline bool directory_is_plain(const struct verdict *v, const struct memo_directory *d)
{
	__u32 asked = v->ops;

	if (v->facts & OBJECT_LEAVES)
		asked |= v->freeze.ops;
	return !directory_has_names(d) && !(directory_said(d) & asked);
}

/* The entries of all profiles that say something, and which of them are plain. Return: 1; 0: some entry is not known. */
static __always_inline __u32 directory_look(struct verdict *v, __u64 place)
{
	bool named = (v->ops & HT_OPS_EXEC) || directory_freezes(v);
	__u32 i;

#pragma clang loop unroll(disable)
	for (i = 0; i < DIRECTORY_SLOTS; i++) {
		if (!(v->wanted >> i & 1))
			continue;
		if (!directory_known(v, i, place))
			return 0;
		if (!named && directory_is_plain(v, &v->directory.slots[i].known))
			v->directory.plain |= 1U << i;
	}
	return 1;
}

/* Put the one name of the object that is left, and the entries before it, in the place of a walk; where it does not matter what the
 * object is called (directory.plain), without the name. v->directory.place is what to keep entries under if one is missing. Return: 1;
 * 0: it has to be walked. */
__global int directory_enter(struct verdict *v, struct object *o)
{
	struct ht_settings *set = settings_get();
	struct memo *m = memo_get();
	__u64 dir = 0, mnt;
	__u32 epoch;

	if (!v || !o)
		return 0;
	epoch = *(volatile __u32 *)&set->epoch;
	if (v->slots >> DIRECTORY_SLOTS || (o->facts & OBJECT_USE) ||
	    !names_read(&v->directory.names, o->dentry) || !directory_of(v, o, &dir))
		return 0;
	mnt = o->mount + bpf_core_field_offset(struct mount, mnt) - memo_address(m);
	v->directory.place = directory_place(m, epoch, dir - memo_address(m), mnt, v->directory.names.trees);
	if (!directory_look(v, v->directory.place))
		goto walk;
	__builtin_memcpy(&v->directory.name, v->walk.head + bpf_core_field_offset(struct dentry, d_name),
			 sizeof(v->directory.name));
	v->directory.hash = 0;
	if (v->directory.plain != v->wanted && !directory_name(v))
		goto walk;
	if (!names_hold(&v->directory.names, o->dentry))
		goto walk;
	v->walk.components[0].hash = v->directory.hash;
	v->walk.components[0].dentry = o->dentry;
	v->walk.n = 1;
	v->walk.below = 1;
	v->walk.ambiguous = 0;
	v->walk.straight = 0;
	v->walk.bind = 0;
	return 1;
walk:
	v->directory.plain = 0;
	return 0;
}

/* What is said of a name in the directory that the profile does not know there. */
static __always_inline __u32 directory_others(void *profile, const struct ht_entry *entry)
{
	struct ht_edge_key key = { .kind = HT_EDGE_OTHER };
	struct ht_entry *e;

	if (entry->flags & HT_ENTRY_ELSE) {
		key.state = entry->next;
		key.kind = HT_EDGE_ELSE;
	}
	e = profile ? profile_entry(profile, &key) : NULL;
	return e ? directory_ops(e) : HT_OP_ALL;
}

/* Keep where the walk of the profile in a slot was before the last name. */
__global int directory_keep_slot(struct verdict *v, __u32 slot)
{
	struct memo *m = memo_get();
	struct directory_slot *s;
	__u32 profile;
	__u64 tag;

	if (!v)
		return 0;
	s = &v->directory.slots[slot & (DIRECTORY_SLOTS - 1)];
	if (!s->known.entry.next)
		return 0;
	profile = v->profiles[slot & (DIRECTORY_SLOTS - 1)];
	tag = directory_tag(v->directory.place, profile);
	s->known.stamp = s->stamp;
	s->known.others = directory_others(profile_get(profile, v->half), &s->known.entry);
	s->known.check = directory_check(tag, &s->known);
	m->directories[tag & (MEMO_DIRECTORIES - 1)] = s->known;
	return 0;
}

/* Do the names that were just walked, of the chain through the mounts, lead to entries that can be kept? */
static __always_inline bool directory_may_keep(const struct verdict *v)
{
	return v->directory.place && !v->walk.below && !v->fault && !v->walk.ambiguous && !v->position.damaged &&
	       v->walk.n && v->walk.n <= HT_WALK_COMPONENTS;
}

/* Keep where the verdict that was just given was before the last name. */
__global int directory_keep(struct verdict *v, struct object *o)
{
	__u64 dir = 0;
	__u32 flags = 0, i;

	if (!v || !o || !directory_of(v, o, &dir) || BPF_CORE_READ_INTO(&flags, (struct dentry *)dir, d_flags) < 0 ||
	    (flags & DCACHE_OP_COMPARE))
		return 0;
	if (!names_hold(&v->directory.names, o->dentry))
		return 0;
#pragma clang loop unroll(disable)
	for (i = 0; i < DIRECTORY_SLOTS; i++) {
		if (v->wanted >> i & 1)
			(void)directory_keep_slot(v, i);
	}
	return 0;
}
