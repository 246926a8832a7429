/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#pragma once

/*
 * The subject: the label of a task, and how a task comes to have one.
 *
 * A task that was moved or started into a governed cgroup from outside is the runtime at work; it is
 * bound by its first exec there, and that exec is judged. Whatever a bound task forks is bound from
 * birth. A label is never taken away by what the task does.
 */

#include "maps.bpf.h"
#include "mix.bpf.h"

/* A pointer as a number. Arithmetic on kernel pointers is refused to programs, their distance from a fixed place is
 * not. */
static __always_inline __u64 number_of(__u64 pointer, const void *from)
{
	asm volatile("%0 -= %1" : "+r"(pointer) : "r"(from));
	return pointer;
}

static __always_inline __u64 current_task(void)
{
	return (__u64)bpf_get_current_task_btf();
}

/* Where the word of a task is. task: a pointer to the verifier, as current_task() and the arguments of programs are. */
static __always_inline __u32 governed_index(__u64 task)
{
	/* task_structs are far apart: the low bits say nothing */
	return (__u32)((number_of(task, governed_get()) >> 6) * 2654435761U) >> 16;
}

static __always_inline __u64 *governed_word(__u64 task)
{
	return &governed_get()->words[governed_index(task)];
}

/* A label comes (1), goes (-1), or changes (0). */
static __always_inline void governed_note(__u64 *word, int difference)
{
	__sync_fetch_and_add(word, GOVERNED_CHANGE + difference);
}

/* The word of a task. Return: its low half is 0 for a task that certainly has no label. */
static __always_inline __u64 governed_at(__u32 index)
{
	return *(volatile __u64 *)&governed_get()->words[index & (GOVERNED_WORDS - 1)];
}

static __always_inline __u64 governed_look(__u64 task)
{
	return governed_at(governed_index(task));
}

/* A task as tags know it, by its word. */
struct subject_tags {
	__u64 task;   /* and the state of its label */
	__u64 shared; /* the set of its profiles, for all tasks that have it; where that is not told here, as task */
};

/* The set of a label as tags know it. */
static __always_inline __u64 subject_set(struct label *l)
{
	return *(volatile __u64 *)&l->set ^ ht_key0;
}

static __always_inline void subject_read(struct subject_tags *ret, __u64 task, __u32 index, __u64 word)
{
	struct governed *g = governed_get();
	const volatile struct governed_set *s = &g->sets[index & (GOVERNED_WORDS - 1)];
	__u64 set = s->set;

	ret->task = memo_mix2(set ^ ht_key1, word, number_of(task, g));
	ret->shared = set ^ ((set ^ ret->task) & -differ(ret->task, s->check));
}

/* Tell the set of a label that is in place, unless its word counts others, too. The word is read before the set: who changes the
 * set moves the word after that. */
static __always_inline void subject_tell(__u64 task, struct label *l)
{
	struct governed *g = governed_get();
	__u32 index = governed_index(task);
	volatile struct governed_set *s = &g->sets[index & (GOVERNED_WORDS - 1)];
	__u64 word = *(volatile __u64 *)&g->words[index & (GOVERNED_WORDS - 1)];
	__u64 set = subject_set(l);

	if ((__u32)word != 1)
		return;
	s->set = set;
	s->check = memo_mix2(set ^ ht_key1, word, number_of(task, g));
}

static __always_inline struct label *label_find(__u64 task)
{
	struct label *l = bpf_map_lookup_elem(&labels, &task);

	if (!l || l->state != LABEL_LIVE)
		return NULL;
	return l;
}

static __always_inline struct label *label_of(__u64 task)
{
	return (__u32)governed_look(task) ? label_find(task) : NULL;
}

static __always_inline struct label *label_current(void)
{
	return label_of(current_task());
}

/* What a profile adds to the number of a set of profiles: the same whatever the order. Objects are known by what they
 * are for each cgroup, so one profile that two cgroups bound is two. */
static __always_inline __u64 label_set_of(__u32 profile, __u64 cgroup)
{
	__u64 x = ((profile + 1ULL) << 40 ^ cgroup) * 0x9e3779b97f4a7c15ULL;

	x = (x ^ x >> 31) * 0xbf58476d1ce4e5b9ULL;
	return x ^ x >> 29;
}

/* What binding came to. */
#define BIND_ADDED 1U  /* a profile was added to the label */
#define BIND_FAILED 2U /* a profile that governs could not be, or the hierarchy could not be read */

struct label_add_context {
	struct label *label;
	__u64 cgroup;
	__u32 profile;
	__u32 result; /* BIND_* */
};

static long label_add_step(__u32 index, struct label_add_context *context)
{
	struct label *l = context->label;
	__u32 slot = index & (HT_PROFILES_MAX - 1);
	__u32 old;

	if (!l)
		return 1;
	old = l->profiles[slot];
	if (!old)
		old = __sync_val_compare_and_swap(&l->profiles[slot], 0, context->profile);
	if (!old) {
		__sync_fetch_and_or(&l->slots, 1U << slot);
		l->origins[slot] = context->cgroup;
		__sync_fetch_and_add(&l->set, label_set_of(context->profile, context->cgroup));
		context->result = BIND_ADDED;
		return 1;
	}
	if (old == context->profile) {
		context->result = 0;
		return 1;
	}
	return 0;
}

/* Add a profile. Return: BIND_ADDED; 0: it had it; BIND_FAILED: no free slot. */
__global __u32 label_add(struct label *l, __u64 cgroup, __u32 profile)
{
	struct label_add_context context = {
		.label = l,
		.cgroup = cgroup,
		.profile = profile,
		.result = BIND_FAILED,
	};

	if (!l)
		return BIND_FAILED;
	bpf_loop(HT_PROFILES_MAX, label_add_step, &context, 0);
	return context.result;
}

/* Has a label any profile? Whoever put it there: the iterator can be faster than the task itself. */
static __always_inline bool label_governs(const struct label *l)
{
	__u32 any = 0, i;

#pragma clang loop unroll(full)
	for (i = 0; i < HT_PROFILES_MAX; i++)
		any |= *(const volatile __u32 *)&l->profiles[i];
	return any;
}

/* Put a label in place. Return: it; NULL if it could not be stored. */
static __always_inline struct label *label_store(__u64 task, const struct label *from)
{
	__u64 *word = governed_word(task), key = task;
	struct label *l;
	int r;

	/* First the count, then the label: nobody may believe that there is none. */
	governed_note(word, 1);
	r = map_update(&labels, &key, from, BPF_NOEXIST);
	if (r == -EEXIST) {
		governed_note(word, -1);
		l = label_find(key);
		if (l)
			return l; /* the iterator and the task itself, at one time */
		r = map_update(&labels, &key, from, BPF_ANY); /* one that could not be deleted */
		return r < 0 ? NULL : bpf_map_lookup_elem(&labels, &key);
	}
	l = r < 0 ? NULL : bpf_map_lookup_elem(&labels, &key);
	if (!l)
		governed_note(word, -1);
	return l;
}

/* Make a new label from a template. Return: NULL if it could not be stored. */
static __always_inline struct label *label_new(__u64 task, __u32 template)
{
	struct label *from = bpf_map_lookup_elem(&label_templates, &template), *l;

	if (!from)
		return NULL;
	l = label_store(task, from);
	if (l)
		l->state = LABEL_LIVE;
	return l;
}

static __always_inline void label_delete(__u64 task)
{
	__u64 *word = governed_word(task), key = task;
	struct label *l;

	if (!(__u32)*(volatile __u64 *)word)
		return;
	l = bpf_map_lookup_elem(&labels, &key);
	if (!l)
		return;
	l->state = LABEL_DEAD;
	if (map_delete(&labels, &key) == 0)
		governed_note(word, -1);
}
