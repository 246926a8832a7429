/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#pragma once

/*
 * Has a name moved meanwhile? Counters that moves.bpf.c keeps.
 */

#include "subject.bpf.h"

/* The word that moves on with the name of a dentry, by its distance from the memo. */
static __always_inline __u64 *memo_name(struct memo *m, __u64 distance)
{
	return &m->names[(__u32)((distance >> 6) * 2654435761U) >> 16];
}

/* The memo's own address, as a number. */
static __always_inline __u64 memo_address(struct memo *m)
{
	return bpf_get_current_task() - number_of(current_task(), m);
}

/* The event counter of a mount namespace. A new one begins at 0, until something is mounted there or taken away: as another did at
 * the same address. So nothing that is kept with a 0 is ever met again. */
static __always_inline __u64 namespace_event(struct mnt_namespace *ns)
{
	__u64 event = ns->event;

	return event ? event : bpf_ktime_get_ns();
}

/* May an answer that is looked for from now on be kept under counters that were read before? */
static __always_inline bool names_count(struct memo *m)
{
	struct ht_settings *set = settings_get();

	return set->moves && !*(volatile __u32 *)&m->shared.moves.moving;
}

/* Return: false: nothing can be told from them now. */
static __always_inline bool names_read(struct names *ret, __u64 dentry)
{
	struct memo *m = memo_get();

	ret->own = *(volatile __u64 *)memo_name(m, dentry - memo_address(m));
	ret->trees = *(volatile __u64 *)&m->shared.moves.trees;
	return names_count(m);
}

/* Is what was read of a dentry still so? Return: false, too, if nothing can be told now. */
static __always_inline bool names_hold(const struct names *since, __u64 dentry)
{
	struct names now;

	return names_read(&now, dentry) && now.own == since->own && now.trees == since->trees;
}
