/* SPDX-License-Identifier: Apache-2.0 */

/*
 * The database file: open, settings, migration, setting aside (format: schema.h).
 *
 * Write-ahead log with synchronous=FULL: each commit is forced to the disk before it is told as
 * committed, so a power cut takes no refusal that the ledger calls stored. Commits are batches (ten a
 * second when little happens, thousands of rows each when much does), which is why the price of a
 * flush does not matter: bench-store shows it. With NORMAL a power cut takes the tail; that is for
 * batches of what is allowed, which come all the time (sink.c).
 */

#include "store/sqlite.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#include "store/bundle.h"
#include "store/glob.h"
#include "store/schema.h"
#include "store/store.h"

_Static_assert(ARRAY_LEN(schema_steps) == STORE_SCHEMA_VERSION, "each version has its step");
_Static_assert(BUNDLE_SPAN == 4096 && BUNDLE_MINUTE_US == 60000000, "step 3 has them as numbers: others are another version");

/* Virtual machine steps between two looks at the clock during the search for damage. */
#define CHECK_STEPS 10000

int db_errno(int rc)
{
	switch (rc & 0xff) {
	case SQLITE_OK:
	case SQLITE_ROW:
	case SQLITE_DONE:
		return 0;
	case SQLITE_NOMEM:
		return -ENOMEM;
	case SQLITE_FULL:
		return -ENOSPC;
	case SQLITE_READONLY:
		return -EROFS;
	case SQLITE_CORRUPT:
	case SQLITE_NOTADB:
		return -EBADMSG;
	case SQLITE_BUSY:
	case SQLITE_LOCKED:
		return -EBUSY;
	case SQLITE_PERM:
	case SQLITE_AUTH:
		return -EACCES;
	case SQLITE_TOOBIG:
		return -E2BIG;
	case SQLITE_INTERRUPT:
		return -EINTR;
	default:
		return -EIO;
	}
}

int db_exec(sqlite3 *db, const char *sql)
{
	return sqlite3_exec(db, sql, NULL, NULL, NULL);
}

int db_prepare(sqlite3 *db, const char *sql, sqlite3_stmt **ret)
{
	return sqlite3_prepare_v3(db, sql, -1, SQLITE_PREPARE_PERSISTENT, ret, NULL);
}

int db_value(sqlite3 *db, const char *sql, int64_t *ret)
{
	_cleanup_(sqlite3_finalizep) sqlite3_stmt *stmt = NULL;
	int rc = sqlite3_prepare_v2(db, sql, -1, &stmt, NULL);

	if (rc != SQLITE_OK)
		return rc;
	rc = sqlite3_step(stmt);
	if (rc != SQLITE_ROW && rc != SQLITE_DONE)
		return rc;
	*ret = rc == SQLITE_ROW ? sqlite3_column_int64(stmt, 0) : 0;
	return SQLITE_OK;
}

/* ---- opening ---- */

static int fail(sqlite3 *db, const char *what, int rc, char **reterr_text)
{
	if (asprintf(reterr_text, "%s: %s", what, db ? sqlite3_errmsg(db) : sqlite3_errstr(rc)) < 0)
		*reterr_text = NULL;
	return db_errno(rc) == -EBADMSG ? DB_E_DAMAGED : db_errno(rc);
}

static int explain(int r, const char *text, char **reterr_text)
{
	*reterr_text = strdup(text);
	return r;
}

/* SQLite would create the file readable for all. Opened and closed before SQLite opens it: closing
 * any descriptor of a file drops the process's locks on it. */
static int file_create(const char *path, char **reterr_text)
{
	struct stat st;
	int fd;

	if (stat(path, &st) == 0) {
		if (!S_ISREG(st.st_mode))
			return explain(-EINVAL, "not a regular file", reterr_text);
		return 0;
	}
	if (errno == ENOENT) {
		fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
		if (fd >= 0) {
			(void)close(fd);
			return 0;
		}
	}
	if (asprintf(reterr_text, "cannot create: %s", strerrordesc_np(errno)) < 0)
		*reterr_text = NULL;
	return -errno;
}

/* Damage and schemas are not believed: SQL in the file must not do more than SQL of ours. */
static int connection_harden(sqlite3 *db)
{
	int rc = sqlite3_db_config(db, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL);

	if (rc == SQLITE_OK)
		rc = sqlite3_db_config(db, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, NULL);
	if (rc == SQLITE_OK)
		rc = sqlite3_busy_timeout(db, DB_BUSY_MS);
	if (rc == SQLITE_OK)
		rc = db_exec(db, "PRAGMA cell_size_check = ON; PRAGMA temp_store = MEMORY;"
				 "PRAGMA mmap_size = 0; PRAGMA cache_size = -2048");
	return rc;
}

static int wal_begin(sqlite3 *db, const struct db_settings *settings)
{
	_cleanup_(sqlite3_finalizep) sqlite3_stmt *stmt = NULL;
	char sql[160];
	int rc;

	rc = sqlite3_prepare_v2(db, "PRAGMA journal_mode = WAL", -1, &stmt, NULL);
	if (rc != SQLITE_OK)
		return rc;
	rc = sqlite3_step(stmt);
	if (rc != SQLITE_ROW)
		return rc == SQLITE_DONE ? SQLITE_IOERR : rc;
	/* a file system without shared memory keeps the old mode and says so */
	if (strcmp((const char *)sqlite3_column_text(stmt, 0), "wal") != 0)
		return SQLITE_IOERR_SHMOPEN;
	rc = sqlite3_reset(stmt);
	if (rc != SQLITE_OK)
		return rc;
	(void)snprintf(sql, sizeof(sql),
		       "PRAGMA synchronous = FULL; PRAGMA wal_autocheckpoint = %d;"
		       "PRAGMA journal_size_limit = %lld",
		       settings->wal_pages, (long long)settings->wal_keep);
	return db_exec(db, sql);
}

/* Whose file is it? Return: 0, DB_E_DAMAGED (not ours), or as fail(). */
static int identity_check(sqlite3 *db, int64_t *ret_version, char **reterr_text)
{
	int64_t id = 0, version = 0, objects = 0;
	int rc;

	rc = db_value(db, "PRAGMA application_id", &id);
	if (rc == SQLITE_OK)
		rc = db_value(db, "PRAGMA user_version", &version);
	if (rc == SQLITE_OK)
		rc = db_value(db, "SELECT count(*) FROM sqlite_schema", &objects);
	if (rc != SQLITE_OK)
		return fail(db, "cannot read", rc, reterr_text);
	if (version == 0 ? objects != 0 || id != 0 : id != SCHEMA_APPLICATION_ID)
		return explain(DB_E_DAMAGED, "not a verdict store", reterr_text);
	*ret_version = version;
	return 0;
}

struct check_deadline {
	struct timespec end;
};

static int check_is_late(void *userdata)
{
	const struct check_deadline *deadline = userdata;
	struct timespec now;

	(void)clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec > deadline->end.tv_sec ||
	       (now.tv_sec == deadline->end.tv_sec && now.tv_nsec >= deadline->end.tv_nsec);
}

/* Look for damage, but not for longer than check_ms: a large store is used before it is read
 * through, damage found later is handled when it is met. */
static int damage_check(sqlite3 *db, unsigned check_ms, char **reterr_text)
{
	_cleanup_(sqlite3_finalizep) sqlite3_stmt *stmt = NULL;
	struct check_deadline deadline;
	const char *text;
	int rc;

	if (check_ms == 0)
		return 0;
	(void)clock_gettime(CLOCK_MONOTONIC, &deadline.end);
	deadline.end.tv_sec += check_ms / 1000;
	deadline.end.tv_nsec += (long)(check_ms % 1000) * 1000000L;
	if (deadline.end.tv_nsec >= 1000000000L) {
		deadline.end.tv_sec++;
		deadline.end.tv_nsec -= 1000000000L;
	}
	rc = sqlite3_prepare_v2(db, "PRAGMA quick_check(1)", -1, &stmt, NULL);
	if (rc != SQLITE_OK)
		return fail(db, "cannot check", rc, reterr_text);
	sqlite3_progress_handler(db, CHECK_STEPS, check_is_late, &deadline);
	rc = sqlite3_step(stmt);
	sqlite3_progress_handler(db, 0, NULL, NULL);
	if ((rc & 0xff) == SQLITE_INTERRUPT)
		return 0;
	if (rc != SQLITE_ROW)
		return fail(db, "cannot check", rc, reterr_text);
	text = (const char *)sqlite3_column_text(stmt, 0);
	if (text && strcmp(text, "ok") != 0)
		return explain(DB_E_DAMAGED, text, reterr_text);
	return text ? 0 : -ENOMEM;
}

int db_open_writer(const char *path, const struct db_settings *settings, sqlite3 **ret,
		   char **reterr_text)
{
	_cleanup_(sqlite3_closep) sqlite3 *db = NULL;
	int64_t version;
	int r;

	*reterr_text = NULL;
	r = file_create(path, reterr_text);
	if (r < 0)
		return r;
	r = sqlite3_open_v2(path, &db,
			    SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_PRIVATECACHE |
				    SQLITE_OPEN_EXRESCODE,
			    NULL);
	if (r == SQLITE_OK)
		r = connection_harden(db);
	if (r != SQLITE_OK)
		return fail(db, "cannot open", r, reterr_text);
	r = identity_check(db, &version, reterr_text);
	if (r != 0)
		return r;
	if (version > STORE_SCHEMA_VERSION)
		return explain(DB_E_NEWER, "written by a newer version", reterr_text);
	r = damage_check(db, settings->check_ms, reterr_text);
	if (r != 0)
		return r;
	r = wal_begin(db, settings);
	if (r != SQLITE_OK)
		return fail(db, "cannot begin the write-ahead log", r, reterr_text);
	r = db_migrate(db, schema_steps, ARRAY_LEN(schema_steps));
	if (r != 0)
		return explain(r, sqlite3_errmsg(db), reterr_text);
	*ret = steal_ptr(db);
	return 0;
}

/* A store that was closed, on a medium that cannot be written, has no log and needs none. */
static int reader_open_immutable(const char *path, sqlite3 **ret)
{
	_cleanup_free_ char *wal = NULL, *uri = NULL;
	char *at;
	int rc;

	if (asprintf(&wal, "%s-wal", path) < 0) {
		wal = NULL;
		return SQLITE_NOMEM;
	}
	if (access(wal, F_OK) == 0)
		return SQLITE_CANTOPEN;
	uri = malloc(3 * strlen(path) + sizeof("file:?immutable=1"));
	if (!uri)
		return SQLITE_NOMEM;
	at = stpcpy(uri, "file:");
	for (const char *p = path; *p; p++) {
		if (strchr("%?#", *p))
			at += sprintf(at, "%%%02x", (unsigned)*p);
		else
			*at++ = *p;
	}
	(void)strcpy(at, "?immutable=1");
	rc = sqlite3_open_v2(uri, ret,
			     SQLITE_OPEN_READONLY | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_URI |
				     SQLITE_OPEN_EXRESCODE,
			     NULL);
	return rc;
}

static int reader_begin(sqlite3 *db, int64_t *ret_version, char **reterr_text)
{
	int rc = connection_harden(db);

	if (rc == SQLITE_OK)
		rc = glob_register(db);
	if (rc == SQLITE_OK)
		rc = bundle_register(db);
	if (rc != SQLITE_OK)
		return fail(db, "cannot open", rc, reterr_text);
	return identity_check(db, ret_version, reterr_text);
}

int db_open_reader(const char *path, sqlite3 **ret, char **reterr_text)
{
	_cleanup_(sqlite3_closep) sqlite3 *db = NULL;
	int64_t version = 0;
	struct stat st;
	int r;

	*reterr_text = NULL;
	if (stat(path, &st) < 0) {
		if (asprintf(reterr_text, "%s", strerrordesc_np(errno)) < 0)
			*reterr_text = NULL;
		return -errno;
	}
	if (!S_ISREG(st.st_mode))
		return explain(DB_E_DAMAGED, "not a regular file", reterr_text);
	r = sqlite3_open_v2(path, &db,
			    SQLITE_OPEN_READONLY | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_PRIVATECACHE |
				    SQLITE_OPEN_EXRESCODE,
			    NULL);
	if (r != SQLITE_OK)
		return fail(db, "cannot open", r, reterr_text);
	r = reader_begin(db, &version, reterr_text);
	if (r < 0 && ((sqlite3_extended_errcode(db) & 0xff) == SQLITE_CANTOPEN ||
		      (sqlite3_extended_errcode(db) & 0xff) == SQLITE_READONLY)) {
		sqlite3 *fixed = NULL;

		if (reader_open_immutable(path, &fixed) == SQLITE_OK) {
			(void)sqlite3_close_v2(db);
			free(*reterr_text);
			*reterr_text = NULL;
			db = fixed;
			r = reader_begin(db, &version, reterr_text);
		} else {
			(void)sqlite3_close_v2(fixed);
		}
	}
	if (r != 0)
		return r;
	if (version == 0)
		return explain(DB_E_EMPTY, "nothing was stored yet", reterr_text);
	if (version > STORE_SCHEMA_VERSION)
		return explain(DB_E_NEWER, "written by a newer version", reterr_text);
	if (version < STORE_SCHEMA_VERSION)
		return explain(DB_E_OLDER, "of an older version, which starting haetaed migrates",
			       reterr_text);
	*ret = steal_ptr(db);
	return 0;
}

/* ---- migration ---- */

static int step_apply(sqlite3 *db, const char *sql, unsigned version)
{
	char pragma[64];
	int rc;

	(void)snprintf(pragma, sizeof(pragma), "PRAGMA user_version = %u", version);
	rc = db_exec(db, "BEGIN IMMEDIATE");
	if (rc != SQLITE_OK)
		return rc;
	rc = db_exec(db, sql);
	if (rc == SQLITE_OK)
		rc = db_exec(db, pragma);
	if (rc == SQLITE_OK)
		rc = db_exec(db, "COMMIT");
	if (rc != SQLITE_OK && !sqlite3_get_autocommit(db))
		(void)db_exec(db, "ROLLBACK");
	return rc;
}

int db_migrate(sqlite3 *db, const char *const *steps, unsigned n_steps)
{
	int64_t version = 0;
	int rc = db_value(db, "PRAGMA user_version", &version);

	if (rc == SQLITE_OK && (version < 0 || version > (int64_t)n_steps))
		return DB_E_NEWER;
	for (unsigned v = (unsigned)version; rc == SQLITE_OK && v < n_steps; v++)
		rc = step_apply(db, steps[v], v + 1);
	if (rc == SQLITE_OK)
		return 0;
	return db_errno(rc) == -EBADMSG ? DB_E_DAMAGED : db_errno(rc);
}

/* ---- setting aside ---- */

static int rename_suffixed(const char *from, const char *to, const char *suffix)
{
	_cleanup_free_ char *a = NULL, *b = NULL;

	if (asprintf(&a, "%s%s", from, suffix) < 0) {
		a = NULL;
		return -ENOMEM;
	}
	if (asprintf(&b, "%s%s", to, suffix) < 0) {
		b = NULL;
		return -ENOMEM;
	}
	/* the log may be missing, the database may be gone already */
	if (rename(a, b) < 0 && errno != ENOENT)
		return -errno;
	return 0;
}

int db_set_aside(const char *path, const char *reason, char **ret_path)
{
	_cleanup_free_ char *to = NULL;
	char stamp[32];
	struct tm tm;
	time_t now = time(NULL);
	int r;

	if (!gmtime_r(&now, &tm) || strftime(stamp, sizeof(stamp), "%Y%m%dT%H%M%SZ", &tm) == 0)
		return -EOVERFLOW;
	for (unsigned n = 0;; n++) {
		char again[16] = "";

		if (n > 0)
			(void)snprintf(again, sizeof(again), ".%u", n);
		if (asprintf(&to, "%s.%s-%s%s", path, reason, stamp, again) < 0) {
			to = NULL;
			return -ENOMEM;
		}
		if (access(to, F_OK) < 0)
			break;
		free(steal_ptr(to));
	}
	/* The log goes first: after a crash in between, an old log beside a new database would be
	 * taken for its own. */
	r = rename_suffixed(path, to, "-wal");
	if (r == 0)
		r = rename_suffixed(path, to, "-shm");
	if (r == 0)
		r = rename_suffixed(path, to, "");
	if (r == 0)
		*ret_path = steal_ptr(to);
	return r;
}
