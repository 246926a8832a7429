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
	struct verdict *verdict;
	void *profile;
};

/* Take one more byte of the program's path: a name that is complete is a step of the automaton. */
static long condition_step(__u32 index, struct condition_context *context)
{
	struct verdict *v = context->verdict;
	__u32 at, len;
	__u8 c = '/';

	if (!v || !context->profile)
		return 1;
	at = v->condition.at;
	len = v->glob.name_len;
	if (at > v->exe_len || (v->position.entry.flags & HT_ENTRY_FINAL))
		return 1;
	if (at < v->exe_len)
		c = v->exe[at & (HT_TEXT_EXE_MAX - 1)];
	v->condition.at = at + 1;
	if (c != '/') {
		v->walk.name[len & HT_NAME_MAX] = c;
		v->glob.name_len = len + 1;
		return 0;
	}
	if (!len)
		return 0;
	if (!automaton_follow(v, context->profile, walk_hash(v, len), 0))
		return 1;
	v->glob.name_len = 0;
	return 0;
}

/* Which exe conditions of the slot's profile does the task's program meet? Keeps the position of the object. By itself, so that
 * the verifier follows it once. */
__global __u64 condition_exe(struct verdict *v, __u32 slot)
{
	void *profile = v ? profile_get(v->profiles[slot & (HT_PROFILES_MAX - 1)], v->half) : NULL;
	struct condition_context context = { .verdict = v, .profile = profile };
	struct ht_edge_key key = {};
	struct ht_entry *e;
	__u64 mask = 0;

	if (!v || !profile || !v->exe_len || v->exe_flags || v->exe_len > HT_TEXT_EXE_MAX ||
	    bpf_probe_read_kernel(v->exe, sizeof(v->exe),
				  (void *)(v->label + offsetof(struct label, exe))) < 0 ||
	    v->exe[0] != '/')
		return 0;
	v->condition.kept = v->position;
	if (automaton_start(v, profile, HT_EDGE_START)) {
		v->condition.at = 0;
		v->glob.name_len = 0;
		bpf_loop(HT_TEXT_EXE_MAX + 1, condition_step, &context, 0);
		if (!v->position.damaged && (v->position.entry.flags & HT_ENTRY_EXE)) {
			key.state = v->position.entry.next;
			key.kind = HT_EDGE_EXE;
			e = profile_entry(profile, &key);
			mask = e ? e->rule : 0;
		}
	}
	v->position = v->condition.kept;
	return mask;
}

/* Put down what the subject meets of a profile's conditions. */
static __always_inline int condition_subject(struct verdict *v, void *profile, __u32 slot, __u32 stamp)
{
	struct ht_edge_key key = { .kind = HT_EDGE_UID };
	struct ht_entry *e;

	if (!v || !profile)
		return 0;
	slot &= HT_PROFILES_MAX - 1;
	if (!v->met_read) {
		if (bpf_probe_read_kernel(&v->met, sizeof(v->met),
					  (void *)(v->label + offsetof(struct label, met))) < 0)
			__builtin_memset(v->met.stamps, 0, sizeof(v->met.stamps));
		v->met_read = 1;
	}
	if (v->met.stamps[slot] != stamp || !stamp) {
		v->met.masks[slot] = condition_exe(v, slot);
		v->met.stamps[slot] = stamp;
		v->met_new = 1;
	}
	v->condition.exe = v->met.masks[slot];
	key.name = (__u32)bpf_get_current_uid_gid();
	e = profile_entry(profile, &key);
	v->condition.uid = e ? e->rule : 0;
	return 0;
}

static __always_inline bool condition_met(struct verdict *v, const struct ht_entry *cond)
{
	__u32 exe = cond->next, uid = cond->flags;

	if (exe != HT_COND_NONE && !(v->condition.exe >> (exe & 63) & 1))
		return false;
	return uid == HT_COND_NONE || (v->condition.uid >> (uid & 63) & 1);
}
