/* SPDX-License-Identifier: Apache-2.0 */

/* store/verify.c: a good store passes, each broken promise is found and named. */

#include <fcntl.h>

#include "tests/unit/runner.h"
#include "tests/unit/store/place.h"

static int verify(const struct place *place, char **ret_text)
{
	struct store_reader *reader = place_read(place);
	int r = store_verify(reader, ret_text);

	ck_assert_int_eq(*ret_text != NULL, r != 0);
	(void)store_reader_close(reader);
	return r;
}

START_TEST(test_good)
{
	struct place place = place_new();
	char *text;

	place_fill(&place, 0, 0);
	ck_assert_int_eq(verify(&place, &text), 0);
	place_fill(&place, 0, 100);
	ck_assert_int_eq(verify(&place, &text), 0);
	/* removal of old events is no damage */
	place_sql(&place, "DELETE FROM event WHERE id < 50");
	ck_assert_int_eq(verify(&place, &text), 0);
	place_free(&place);
}
END_TEST

static const struct {
	const char *sql, *finding;
} broken[] = {
	{"PRAGMA foreign_keys = OFF; DELETE FROM boot", "100 events of an unknown boot"},
	{"PRAGMA foreign_keys = OFF; DELETE FROM rule", "100 events of an unknown rule"},
	{"PRAGMA foreign_keys = OFF; DELETE FROM place", "100 events of an unknown place"},
	{"INSERT INTO boot (boot_id) SELECT boot_id FROM boot", "boots that stand more than once"},
	{"UPDATE total SET count = 99", "1 totals smaller than the events they count"},
	{"DELETE FROM total", "1 totals smaller than the events they count"},
	{"INSERT INTO total VALUES (1, 5, 1, -1)", "1 totals below zero"},
	{"UPDATE event SET verdict = 50 WHERE id < 4; UPDATE total SET count = 97;"
	 "INSERT INTO total VALUES (1, 0, 50, 3)",
	 "3 events that cannot be read"},
	{"PRAGMA writable_schema = ON; UPDATE sqlite_schema"
	 " SET sql = 'CREATE INDEX event_by_time ON event (seq)' WHERE name = 'event_by_time'",
	 "missing from index event_by_time"},
};

START_TEST(test_broken)
{
	struct place place = place_new();
	char *text;

	place_fill(&place, 0, 100);
	place_sql(&place, broken[_i].sql);
	ck_assert_int_eq(verify(&place, &text), STORE_E_DAMAGED);
	ck_assert_msg(strstr(text, broken[_i].finding) != NULL, "%s", text);
	ck_assert_int_eq(text[strlen(text) - 1], '\n');
	free(text);
	place_free(&place);
}
END_TEST

/* Any page but the first, which is read on opening, overwritten: found. */
START_TEST(test_page)
{
	struct place place = place_new();
	char page[4096], *text;
	struct stat st;
	int fd;

	place_fill(&place, 0, 100);
	ck_assert_int_eq(stat(place.path, &st), 0);
	memset(page, 0xa5, sizeof(page));
	for (off_t at = 4096; at < st.st_size; at += 4096) {
		char saved[4096];

		fd = open(place.path, O_RDWR | O_CLOEXEC);
		ck_assert_int_ge(fd, 0);
		ck_assert_int_eq(pread(fd, saved, sizeof(saved), at), sizeof(saved));
		ck_assert_int_eq(pwrite(fd, page, sizeof(page), at), sizeof(page));
		ck_assert_int_eq(verify(&place, &text), STORE_E_DAMAGED);
		free(text);
		ck_assert_int_eq(pwrite(fd, saved, sizeof(saved), at), sizeof(saved));
		(void)close(fd);
	}
	ck_assert_int_eq(verify(&place, &text), 0);
	place_free(&place);
}
END_TEST

int main(void)
{
	TCase *tc = tcase_create("verify");

	tcase_add_test(tc, test_good);
	tcase_add_loop_test(tc, test_broken, 0, (int)ARRAY_LEN(broken));
	tcase_add_test(tc, test_page);
	tcase_set_timeout(tc, 0);
	return tcase_run(tc);
}
