/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#pragma once

/*
 * Which object it is, whatever it is called: read here for a verdict and for the agent alike, so that both mean the
 * same. Always of the dentry's inode: on an overlay that is the overlay's own, on every kernel.
 */

#include "config.bpf.h"
#include "maps.bpf.h"

/* May any profile have an entry of an object with this inode number? (struct ht_shared) */
static __always_inline bool identity_is_possible(__u64 ino)
{
	__u32 bit = HT_OBJECT_BIT(ino);

	return *(volatile __u64 *)&memo_get()->shared.objects[bit / 64] >> (bit % 64) & 1;
}

/* The same of a dentry's object. */
static __always_inline bool identity_is_possible_of(__u64 dentry)
{
	struct inode *inode = NULL;
	__u64 ino = 0;

	return dentry && BPF_CORE_READ_INTO(&inode, (struct dentry *)dentry, d_inode) == 0 && inode &&
	       BPF_CORE_READ_INTO(&ino, inode, i_ino) == 0 && identity_is_possible(ino);
}

/* The inode that an overlay's inode has in the upper layer. Return: its generation; 0: it has none there, or it cannot be
 * told. An overlay gives its own inodes none, and their numbers are those below, which are used again. */
static __always_inline __u32 identity_upper_generation(struct inode *inode)
{
	struct ht_settings *set = settings_get();
	struct dentry *upper = NULL;
	__u32 generation = 0;

	if (!set->overlay_upper ||
	    bpf_probe_read_kernel(&upper, sizeof(upper), (void *)inode + set->overlay_upper) < 0 ||
	    !upper || BPF_CORE_READ_INTO(&generation, upper, d_inode, i_generation) < 0)
		return 0;
	return generation;
}

/* Has an overlay's object something in a lower layer, now or before it was copied into the upper one? What was made in the
 * upper layer has not, and where layers lie on several filesystems its number can be that of a file in a lower one. */
static __always_inline bool identity_has_lower(__u64 dentry)
{
	struct ht_settings *set = settings_get();
	struct inode *inode = NULL;
	__u64 lower = 0;
	__u32 n = 0;

	if (!set->overlay_lower)
		return true; /* cannot be told */
	if (BPF_CORE_READ_INTO(&inode, (struct dentry *)dentry, d_inode) < 0 ||
	    bpf_probe_read_kernel(&lower, sizeof(lower), (void *)inode + set->overlay_lower) < 0)
		return true;
	if (!lower || !set->overlay_counted)
		return lower;
	return bpf_probe_read_kernel(&n, sizeof(n), (void *)lower) < 0 || n;
}

/* Return: false if the dentry has no inode or it cannot be read. *ret_stacked: on an overlay, where an object that was
 * known before it came into the upper layer is known by generation 0. */
static __always_inline bool identity_read(__u64 dentry, struct ht_identity *ret, bool *ret_stacked)
{
	struct inode *inode = NULL;
	unsigned long magic = 0;

	if (!dentry || BPF_CORE_READ_INTO(&inode, (struct dentry *)dentry, d_inode) < 0 || !inode)
		return false;
	if (BPF_CORE_READ_INTO(&ret->ino, inode, i_ino) < 0 ||
	    BPF_CORE_READ_INTO(&ret->generation, inode, i_generation) < 0 ||
	    BPF_CORE_READ_INTO(&ret->dev, inode, i_sb, s_dev) < 0 ||
	    BPF_CORE_READ_INTO(&magic, inode, i_sb, s_magic) < 0)
		return false;
	*ret_stacked = magic == OVERLAYFS_SUPER_MAGIC;
	if (*ret_stacked)
		ret->generation = identity_upper_generation(inode);
	return true;
}

/* The three words of an identity. By itself, as the verifier would go through it in each branch of each program. */
__global __u64 identity_hash_words(__u64 k0, __u64 k1, __u64 ino, __u64 generation_and_dev, __u64 cgroup)
{
	struct ht_siphash sip;

	ht_siphash_init(&sip, k0, k1);
	ht_siphash_word(&sip, ino);
	ht_siphash_word(&sip, generation_and_dev);
	ht_siphash_word(&sip, cgroup);
	return ht_siphash_finish(&sip, 0, sizeof(struct ht_identity));
}

/* As ht_hash_name() over the structure. */
static __always_inline __u64 identity_hash(const struct ht_identity *id)
{
	return identity_hash_words(ht_key0, ht_key1, id->ino, (__u64)id->generation << 32 | id->dev,
				   id->cgroup);
}
