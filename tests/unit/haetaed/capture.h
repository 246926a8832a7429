/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* What is written to standard error meanwhile. */

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "util/fd.h"

struct capture {
	int saved;
	int fd; /* of what stands in for standard error, owned */
};

static inline void capture_to(struct capture *c, int fd)
{
	c->fd = fd;
	c->saved = dup(STDERR_FILENO);
	ck_assert_int_ge(c->saved, 0);
	ck_assert_int_ge(dup2(fd, STDERR_FILENO), 0);
}

static inline void capture_start(struct capture *c)
{
	int fd = memfd_create("stderr", MFD_CLOEXEC);

	ck_assert_int_ge(fd, 0);
	capture_to(c, fd);
}

static inline void capture_end(struct capture *c)
{
	ck_assert_int_ge(dup2(c->saved, STDERR_FILENO), 0);
	(void)close(c->saved);
}

/* Return: what was written, malloc'd. */
static inline char *capture_take(struct capture *c)
{
	char *text = NULL;
	size_t len;

	capture_end(c);
	ck_assert_int_eq(lseek(c->fd, 0, SEEK_SET), 0);
	ck_assert_int_eq(fd_read_all(c->fd, 64U << 20, &text, &len), 0);
	(void)close(c->fd);
	return text;
}
