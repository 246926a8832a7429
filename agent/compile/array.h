/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* Growing arrays of plain values, shared by the files of this room. */

#include <errno.h>
#include <stddef.h>
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
