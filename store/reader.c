/* SPDX-License-Identifier: Apache-2.0 */

/* The life of a reading connection. */

#include "store/query.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "store/sqlite.h"
#include "util/cleanup.h"

static int reader_errno(int r)
{
	switch (r) {
	case DB_E_EMPTY:
		return -ENOENT;
	case DB_E_DAMAGED:
	case DB_E_NEWER:
	case DB_E_OLDER:
		return -EINVAL;
	default:
		return r;
	}
}

int store_reader_open(const char *path, struct store_reader **ret, char **reterr_text)
{
	struct store_reader *reader = calloc(1, sizeof(*reader));
	int r;

	if (!reader) {
		*reterr_text = NULL;
		return -ENOMEM;
	}
	reader->path = strdup(path);
	if (!reader->path) {
		*reterr_text = NULL;
		free(reader);
		return -ENOMEM;
	}
	r = db_open_reader(path, &reader->db, reterr_text);
	if (r != 0) {
		(void)store_reader_close(reader);
		return reader_errno(r);
	}
	*ret = reader;
	return 0;
}

struct store_reader *store_reader_close(struct store_reader *reader)
{
	if (!reader)
		return NULL;
	(void)sqlite3_close_v2(reader->db);
	free(reader->path);
	free(reader);
	return NULL;
}

/* What another version means by the same tables is not known. */
static int version_check(struct store_reader *reader)
{
	int64_t version = 0;
	int rc = db_value(reader->db, "PRAGMA user_version", &version);

	if (rc != SQLITE_OK)
		return db_errno(rc);
	return version == STORE_SCHEMA_VERSION ? 0 : -EINVAL;
}

int store_reader_refresh(struct store_reader *reader)
{
	_cleanup_free_ char *text = NULL;
	sqlite3 *db = NULL;
	int moved = 0, r;

	if (sqlite3_file_control(reader->db, "main", SQLITE_FCNTL_HAS_MOVED, &moved) != SQLITE_OK ||
	    !moved)
		return version_check(reader);
	r = db_open_reader(reader->path, &db, &text);
	if (r == DB_E_EMPTY || r == -ENOENT)
		return 0; /* not begun yet: the old one is still good to read */
	if (r != 0)
		return reader_errno(r);
	(void)sqlite3_close_v2(reader->db);
	reader->db = db;
	return 0;
}
