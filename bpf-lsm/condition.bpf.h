/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#pragma once

/*
 * Conditions on the subject (`unless: {exe, uid}`).
 *
 * Which exe conditions of a profile a task meets follows from the path of its program as it was at exec time, which
 * its label keeps. The path is taken through the profile's automaton once and the mask kept with the stamp of the
 * profile's content; another content is asked anew. A path that was too long to keep meets no condition, and neither does a
 * program without one: of that the label has a name that is no path, which can be anything.
 */

#include "automaton.bpf.h"

struct condition_context {
	struct label *label;
	void *profile;
};

/* Take one more byte of the program's path: a name that is complete is a step of the automaton. */
static long condition_step(__u32 index, struct condition_context *context)
{
	struct label *l = context->label;
	__u32 at, len;
	__u8 c = '/';

	if (!l || !context->profile)
		return 1;
	at = l->condition.at;
	len = l->glob.name_len;
	if (at > l->exe_len || (l->position.entry.flags & HT_ENTRY_FINAL))
		return 1;
	if (at < l->exe_len)
		c = l->exe[at & (HT_TEXT_EXE_MAX - 1)];
	l->condition.at = at + 1;
	if (c != '/') {
		l->walk.name[len & HT_NAME_MAX] = c;
		l->glob.name_len = len + 1;
		return 0;
	}
	if (!len)
		return 0;
	if (!automaton_follow(l, context->profile, walk_hash(l, len), 0))
		return 1;
	l->glob.name_len = 0;
	return 0;
}

/* Which exe conditions of the slot's profile does the task's program meet? Keeps the position of the object. By itself, so that
 * the verifier follows it once. */
__global __u64 condition_exe(struct label *l, __u32 slot)
{
	void *profile = l ? profile_get(l->profiles[slot & (HT_PROFILES_MAX - 1)], l->half) : NULL;
	struct condition_context context = { .label = l, .profile = profile };
	struct ht_edge_key key = {};
	struct ht_entry *e;
	__u64 mask = 0;

	if (!l || !profile || !l->exe_len || l->exe_flags || l->exe_len > HT_TEXT_EXE_MAX ||
	    l->exe[0] != '/')
		return 0;
	l->condition.kept = l->position;
	if (automaton_start(l, profile, HT_EDGE_START)) {
		l->condition.at = 0;
		l->glob.name_len = 0;
		bpf_loop(HT_TEXT_EXE_MAX + 1, condition_step, &context, 0);
		if (!l->position.damaged && (l->position.entry.flags & HT_ENTRY_EXE)) {
			key.state = l->position.entry.next;
			key.kind = HT_EDGE_EXE;
			e = profile_entry(profile, &key);
			mask = e ? e->rule : 0;
		}
	}
	l->position = l->condition.kept;
	return mask;
}

/* Put down what the subject meets of a profile's conditions. */
static __always_inline int condition_subject(struct label *l, void *profile, __u32 slot, __u32 stamp)
{
	struct ht_edge_key key = { .kind = HT_EDGE_UID };
	struct ht_entry *e;

	if (!l || !profile)
		return 0;
	slot &= HT_PROFILES_MAX - 1;
	if (l->exe_stamps[slot] != stamp || !stamp) {
		l->exe_masks[slot] = condition_exe(l, slot);
		l->exe_stamps[slot] = stamp;
	}
	l->condition.exe = l->exe_masks[slot];
	key.name = (__u32)bpf_get_current_uid_gid();
	e = profile_entry(profile, &key);
	l->condition.uid = e ? e->rule : 0;
	return 0;
}

static __always_inline bool condition_met(struct label *l, const struct ht_entry *cond)
{
	__u32 exe = cond->next, uid = cond->flags;

	if (exe != HT_COND_NONE && !(l->condition.exe >> (exe & 63) & 1))
		return false;
	return uid == HT_COND_NONE || (l->condition.uid >> (uid & 63) & 1);
}
