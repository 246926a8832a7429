/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* A directory of its own for each test, and files in it. */

#include <check.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tests/unit/runner.h"
#include "util/fd.h"

static char root[64];

static void place_make(void)
{
	(void)strcpy(root, "/tmp/haetae-container-XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(root));
}

static void place_remove(void)
{
	char command[128];

	(void)snprintf(command, sizeof(command), "rm -rf '%s'", root);
	ck_assert_int_eq(system(command), 0);
}

static inline void put_bytes(const char *path, const void *data, size_t len)
{
	char full[512];
	char *slash;
	int fd;

	(void)snprintf(full, sizeof(full), "%s%s", root, path);
	slash = strrchr(full, '/');
	*slash = '\0';
	ck_assert_int_eq(mkdir_parents(full, 0755), 0);
	*slash = '/';
	fd = open(full, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(write(fd, data, len), (ssize_t)len);
	ck_assert_int_eq(close(fd), 0);
}

static inline void put(const char *path, const char *text)
{
	put_bytes(path, text, strlen(text));
}
