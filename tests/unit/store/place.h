/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* A directory of its own for each test, and short forms of what every store test does. */

#include <dirent.h>
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <sqlite3.h>
#include <sys/stat.h>
#include <unistd.h>

#include "store/bundle.h"
#include "store/store.h"
#include "tests/unit/event/sample.h"
#include "tests/unit/runner.h"
#include "util/cleanup.h"

/* Far beyond what anything here takes: a test that hangs fails. */
#define PLACE_TIMEOUT_MS 60000
#define PLACE_NAP_MS 2

struct place {
	char directory[64];
	char path[80];
};

static inline struct place place_new(void)
{
	struct place place = {.directory = "/tmp/haetae-store-XXXXXX"};

	ck_assert_ptr_nonnull(mkdtemp(place.directory));
	(void)snprintf(place.path, sizeof(place.path), "%s/verdicts.db", place.directory);
	return place;
}

static inline void place_free(struct place *place)
{
	DIR *d = opendir(place->directory);
	const struct dirent *entry;

	ck_assert_ptr_nonnull(d);
	while ((entry = readdir(d)))
		if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0)
			ck_assert_int_eq(unlinkat(dirfd(d), entry->d_name, 0), 0);
	(void)closedir(d);
	ck_assert_int_eq(rmdir(place->directory), 0);
}

/* How many files have a name with this in it. */
static inline size_t place_count(const struct place *place, const char *part)
{
	DIR *d = opendir(place->directory);
	const struct dirent *entry;
	size_t n = 0;

	ck_assert_ptr_nonnull(d);
	while ((entry = readdir(d)))
		n += strstr(entry->d_name, part) != NULL;
	(void)closedir(d);
	return n;
}

static inline struct store *place_open(const struct place *place, struct store_config config)
{
	struct store *store = NULL;

	config.path = place->path;
	ck_assert_int_eq(store_open(&config, &store), 0);
	return store;
}

static inline struct store_stats place_stats(struct store *store)
{
	struct store_stats s;

	store_stats_read(store, &s);
	/* what holds at every moment is checked whenever anybody looks */
	ck_assert_uint_eq(s.offered, s.committed + s.pending + s.dropped);
	for (unsigned v = 0; v < HT_VERDICT_MAX; v++)
		ck_assert_uint_eq(s.offered_verdicts[v], s.committed_verdicts[v] +
								 s.pending_verdicts[v] +
								 s.dropped_verdicts[v]);
	return s;
}

static inline bool place_add(struct store *store, uint64_t n)
{
	struct event event = sample_event(n);
	static const struct event zero;
	bool queued = store_add(store, &event);

	ck_assert_mem_eq(&event, &zero, sizeof(zero));
	return queued;
}

/* Wait until the store says something for which `good` holds. */
static inline void place_wait(struct store *store, bool (*good)(const struct store_stats *s))
{
	for (unsigned waited = 0;; waited += PLACE_NAP_MS) {
		struct store_stats s = place_stats(store);

		if (good(&s))
			return;
		ck_assert_uint_lt(waited, PLACE_TIMEOUT_MS);
		(void)poll(NULL, 0, PLACE_NAP_MS);
	}
}

static inline bool place_is_degraded(const struct store_stats *s)
{
	return s->degraded && s->failures > 0;
}

static inline bool place_is_good(const struct store_stats *s)
{
	return !s->degraded && s->pending == 0;
}

static inline void place_fill(const struct place *place, uint64_t first, uint64_t n)
{
	struct store *store = place_open(place, (struct store_config){0});

	for (uint64_t i = 0; i < n; i++)
		ck_assert(place_add(store, first + i));
	ck_assert_int_eq(store_flush(store, PLACE_TIMEOUT_MS), 0);
	ck_assert_ptr_null(store_close(store, PLACE_TIMEOUT_MS));
}

static inline struct store_reader *place_read(const struct place *place)
{
	_cleanup_free_ char *text = NULL;
	struct store_reader *reader = NULL;
	int r = store_reader_open(place->path, &reader, &text);

	ck_assert_msg(r == 0, "%s: %s", strerror(-r), text);
	return reader;
}

/* What a query found. */
struct place_found {
	size_t n;
	int64_t first_id, last_id;
	uint64_t first_seq, last_seq;
};

static inline int place_found_each(const struct event *event, void *userdata)
{
	struct place_found *found = userdata;

	if (found->n++ == 0) {
		found->first_id = event->id;
		found->first_seq = event->seq;
	}
	found->last_id = event->id;
	found->last_seq = event->seq;
	return 0;
}

static inline struct place_found place_query(const struct place *place, struct store_filter filter)
{
	struct store_reader *reader = place_read(place);
	struct place_found found = {};

	ck_assert_int_eq(store_query(reader, &filter, place_found_each, &found), 0);
	(void)store_reader_close(reader);
	return found;
}

/* Columns of all events, whichever way they are stored. */
#define PLACE_EVENTS(columns)                                                                      \
	"(SELECT " columns " FROM event UNION ALL SELECT " columns " FROM bundled)"

/* SQL on the file, past the store: how tests make old, foreign and damaged databases. */
static inline void place_sql(const struct place *place, const char *sql)
{
	sqlite3 *db = NULL;
	char *text = NULL;

	ck_assert_int_eq(sqlite3_open(place->path, &db), SQLITE_OK);
	ck_assert_msg(sqlite3_exec(db, sql, NULL, NULL, &text) == SQLITE_OK, "%s", text);
	ck_assert_int_eq(sqlite3_close(db), SQLITE_OK);
}

/* Make a store one of the second version, with notes of each bundle, and indexes. */
static inline void place_to_version_2(const struct place *place)
{
	place_sql(place, "CREATE TABLE bundle_key ("
			 " what INTEGER NOT NULL, key INTEGER NOT NULL, bundle INTEGER NOT NULL REFERENCES bundle (id),"
			 " PRIMARY KEY (what, key, bundle)) STRICT, WITHOUT ROWID;"
			 "INSERT INTO bundle_key SELECT what, key, id FROM bundle JOIN bundle_note ON span = id - id % 4096;"
			 "DROP TABLE bundle_note; DROP TABLE bundle_time;"
			 "CREATE INDEX bundle_by_since ON bundle (since_us);"
			 "CREATE INDEX bundle_by_until ON bundle (until_us);"
			 "CREATE INDEX bundle_key_by_bundle ON bundle_key (bundle);"
			 "PRAGMA user_version = 2");
}

static inline int64_t place_sql_number(const struct place *place, const char *sql)
{
	sqlite3_stmt *stmt = NULL;
	sqlite3 *db = NULL;
	int64_t number;

	ck_assert_int_eq(sqlite3_open_v2(place->path, &db, SQLITE_OPEN_READONLY, NULL), SQLITE_OK);
	ck_assert_int_eq(bundle_register(db), SQLITE_OK);
	ck_assert_msg(sqlite3_prepare_v2(db, sql, -1, &stmt, NULL) == SQLITE_OK, "%s",
		      sqlite3_errmsg(db));
	ck_assert_int_eq(sqlite3_step(stmt), SQLITE_ROW);
	number = sqlite3_column_int64(stmt, 0);
	(void)sqlite3_finalize(stmt);
	ck_assert_int_eq(sqlite3_close(db), SQLITE_OK);
	return number;
}
