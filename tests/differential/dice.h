/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* Random numbers that follow from a seed alone. */

#include <stdbool.h>
#include <stdint.h>

struct dice {
	uint64_t state;
};

static inline uint64_t dice_next(struct dice *d)
{
	uint64_t z = d->state += 0x9e3779b97f4a7c15ULL; /* splitmix64 */

	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ULL;
	z = (z ^ (z >> 27)) * 0x94d049bb133111ebULL;
	return z ^ (z >> 31);
}

/* 0 to n - 1; n > 0. */
static inline uint32_t dice_below(struct dice *d, uint32_t n)
{
	return (uint32_t)(dice_next(d) >> 33) % n;
}

/* In `percent` of a hundred cases. */
static inline bool dice_chance(struct dice *d, uint32_t percent)
{
	return dice_below(d, 100) < percent;
}
