/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#pragma once

/*
 * SipHash-1-3 over one path component, eight bytes a step: the name of an edge in a profile.
 *
 * The 128-bit key is drawn by the agent at first start and lives in the programs' read-only data and
 * in the agent alone, so nobody can choose names that collide; by chance two names of one directory
 * collide once in 2^64. The state is stepped by the caller, because the kernel half reads names word
 * by word inside bpf_loop(): init, one step per full word, finish with the last (partial) word.
 */

#include "abi.h"

struct ht_siphash {
	__u64 v0, v1, v2, v3;
};

struct ht_hash_key {
	__u64 k0, k1;
};

#define HT_ROTL64(x, b) (((x) << (b)) | ((x) >> (64 - (b))))

#define HT_SIPROUND(s)                              \
	do {                                        \
		(s)->v0 += (s)->v1;                 \
		(s)->v1 = HT_ROTL64((s)->v1, 13);   \
		(s)->v1 ^= (s)->v0;                 \
		(s)->v0 = HT_ROTL64((s)->v0, 32);   \
		(s)->v2 += (s)->v3;                 \
		(s)->v3 = HT_ROTL64((s)->v3, 16);   \
		(s)->v3 ^= (s)->v2;                 \
		(s)->v0 += (s)->v3;                 \
		(s)->v3 = HT_ROTL64((s)->v3, 21);   \
		(s)->v3 ^= (s)->v0;                 \
		(s)->v2 += (s)->v1;                 \
		(s)->v1 = HT_ROTL64((s)->v1, 17);   \
		(s)->v1 ^= (s)->v2;                 \
		(s)->v2 = HT_ROTL64((s)->v2, 32);   \
	} while (0)

static inline __attribute__((always_inline)) void ht_siphash_init(struct ht_siphash *s,
								  __u64 k0, __u64 k1)
{
	s->v0 = k0 ^ 0x736f6d6570736575ULL; /* constants of the SipHash paper, section 2.1 */
	s->v1 = k1 ^ 0x646f72616e646f6dULL;
	s->v2 = k0 ^ 0x6c7967656e657261ULL;
	s->v3 = k1 ^ 0x7465646279746573ULL;
}

static inline __attribute__((always_inline)) void ht_siphash_word(struct ht_siphash *s, __u64 word)
{
	s->v3 ^= word;
	HT_SIPROUND(s);
	s->v0 ^= word;
}

/* tail: the last len % 8 bytes, little endian, upper bytes zero. len: of the whole name. */
static inline __attribute__((always_inline)) __u64 ht_siphash_finish(struct ht_siphash *s,
								     __u64 tail, __u64 len)
{
	ht_siphash_word(s, tail | (len << 56));
	s->v2 ^= 0xff;
	HT_SIPROUND(s);
	HT_SIPROUND(s);
	HT_SIPROUND(s);
	return s->v0 ^ s->v1 ^ s->v2 ^ s->v3;
}

#ifndef __bpf__
#include <endian.h>
#include <stddef.h>
#include <string.h>

/* Hash of one component as the kernel half computes it. name need not be terminated. */
static inline __u64 ht_hash_name(const struct ht_hash_key *key, const void *name, size_t len)
{
	const unsigned char *p = name;
	struct ht_siphash s;
	__u64 word = 0;
	size_t rest = len;

	ht_siphash_init(&s, key->k0, key->k1);
	for (; rest >= 8; p += 8, rest -= 8) {
		memcpy(&word, p, 8);
		ht_siphash_word(&s, le64toh(word));
	}
	word = 0;
	memcpy(&word, p, rest);
	return ht_siphash_finish(&s, le64toh(word), len);
}
#endif
