/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* The reading connection, shared by query.c and verify.c. */

#include <sqlite3.h>

#include "store/store.h"

struct store_reader {
	char *path;
	sqlite3 *db;
};
