/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* Ownership at scope: _cleanup_(f) calls f(&variable) when the variable leaves its scope. */

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define _cleanup_(f) __attribute__((cleanup(f)))
#define _printf_(a, b) __attribute__((format(printf, a, b)))

#define _cleanup_free_ _cleanup_(cleanup_free)
#define _cleanup_close_ _cleanup_(cleanup_close)
#define _cleanup_fclose_ _cleanup_(cleanup_fclose)
#define _cleanup_closedir_ _cleanup_(cleanup_closedir)

static inline void cleanup_free(void *p)
{
	free(*(void **)p);
}

static inline void cleanup_close(int *fd)
{
	if (*fd >= 0)
		(void)close(*fd);
}

static inline void cleanup_fclose(FILE **f)
{
	if (*f)
		(void)fclose(*f);
}

static inline void cleanup_closedir(DIR **d)
{
	if (*d)
		(void)closedir(*d);
}

/* DEFINE_CLEANUP(struct policy *, policy_freep, policy_free): a cleanup for pointers of a type. */
#define DEFINE_CLEANUP(type, name, func)          \
	static inline void name(type *p)          \
	{                                         \
		if (*p)                           \
			(void)func(*p);           \
	}

/* Hand over ownership: the variable is NULL (or -EBADF) afterwards. */
#define steal_ptr(p)                              \
	({                                        \
		__typeof__(p) *_pp = &(p);        \
		__typeof__(p) _v = *_pp;          \
		*_pp = NULL;                      \
		_v;                               \
	})

static inline int steal_fd(int *fd)
{
	int v = *fd;

	*fd = -1;
	return v;
}

#define ARRAY_LEN(a) (sizeof(a) / sizeof((a)[0]))
