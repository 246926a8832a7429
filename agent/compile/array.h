/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* Growing arrays of plain values, shared by the files of this room. */

#include <errno.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

/* Make room for `need` elements of `width` bytes. *size counts elements. Return: 0 or -ENOMEM. */
static inline int array_reserve_bytes(void **array, size_t *size, size_t need, size_t width)
{
	size_t n = *size ? *size : 16, bytes;
	void *p;

	if (need <= *size)
		return 0;
	while (n < need)
		if (__builtin_mul_overflow(n, (size_t)2, &n))
			return -ENOMEM;
	if (__builtin_mul_overflow(n, width, &bytes))
		return -ENOMEM;
	p = realloc(*array, bytes);
	if (!p)
		return -ENOMEM;
	*array = p;
	*size = n;
	return 0;
}

/* array: lvalue of pointer type; size: its capacity in elements. */
#define array_reserve(array, size, need)                                                           \
	({                                                                                         \
		void *_array = (array);                                                            \
		int _r = array_reserve_bytes(&_array, &(size), (need), sizeof((array)[0]));        \
                                                                                                   \
		(array) = _array;                                                                  \
		_r;                                                                                \
	})

static inline int u32_compare(const void *a, const void *b)
{
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

	return x < y ? -1 : x > y;
}

static inline int u64_compare(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return x < y ? -1 : x > y;
}

/* Rising order. Most come sorted: patterns are added in order. */
static inline void u32_sort(uint32_t *v, size_t n)
{
	for (size_t i = 1; i < n; i++)
		if (v[i - 1] > v[i]) {
			qsort(v, n, sizeof(*v), u32_compare);
			return;
		}
}

static inline void u64_sort(uint64_t *v, size_t n)
{
	for (size_t i = 1; i < n; i++)
		if (v[i - 1] > v[i]) {
			qsort(v, n, sizeof(*v), u64_compare);
			return;
		}
}
