/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#pragma once

/*
 * From an object to its root: the names on the way, hashed.
 *
 * Two chains exist. Through the mounts: up the dentries, at the root of a mount on to its mountpoint,
 * until the root of the mount namespace, whatever fs->root says. Straight: up the dentries of the
 * filesystem itself, past the roots of bind mounts, until the directory that is the container's root;
 * this is the name the object has without the bind mount. A straight chain that never meets the
 * container's root (a volume from elsewhere) says nothing and is not judged.
 *
 * A walk is a snapshot: every dentry's d_seq goes into a digest and the walk is repeated without
 * names; equal digests mean that at one instant between the two all links held at once, since all first
 * reads come before all second reads. Renames elsewhere in the system do not disturb it. Where moves are counted
 * (moves.bpf.c) and none began meanwhile, the dentries held all the time, and the mounts alone are looked at again.
 *
 * All state lives in the verdict. Nothing here branches on a loop context that starts as a constant: on
 * 6.1 the verifier walks a bpf_loop() callback once and removes what looks dead in the first round.
 */

#include "config.bpf.h"
#include "moves.bpf.h"
#include "siphash.h"

#define WALK_RUNNING 0U
#define WALK_DONE 1U
#define WALK_OUTSIDE 2U /* straight: the chain does not pass the container's root */
#define WALK_BROKEN 3U	/* unreadable, or disconnected from its mount */
#define WALK_MOVING 4U

/* What a walk collects: nothing but the digest; the dentries and where their names are, to be told; what rules are asked
 * with, too. */
#define WALK_DIGEST 0U
#define WALK_DENTRIES 1U
#define WALK_HASHES 2U

/* Where a name is and how long, in the place of its hash. The highest byte of an address is that of its dentry's. */
#define WALK_NAME_TOP (0xffULL << 56)

#define WALK_ATTEMPTS 32U
#define WALK_CROSSINGS 4U /* mounts that are looked at again alone; beyond: with all names */

/* What a hook knows of an object. Addresses, read with care; 0 where a hook has none. */
struct object {
	__u64 mount; /* struct mount */
	__u64 dentry;
	__u64 inode;
	__u32 ops; /* HT_OP_* asked for */
	__u16 facts; /* OBJECT_* */
	__u16 fault; /* HT_REASON_* why the hook knows no place of it */
};

#define OBJECT_WX (1U << 0)	/* memory that is or was writable would become executable */
#define OBJECT_MEMORY (1U << 1) /* memory without a file */
#define OBJECT_USE (1U << 2)	/* not opened now: used through a descriptor that is open */
#define OBJECT_QUIET (1U << 3)	/* no act, a question how much to show: told to nobody */
#define OBJECT_GUARDED (1U << 4) /* Haetae's own: refused whatever the policies say */
#define OBJECT_LEAVES (1U << 5)	 /* a name that something gives up, or that becomes one of two */
#define OBJECT_ARRIVES (1U << 6) /* the name that it gets */
#define OBJECT_FROZEN (1U << 7)	 /* again the first: it may not get the other */
#define OBJECT_FREEZE (OBJECT_LEAVES | OBJECT_ARRIVES | OBJECT_FROZEN)
#define OBJECT_DENTRY (1U << 8)	 /* the mount is not known */
#define OBJECT_TWICE (1U << 9)	 /* the kernel will ask for this act again, by another hook */
#define OBJECT_AGAIN (1U << 10)	 /* this is that hook */
#define OBJECT_KNOWN (1U << 12)	  /* answered before: label.known */
#define OBJECT_UNBOUND (1U << 11) /* the subject's label lacks what governs it: refused */
#define OBJECT_MAPS (1U << 13)	  /* mapped to run: a library's name makes it another operation */
#define OBJECT_RUNS (1U << 14)	  /* what the task runs: label.exe is its whole name */

struct walk_context {
	struct verdict *verdict;
};

static __always_inline __u64 walk_mix(__u64 digest, __u64 value)
{
	digest ^= value;
	return digest * 0x9e3779b97f4a7c15ULL + (digest >> 29);
}

/* One more word of walk.name into the hash, or the end of it. */
static long walk_hash_word(__u32 index, struct walk_context *context)
{
	struct verdict *v = context->verdict;
	struct hash_state *h;
	__u64 word;

	if (!v)
		return 1;
	h = &v->hash;
	word = *(__u64 *)(v->walk.name + (h->at & (HT_NAME_MAX & ~7U)));
	if (h->at + 8 > h->len) {
		word &= (1ULL << (8 * (h->len & 7))) - 1;
		h->result = ht_siphash_finish(&h->sip, word, h->len);
		return 1;
	}
	ht_siphash_word(&h->sip, word);
	h->at += 8;
	return 0;
}

/* Hash of the len bytes in walk.name. */
__global __u64 walk_hash(struct verdict *v, __u32 len)
{
	struct walk_context context = { .verdict = v };
	struct ht_siphash sip;
	__u64 word;

	if (!v)
		return 0;
	if (len < 16) { /* most names */
		ht_siphash_init(&sip, ht_key0, ht_key1);
		word = *(__u64 *)v->walk.name;
		if (len >= 8) {
			ht_siphash_word(&sip, word);
			word = *(__u64 *)(v->walk.name + 8);
		}
		return ht_siphash_finish(&sip, word & ((1ULL << (8 * (len & 7))) - 1), len);
	}
	ht_siphash_init(&v->hash.sip, ht_key0, ht_key1);
	v->hash.at = 0;
	v->hash.len = len & HT_NAME_MAX;
	bpf_loop((HT_NAME_MAX + 1) / 8, walk_hash_word, &context, 0);
	return v->hash.result;
}

/* Read the name of a dentry into walk.name. Return: its length, negative when unreadable. */
static __always_inline int walk_read_name(struct verdict *v, const struct qstr *name)
{
	__u32 len = name->len;

	if (len > HT_NAME_MAX)
		return -EPERM;
	if (bpf_probe_read_kernel(v->walk.name, len & HT_NAME_MAX, name->name) < 0)
		return -EPERM;
	return len;
}

/* Where a mount stands: neighbours in every struct mount, so one read for the three. */
#define MOUNT_IS_NEIGHBOURS                                                           \
	(bpf_core_field_offset(struct mount, mnt_mountpoint) ==                       \
		 bpf_core_field_offset(struct mount, mnt_parent) + 8 &&               \
	 bpf_core_field_offset(struct mount, mnt.mnt_root) ==                         \
		 bpf_core_field_offset(struct mount, mnt_parent) + 16)

/* Return: false if it cannot be read. */
static __always_inline bool mount_read(struct mount_place *ret, __u64 mount)
{
	struct mount *m = (struct mount *)mount;

	if (MOUNT_IS_NEIGHBOURS)
		return bpf_probe_read_kernel(ret, sizeof(*ret),
					     (void *)(mount + bpf_core_field_offset(struct mount, mnt_parent))) == 0;
	return BPF_CORE_READ_INTO(&ret->parent, m, mnt_parent) == 0 &&
	       BPF_CORE_READ_INTO(&ret->mountpoint, m, mnt_mountpoint) == 0 &&
	       BPF_CORE_READ_INTO(&ret->root, m, mnt.mnt_root) == 0;
}

/* At the root of a mount: go on at its mountpoint. Return: true if the walk goes on. */
static __always_inline bool walk_cross(struct walk *w, bool is_root)
{
	__u64 parent = w->at.parent, mountpoint = w->at.mountpoint;

	if (!parent) {
		w->status = WALK_BROKEN;
		return false;
	}
	if (parent == w->mnt) {
		w->status = WALK_DONE;
		return false;
	}
	if (!mount_read(&w->at, parent)) {
		w->status = WALK_BROKEN;
		return false;
	}
	if (!is_root)
		w->bind = 1;
	w->crossed = walk_mix(walk_mix(w->crossed, parent), mountpoint);
	w->crossings++;
	w->mnt = parent;
	w->dentry = mountpoint;
	return true;
}

/* Do the mounts that the last pass crossed, beginning with mnt, stand where they stood? */
static __always_inline bool walk_mounts_hold(struct walk *w, __u64 mnt)
{
	struct mount_place at;
	__u64 crossed = 0;
	__u32 i;

#pragma clang loop unroll(disable)
	for (i = 0; i <= WALK_CROSSINGS; i++) {
		if (!mount_read(&at, mnt))
			return false;
		if (i >= w->crossings)
			return crossed == w->crossed && (w->straight || at.parent == mnt);
		crossed = walk_mix(walk_mix(crossed, at.parent), at.mountpoint);
		mnt = at.parent;
	}
	return false;
}

/* Does the directory take other spellings for the names in it than those that its dentries have? Where names are compared by
 * the filesystem, a file has the spelling that somebody looked it up by first. Filesystems that can fold case do it in the
 * directories that are marked so; the others do it in all. What cannot be read does. */
__global int walk_folds(__u64 dentry)
{
	struct super_block___folding *folding;
	struct inode *inode = NULL;
	struct super_block *sb = NULL;
	unsigned long magic = 0;
	unsigned int flags = 0;
	void *encoding = NULL;

	if (BPF_CORE_READ_INTO(&sb, (struct dentry *)dentry, d_sb) < 0 ||
	    BPF_CORE_READ_INTO(&magic, sb, s_magic) < 0)
		return 1;
	if (magic == PROC_SUPER_MAGIC) /* it only looks who may see a name */
		return 0;
	folding = (void *)sb;
	if (!bpf_core_field_exists(folding->s_encoding) ||
	    BPF_CORE_READ_INTO(&encoding, folding, s_encoding) < 0 || !encoding)
		return 1;
	if (BPF_CORE_READ_INTO(&inode, (struct dentry *)dentry, d_inode) < 0 ||
	    BPF_CORE_READ_INTO(&flags, inode, i_flags) < 0)
		return 1;
	return !!(flags & S_CASEFOLD);
}

static long walk_step(__u32 index, struct walk_context *context)
{
	struct verdict *v = context->verdict;
	struct walk *w;
	__u64 dentry, parent;
	__u32 seq, at_mount_root, is_root;
	struct qstr name;
	int len;

	if (!v)
		return 1;
	w = &v->walk;
	dentry = w->dentry;
	if (bpf_probe_read_kernel(w->head, sizeof(w->head), (void *)dentry) < 0) {
		w->status = WALK_BROKEN;
		return 1;
	}
	parent = *(__u64 *)(w->head + bpf_core_field_offset(struct dentry, d_parent));
	seq = *(__u32 *)(w->head + bpf_core_field_offset(struct dentry, d_seq));
	__builtin_memcpy(&name, w->head + bpf_core_field_offset(struct dentry, d_name), sizeof(name));
	at_mount_root = dentry == w->at.root;
	is_root = dentry == parent;
	if ((*(__u32 *)(w->head + bpf_core_field_offset(struct dentry, d_flags)) & DCACHE_OP_COMPARE) &&
	    w->child && walk_folds(dentry))
		w->ambiguous = w->child;
	w->child = 0;

	if (w->straight) {
		if (dentry == w->stop) {
			w->status = WALK_DONE;
			return 1;
		}
		if (is_root && !at_mount_root) {
			w->status = WALK_OUTSIDE;
			return 1;
		}
		if (is_root)
			return !walk_cross(w, true);
	} else {
		if (at_mount_root)
			return !walk_cross(w, is_root);
		if (is_root) {
			w->status = WALK_BROKEN;
			return 1;
		}
	}

	if (seq & 1) {
		w->status = WALK_MOVING;
		return 1;
	}
	/* the kernel's own hash of the name tells a dentry from another that came to stand in the same place */
	w->digest = walk_mix(walk_mix(w->digest, dentry), (__u64)seq << 32 | name.hash);
	if (w->names) {
		struct component *c = &w->components[w->n & (HT_WALK_COMPONENTS - 1)];

		c->dentry = dentry;
		if (w->names == WALK_HASHES) {
			len = walk_read_name(v, &name);
			if (len < 0) {
				w->status = WALK_BROKEN;
				return 1;
			}
			c->hash = walk_hash(v, len);
		} else if (name.len <= HT_NAME_MAX) {
			c->hash = ((__u64)name.name & ~WALK_NAME_TOP) | (__u64)name.len << 56;
		} else {
			w->status = WALK_BROKEN;
			return 1;
		}
		w->n++;
		w->child = w->n;
	}
	w->top_mnt = w->mnt;
	w->dentry = parent;
	return 0;
}

/* One pass from (mnt, dentry), names: WALK_*; status and digest tell how it went. */
__global int walk_pass(struct verdict *v, __u64 mnt, __u64 dentry, __u32 names)
{
	struct walk_context context = { .verdict = v };
	struct walk *w;

	if (!v)
		return 0;
	w = &v->walk;
	w->mnt = mnt;
	w->dentry = dentry;
	w->names = names;
	w->status = WALK_RUNNING;
	w->digest = 0;
	w->crossed = 0;
	w->crossings = 0;
	w->bind = 0;
	w->top_mnt = mnt;
	w->child = 0;
	if (names) {
		w->n = 0;
		w->below = 0;
		w->ambiguous = 0;
	}
	if (!mount_read(&w->at, mnt)) {
		w->status = WALK_BROKEN;
		return 0;
	}
	bpf_loop(HT_WALK_MAX, walk_step, &context, 0);
	w->digest = walk_mix(w->digest, w->crossed);
	return 0;
}

struct walk_attempt {
	struct verdict *verdict;
	__u64 names;
	__u64 mnt;
	__u64 dentry;
};

static long walk_attempt(__u32 index, struct walk_attempt *a)
{
	struct verdict *v = a->verdict;
	struct names before;
	bool told;
	__u64 digest;
	__u32 status;

	if (!v)
		return 1;
	told = names_read(&before, a->dentry);
	(void)walk_pass(v, a->mnt, a->dentry, a->names);
	status = v->walk.status;
	digest = v->walk.digest;
	if (status == WALK_MOVING)
		return 0;
	if (status != WALK_DONE && status != WALK_OUTSIDE)
		return 1; /* broken, or too deep (still running) */
	if (told && walk_mounts_hold(&v->walk, a->mnt) && names_hold(&before, a->dentry))
		return 1;
	(void)walk_pass(v, a->mnt, a->dentry, WALK_DIGEST);
	if (v->walk.status == status && v->walk.digest == digest)
		return 1;
	v->walk.status = WALK_MOVING;
	return 0;
}

/* Collect the components of one chain, names: WALK_DENTRIES, WALK_HASHES. Return: 0, or the HT_REASON_* why there is no
 * position. */
__global __u32 walk_chain(struct verdict *v, struct object *o, __u32 names, __u32 straight, __u64 stop)
{
	struct walk_attempt attempt = { .verdict = v, .names = names };

	if (!v || !o)
		return HT_REASON_UNRESOLVED;
	attempt.mnt = o->mount;
	attempt.dentry = o->dentry;
	v->walk.straight = straight;
	v->walk.stop = stop;
	bpf_loop(WALK_ATTEMPTS, walk_attempt, &attempt, 0);
	switch (v->walk.status) {
	case WALK_DONE:
		return 0;
	case WALK_RUNNING:
		return HT_REASON_DEPTH;
	case WALK_MOVING:
		return HT_REASON_MOVING;
	default:
		return HT_REASON_UNRESOLVED;
	}
}

/* To ask rules with. */
static __always_inline __u32 walk_collect(struct verdict *v, struct object *o, __u32 straight, __u64 stop)
{
	return walk_chain(v, o, WALK_HASHES, straight, stop);
}

/* The chain through the mounts, to be told. */
static __always_inline __u32 walk_names(struct verdict *v, struct object *o)
{
	return walk_chain(v, o, WALK_DENTRIES, 0, 0);
}

/* The inode of a dentry, 0: there is none. Read, not followed: some kernels (6.5 to 6.12 at least) tell the verifier that
 * no program ever sees a dentry without an inode, and it drops the check. */
static __always_inline __u64 walk_inode(struct dentry *dentry)
{
	struct inode *inode = NULL;

	(void)BPF_CORE_READ_INTO(&inode, dentry, d_inode);
	return (__u64)inode;
}

/* struct mount around a vfsmount. */
static __always_inline __u64 walk_mount(__u64 vfsmount)
{
	return vfsmount - bpf_core_field_offset(struct mount, mnt);
}
