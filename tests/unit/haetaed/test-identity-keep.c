/* SPDX-License-Identifier: Apache-2.0 */

/* The book as a file: what is written is read, and what is not whole or of another boot is nothing. */

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#include "programs/haetaed/identity-book.h"
#include "tests/unit/event/sample.h"
#include "tests/unit/runner.h"
#include "util/cleanup.h"
#include "util/fd.h"

#define _cleanup_book_ _cleanup_(identity_book_deinit)

static char file[] = "/tmp/haetae-kept-XXXXXX";
static const uint32_t none[HT_PROFILES_MAX];
static const struct image no_image;

static void setup(void)
{
	int fd = mkstemp(file);

	ck_assert_int_ge(fd, 0);
	(void)close(fd);
}

static void teardown(void)
{
	ck_assert_int_eq(unlink(file), 0);
	(void)strcpy(file, "/tmp/haetae-kept-XXXXXX");
}

static void add(struct identity_book *book, const struct ht_identity *identity, const char *path)
{
	struct identity_list list = {};

	ck_assert_int_eq(identity_book_see(book, identity->cgroup, none), 0);
	ck_assert_int_eq(identity_book_add(book, &no_image, path, identity, &list, &list), 0);
	ck_assert_uint_eq(list.n, 0);
}

static const struct {
	const char *path;
	struct ht_identity identity;
} objects[] = {
	{"/etc/shadow", {.ino = 1, .dev = 2, .generation = 3, .cgroup = 4}},
	{"/etc/shadow", {.ino = 5, .dev = 2, .generation = 0, .cgroup = 4}},
	{"/a b/\xff\"'", {.ino = UINT64_MAX, .dev = UINT32_MAX, .generation = UINT32_MAX, .cgroup = UINT64_MAX}},
	{"/", {.ino = 0, .dev = 0, .generation = 0, .cgroup = 1}},
};

static int count_known(const char *path, const struct ht_identity *identity, void *userdata)
{
	for (size_t i = 0; i < ARRAY_LEN(objects); i++)
		if (strcmp(path, objects[i].path) == 0 &&
		    memcmp(identity, &objects[i].identity, sizeof(*identity)) == 0)
			++*(size_t *)userdata;
	return 0;
}

START_TEST(test_round)
{
	_cleanup_book_ struct identity_book book = {}, again = {};
	size_t n = 0;

	for (size_t i = 0; i < ARRAY_LEN(objects); i++)
		add(&book, &objects[i].identity, objects[i].path);
	ck_assert(book.changed);
	ck_assert_int_eq(identity_book_keep(&book, file), 0);
	ck_assert(!book.changed);
	ck_assert_int_eq(identity_book_recall(&again, file), 0);
	ck_assert_uint_eq(identity_book_count(&again), ARRAY_LEN(objects));
	ck_assert_int_eq(identity_book_each(&again, count_known, &n), 0);
	ck_assert_uint_eq(n, ARRAY_LEN(objects));
}
END_TEST

/* An unchanged book is not written; an empty one is, when it was not. */
START_TEST(test_changed)
{
	_cleanup_book_ struct identity_book book = {}, again = {};
	struct identity_list list = {};

	ck_assert_int_eq(identity_book_keep(&book, "/no/such/place"), 0);
	add(&book, &objects[0].identity, objects[0].path);
	ck_assert_int_eq(identity_book_keep(&book, "/no/such/place"), -ENOENT);
	ck_assert(book.changed);
	ck_assert_int_eq(identity_book_release(&book, &no_image, 4, &list), 0);
	ck_assert_int_eq(identity_book_keep(&book, file), 0);
	ck_assert_int_eq(identity_book_recall(&again, file), 0);
	ck_assert_uint_eq(identity_book_count(&again), 0);
}
END_TEST

static void boot_id(char text[64])
{
	FILE *f = fopen("/proc/sys/kernel/random/boot_id", "re");

	ck_assert_ptr_nonnull(f);
	ck_assert_ptr_nonnull(fgets(text, 64, f));
	(void)fclose(f);
}

static const struct {
	const char *head, *lines;
	int r;
} texts[] = {
	{"haetae identities 1 ", "4 2 1 3 /a\nend\n", 0},
	{"haetae identities 1 ", "end\n", 0},
	{"haetae identities 1 ", "4 2 1 3 /a\n", -EBADMSG}, /* cut short */
	{"haetae identities 1 ", "4 2 1 3 /a\nen", -EBADMSG},
	{"haetae identities 1 ", "", -EBADMSG},
	{"haetae identities 2 ", "end\n", -EBADMSG},
	{"haetae identities 1 X", "end\n", -EBADMSG}, /* another boot */
	{"haetae identities 1 ", "4 2 1 3 /a\n4 2 1 /b\nend\n", -EBADMSG},
	{"haetae identities 1 ", "4 2 1 3 a\nend\n", -EBADMSG},
	{"haetae identities 1 ", "4 4294967296 1 3 /a\nend\n", -EBADMSG},
	{"haetae identities 1 ", "4 2 18446744073709551616 3 /a\nend\n", -EBADMSG},
	{"haetae identities 1 ", "-4 2 1 3 /a\nend\n", -EBADMSG},
	{"haetae identities 1 ", "4  2 1 3 /a\nend\n", -EBADMSG},
};

START_TEST(test_text)
{
	_cleanup_book_ struct identity_book book = {};
	char boot[64];
	FILE *f = fopen(file, "we");

	boot_id(boot);
	ck_assert_ptr_nonnull(f);
	(void)fprintf(f, "%s%s%s", texts[_i].head, boot, texts[_i].lines);
	(void)fclose(f);
	ck_assert_int_eq(identity_book_recall(&book, file), texts[_i].r);
	if (texts[_i].r < 0)
		ck_assert_uint_eq(identity_book_count(&book), 0);
}
END_TEST

START_TEST(test_no_file)
{
	_cleanup_book_ struct identity_book book = {};

	ck_assert_int_eq(identity_book_recall(&book, "/no/such/place"), -ENOENT);
}
END_TEST

int main(void)
{
	TCase *tc = tcase_create("identity-keep");

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, test_round);
	tcase_add_test(tc, test_changed);
	tcase_add_loop_test(tc, test_text, 0, (int)ARRAY_LEN(texts));
	tcase_add_test(tc, test_no_file);
	return tcase_run(tc);
}
