/* SPDX-License-Identifier: Apache-2.0 */

/* Files that are replaced as a whole, or not at all. */

#include "util/replace.h"

#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tests/unit/runner.h"
#include "util/cleanup.h"
#include "util/fd.h"

static char dir[] = "/tmp/haetae-replace-XXXXXX";

static const char *at(const char *name)
{
	static char ring[4][128];
	static unsigned next;
	char *path = ring[next++ % 4];

	(void)snprintf(path, sizeof(ring[0]), "%s/%s", dir, name);
	return path;
}

static void expect_content(const char *name, const char *content)
{
	_cleanup_free_ char *text = NULL;
	size_t len;

	ck_assert_int_eq(file_read_all(AT_FDCWD, at(name), 1 << 20, &text, &len), 0);
	ck_assert_str_eq(text, content);
	ck_assert_uint_eq(len, strlen(content));
}

START_TEST(test_replace)
{
	struct stat st;

	ck_assert_int_eq(file_replace(at("a"), "one", 3, 0600), 0);
	expect_content("a", "one");
	ck_assert_int_eq(file_replace(at("a"), "", 0, 0644), 0);
	expect_content("a", "");
	ck_assert_int_eq(stat(at("a"), &st), 0);
	ck_assert_uint_eq(st.st_mode & 07777, 0644);
	ck_assert_int_lt(access(at(".a.new"), F_OK), 0);
}
END_TEST

/* What a killed writer left is no obstacle, and a link in its place is not followed. */
START_TEST(test_left_over)
{
	ck_assert_int_eq(file_replace(at("victim"), "kept", 4, 0600), 0);
	ck_assert_int_eq(symlink(at("victim"), at(".b.new")), 0);
	ck_assert_int_eq(file_replace(at("b"), "two", 3, 0600), 0);
	expect_content("b", "two");
	expect_content("victim", "kept");
}
END_TEST

START_TEST(test_failure)
{
	ck_assert_int_eq(file_replace(at("none/a"), "x", 1, 0600), -ENOENT);
	ck_assert_int_eq(mkdir(at("directory"), 0700), 0);
	ck_assert_int_lt(file_replace(at("directory"), "x", 1, 0600), 0);
	ck_assert_int_lt(access(at(".directory.new"), F_OK), 0);
	ck_assert_int_eq(fd_write_all(-1, "x", 1), -EBADF);
}
END_TEST

int main(void)
{
	TCase *tc = tcase_create("replace");
	char command[64];
	int failed;

	if (!mkdtemp(dir))
		return EXIT_FAILURE;
	tcase_add_test(tc, test_replace);
	tcase_add_test(tc, test_left_over);
	tcase_add_test(tc, test_failure);
	failed = tcase_run(tc);
	(void)snprintf(command, sizeof(command), "rm -rf '%s'", dir);
	return system(command) != 0 || failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
