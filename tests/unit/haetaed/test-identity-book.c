/* SPDX-License-Identifier: Apache-2.0 */

/* What was found stays until its cgroup goes; each profile of the cgroup that names the path is told. */

#include "programs/haetaed/identity-book.h"
#include "tests/unit/event/sample.h"
#include "tests/unit/runner.h"
#include "util/cleanup.h"

#define _cleanup_list_ _cleanup_(identity_list_deinit)
#define _cleanup_book_ _cleanup_(identity_book_deinit)

/* Two profiles: 7 names /a and /b, 8 names /a. */
static struct image_identity of_seven[] = {
	{.path = (char *)(uintptr_t) "/a", .entry = {.deny = HT_OP_READ, .next = 70}},
	{.path = (char *)(uintptr_t) "/b", .entry = {.deny = HT_OP_WRITE, .next = 71}},
};
static struct image_identity of_eight[] = {
	{.path = (char *)(uintptr_t) "/a", .entry = {.deny = HT_OP_EXEC, .next = 80}},
};
static struct image_profile profiles[] = {
	{.id = 7, .identities = of_seven, .n_identities = ARRAY_LEN(of_seven)},
	{.id = 8, .identities = of_eight, .n_identities = ARRAY_LEN(of_eight)},
};
static const struct image image = {.profiles = profiles, .n_profiles = ARRAY_LEN(profiles)};
static const struct image without_b = {.profiles = &profiles[1], .n_profiles = 1};

static const uint32_t both[HT_PROFILES_MAX] = {7, 8};
static const uint32_t seven[HT_PROFILES_MAX] = {7};

static void see(struct identity_book *book, uint64_t cgroup, const uint32_t *ids)
{
	ck_assert_int_eq(identity_book_see(book, cgroup, ids), 0);
}

/* Return: number of bindings to add. */
static size_t add(struct identity_book *book, uint64_t cgroup, const char *path, uint64_t ino,
		  size_t *removed)
{
	_cleanup_list_ struct identity_list more = {}, less = {};
	const struct ht_identity identity = {.ino = ino, .dev = 5, .generation = 6, .cgroup = cgroup};

	ck_assert_int_eq(identity_book_add(book, &image, path, &identity, &more, &less), 0);
	for (size_t i = 0; i < more.n; i++)
		ck_assert_int_eq(memcmp(&more.items[i].identity, &identity, sizeof(identity)), 0);
	if (removed)
		*removed = less.n;
	else
		ck_assert_uint_eq(less.n, 0);
	return more.n;
}

static size_t bound(const struct identity_book *book, const struct image *of)
{
	_cleanup_list_ struct identity_list list = {};

	ck_assert_int_eq(identity_book_bind(book, of, &list), 0);
	return list.n;
}

START_TEST(test_profiles)
{
	_cleanup_book_ struct identity_book book = {};
	_cleanup_list_ struct identity_list list = {};
	const struct ht_identity identity = {.ino = 1, .cgroup = 100}, other = {.ino = 1, .cgroup = 200};

	see(&book, 100, both);
	see(&book, 200, seven);
	ck_assert_int_eq(identity_book_add(&book, &image, "/a", &identity, &list, &list), 0);
	ck_assert_uint_eq(list.n, 2);
	ck_assert_uint_eq(list.items[0].profile, 7);
	ck_assert_uint_eq(list.items[0].entry.next, 70);
	ck_assert_uint_eq(list.items[1].profile, 8);
	ck_assert_uint_eq(list.items[1].entry.deny, HT_OP_EXEC);
	/* the same object in another cgroup is another */
	ck_assert_int_eq(identity_book_add(&book, &image, "/a", &other, &list, &list), 0);
	ck_assert_uint_eq(list.n, 3);
	ck_assert_uint_eq(list.items[2].profile, 7);
	ck_assert_uint_eq(list.items[2].identity.cgroup, 200);
	ck_assert_uint_eq(identity_book_count(&book), 2);
	ck_assert_uint_eq(bound(&book, &image), 3);
}
END_TEST

START_TEST(test_known)
{
	_cleanup_book_ struct identity_book book = {};

	ck_assert_uint_eq(add(&book, 100, "/a", 1, NULL), 0); /* no such cgroup */
	ck_assert_uint_eq(identity_book_count(&book), 0);
	see(&book, 100, both);
	ck_assert_uint_eq(add(&book, 100, "/a", 1, NULL), 2);
	ck_assert_uint_eq(add(&book, 100, "/a", 1, NULL), 0);
	/* another object in its place: the former stays */
	ck_assert_uint_eq(add(&book, 100, "/a", 2, NULL), 2);
	ck_assert_uint_eq(add(&book, 100, "/a", 1, NULL), 0);
	ck_assert_uint_eq(identity_book_count(&book), 2);
	ck_assert_uint_eq(add(&book, 100, "/b", 1, NULL), 1);
	ck_assert_uint_eq(add(&book, 100, "/unnamed", 1, NULL), 0);
}
END_TEST

START_TEST(test_oldest_gives_way)
{
	_cleanup_book_ struct identity_book book = {};
	size_t removed;

	see(&book, 100, both);
	for (uint64_t i = 1; i <= IDENTITY_BOOK_KNOWN_MAX; i++)
		ck_assert_uint_eq(add(&book, 100, "/a", i, NULL), 2);
	ck_assert_uint_eq(add(&book, 100, "/b", 3, NULL), 1);
	/* the second: the first one stays */
	ck_assert_uint_eq(add(&book, 100, "/a", 1000, &removed), 2);
	ck_assert_uint_eq(removed, 2);
	/* the third is known under another name, too */
	ck_assert_uint_eq(add(&book, 100, "/a", 1001, &removed), 2);
	ck_assert_uint_eq(removed, 0);
	ck_assert_uint_eq(identity_book_count(&book), IDENTITY_BOOK_KNOWN_MAX + 1);
	/* what is left: known; what gave way: new again */
	ck_assert_uint_eq(add(&book, 100, "/a", 1, NULL), 0);
	ck_assert_uint_eq(add(&book, 100, "/a", 4, NULL), 0);
	ck_assert_uint_eq(add(&book, 100, "/a", 1001, NULL), 0);
	ck_assert_uint_eq(add(&book, 100, "/a", 2, &removed), 2);
	ck_assert_uint_eq(removed, 2);
}
END_TEST

START_TEST(test_release)
{
	_cleanup_book_ struct identity_book book = {};
	_cleanup_list_ struct identity_list list = {};

	see(&book, 100, both);
	see(&book, 200, both);
	(void)add(&book, 100, "/a", 1, NULL);
	(void)add(&book, 200, "/a", 1, NULL);
	ck_assert_int_eq(identity_book_release(&book, &image, 100, &list), 0);
	ck_assert_uint_eq(list.n, 2);
	ck_assert_uint_eq(list.items[0].identity.cgroup, 100);
	ck_assert_int_eq(identity_book_release(&book, &image, 100, &list), 0);
	ck_assert_uint_eq(list.n, 2);
	ck_assert_uint_eq(bound(&book, &image), 2);
}
END_TEST

START_TEST(test_sweep)
{
	_cleanup_book_ struct identity_book book = {};
	_cleanup_list_ struct identity_list list = {};

	see(&book, 100, both);
	see(&book, 200, both);
	(void)add(&book, 100, "/a", 1, NULL);
	(void)add(&book, 200, "/a", 1, NULL);
	identity_book_round(&book);
	see(&book, 200, both);
	ck_assert_int_eq(identity_book_sweep(&book, &image, &list), 0);
	ck_assert_uint_eq(list.n, 2);
	ck_assert_uint_eq(list.items[0].identity.cgroup, 100);
	ck_assert_uint_eq(identity_book_count(&book), 1);
}
END_TEST

/* A publish keeps what it still names. */
START_TEST(test_publish)
{
	_cleanup_book_ struct identity_book book = {};

	see(&book, 100, both);
	(void)add(&book, 100, "/a", 1, NULL);
	(void)add(&book, 100, "/b", 2, NULL);
	ck_assert_uint_eq(bound(&book, &image), 3);
	ck_assert_uint_eq(bound(&book, &without_b), 1);
	identity_book_prune(&book, &without_b);
	ck_assert_uint_eq(identity_book_count(&book), 1);
	ck_assert_uint_eq(bound(&book, &image), 2);
	/* the cgroup is not selected by the policy any more */
	see(&book, 100, (const uint32_t[HT_PROFILES_MAX]){9});
	ck_assert_uint_eq(bound(&book, &image), 0);
	identity_book_prune(&book, &image);
	ck_assert_uint_eq(identity_book_count(&book), 0);
}
END_TEST

int main(void)
{
	TCase *tc = tcase_create("identity-book");

	tcase_add_test(tc, test_profiles);
	tcase_add_test(tc, test_known);
	tcase_add_test(tc, test_oldest_gives_way);
	tcase_add_test(tc, test_release);
	tcase_add_test(tc, test_sweep);
	tcase_add_test(tc, test_publish);
	return tcase_run(tc);
}
