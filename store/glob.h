/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Wildcards over raw bytes, for filters: `*` is any run (slashes too), `?` one byte (as in policies),
 * `[a-z]` and `[!a-z]` one byte of a set, a backslash takes the next one as it is. An unfinished set is
 * taken literally.
 */

#include <sqlite3.h>
#include <stdbool.h>
#include <stddef.h>

/* Is all of the text what the pattern says? Takes time in proportion to the product of both lengths at most. */
bool glob_match(const void *pattern, size_t pattern_len, const void *text, size_t text_len);

/* Make haetae_glob(pattern, value) known to a connection: 1 if a BLOB or TEXT matches, 0 if not or if it
 * is NULL. Return: SQLite code. */
int glob_register(sqlite3 *db);
