/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#pragma once

/*
 * Where verdicts are made.
 *
 * A verdict takes some 3 KB beyond the stack. In the label of a task each fork would pay for clearing and copying it, so there
 * are places for it: a few for each CPU, claimed by compare-and-swap. A program on a hook can be preempted, and then others on its CPU
 * come to be judged, so a place is owned until it is given back. Where all places of the CPU are taken one is made in a map, for
 * the length of the hook, and where that fails too the act is refused and counted: governed tasks alone come here.
 *
 * Whoever takes a place gives it back in the same function, behind a call that does the work. A hook that needs one over
 * several verdicts holds it (label.held), and the judge works in it.
 */

#include "config.bpf.h"
#include "subject.bpf.h"

#define HELD_SPARE (~0U)

/* A place of this CPU. Return: NULL if all are taken. What needs no verdict can do without one. */
static __always_inline struct verdict *pool_claim(void)
{
	__u32 cpu = bpf_get_smp_processor_id(), i;

#pragma clang loop unroll(disable)
	for (i = 0; i < HT_VERDICTS_PER_CPU; i++) {
		__u32 index = cpu * HT_VERDICTS_PER_CPU + i;
		struct verdict *v = bpf_map_lookup_elem(&verdicts, &index);

		if (v && __sync_val_compare_and_swap(&v->taken, POOL_FREE, POOL_TAKEN) == POOL_FREE) {
			v->number = index;
			return v;
		}
	}
	return NULL;
}

/* By itself, as it is rare. What such a place begins with is as little to be relied on as what a former verdict left in one of the pool, so
 * it is a copy of one of those. Return: 0; -errno. */
__global int pool_spare_make(__u64 task)
{
	struct ht_ledger *led = ledger_get();
	__u32 first = 0;
	struct verdict *from = bpf_map_lookup_elem(&verdicts, &first);
	int r = from ? map_update(&spare_verdicts, &task, from, BPF_ANY) : -ENOMEM;

	if (led)
		__sync_fetch_and_add(r < 0 ? &led->verdicts_refused : &led->verdicts_spare, 1);
	return r;
}

static __always_inline struct verdict *pool_spare(__u64 task)
{
	return bpf_map_lookup_elem(&spare_verdicts, &task);
}

/* A place, wherever there is room. Return: NULL if there is none. */
static __always_inline struct verdict *pool_take(void)
{
	struct verdict *v = pool_claim();
	__u64 task;

	if (v)
		return v;
	task = bpf_get_current_task();
	v = pool_spare_make(task) < 0 ? NULL : pool_spare(task);
	if (v)
		v->taken = POOL_SPARE;
	return v;
}

static __always_inline void pool_give(struct verdict *v)
{
	__u64 task;

	if (*(volatile __u32 *)&v->taken != POOL_SPARE) {
		__sync_lock_test_and_set(&v->taken, POOL_FREE);
		return;
	}
	task = bpf_get_current_task();
	(void)map_delete(&spare_verdicts, &task);
}

/* Take a place over several verdicts of the current task. Return: NULL: there is none. */
static __always_inline struct verdict *pool_hold(struct label *l)
{
	struct verdict *v = pool_take();

	if (v)
		l->held = v->taken == POOL_SPARE ? HELD_SPARE : v->number + 1;
	return v;
}

static __always_inline void pool_let_go(struct label *l, struct verdict *v)
{
	l->held = 0;
	pool_give(v);
}

/* The place that the hook holds. */
static __always_inline struct verdict *pool_held(__u32 held)
{
	__u32 index = held - 1;

	if (held == HELD_SPARE)
		return pool_spare(bpf_get_current_task());
	return bpf_map_lookup_elem(&verdicts, &index);
}

/* No place: of what was to be told nothing is. */
static __noinline __attribute__((unused)) void pool_lose(__u32 verdict)
{
	struct ht_ledger *led = ledger_get();

	if (!led)
		return;
	verdict &= HT_VERDICT_SLOTS - 1;
	__sync_fetch_and_add(&led->counted[verdict], 1);
	__sync_fetch_and_add(&led->lost[verdict], 1);
	__sync_fetch_and_add(&led->failures[verdict == HT_VERDICT_DENY ? HT_REASON_LABEL : HT_REASON_NONE], 1);
}

/* No place: an act of a governed task that nobody can judge is refused. Return: -EPERM. */
static __always_inline int pool_refuse(void)
{
	pool_lose(HT_VERDICT_DENY);
	return -EPERM;
}

/* What governs the task. A publish adds what is new before it takes away what goes, but a copy that is made meanwhile could have neither:
 * then the number of the set has changed. */
static __always_inline void verdict_profiles(struct verdict *v, struct label *l)
{
	__u64 set;
	__u32 i;

#pragma clang loop unroll(disable)
	for (i = 0; i < 2; i++) {
		set = *(volatile __u64 *)&l->set;
		asm volatile("" ::: "memory");
		__builtin_memcpy(v->profiles, l->profiles, sizeof(v->profiles));
		__builtin_memcpy(v->origins, l->origins, sizeof(v->origins));
		v->slots = l->slots; /* after the profiles that these are */
		asm volatile("" ::: "memory");
		if (*(volatile __u64 *)&l->set == set)
			return;
	}
}

/* Whose act it is. */
static __always_inline void verdict_subject(struct verdict *v, struct label *l)
{
	v->label = (__u64)l;
	verdict_profiles(v, l);
	v->fresh = l->fresh;
	v->cgroup = l->cgroup;
	v->exec_id = l->exec_id;
	v->exe_flags = l->exe_flags;
	v->exe_len = l->exe_len;
	v->met_read = 0;
	v->met_new = 0;
	v->reuse = 0;
	v->again = 0;
}
