/* SPDX-License-Identifier: Apache-2.0 */

/* One line for each call, whatever is in it. */

#include <errno.h>
#include <sys/stat.h>

#include "programs/haetaed/log.h"
#include "tests/unit/event/sample.h"
#include "tests/unit/haetaed/capture.h"
#include "tests/unit/runner.h"

static const struct {
	bool plain;
	int priority;
	const char *text;
	const char *line;
} lines[] = {
	{true, LOG_INFO, "ready", "ready\n"},
	{false, LOG_INFO, "ready", "<6>ready\n"},
	{false, LOG_WARNING, "careful", "<4>careful\n"},
	{false, LOG_NOTICE, "", "<5>\n"},
	/* a name that wants to be a line of its own, or one of another priority */
	{false, LOG_NOTICE, "a\n<0>b", "<5>a\\x0a<0>b\n"},
	{true, LOG_NOTICE, "\033[31mred", "\\x1b[31mred\n"},
	{true, LOG_NOTICE, "not \xff UTF-8", "not \\xff UTF-8\n"},
	{true, LOG_NOTICE, "back\\slash", "back\\\\slash\n"},
	{true, LOG_NOTICE, "해태", "해태\n"},
};

START_TEST(test_lines)
{
	_cleanup_free_ char *text = NULL;
	struct capture c;

	log_open(lines[_i].plain);
	capture_start(&c);
	log_write(lines[_i].priority, "%s", lines[_i].text);
	text = capture_take(&c);
	ck_assert_str_eq(text, lines[_i].line);
}
END_TEST

/* What has its escapes is not escaped once more. */
START_TEST(test_escaped)
{
	_cleanup_free_ char *text = NULL;
	struct capture c;

	log_open(false);
	capture_start(&c);
	log_escaped(LOG_WARNING, "a\\x0ab...", 6);
	text = capture_take(&c);
	ck_assert_str_eq(text, "<4>a\\x0ab\n");
}
END_TEST

START_TEST(test_is_journal)
{
	char stream[64];
	struct stat st;

	ck_assert_int_eq(fstat(STDERR_FILENO, &st), 0);
	ck_assert_int_eq(unsetenv("JOURNAL_STREAM"), 0);
	ck_assert(!log_is_journal());
	(void)snprintf(stream, sizeof(stream), "%llu:%llu", (unsigned long long)st.st_dev,
		       (unsigned long long)st.st_ino);
	ck_assert_int_eq(setenv("JOURNAL_STREAM", stream, 1), 0);
	ck_assert(log_is_journal());
	(void)snprintf(stream, sizeof(stream), "%llu:%llu", (unsigned long long)st.st_dev,
		       (unsigned long long)st.st_ino + 1);
	ck_assert_int_eq(setenv("JOURNAL_STREAM", stream, 1), 0);
	ck_assert(!log_is_journal());
	ck_assert_int_eq(setenv("JOURNAL_STREAM", "rubbish", 1), 0);
	ck_assert(!log_is_journal());
	ck_assert_int_eq(unsetenv("JOURNAL_STREAM"), 0);
}
END_TEST

START_TEST(test_error)
{
	_cleanup_free_ char *text = NULL;
	struct capture c;

	log_open(false);
	capture_start(&c);
	ck_assert_int_eq(log_error(-ENOENT, "Failed to open '%s'", "a\rb"), -ENOENT);
	text = capture_take(&c);
	ck_assert_str_eq(text, "<3>Failed to open 'a\\x0db': No such file or directory\n");
}
END_TEST

/* Longer than any buffer on the way. */
START_TEST(test_long)
{
	_cleanup_free_ char *name = malloc(100001);
	_cleanup_free_ char *text = NULL;
	struct capture c;

	ck_assert_ptr_nonnull(name);
	memset(name, 'x', 100000);
	name[100000] = '\0';
	log_open(true);
	capture_start(&c);
	log_info("%s.", name);
	text = capture_take(&c);
	ck_assert_uint_eq(strlen(text), 100002);
	ck_assert_str_eq(text + 100000, ".\n");
}
END_TEST

int main(void)
{
	TCase *tc = tcase_create("log");

	tcase_add_loop_test(tc, test_lines, 0, (int)ARRAY_LEN(lines));
	tcase_add_test(tc, test_escaped);
	tcase_add_test(tc, test_is_journal);
	tcase_add_test(tc, test_error);
	tcase_add_test(tc, test_long);
	return tcase_run(tc);
}
