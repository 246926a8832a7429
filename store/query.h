/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* The reading connection, shared by reader.c, query.c and verify.c. */

#include <sqlite3.h>

#include "store/store.h"

struct store_reader {
	char *path;
	sqlite3 *db;
};

/* The writer may have set the database aside and begun a new one under the same path: go on with that. Or it may be a newer one,
 * which migrated it. Return: 0; -EINVAL: it is of another version now; other negative errno. */
int store_reader_refresh(struct store_reader *reader);
