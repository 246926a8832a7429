/* SPDX-License-Identifier: Apache-2.0 */

/*
 * podman hands neither name nor image nor labels to the OCI runtime; they are in its database alone: SQLite since 4.8
 * where it was made anew, Bolt before. Both hold the container's whole configuration as JSON.
 */

#include <errno.h>
#include <fcntl.h>
#include <sqlite3.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <time.h>

#include "container/bolt.h"
#include "container/facts.h"
#include "util/fd.h"

#define BOLT_MAX (64U << 20)
#define CONFIG_MAX (8U << 20)
/* podman opens its database for each of its operations, and none takes long. */
#define LOCK_WAIT_MS 1000
#define LOCK_STEP_MS 20

static void sqlite_closep(sqlite3 **db)
{
	(void)sqlite3_close(*db);
}

static void statement_finalizep(sqlite3_stmt **statement)
{
	(void)sqlite3_finalize(*statement);
}

static int config_parse(const void *text, size_t len, json_t **ret)
{
	json_t *json = len <= CONFIG_MAX ? json_loadb(text, len, 0, NULL) : NULL;

	if (!json_is_object(json)) {
		json_decref(json);
		return -EBADMSG;
	}
	*ret = json;
	return 0;
}

static int sqlite_read(const char *path, const char *id, json_t **ret)
{
	_cleanup_(sqlite_closep) sqlite3 *db = NULL;
	_cleanup_(statement_finalizep) sqlite3_stmt *statement = NULL;
	int r;

	if (access(path, F_OK) < 0)
		return -ENOENT;
	if (sqlite3_open_v2(path, &db, SQLITE_OPEN_READONLY | SQLITE_OPEN_NOMUTEX, NULL) != SQLITE_OK)
		return -EIO;
	(void)sqlite3_limit(db, SQLITE_LIMIT_LENGTH, (int)CONFIG_MAX);
	(void)sqlite3_busy_timeout(db, LOCK_WAIT_MS);
	if (sqlite3_prepare_v2(db, "SELECT JSON FROM ContainerConfig WHERE ID = ?1", -1, &statement, NULL) !=
		    SQLITE_OK ||
	    sqlite3_bind_text(statement, 1, id, -1, SQLITE_STATIC) != SQLITE_OK)
		return -EBADMSG;
	r = sqlite3_step(statement);
	if (r == SQLITE_DONE)
		return -ENOENT;
	if (r != SQLITE_ROW || !sqlite3_column_text(statement, 0))
		return -EBADMSG;
	return config_parse(sqlite3_column_text(statement, 0), (size_t)sqlite3_column_bytes(statement, 0), ret);
}

/* podman holds the lock while it writes. */
static int lock_shared(int fd)
{
	const struct timespec step = {.tv_nsec = LOCK_STEP_MS * 1000000L};

	for (int waited = 0; flock(fd, LOCK_SH | LOCK_NB) < 0; waited += LOCK_STEP_MS) {
		if (errno != EWOULDBLOCK && errno != EINTR)
			return -errno;
		if (waited >= LOCK_WAIT_MS)
			return -EBUSY;
		(void)nanosleep(&step, NULL);
	}
	return 0;
}

static int bolt_read(const char *path, const char *id, json_t **ret)
{
	const char *const keys[] = {"ctr", id, "config"};
	_cleanup_close_ int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	_cleanup_free_ char *data = NULL;
	const void *value;
	size_t len;
	int r;

	if (fd < 0)
		return -errno;
	r = lock_shared(fd);
	if (r >= 0)
		r = fd_read_all(fd, BOLT_MAX, &data, &len);
	if (r >= 0)
		r = bolt_find(data, len, keys, ARRAY_LEN(keys), &value, &len);
	return r < 0 ? r : config_parse(value, len, ret);
}

int podman_config_read(const char *storage_dir, const char *id, json_t **ret)
{
	_cleanup_free_ char *sqlite = NULL;
	_cleanup_free_ char *bolt = NULL;
	int r, other;

	if (asprintf(&sqlite, "%s/db.sql", storage_dir) < 0) {
		sqlite = NULL;
		return -ENOMEM;
	}
	if (asprintf(&bolt, "%s/libpod/bolt_state.db", storage_dir) < 0) {
		bolt = NULL;
		return -ENOMEM;
	}
	r = sqlite_read(sqlite, id, ret);
	if (r >= 0)
		return r;
	other = bolt_read(bolt, id, ret);
	return other == -ENOENT ? r : other;
}
