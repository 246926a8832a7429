/* SPDX-License-Identifier: Apache-2.0 */

/* store/glob.c: wildcards over bytes, by table and against a slow judge. */

#include <sqlite3.h>

#include "store/glob.h"
#include "tests/unit/event/sample.h"
#include "tests/unit/runner.h"
#include "util/cleanup.h"

static const struct {
	const char *pattern, *text;
	bool match;
} cases[] = {
	{"", "", true},
	{"", "a", false},
	{"*", "", true},
	{"*", "/a/b", true},
	{"**", "/a/b", true},
	{"?", "", false},
	{"?", "a", true},
	{"?", "ab", false},
	{"a", "a", true},
	{"a", "A", false},
	{"/etc/*", "/etc/shadow", true},
	{"/etc/*", "/etc/ssl/private/key", true},
	{"/etc/*", "/etc", false},
	{"*/shadow", "/etc/shadow", true},
	{"*/shadow", "/etc/shadow-", false},
	{"*a*b*", "xxaxxbxx", true},
	{"*a*b*", "xxbxxaxx", false},
	{"*ab", "aab", true},
	{"*aab", "aaab", true},
	{"a*a", "a", false},
	{"web-[0-9]", "web-7", true},
	{"web-[0-9]", "web-x", false},
	{"web-[!0-9]", "web-x", true},
	{"web-[^0-9]", "web-7", false},
	{"[]]", "]", true},
	{"[!]]", "]", false},
	{"[a-]", "-", true},
	{"[-a]", "-", true},
	{"[", "[", true},
	{"[abc", "[abc", true},
	{"[!", "[!", true},
	{"x[", "x", false},
	{"[\\]]", "]", true},
	{"\\*", "*", true},
	{"\\*", "a", false},
	{"\\\\", "\\", true},
	{"a\\", "a\\", true},
	{"\xff*", "\xff\xfe", true},
	{"?\xfe", "\xff\xfe", true},
	{"\xed\x95\xb4*", "\xed\x95\xb4\xed\x83\x9c", true},
	{"???", "\xed\x95\xb4", true},
	{"'); DROP TABLE event; --", "'); DROP TABLE event; --", true},
};

START_TEST(test_cases)
{
	const char *p = cases[_i].pattern, *t = cases[_i].text;

	ck_assert_msg(glob_match(p, strlen(p), t, strlen(t)) == cases[_i].match, "%s on %s", p, t);
}
END_TEST

START_TEST(test_nul_is_a_byte)
{
	ck_assert(glob_match("a*c", 3, "a\0c", 3));
	ck_assert(glob_match("a?c", 3, "a\0c", 3));
	ck_assert(!glob_match("a", 1, "a\0", 2));
	ck_assert(glob_match("a\0*", 3, "a\0c", 3));
}
END_TEST

/* By definition, without sets. */
static bool slow(const char *p, const char *t)
{
	if (!*p)
		return !*t;
	if (*p == '*')
		return slow(p + 1, t) || (*t && slow(p, t + 1));
	return *t && (*p == '?' || *p == *t) && slow(p + 1, t + 1);
}

START_TEST(test_against_slow_judge)
{
	static const char alphabet[] = "ab*?", letters[] = "ab";
	size_t matches = 0;

	for (unsigned p = 0; p < 1024; p++) {
		for (unsigned t = 0; t < 64; t++) {
			char pattern[6] = "", text[7] = "";
			size_t n = p % 6, m = t % 7;

			for (size_t i = 0; i < n && i < 5; i++)
				pattern[i] = alphabet[(p >> (2 * i)) % 4];
			for (size_t i = 0; i < m && i < 6; i++)
				text[i] = letters[(t >> i) % 2];
			matches += slow(pattern, text);
			ck_assert_msg(glob_match(pattern, strlen(pattern), text, strlen(text)) ==
					      slow(pattern, text),
				      "%s on %s", pattern, text);
		}
	}
	ck_assert_uint_gt(matches, 1000);
}
END_TEST

/* The worst pattern stays quadratic: this would run for ages if it were not. */
START_TEST(test_cost)
{
	static char pattern[2001], text[50001];

	for (size_t i = 0; i < 2000; i += 2) {
		pattern[i] = '*';
		pattern[i + 1] = 'a';
	}
	memset(text, 'a', 50000);
	text[49999] = 'b';
	ck_assert(!glob_match(pattern, 2000, text, 50000));
}
END_TEST

static int64_t value(sqlite3 *db, const char *sql)
{
	sqlite3_stmt *stmt = NULL;
	int64_t number;

	ck_assert_int_eq(sqlite3_prepare_v2(db, sql, -1, &stmt, NULL), SQLITE_OK);
	ck_assert_int_eq(sqlite3_step(stmt), SQLITE_ROW);
	number = sqlite3_column_int64(stmt, 0);
	(void)sqlite3_finalize(stmt);
	return number;
}

START_TEST(test_in_sql)
{
	sqlite3 *db = NULL;

	ck_assert_int_eq(sqlite3_open(":memory:", &db), SQLITE_OK);
	ck_assert_int_eq(glob_register(db), SQLITE_OK);
	ck_assert_int_eq(value(db, "SELECT haetae_glob('a*', x'61ff')"), 1);
	ck_assert_int_eq(value(db, "SELECT haetae_glob(x'61ff2a', x'61ff00')"), 1);
	ck_assert_int_eq(value(db, "SELECT haetae_glob('a*', 'abc')"), 1);
	ck_assert_int_eq(value(db, "SELECT haetae_glob('a*', 'bc')"), 0);
	ck_assert_int_eq(value(db, "SELECT haetae_glob('*', x'')"), 1);
	ck_assert_int_eq(value(db, "SELECT haetae_glob('', x'')"), 1);
	ck_assert_int_eq(value(db, "SELECT haetae_glob('*', NULL)"), 0);
	ck_assert_int_eq(value(db, "SELECT haetae_glob(NULL, 'a')"), 0);
	(void)sqlite3_close(db);
}
END_TEST

int main(void)
{
	TCase *tc = tcase_create("glob");

	tcase_add_loop_test(tc, test_cases, 0, (int)ARRAY_LEN(cases));
	tcase_add_test(tc, test_nul_is_a_byte);
	tcase_add_test(tc, test_against_slow_judge);
	tcase_add_test(tc, test_cost);
	tcase_add_test(tc, test_in_sql);
	return tcase_run(tc);
}
