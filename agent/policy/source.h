/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Policy directories and files as they come from the disk, checked on the open descriptor. Private
 * to the room.
 */

#include <stddef.h>

#include "policy/diag.h"

/* Outcomes. */
#define SOURCE_E_MISSING 1 /* there is nothing of that name */
#define SOURCE_E_REFUSED 2 /* not to be trusted or not readable; reported */
#define SOURCE_E_MASKED 3  /* a link to /dev/null, or an empty file */

/* Open a policy directory. No component of its path may be a symbolic link; it and every directory
 * above must belong to root or to the effective user, and nobody else may write there (above it a
 * sticky directory will do). Return: 0, SOURCE_E_MISSING, SOURCE_E_REFUSED, -ENOMEM. */
int source_open_dir(const char *path, struct diag_list *diags, int *ret_fd);
/* Read a file of it. path: as the user knows it, for diagnostics.
 * Return: 0 and the content (free() it), SOURCE_E_*, -ENOMEM. */
int source_read(int dir_fd, const char *name, const char *path, struct diag_list *diags,
		char **ret_data, size_t *ret_len);
