/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* The database file: open, settings, migration, setting aside. */

#include <sqlite3.h>
#include <stdint.h>

#include "util/cleanup.h"

DEFINE_CLEANUP(sqlite3_stmt *, sqlite3_finalizep, sqlite3_finalize)
DEFINE_CLEANUP(sqlite3 *, sqlite3_closep, sqlite3_close_v2)

/* Outcomes of opening. The file is not what this version can use, and cannot become it: */
#define DB_E_DAMAGED 1 /* damaged, or another program's database */
#define DB_E_NEWER 2   /* written by a newer version */
#define DB_E_OLDER 3   /* reading only: not migrated yet */
#define DB_E_EMPTY 4   /* reading only: nothing was written yet */

/* How long a statement waits for another program's. Longer than any commit takes. */
#define DB_BUSY_MS 2000

/* An SQLite code as negative errno; -EBADMSG says damaged. SQLITE_OK, ROW and DONE are 0. */
int db_errno(int rc);

/* Run statements that return nothing of interest. Return: SQLite code. */
int db_exec(sqlite3 *db, const char *sql);
/* The first column of the first row, 0 if there is none. Return: SQLite code, SQLITE_OK if read. */
int db_value(sqlite3 *db, const char *sql, int64_t *ret);
int db_prepare(sqlite3 *db, const char *sql, sqlite3_stmt **ret);

/* Settings of the writing connection. */
struct db_settings {
	int wal_pages;	   /* checkpoint when the log has so many pages */
	int64_t wal_keep;  /* bytes of log file kept for reuse after a checkpoint */
	unsigned check_ms; /* look for damage for at most so long, 0: not at all */
};

/* Open for writing: create (mode 0600) if it does not exist, look for damage, migrate.
 * Return: 0; DB_E_DAMAGED, DB_E_NEWER; negative errno (try again later). *reterr_text tells why
 * (NULL if memory is out). */
int db_open_writer(const char *path, const struct db_settings *settings, sqlite3 **ret,
		   char **reterr_text);
/* Open for reading. Return: 0; -ENOENT; any DB_E_*; negative errno, with *reterr_text. */
int db_open_reader(const char *path, sqlite3 **ret, char **reterr_text);

/* Apply steps[user_version..n_steps), each in its own transaction together with the new
 * user_version. Return: 0; DB_E_NEWER; DB_E_DAMAGED; negative errno; nothing of a failed step
 * stays. */
int db_migrate(sqlite3 *db, const char *const *steps, unsigned n_steps);

/* Rename the database and its log to "PATH.REASON-TIME", so that a new one can begin. No connection
 * may be open. Return: 0, *ret_path is the new name; negative errno. */
int db_set_aside(const char *path, const char *reason, char **ret_path);
