/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Batches -> rows. Ids are given here, one after the other, so that after a commit whose outcome is
 * not known (an error while the log is forced to the disk) the database itself can tell whether it
 * has the batch: sink_has_batch(). That is what makes "exactly once" hold over failures.
 */

#include "store/sink.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "store/sink-bundles.h"
#include "store/sqlite.h"
#include "util/cleanup.h"

/* Checkpoint at 16 MiB of log: larger saves nothing, smaller writes hot pages more often. */
#define WAL_PAGES 4096
#define WAL_KEEP (16 << 20)
/* A small store is read through within this, a large one is not waited for. */
#define CHECK_MS 200
/* Old rows removed with one commit, at least (twice the batch, if that is more: removal catches
 * up). */
#define REMOVE_STEP 1024
/* Companion rows looked at with one removal. */
#define SWEEP_STEP 128
/* An id beyond this was not given by counting events. */
#define ID_MAX ((int64_t)1 << 53)

void sink_nodes_free(struct sink_node *node)
{
	while (node) {
		struct sink_node *next = node->next;

		event_deinit(&node->event);
		free(node);
		node = next;
	}
}

static int insert_prepare(struct sink *sink)
{
	_cleanup_strbuf_ struct strbuf sql = {};

	strbuf_puts(&sql, "INSERT INTO event (id, boot, rule, place, ");
	row_names(ROW_EVENT, "", &sql);
	strbuf_puts(&sql, ") VALUES (?1, ?2, ?3, ?4");
	for (size_t i = 0; i < row_columns(ROW_EVENT); i++)
		strbuf_printf(&sql, ", ?%zu", i + 5);
	strbuf_puts(&sql, ")");
	if (strbuf_error(&sql) < 0)
		return SQLITE_NOMEM;
	return db_prepare(sink->db, strbuf_str(&sql), &sink->insert);
}

/* The newest companion stays, referred to or not: so no key is ever used for another content. */
#define SWEEP(table, what)                                                                         \
	"DELETE FROM " table " WHERE key > ?1 AND key <= ?2"                                       \
	" AND key < (SELECT max(key) FROM " table ")"                                              \
	" AND NOT EXISTS (SELECT 1 FROM event WHERE event." table " = " table ".key)"              \
	" AND NOT EXISTS (SELECT 1 FROM bundle_note WHERE what = " what                            \
	" AND bundle_note.key = " table ".key)"

/* Of each companion the oldest notes only are read: there are as many of each as there are spans. */
#define UNNOTE(table, what)                                                                        \
	"DELETE FROM bundle_note WHERE what = " what                                               \
	" AND key IN (SELECT key FROM " table " WHERE key > ?1 AND key <= ?2)"                     \
	" AND span < coalesce((SELECT " BUNDLE_SPAN_OF(min(id)) " FROM bundle), ?3)"

static int statements_prepare(struct sink *sink)
{
	int rc = insert_prepare(sink);

	if (rc == SQLITE_OK)
		rc = db_prepare(
			sink->db,
			"INSERT INTO total (boot, kind, verdict, count) VALUES (?1, ?2, ?3, ?4)"
			" ON CONFLICT DO UPDATE SET count = count + excluded.count",
			&sink->total);
	if (rc == SQLITE_OK)
		rc = sink_bundles_prepare(sink);
	if (rc == SQLITE_OK)
		rc = db_prepare(sink->db, "DELETE FROM event WHERE id < ?1", &sink->remove[0]);
	if (rc == SQLITE_OK)
		rc = db_prepare(sink->db,
				"DELETE FROM bundle WHERE id < ?1 AND last < ?1 RETURNING n",
				&sink->remove[1]);
	if (rc == SQLITE_OK) /* the last of them speaks of what follows, too */
		rc = db_prepare(sink->db,
				"DELETE FROM bundle_time WHERE bundle <"
				" (SELECT max(bundle) FROM bundle_time WHERE bundle <= (SELECT min(id) FROM bundle))",
				&sink->remove[2]);
	if (rc == SQLITE_OK)
		rc = db_prepare(sink->db, UNNOTE("place", "1"), &sink->unnote[0]);
	if (rc == SQLITE_OK)
		rc = db_prepare(sink->db, UNNOTE("rule", "0"), &sink->unnote[1]);
	if (rc == SQLITE_OK)
		rc = db_prepare(sink->db, SWEEP("place", "1"), &sink->sweep[0]);
	if (rc == SQLITE_OK)
		rc = db_prepare(sink->db, SWEEP("rule", "0"), &sink->sweep[1]);
	if (rc == SQLITE_OK)
		rc = store_intern_init(&sink->boot, sink->db, ROW_BOOT);
	if (rc == SQLITE_OK)
		rc = store_intern_init(&sink->rule, sink->db, ROW_RULE);
	if (rc == SQLITE_OK)
		rc = store_intern_init(&sink->place, sink->db, ROW_PLACE);
	return rc;
}

static int fail(struct sink *sink, const char *what, int rc, char **reterr_text)
{
	if (asprintf(reterr_text, "%s: %s", what, sqlite3_errmsg(sink->db)) < 0)
		*reterr_text = NULL;
	/* an input or output error may come from damage as well: look at the next open */
	if (db_errno(rc) == -EIO)
		sink->checked = false;
	return db_errno(rc);
}

int sink_open(struct sink *sink, char **reterr_text)
{
	uint64_t keep = sink->config->wal_max / 2;
	struct db_settings settings = {
		.wal_pages = WAL_PAGES,
		.wal_keep = keep < WAL_KEEP ? (int64_t)keep : WAL_KEEP,
		.check_ms = sink->checked ? 0 : CHECK_MS,
	};
	int64_t first = 0, last = 0;
	int r;

	r = db_open_writer(sink->config->path, &settings, &sink->db, reterr_text);
	if (r != 0)
		return r;
	r = bundle_register(sink->db);
	if (r == SQLITE_OK)
		r = db_value(sink->db, STORE_FIRST_ID, &first);
	if (r == SQLITE_OK)
		r = db_value(sink->db, STORE_LAST_ID, &last);
	if (r == SQLITE_OK && last > ID_MAX)
		r = SQLITE_CORRUPT;
	if (r == SQLITE_OK)
		r = statements_prepare(sink);
	if (r != SQLITE_OK) {
		r = fail(sink, "cannot prepare", r, reterr_text);
		sink_close(sink);
		return r == -EBADMSG ? DB_E_DAMAGED : r;
	}
	if (sink->next_id <= last)
		sink->next_id = last + 1;
	if (sink->next_id <= 0)
		sink->next_id = 1;
	sink->first_id = first > 0 ? first : sink->next_id;
	sink->checked = true;
	return 0;
}

void sink_close(struct sink *sink)
{
	if (sink->unsynced)
		(void)sink_sync(sink);
	store_intern_deinit(&sink->boot);
	store_intern_deinit(&sink->rule);
	store_intern_deinit(&sink->place);
	sink->calm = sink->unsynced = false;
	(void)sqlite3_finalize(steal_ptr(sink->insert));
	sink_bundles_close(sink);
	(void)sqlite3_finalize(steal_ptr(sink->total));
	for (size_t i = 0; i < ARRAY_LEN(sink->remove); i++)
		(void)sqlite3_finalize(steal_ptr(sink->remove[i]));
	for (size_t i = 0; i < ARRAY_LEN(sink->unnote); i++)
		(void)sqlite3_finalize(steal_ptr(sink->unnote[i]));
	for (size_t i = 0; i < ARRAY_LEN(sink->sweep); i++)
		(void)sqlite3_finalize(steal_ptr(sink->sweep[i]));
	/* rolls back what is open; the log stays if it cannot be written back now */
	(void)sqlite3_close_v2(steal_ptr(sink->db));
}

/* ---- commit ---- */

/* Sums of one boot, written once for each batch. */
struct totals {
	int64_t boot;
	uint64_t counts[_EVENT_KIND_MAX][HT_VERDICT_MAX];
};

static int totals_write(struct sink *sink, struct totals *totals)
{
	for (int kind = 0; kind < _EVENT_KIND_MAX; kind++) {
		for (int verdict = 0; verdict < (int)HT_VERDICT_MAX; verdict++) {
			int rc;

			if (totals->counts[kind][verdict] == 0)
				continue;
			(void)sqlite3_bind_int64(sink->total, 1, totals->boot);
			(void)sqlite3_bind_int(sink->total, 2, kind);
			(void)sqlite3_bind_int(sink->total, 3, verdict);
			(void)sqlite3_bind_int64(sink->total, 4,
						 (int64_t)totals->counts[kind][verdict]);
			rc = sqlite3_step(sink->total);
			(void)sqlite3_reset(sink->total);
			if (rc != SQLITE_DONE)
				return rc;
		}
	}
	*totals = (struct totals){};
	return SQLITE_OK;
}

static int totals_add(struct sink *sink, struct totals *totals, int64_t boot,
		      const struct event *event)
{
	int rc = SQLITE_OK;

	if (totals->boot != boot) {
		rc = totals_write(sink, totals);
		totals->boot = boot;
	}
	totals->counts[event->kind][event->verdict] += event->count;
	return rc;
}

static int key_bind(sqlite3_stmt *stmt, int at, int64_t key)
{
	return key == 0 ? sqlite3_bind_null(stmt, at) : sqlite3_bind_int64(stmt, at, key);
}

/* Keys of what an event shares with others, and the event that they were asked for last. */
struct keys {
	const struct event *event; /* NULL: none yet */
	int64_t keys[3];	   /* boot, rule, place */
};

static int keys_get(struct sink *sink, struct keys *keys, const struct event *event)
{
	static const enum row_table tables[] = {ROW_BOOT, ROW_RULE, ROW_PLACE};
	struct store_intern *interns[] = {&sink->boot, &sink->rule, &sink->place};

	if (keys->event && row_names_are_shared(keys->event, event))
		return SQLITE_OK;
	for (size_t i = 0; i < ARRAY_LEN(tables); i++) {
		int rc;

		if (keys->event && row_equal(tables[i], keys->event, event))
			continue;
		rc = store_intern_key(interns[i], event, &keys->keys[i]);
		if (rc != SQLITE_OK) {
			keys->event = NULL;
			return rc;
		}
	}
	keys->event = event;
	return SQLITE_OK;
}

static int event_write(struct sink *sink, const struct event *event, int64_t id, struct keys *keys)
{
	int rc;

	/* a code that cannot be read back is refused before anything is written for it */
	rc = row_bind(sink->insert, 5, ROW_EVENT, event);
	if (rc == SQLITE_OK)
		rc = keys_get(sink, keys, event);
	if (rc == SQLITE_OK)
		rc = sqlite3_bind_int64(sink->insert, 1, id);
	if (rc == SQLITE_OK)
		rc = sqlite3_bind_int64(sink->insert, 2, keys->keys[0]);
	if (rc == SQLITE_OK)
		rc = key_bind(sink->insert, 3, keys->keys[1]);
	if (rc == SQLITE_OK)
		rc = key_bind(sink->insert, 4, keys->keys[2]);
	if (rc != SQLITE_OK)
		return rc;
	rc = sqlite3_step(sink->insert);
	(void)sqlite3_reset(sink->insert);
	return rc == SQLITE_DONE ? SQLITE_OK : rc;
}

static int event_bundle(struct sink *sink, const struct event *event, int64_t id, struct keys *keys)
{
	int rc = keys_get(sink, keys, event);

	return rc == SQLITE_OK ? sink_bundle_add(sink, event, id, keys->keys) : rc;
}

/* The event's own fault, not the disk's: trying again would never help. */
static bool event_is_refused(int rc)
{
	return rc == SQLITE_RANGE || rc == SQLITE_TOOBIG || rc == SQLITE_MISMATCH ||
	       ((rc & 0xff) == SQLITE_CONSTRAINT && rc != SQLITE_CONSTRAINT_PRIMARYKEY &&
		rc != SQLITE_CONSTRAINT_ROWID);
}

static int batch_write(struct sink *sink, struct sink_node *batch, int64_t *ret_next)
{
	struct totals totals = {};
	struct keys of_exits = {}, of_others = {}; /* mostly they take turns, and an exit has no rule */
	int64_t id = sink->next_id;
	int rc;

	bundle_reset(&sink->bundle);
	for (struct sink_node *node = batch; node; node = node->next) {
		struct keys *keys = node->event.kind == EVENT_EXIT ? &of_exits : &of_others;

		rc = (bundle_takes(&node->event) ? event_bundle : event_write)(sink, &node->event,
									       id, keys);
		node->refused = event_is_refused(rc);
		node->event.id = node->refused ? 0 : id;
		if (node->refused)
			continue;
		if (rc == SQLITE_OK)
			rc = totals_add(sink, &totals, keys->keys[0], &node->event);
		if (rc != SQLITE_OK)
			return rc;
		id++;
	}
	*ret_next = id;
	rc = sink_bundle_write(sink);
	return rc == SQLITE_OK ? totals_write(sink, &totals) : rc;
}

/* ---- what is too old ---- */

/* Notes first: what nobody notes any more can go. */
static int unnote(struct sink *sink, size_t which, int64_t from)
{
	sqlite3_stmt *stmt = sink->unnote[which];
	int rc;

	(void)sqlite3_bind_int64(stmt, 1, from);
	(void)sqlite3_bind_int64(stmt, 2, from + SWEEP_STEP);
	(void)sqlite3_bind_int64(stmt, 3, ID_MAX);
	rc = sqlite3_step(stmt);
	(void)sqlite3_reset(stmt);
	if (rc != SQLITE_DONE)
		return rc;
	/* where no bundle is left, what is remembered went too */
	if (sqlite3_changes(sink->db) > 0)
		sink->notes.span = -1;
	return SQLITE_OK;
}

static int sweep(struct sink *sink, size_t which, struct store_intern *intern)
{
	int64_t from = sink->sweep_at[which], keys = 0;
	int rc;

	rc = db_value(sink->db,
		      which == 0 ? "SELECT max(key) FROM place" : "SELECT max(key) FROM rule",
		      &keys);
	if (rc == SQLITE_OK)
		rc = unnote(sink, which, from);
	if (rc != SQLITE_OK)
		return rc;
	(void)sqlite3_bind_int64(sink->sweep[which], 1, from);
	(void)sqlite3_bind_int64(sink->sweep[which], 2, from + SWEEP_STEP);
	rc = sqlite3_step(sink->sweep[which]);
	(void)sqlite3_reset(sink->sweep[which]);
	if (rc != SQLITE_DONE)
		return rc;
	if (sqlite3_changes(sink->db) > 0)
		store_intern_forget(intern);
	sink->sweep_at[which] = from + SWEEP_STEP < keys ? from + SWEEP_STEP : 0;
	return SQLITE_OK;
}

/* Remove what lies below an id. Of a bundle the last event counts. */
static int rows_remove(struct sink *sink, int64_t first, uint64_t *ret_removed)
{
	for (size_t i = 0; i < ARRAY_LEN(sink->remove); i++) {
		sqlite3_stmt *stmt = sink->remove[i];
		int rc;

		if (sqlite3_bind_parameter_count(stmt) > 0)
			(void)sqlite3_bind_int64(stmt, 1, first);
		while ((rc = sqlite3_step(stmt)) == SQLITE_ROW)
			*ret_removed += (uint64_t)sqlite3_column_int64(stmt, 0);
		(void)sqlite3_reset(stmt);
		if (rc != SQLITE_DONE)
			return rc;
		if (i == 0)
			*ret_removed += (uint64_t)sqlite3_changes(sink->db);
	}
	return SQLITE_OK;
}

/* Remove a bounded number of the oldest rows beyond rows_max. */
static int old_remove(struct sink *sink, int64_t next_id, size_t n_written, uint64_t *ret_removed,
		      int64_t *ret_first)
{
	uint64_t rows = (uint64_t)(next_id - sink->first_id), step = 2 * (uint64_t)n_written;
	int rc;

	*ret_removed = 0;
	*ret_first = sink->first_id;
	if (rows <= sink->config->rows_max)
		return SQLITE_OK;
	if (step < REMOVE_STEP)
		step = REMOVE_STEP;
	if (step > rows - sink->config->rows_max)
		step = rows - sink->config->rows_max;
	*ret_first = sink->first_id + (int64_t)step;
	rc = rows_remove(sink, *ret_first, ret_removed);
	if (rc != SQLITE_OK)
		return rc;
	rc = sweep(sink, 0, &sink->place);
	return rc == SQLITE_OK ? sweep(sink, 1, &sink->rule) : rc;
}

/* ---- before a batch ---- */

/* Is the file under the path still the one that is open? */
static bool file_has_moved(struct sink *sink)
{
	int moved = 0;

	return sqlite3_file_control(sink->db, "main", SQLITE_FCNTL_HAS_MOVED, &moved) ==
		       SQLITE_OK &&
	       moved;
}

/* A reader that never ends keeps the log from being reused: beyond wal_max nothing is written
 * until it has ended, so that the log does not take the disk. */
static int wal_bound(struct sink *sink, char **reterr_text)
{
	_cleanup_free_ char *wal = NULL;
	struct stat st;
	int rc;

	if (asprintf(&wal, "%s-wal", sink->config->path) < 0) {
		wal = NULL;
		return -ENOMEM;
	}
	if (stat(wal, &st) < 0 || (uint64_t)st.st_size <= sink->config->wal_max)
		return 0;
	(void)sqlite3_busy_timeout(sink->db, 0);
	rc = sqlite3_wal_checkpoint_v2(sink->db, "main", SQLITE_CHECKPOINT_TRUNCATE, NULL, NULL);
	if (rc == SQLITE_OK) {
		(void)sqlite3_busy_timeout(sink->db, DB_BUSY_MS);
		return 0;
	}
	return fail(sink, "a reader holds the write-ahead log", rc, reterr_text);
}

/* What only has events that come by the hundred is not waited for: the log is one file, so the next commit that is forced
 * to the disk takes along all before it, and a log that ends half-way ends with a whole commit. */
static int calm_set(struct sink *sink, const struct sink_node *batch)
{
	bool calm = true;
	int rc;

	for (; batch && calm; batch = batch->next)
		calm = bundle_takes(&batch->event);
	if (calm == sink->calm)
		return SQLITE_OK;
	rc = db_exec(sink->db, calm ? "PRAGMA synchronous = NORMAL" : "PRAGMA synchronous = FULL");
	if (rc == SQLITE_OK)
		sink->calm = calm;
	return rc;
}

int sink_sync(struct sink *sink)
{
	sqlite3_file *log = NULL;
	int rc = sqlite3_file_control(sink->db, "main", SQLITE_FCNTL_JOURNAL_POINTER, &log);

	if (rc == SQLITE_OK)
		rc = log && log->pMethods ? log->pMethods->xSync(log, SQLITE_SYNC_NORMAL | SQLITE_SYNC_DATAONLY)
					  : SQLITE_IOERR_FSYNC;
	if (rc != SQLITE_OK)
		return db_errno(rc);
	sink->unsynced = false;
	return 0;
}

int sink_commit(struct sink *sink, struct sink_node *batch, uint64_t *ret_removed,
		char **reterr_text)
{
	uint64_t removed = 0;
	int64_t next = 0, first = 0;
	size_t n = 0;
	int rc;

	*reterr_text = NULL;
	if (file_has_moved(sink)) {
		*reterr_text = strdup("the database file was moved or removed");
		return -ESTALE;
	}
	rc = wal_bound(sink, reterr_text);
	if (rc < 0)
		return rc;
	for (struct sink_node *node = batch; node; node = node->next)
		n++;
	rc = calm_set(sink, batch);
	if (rc == SQLITE_OK)
		rc = db_exec(sink->db, "BEGIN IMMEDIATE");
	if (rc == SQLITE_OK)
		rc = batch_write(sink, batch, &next);
	if (rc == SQLITE_OK)
		rc = old_remove(sink, next, n, &removed, &first);
	if (rc == SQLITE_OK)
		rc = db_exec(sink->db, "COMMIT");
	if (rc == SQLITE_CONSTRAINT_PRIMARYKEY || rc == SQLITE_CONSTRAINT_ROWID) {
		*reterr_text = strdup("another program writes to the database");
		return -ESTALE;
	}
	if (rc != SQLITE_OK)
		return fail(sink, "cannot commit", rc, reterr_text);
	sink->next_id = next;
	sink->first_id = first;
	sink->unsynced = sink->calm;
	*ret_removed = removed;
	return 0;
}

#define HAS_EVENT(table)                                                                           \
	"SELECT 1 FROM " table                                                                     \
	" AS e JOIN boot ON boot.key = e.boot WHERE e.id = ?1 AND e.cpu = ?2"                      \
	" AND e.seq = ?3 AND e.boottime_ns = ?4 AND e.realtime_us = ?5 AND boot_id = ?6"

int sink_has_batch(struct sink *sink, const struct sink_node *batch)
{
	_cleanup_(sqlite3_finalizep) sqlite3_stmt *stmt = NULL;
	const struct sink_node *last = NULL;
	int rc;

	/* one transaction: the last row stands for all of them */
	for (const struct sink_node *node = batch; node; node = node->next)
		if (!node->refused && node->event.id > 0)
			last = node;
	if (!last)
		return 0;
	rc = db_prepare(sink->db,
			bundle_takes(&last->event) ? HAS_EVENT("bundled") : HAS_EVENT("event"),
			&stmt);
	if (rc != SQLITE_OK)
		return db_errno(rc);
	(void)sqlite3_bind_int64(stmt, 1, last->event.id);
	(void)sqlite3_bind_int64(stmt, 2, last->event.cpu);
	(void)sqlite3_bind_int64(stmt, 3, (int64_t)last->event.seq);
	(void)sqlite3_bind_int64(stmt, 4, (int64_t)last->event.boottime_ns);
	(void)sqlite3_bind_int64(stmt, 5, (int64_t)last->event.realtime_us);
	(void)sqlite3_bind_blob(stmt, 6, last->event.boot_id, sizeof(last->event.boot_id),
				SQLITE_STATIC);
	rc = sqlite3_step(stmt);
	if (rc == SQLITE_ROW)
		return 1;
	return rc == SQLITE_DONE ? 0 : db_errno(rc);
}

int sink_set_aside(struct sink *sink, const char *reason, char **ret_path)
{
	sqlite3 *db = NULL;
	int64_t last = 0;

	/* what it can still tell; a file that tells nothing is the common case and no error */
	if (sqlite3_open_v2(sink->config->path, &db, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX,
			    NULL) == SQLITE_OK &&
	    db_value(db, STORE_LAST_ID, &last) == SQLITE_OK && last < ID_MAX &&
	    sink->next_id <= last)
		sink->next_id = last + 1;
	(void)sqlite3_close_v2(db);
	return db_set_aside(sink->config->path, reason, ret_path);
}
