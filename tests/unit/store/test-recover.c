/* SPDX-License-Identifier: Apache-2.0 */

/* store/writer.c and sink.c on a disk that fails, a file that is damaged, moved or another's, a
 * reader that does not end: recovery without a restart, each event once, every number exact. */

#include <fcntl.h>
#include <grp.h>
#include <sys/wait.h>

#include "store/sqlite.h"
#include "tests/unit/runner.h"
#include "tests/unit/store/faulty.h"
#include "tests/unit/store/place.h"

static void check_whole(const struct place *place, size_t rows)
{
	struct store_reader *reader = place_read(place);
	struct place_found found = {};
	struct store_filter all = {};
	char *text = NULL;
	int r = store_verify(reader, &text);

	ck_assert_msg(r == 0, "%s", text);
	ck_assert_int_eq(store_query(reader, &all, place_found_each, &found), 0);
	ck_assert_uint_eq(found.n, rows);
	(void)store_reader_close(reader);
	ck_assert_int_eq(
		place_sql_number(place, "SELECT count(DISTINCT seq) FROM " PLACE_EVENTS("seq")),
		(int64_t)rows);
}

static bool has_failed(const struct store_stats *s)
{
	return s->failures >= 2;
}

static bool is_full(const struct store_stats *s)
{
	return s->pending == 50 && s->degraded && s->failures >= 2;
}

/* In each way of failing: what fits in the queue waits, the rest is counted, and when the disk
 * works again all that waited is stored, once. */
START_TEST(test_disk_fails)
{
	struct place place = place_new();
	struct store *store = place_open(
		&place, (struct store_config){.queue_max = 50, .batch_max = 20, .batch_ms = 1});
	struct store_stats stats;

	for (uint64_t i = 0; i < 10; i++)
		ck_assert(place_add(store, i));
	ck_assert_int_eq(store_flush(store, PLACE_TIMEOUT_MS), 0);
	faulty_set((enum faulty_mode)_i);
	for (uint64_t i = 10; i < 90; i++)
		(void)place_add(store, i);
	if (_i == FAULTY_OPEN) {
		/* an open file does not mind: only a new attempt does */
		sqlite3 *db = NULL;

		ck_assert_int_eq(store_flush(store, PLACE_TIMEOUT_MS), 0);
		faulty_set(FAULTY_NOT);
		ck_assert_int_eq(sqlite3_open(place.path, &db), SQLITE_OK);
		ck_assert_int_eq(sqlite3_exec(db, "BEGIN IMMEDIATE", NULL, NULL, NULL), SQLITE_OK);
		for (uint64_t i = 90; i < 170; i++)
			ck_assert_int_eq(place_add(store, i), i < 140);
		place_wait(store, place_is_degraded);
		faulty_set(FAULTY_OPEN);
		ck_assert_int_eq(sqlite3_exec(db, "ROLLBACK", NULL, NULL, NULL), SQLITE_OK);
		ck_assert_int_eq(sqlite3_close(db), SQLITE_OK);
	}
	if (_i != FAULTY_SYNC) {
		place_wait(store, is_full);
		stats = place_stats(store);
		ck_assert_uint_eq(stats.pending, 50);
		ck_assert_uint_eq(stats.dropped_verdicts[HT_VERDICT_DENY], stats.dropped);
		ck_assert_str_ne(stats.last_error, "");
		ck_assert_int_eq(store_flush(store, 20), -ETIMEDOUT);
	} else {
		/* it reports failure for what it did: the next look finds the batch there */
		place_wait(store, place_is_degraded);
	}
	faulty_set(FAULTY_NOT);
	ck_assert_int_eq(store_flush(store, PLACE_TIMEOUT_MS), 0);
	stats = place_stats(store);
	ck_assert(!stats.degraded);
	ck_assert_uint_gt(stats.failures, 0);
	ck_assert_uint_eq(stats.set_aside, 0);
	ck_assert_uint_eq(stats.committed + stats.dropped, stats.offered);
	ck_assert_uint_ge(stats.committed, 60);
	(void)store_close(store, PLACE_TIMEOUT_MS);
	check_whole(&place, stats.committed);
	place_free(&place);
}
END_TEST

/* The disk fails from the start: opening the store does not. */
START_TEST(test_disk_fails_at_start)
{
	struct place place = place_new();
	struct store *store;

	faulty_set((enum faulty_mode)_i);
	store = place_open(&place, (struct store_config){.batch_ms = 1});
	for (uint64_t i = 0; i < 10; i++)
		ck_assert(place_add(store, i));
	place_wait(store, place_is_degraded);
	faulty_set(FAULTY_NOT);
	ck_assert_int_eq(store_flush(store, PLACE_TIMEOUT_MS), 0);
	ck_assert_uint_eq(place_stats(store).set_aside, 0);
	(void)store_close(store, PLACE_TIMEOUT_MS);
	check_whole(&place, 10);
	place_free(&place);
}
END_TEST

START_TEST(test_directory_appears)
{
	struct place place = place_new();
	struct store *store;

	place_free(&place);
	store = place_open(&place, (struct store_config){.batch_ms = 1});
	ck_assert(place_add(store, 0));
	place_wait(store, place_is_degraded);
	ck_assert_int_eq(mkdir(place.directory, 0700), 0);
	ck_assert_int_eq(store_flush(store, PLACE_TIMEOUT_MS), 0);
	place_wait(store, place_is_good);
	(void)store_close(store, PLACE_TIMEOUT_MS);
	check_whole(&place, 1);
	place_free(&place);
}
END_TEST

/* In the child, without the privilege that makes permissions void. Return: exit status. */
static int directory_read_only(const struct place *place)
{
	struct store_config config = {.path = place->path, .batch_ms = 1};
	struct event event = {.kind = EVENT_VERDICT, .count = 1};
	struct store *store = NULL;
	struct store_stats stats;
	int i;

	if (geteuid() == 0 && (setgroups(0, NULL) < 0 || setresgid(65534, 65534, 65534) < 0 ||
			       setresuid(65534, 65534, 65534) < 0))
		return 2;
	if (store_open(&config, &store) < 0)
		return 3;
	if (!store_add(store, &event))
		return 4;
	for (i = 0; i < 600; i++) {
		store_stats_read(store, &stats);
		if (stats.failures > 0)
			break;
		(void)poll(NULL, 0, 100);
	}
	if (i == 600 || !stats.degraded || stats.pending != 1)
		return 5;
	if (chmod(place->directory, 0700) < 0)
		return 6;
	if (store_flush(store, PLACE_TIMEOUT_MS) < 0)
		return 7;
	(void)store_close(store, PLACE_TIMEOUT_MS);
	return 0;
}

START_TEST(test_directory_read_only)
{
	struct place place = place_new();
	int status;
	pid_t child;

	ck_assert_int_eq(chmod(place.directory, 0500), 0);
	if (geteuid() == 0)
		ck_assert_int_eq(chown(place.directory, 65534, 65534), 0);
	child = fork();
	ck_assert_int_ge(child, 0);
	if (child == 0)
		_exit(directory_read_only(&place));
	ck_assert_int_eq(waitpid(child, &status, 0), child);
	ck_assert(WIFEXITED(status));
	ck_assert_int_eq(WEXITSTATUS(status), 0);
	check_whole(&place, 1);
	place_free(&place);
}
END_TEST

/* ---- damage ---- */

static void bytes_write(const char *path, off_t at, size_t n, int byte)
{
	_cleanup_close_ int fd = open(path, O_WRONLY | O_CLOEXEC);
	char data[4096];

	ck_assert_int_ge(fd, 0);
	memset(data, byte, sizeof(data));
	for (; n > 0; n -= n < sizeof(data) ? n : sizeof(data), at += (off_t)sizeof(data)) {
		size_t part = n < sizeof(data) ? n : sizeof(data);

		ck_assert_int_eq(pwrite(fd, data, part, at), (ssize_t)part);
	}
}

static void damage_header(const struct place *place)
{
	bytes_write(place->path, 0, 100, 0xa5);
}
static void damage_schema(const struct place *place)
{
	bytes_write(place->path, 100, 3996, 0xa5);
}
static void damage_all(const struct place *place)
{
	struct stat st;

	ck_assert_int_eq(stat(place->path, &st), 0);
	bytes_write(place->path, 4096, (size_t)st.st_size - 4096, 0xa5);
}
/* A page of the table's tree in the middle of the file: only looking through it finds this. */
static void damage_page(const struct place *place)
{
	struct stat st;

	ck_assert_int_eq(stat(place->path, &st), 0);
	bytes_write(place->path, st.st_size / 2 / 4096 * 4096, 4096, 0xa5);
}
static void damage_cut(const struct place *place)
{
	struct stat st;

	ck_assert_int_eq(stat(place->path, &st), 0);
	ck_assert_int_eq(truncate(place->path, st.st_size / 2), 0);
}
static void damage_text(const struct place *place)
{
	ck_assert_int_eq(truncate(place->path, 0), 0);
	bytes_write(place->path, 0, 500, 'x');
}
static void damage_newer(const struct place *place)
{
	place_sql(place, "PRAGMA user_version = 77");
}
static void damage_other(const struct place *place)
{
	place_sql(place, "PRAGMA application_id = 77");
}

static const struct {
	const char *name, *aside;
	void (*damage)(const struct place *place);
	bool ids_known; /* the old one can still tell its last id */
} damages[] = {
	{"header", ".damaged-", damage_header, false},
	{"schema", ".damaged-", damage_schema, false},
	{"all", ".damaged-", damage_all, false},
	{"page", ".damaged-", damage_page, true},
	{"cut", ".damaged-", damage_cut, false},
	{"text", ".damaged-", damage_text, false},
	{"newer", ".newer-", damage_newer, true},
	{"other", ".damaged-", damage_other, true},
};

START_TEST(test_damaged_at_start)
{
	struct place place = place_new();
	struct store_stats stats;
	struct place_found found;
	struct store *store;

	place_fill(&place, 0, 2000);
	damages[_i].damage(&place);
	store = place_open(&place, (struct store_config){.batch_ms = 1});
	for (uint64_t i = 0; i < 10; i++)
		ck_assert(place_add(store, i));
	ck_assert_int_eq(store_flush(store, PLACE_TIMEOUT_MS), 0);
	stats = place_stats(store);
	ck_assert_msg(stats.set_aside == 1, "%s", damages[_i].name);
	ck_assert(!stats.degraded);
	ck_assert_uint_eq(stats.committed, 10);
	ck_assert_ptr_nonnull(strstr(stats.set_aside_path, damages[_i].aside));
	(void)store_close(store, PLACE_TIMEOUT_MS);
	check_whole(&place, 10);
	ck_assert_uint_eq(place_count(&place, damages[_i].aside), 1);
	found = place_query(&place, (struct store_filter){0});
	if (damages[_i].ids_known)
		ck_assert_int_eq(found.first_id, 2001);
	place_free(&place);
}
END_TEST

/* The file is taken away, or another is put in its place, while it is open. */
static void remove_file(const struct place *place)
{
	char wal[96];

	(void)snprintf(wal, sizeof(wal), "%s-wal", place->path);
	ck_assert_int_eq(unlink(place->path), 0);
	ck_assert_int_eq(unlink(wal), 0);
}
static void replace_file(const struct place *place)
{
	char other[96];
	FILE *f;

	(void)snprintf(other, sizeof(other), "%s.other", place->path);
	f = fopen(other, "we");
	ck_assert_ptr_nonnull(f);
	ck_assert_int_gt(
		fprintf(f, "something else that is long enough to be read as a header, and more, "
			   "and more, and more, and more"),
		0);
	ck_assert_int_eq(fclose(f), 0);
	remove_file(place);
	ck_assert_int_eq(rename(other, place->path), 0);
}

static const struct {
	void (*take)(const struct place *place);
	size_t set_aside;
} moves[] = {{remove_file, 0}, {replace_file, 1}};

START_TEST(test_moved_while_open)
{
	struct place place = place_new();
	struct store *store = place_open(&place, (struct store_config){.batch_ms = 1});
	struct place_found found = {};
	struct store_reader *reader;
	struct store_filter follow = {};

	for (uint64_t i = 0; i < 10; i++)
		ck_assert(place_add(store, i));
	ck_assert_int_eq(store_flush(store, PLACE_TIMEOUT_MS), 0);
	reader = place_read(&place);
	ck_assert_int_eq(store_query(reader, &follow, place_found_each, &found), 0);
	ck_assert_uint_eq(found.n, 10);
	moves[_i].take(&place);
	for (uint64_t i = 10; i < 20; i++)
		ck_assert(place_add(store, i));
	ck_assert_int_eq(store_flush(store, PLACE_TIMEOUT_MS), 0);
	ck_assert_uint_eq(place_stats(store).committed, 20);
	ck_assert_uint_eq(place_stats(store).set_aside, moves[_i].set_aside);
	/* who follows the store goes on with the new one, without repeating or missing one */
	follow.after_id = found.last_id;
	found = (struct place_found){};
	ck_assert_int_eq(store_query(reader, &follow, place_found_each, &found), 0);
	ck_assert_uint_eq(found.n, 10);
	ck_assert_uint_eq(found.first_seq, 110);
	ck_assert_int_eq(found.first_id, 11);
	(void)store_reader_close(reader);
	(void)store_close(store, PLACE_TIMEOUT_MS);
	check_whole(&place, 10);
	place_free(&place);
}
END_TEST

/* Damage that is met while writing: the page that the next row goes to. */
START_TEST(test_damaged_while_open)
{
	struct place place = place_new();
	struct store *store = place_open(&place, (struct store_config){.batch_ms = 1});
	struct store_stats stats;
	struct stat st;
	sqlite3 *db = NULL;

	for (uint64_t i = 0; i < 3000; i++)
		ck_assert(place_add(store, i));
	ck_assert_int_eq(store_flush(store, PLACE_TIMEOUT_MS), 0);
	/* another writer's commit empties the page cache; the log is brought home, then all is
	 * spoilt */
	ck_assert_int_eq(sqlite3_open(place.path, &db), SQLITE_OK);
	ck_assert_int_eq(sqlite3_exec(db,
				      "UPDATE event SET cpu = 4 WHERE id = 1;"
				      "PRAGMA wal_checkpoint(TRUNCATE)",
				      NULL, NULL, NULL),
			 SQLITE_OK);
	ck_assert_int_eq(sqlite3_close(db), SQLITE_OK);
	ck_assert_int_eq(stat(place.path, &st), 0);
	bytes_write(place.path, 4096, (size_t)st.st_size - 4096, 0xa5);
	for (uint64_t i = 0; i < 10; i++)
		ck_assert(place_add(store, i));
	ck_assert_int_eq(store_flush(store, PLACE_TIMEOUT_MS), 0);
	stats = place_stats(store);
	ck_assert_uint_eq(stats.committed, 3010);
	ck_assert_uint_eq(stats.set_aside, 1);
	ck_assert_int_eq(stats.last_id, 3010);
	(void)store_close(store, PLACE_TIMEOUT_MS);
	check_whole(&place, 10);
	place_free(&place);
}
END_TEST

/* ---- the log ---- */

static bool log_is_held(const struct store_stats *s)
{
	return s->degraded && strstr(s->last_error, "a reader holds") != NULL;
}

static off_t log_size(const struct place *place)
{
	struct stat st = {};
	char wal[96];

	(void)snprintf(wal, sizeof(wal), "%s-wal", place->path);
	(void)stat(wal, &st);
	return st.st_size;
}

/* A reader that never ends: the log stops growing, events wait and are counted, and it goes on when
 * the reader has gone. */
START_TEST(test_log_is_bounded)
{
	struct place place = place_new();
	struct store_config config = {.batch_ms = 1, .batch_max = 100, .wal_max = 1 << 20};
	struct store *store;
	sqlite3 *db = NULL;
	sqlite3_stmt *stmt = NULL;
	uint64_t n = 10;

	place_fill(&place, 0, 10);
	store = place_open(&place, config);
	ck_assert_int_eq(sqlite3_open(place.path, &db), SQLITE_OK);
	ck_assert_int_eq(sqlite3_prepare_v2(db, "SELECT * FROM event", -1, &stmt, NULL), SQLITE_OK);
	ck_assert_int_eq(sqlite3_step(stmt), SQLITE_ROW);
	for (;;) {
		struct store_stats stats = place_stats(store);

		if (log_is_held(&stats))
			break;
		ck_assert_uint_lt(n, 100000);
		for (int i = 0; i < 100; i++)
			(void)place_add(store, n++);
		(void)store_flush(store, 100);
	}
	ck_assert_int_lt(log_size(&place), 4 << 20);
	(void)sqlite3_finalize(stmt);
	ck_assert_int_eq(sqlite3_close(db), SQLITE_OK);
	ck_assert_int_eq(store_flush(store, PLACE_TIMEOUT_MS), 0);
	ck_assert_int_lt(log_size(&place), 2 << 20);
	ck_assert_uint_eq(place_stats(store).committed, n - 10);
	(void)store_close(store, PLACE_TIMEOUT_MS);
	check_whole(&place, n);
	place_free(&place);
}
END_TEST

/* Add one event and wait until it is committed. Return: how often the log was forced to the disk for it. */
static unsigned syncs_of(struct store *store, uint64_t n, uint8_t verdict)
{
	unsigned before = atomic_load(&faulty_log_syncs);
	struct event event = sample_event(n);

	event.kind = EVENT_VERDICT;
	event.verdict = verdict;
	ck_assert(store_add(store, &event));
	ck_assert_int_eq(store_flush(store, PLACE_TIMEOUT_MS), 0);
	return atomic_load(&faulty_log_syncs) - before;
}

/* A refusal is forced to the disk with its commit, and with it what was allowed before; that alone is not. */
START_TEST(test_calm)
{
	struct place place = place_new();
	struct store *store = place_open(&place, (struct store_config){.sync_ms = 3600000});

	(void)syncs_of(store, 0, HT_VERDICT_DENY); /* the log's head is as well */
	ck_assert_uint_eq(syncs_of(store, 1, HT_VERDICT_ALLOW), 0);
	ck_assert_uint_eq(syncs_of(store, 2, HT_VERDICT_ALLOW), 0);
	ck_assert_uint_eq(place_query(&place, (struct store_filter){0}).n, 3);
	ck_assert_uint_eq(syncs_of(store, 3, HT_VERDICT_DENY), 1);
	ck_assert_uint_eq(syncs_of(store, 4, HT_VERDICT_ALLOW), 0);
	(void)store_close(store, PLACE_TIMEOUT_MS);
	check_whole(&place, 5);
	place_free(&place);
}
END_TEST

/* It is in the end, even if nothing else comes. */
START_TEST(test_calm_ends)
{
	struct place place = place_new();
	struct store *store = place_open(&place, (struct store_config){.sync_ms = 1});
	unsigned before;

	(void)syncs_of(store, 0, HT_VERDICT_DENY);
	before = atomic_load(&faulty_log_syncs);
	(void)syncs_of(store, 1, HT_VERDICT_ALLOW);
	for (unsigned ms = 0; atomic_load(&faulty_log_syncs) == before; ms++) {
		ck_assert_uint_lt(ms, PLACE_TIMEOUT_MS);
		(void)usleep(1000);
	}
	(void)store_close(store, PLACE_TIMEOUT_MS);
	place_free(&place);
}
END_TEST

/* The disk is full, or fails, in the middle of a migration: the store is of the old version until it is of the new one, whole. */
START_TEST(test_migration_fails)
{
	struct place place = place_new();
	struct store *store = place_open(&place, (struct store_config){.batch_ms = 1});

	for (uint64_t i = 0; i < 20; i++)
		(void)syncs_of(store, i, HT_VERDICT_ALLOW);
	(void)store_close(store, PLACE_TIMEOUT_MS);
	place_to_version_2(&place);
	faulty_set((enum faulty_mode)_i);
	store = place_open(&place, (struct store_config){.batch_ms = 1});
	place_wait(store, place_is_degraded);
	place_wait(store, has_failed);
	ck_assert_int_eq(place_sql_number(&place, "PRAGMA user_version"), 2);
	ck_assert_int_gt(place_sql_number(&place, "SELECT count(*) FROM bundle_key"), 0);
	faulty_set(FAULTY_NOT);
	place_wait(store, place_is_good);
	ck_assert_int_eq(place_sql_number(&place, "PRAGMA user_version"), STORE_SCHEMA_VERSION);
	ck_assert_uint_eq(place_stats(store).set_aside, 0);
	ck_assert(place_add(store, 20));
	(void)store_close(store, PLACE_TIMEOUT_MS);
	check_whole(&place, 21);
	place_free(&place);
}
END_TEST

/* The log cannot be forced to the disk when it is time: that is told, and nothing of what is in it is lost or there twice. */
START_TEST(test_calm_ends_badly)
{
	struct place place = place_new();
	struct store *store = place_open(&place, (struct store_config){.sync_ms = 1});
	struct store_stats stats;

	(void)syncs_of(store, 0, HT_VERDICT_DENY);
	faulty_set(FAULTY_SYNC);
	(void)syncs_of(store, 1, HT_VERDICT_ALLOW);
	place_wait(store, place_is_degraded);
	stats = place_stats(store);
	ck_assert_uint_gt(stats.failures, 0);
	ck_assert_ptr_nonnull(strstr(stats.last_error, "cannot force the write-ahead log to the disk"));
	faulty_set(FAULTY_NOT);
	(void)syncs_of(store, 2, HT_VERDICT_ALLOW);
	stats = place_stats(store);
	ck_assert(!stats.degraded);
	ck_assert_uint_eq(stats.dropped, 0);
	ck_assert_uint_eq(stats.set_aside, 0);
	(void)store_close(store, PLACE_TIMEOUT_MS);
	check_whole(&place, 3);
	place_free(&place);
}
END_TEST

int main(void)
{
	TCase *tc = tcase_create("recover");

	tcase_add_unchecked_fixture(tc, faulty_install, NULL);
	tcase_add_loop_test(tc, test_disk_fails, FAULTY_FULL, _FAULTY_MAX);
	tcase_add_loop_test(tc, test_disk_fails_at_start, FAULTY_FULL, _FAULTY_MAX);
	tcase_add_loop_test(tc, test_migration_fails, FAULTY_FULL, FAULTY_SYNC);
	tcase_add_test(tc, test_directory_appears);
	tcase_add_test(tc, test_directory_read_only);
	tcase_add_loop_test(tc, test_damaged_at_start, 0, (int)ARRAY_LEN(damages));
	tcase_add_loop_test(tc, test_moved_while_open, 0, (int)ARRAY_LEN(moves));
	tcase_add_test(tc, test_damaged_while_open);
	tcase_add_test(tc, test_log_is_bounded);
	tcase_add_test(tc, test_calm);
	tcase_add_test(tc, test_calm_ends);
	tcase_add_test(tc, test_calm_ends_badly);
	tcase_set_timeout(tc, 0);
	return tcase_run(tc);
}
