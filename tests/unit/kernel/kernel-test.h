/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* What the tests of the kernel room share: a directory, and a kernel object that holds nothing. */

#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "kernel/internal.h"
#include "tests/unit/runner.h"
#include "util/cleanup.h"
#include "util/fd.h"

struct place {
	char dir[64];
};

static inline struct place place_new(void)
{
	struct place place = {.dir = "/tmp/haetae-kernel-XXXXXX"};

	ck_assert_ptr_nonnull(mkdtemp(place.dir));
	return place;
}

static inline void place_free(struct place *place)
{
	char command[128];

	(void)snprintf(command, sizeof(command), "rm -rf '%s'", place->dir);
	ck_assert_int_eq(system(command), 0);
}

/* A file with these bytes. */
static inline void place_put(const struct place *place, const char *name, const void *data,
			     size_t size)
{
	char path[4096];
	FILE *file;

	(void)snprintf(path, sizeof(path), "%s/%s", place->dir, name);
	file = fopen(path, "we");
	ck_assert_ptr_nonnull(file);
	ck_assert_uint_eq(fwrite(data, 1, size, file), size);
	ck_assert_int_eq(fclose(file), 0);
}

/* A directory below, with its parents. Return: its inode number. */
static inline uint64_t place_mkdir(const struct place *place, const char *name)
{
	char path[4096];
	struct stat st;

	(void)snprintf(path, sizeof(path), "%s/%s", place->dir, name);
	ck_assert_int_eq(mkdir_parents(path, 0755), 0);
	ck_assert_int_eq(stat(path, &st), 0);
	return st.st_ino;
}

static inline void place_touch(const struct place *place, const char *name)
{
	char path[4096];
	int fd;

	(void)snprintf(path, sizeof(path), "%s/%s", place->dir, name);
	fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	ck_assert_int_ge(fd, 0);
	(void)close(fd);
}

static inline bool place_has(const struct place *place, const char *name)
{
	char path[4096];

	(void)snprintf(path, sizeof(path), "%s/%s", place->dir, name);
	return access(path, F_OK) == 0;
}
