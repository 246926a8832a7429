/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#pragma once

/*
 * Words mixed into one number, a tag. What goes in is an address's distance, a counter, or such a number, and the first of it has a
 * key of the load in it: nobody outside the kernel chooses or knows them.
 */

#define MEMO_FACTOR 0x9e3779b97f4a7c15ULL
#define MEMO_FACTOR2 0xbf58476d1ce4e5b9ULL

static __always_inline __u64 memo_mix(__u64 h, __u64 v)
{
	h = (h ^ v) * MEMO_FACTOR;
	return h ^ h >> 32;
}

/* Are they two? Return: 1, 0; without a branch, as each one is two ways on for the verifier. */
static __always_inline __u64 differ(__u64 a, __u64 b)
{
	a ^= b;
	a = (a | -a) >> 63;
	asm volatile("" : "+r"(a)); /* or the compiler would make a branch of it */
	return a;
}

/* Two more words into a tag. */
static __always_inline __u64 memo_mix2(__u64 h, __u64 a, __u64 b)
{
	h = (h ^ a) * MEMO_FACTOR + b * MEMO_FACTOR2;
	return h ^ h >> 32;
}
