/* SPDX-License-Identifier: Apache-2.0 */

/* store/sqlite.c: whose file is it, migration, setting aside. */

#include <grp.h>
#include <sys/wait.h>

#include "store/schema.h"
#include "store/sqlite.h"
#include "tests/unit/runner.h"
#include "tests/unit/store/place.h"

static const struct db_settings settings = {
	.wal_pages = 1000, .wal_keep = 1 << 20, .check_ms = 500};

static int open_writer(const struct place *place, sqlite3 **ret)
{
	_cleanup_free_ char *text = NULL;
	int r = db_open_writer(place->path, &settings, ret, &text);

	ck_assert_int_eq(text != NULL, r != 0);
	return r;
}

static int open_reader(const struct place *place)
{
	_cleanup_free_ char *text = NULL;
	struct store_reader *reader = NULL;
	int r = store_reader_open(place->path, &reader, &text);

	ck_assert_int_eq(text != NULL, r != 0);
	ck_assert_int_eq(reader != NULL, r == 0);
	(void)store_reader_close(reader);
	return r;
}

START_TEST(test_create)
{
	struct place place = place_new();
	sqlite3 *db = NULL;
	int64_t value = 0;
	struct stat st;

	ck_assert_int_eq(open_reader(&place), -ENOENT);
	ck_assert_int_eq(open_writer(&place, &db), 0);
	ck_assert_int_eq(stat(place.path, &st), 0);
	ck_assert_uint_eq(st.st_mode & 07777, 0600);
	ck_assert_int_eq(db_value(db, "PRAGMA user_version", &value), SQLITE_OK);
	ck_assert_int_eq(value, STORE_SCHEMA_VERSION);
	ck_assert_int_eq(db_value(db, "PRAGMA application_id", &value), SQLITE_OK);
	ck_assert_int_eq(value, SCHEMA_APPLICATION_ID);
	ck_assert_int_eq(db_value(db, "PRAGMA synchronous", &value), SQLITE_OK);
	ck_assert_int_eq(value, 2);
	ck_assert_int_eq(db_value(db, "PRAGMA journal_size_limit", &value), SQLITE_OK);
	ck_assert_int_eq(value, 1 << 20);
	ck_assert_int_eq(open_reader(&place), 0);
	(void)sqlite3_close_v2(db);
	place_free(&place);
}
END_TEST

/* v0: the power went between creating the file and writing it. */
START_TEST(test_migrate_from_empty)
{
	struct place place = place_new();
	sqlite3 *db = NULL;
	int64_t value = 0;
	FILE *f = fopen(place.path, "we");

	ck_assert_ptr_nonnull(f);
	ck_assert_int_eq(fclose(f), 0);
	ck_assert_int_eq(open_reader(&place), -ENOENT);
	ck_assert_int_eq(open_writer(&place, &db), 0);
	ck_assert_int_eq(db_value(db, "SELECT count(*) FROM event", &value), SQLITE_OK);
	(void)sqlite3_close_v2(db);
	ck_assert_int_eq(open_reader(&place), 0);
	place_free(&place);
}
END_TEST

static int64_t version_of(sqlite3 *db)
{
	int64_t version = -1;

	ck_assert_int_eq(db_value(db, "PRAGMA user_version", &version), SQLITE_OK);
	return version;
}

START_TEST(test_migrate_steps)
{
	static const char *const steps[] = {
		"CREATE TABLE a (x) STRICT",
		"CREATE TABLE b (x INTEGER) STRICT; INSERT INTO b VALUES (2)",
		"CREATE TABLE a (x INTEGER) STRICT", "CREATE TABLE c (x INTEGER) STRICT"};
	static const char *const good[] = {
		"CREATE TABLE a (x INTEGER) STRICT; INSERT INTO a VALUES (1)",
		"CREATE TABLE b (x INTEGER) STRICT; INSERT INTO b SELECT x + 1 FROM a",
		"UPDATE b SET x = x * 10"};
	const char *const half[] = {good[0], good[1],
				    "UPDATE b SET x = 7; UPDATE missing SET x = 1"};
	sqlite3 *db = NULL;
	int64_t value = 0;

	ck_assert_int_eq(sqlite3_open(":memory:", &db), SQLITE_OK);
	/* a step that fails leaves nothing, the steps before stay */
	ck_assert_int_eq(db_migrate(db, steps, 4), -EIO);
	ck_assert_int_eq(version_of(db), 0);
	ck_assert_int_eq(db_migrate(db, good, 1), 0);
	ck_assert_int_eq(version_of(db), 1);
	ck_assert_int_eq(db_migrate(db, half, 3), -EIO);
	ck_assert_int_eq(version_of(db), 2);
	ck_assert_int_eq(db_value(db, "SELECT x FROM b", &value), SQLITE_OK);
	ck_assert_int_eq(value, 2);
	ck_assert_int_ne(sqlite3_get_autocommit(db), 0);
	/* repaired, it goes on from there, and again does nothing */
	ck_assert_int_eq(db_migrate(db, good, 3), 0);
	ck_assert_int_eq(version_of(db), 3);
	ck_assert_int_eq(db_migrate(db, good, 3), 0);
	ck_assert_int_eq(db_value(db, "SELECT x FROM b", &value), SQLITE_OK);
	ck_assert_int_eq(value, 20);
	ck_assert_int_eq(db_migrate(db, good, 2), DB_E_NEWER);
	(void)sqlite3_close(db);
}
END_TEST

static const struct {
	const char *sql;
	int writer, reader;
} foreign[] = {
	{"PRAGMA user_version = 4", DB_E_NEWER, -EINVAL},
	{"PRAGMA user_version = -1", DB_E_NEWER, -EINVAL},
	{"PRAGMA application_id = 5", DB_E_DAMAGED, -EINVAL},
	{"PRAGMA user_version = 0", DB_E_DAMAGED, -EINVAL},
};

START_TEST(test_foreign)
{
	struct place place = place_new();
	sqlite3 *db = NULL;

	place_fill(&place, 0, 3);
	place_sql(&place, foreign[_i].sql);
	ck_assert_int_eq(open_writer(&place, &db), foreign[_i].writer);
	ck_assert_ptr_null(db);
	ck_assert_int_eq(open_reader(&place), foreign[_i].reader);
	place_free(&place);
}
END_TEST

START_TEST(test_other_programs_database)
{
	struct place place = place_new();
	sqlite3 *db = NULL;

	place_sql(&place, "CREATE TABLE precious (x); INSERT INTO precious VALUES (1)");
	ck_assert_int_eq(open_writer(&place, &db), DB_E_DAMAGED);
	ck_assert_int_eq(open_reader(&place), -EINVAL);
	ck_assert_int_eq(place_sql_number(&place, "SELECT x FROM precious"), 1);
	place_free(&place);
}
END_TEST

START_TEST(test_not_a_database)
{
	struct place place = place_new();
	sqlite3 *db = NULL;
	FILE *f = fopen(place.path, "we");

	ck_assert_ptr_nonnull(f);
	for (int i = 0; i < 1000; i++)
		ck_assert_int_gt(fprintf(f, "not a database\n"), 0);
	ck_assert_int_eq(fclose(f), 0);
	ck_assert_int_eq(open_writer(&place, &db), DB_E_DAMAGED);
	ck_assert_int_eq(open_reader(&place), -EINVAL);
	place_free(&place);
}
END_TEST

START_TEST(test_not_a_file)
{
	struct place place = place_new();
	sqlite3 *db = NULL;

	ck_assert_int_eq(mkfifo(place.path, 0600), 0);
	ck_assert_int_eq(open_writer(&place, &db), -EINVAL);
	ck_assert_int_eq(open_reader(&place), -EINVAL);
	place_free(&place);
}
END_TEST

START_TEST(test_no_directory)
{
	struct place place = place_new();
	sqlite3 *db = NULL;

	place_free(&place);
	ck_assert_int_eq(open_writer(&place, &db), -ENOENT);
	ck_assert_int_eq(open_reader(&place), -ENOENT);
}
END_TEST

/* In the child, which may not write where the store lies. Return: exit status. */
static int read_only_medium(const struct place *place)
{
	struct store_reader *reader = NULL;
	struct store_filter filter = {0};
	struct place_found found = {0};
	char *text = NULL;

	if (geteuid() == 0 && (setgroups(0, NULL) < 0 || setresgid(65534, 65534, 65534) < 0 ||
			       setresuid(65534, 65534, 65534) < 0))
		return 2;
	if (store_reader_open(place->path, &reader, &text) < 0)
		return 3;
	if (store_query(reader, &filter, place_found_each, &found) < 0)
		return 4;
	(void)store_reader_close(reader);
	return found.n == 5 ? 0 : 5;
}

/* A store that was closed can be read where nothing can be written (a log file would have to be).
 */
START_TEST(test_read_only_medium)
{
	struct place place = place_new();
	int status;
	pid_t child;

	place_fill(&place, 0, 5);
	ck_assert_int_eq(chmod(place.path, 0444), 0);
	ck_assert_int_eq(chmod(place.directory, 0555), 0);
	child = fork();
	ck_assert_int_ge(child, 0);
	if (child == 0)
		_exit(read_only_medium(&place));
	ck_assert_int_eq(waitpid(child, &status, 0), child);
	ck_assert(WIFEXITED(status));
	ck_assert_int_eq(WEXITSTATUS(status), 0);
	ck_assert_uint_eq(place_count(&place, "verdicts.db-"), 0);
	ck_assert_int_eq(chmod(place.directory, 0700), 0);
	place_free(&place);
}
END_TEST

/* Each name is kept, also twice in one second, and the log goes along. */
START_TEST(test_set_aside)
{
	struct place place = place_new();

	for (int i = 0; i < 3; i++) {
		_cleanup_free_ char *aside = NULL, *wal = NULL;
		char path[96];
		FILE *f;

		place_fill(&place, 0, 1);
		(void)snprintf(path, sizeof(path), "%s-wal", place.path);
		f = fopen(path, "we");
		ck_assert_ptr_nonnull(f);
		ck_assert_int_eq(fclose(f), 0);
		ck_assert_int_eq(db_set_aside(place.path, "damaged", &aside), 0);
		ck_assert_int_eq(access(aside, F_OK), 0);
		ck_assert_int_gt(asprintf(&wal, "%s-wal", aside), 0);
		ck_assert_int_eq(access(wal, F_OK), 0);
		ck_assert_int_lt(access(place.path, F_OK), 0);
		ck_assert_int_lt(access(path, F_OK), 0);
	}
	ck_assert_uint_eq(place_count(&place, "verdicts.db.damaged-"), 6);
	place_free(&place);
}
END_TEST

static const struct {
	int rc, expected;
} codes[] = {
	{SQLITE_OK, 0},
	{SQLITE_DONE, 0},
	{SQLITE_FULL, -ENOSPC},
	{SQLITE_IOERR_WRITE, -EIO},
	{SQLITE_READONLY_DBMOVED, -EROFS},
	{SQLITE_CORRUPT_VTAB, -EBADMSG},
	{SQLITE_NOTADB, -EBADMSG},
	{SQLITE_BUSY_SNAPSHOT, -EBUSY},
	{SQLITE_NOMEM, -ENOMEM},
};

START_TEST(test_codes)
{
	ck_assert_int_eq(db_errno(codes[_i].rc), codes[_i].expected);
}
END_TEST

int main(void)
{
	TCase *tc = tcase_create("sqlite");

	tcase_add_test(tc, test_create);
	tcase_add_test(tc, test_migrate_from_empty);
	tcase_add_test(tc, test_migrate_steps);
	tcase_add_loop_test(tc, test_foreign, 0, (int)ARRAY_LEN(foreign));
	tcase_add_test(tc, test_other_programs_database);
	tcase_add_test(tc, test_not_a_database);
	tcase_add_test(tc, test_not_a_file);
	tcase_add_test(tc, test_no_directory);
	tcase_add_test(tc, test_read_only_medium);
	tcase_add_test(tc, test_set_aside);
	tcase_add_loop_test(tc, test_codes, 0, (int)ARRAY_LEN(codes));
	return tcase_run(tc);
}
