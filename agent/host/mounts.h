/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* The table of mounts. Inside the host room only. */

#include <stdbool.h>
#include <stddef.h>

#include "util/cleanup.h"

struct mount {
	const char *point; /* unescaped; points into the table's text, like the type */
	const char *type;
	bool read_only;
};

struct mounts {
	char *text;
	struct mount *items;
	size_t n;
};

/* Return: 0, -ENOMEM, errors of reading root_dir/proc/self/mountinfo. */
int mounts_read(const char *root_dir, struct mounts *ret);
void mounts_deinit(struct mounts *m);
/* What is seen at a mount point (the topmost mount there); NULL: nothing is mounted there. */
const struct mount *mounts_at(const struct mounts *m, const char *point);
/* A visible mount of a type, the one at `preferred` first (may be NULL); NULL: none. */
const struct mount *mounts_of_type(const struct mounts *m, const char *type, const char *preferred);
