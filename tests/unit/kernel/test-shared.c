/* SPDX-License-Identifier: Apache-2.0 */

/* Bits of inode numbers: one that is noted is there until a renewal without it. */

#include "kernel-test.h"
#include "tests/unit/runner.h"

static bool has(const struct ht_shared *shared, uint64_t ino)
{
	uint32_t bit = HT_OBJECT_BIT(ino);

	return shared->objects[bit / 64] >> (bit % 64) & 1;
}

static size_t count(const struct ht_shared *shared)
{
	size_t n = 0;

	for (size_t i = 0; i < ARRAY_LEN(shared->objects); i++)
		n += (size_t)__builtin_popcountll(shared->objects[i]);
	return n;
}

START_TEST(test_note)
{
	static struct ht_shared shared;
	static const uint64_t inos[] = {0, 1, 2, 1000, UINT32_MAX, UINT64_MAX};
	struct kernel k = {.shared = &shared};

	for (size_t i = 0; i < ARRAY_LEN(inos); i++) {
		ck_assert_int_eq(kernel_object_note(&k, &(struct ht_identity){.ino = inos[i]}), 0);
		for (size_t j = 0; j < ARRAY_LEN(inos); j++)
			ck_assert_int_eq(has(&shared, inos[j]), j <= i);
	}
	ck_assert_uint_eq(count(&shared), ARRAY_LEN(inos));
	ck_assert_uint_eq(shared.moves.trees, 0);
}
END_TEST

START_TEST(test_renew)
{
	static struct ht_shared shared;
	const struct kernel_identity left[] = {{.identity.ino = 7}, {.identity.ino = 9}, {.identity.ino = 7}};
	struct kernel k = {.shared = &shared};

	for (uint64_t ino = 1; ino < 20000; ino++)
		ck_assert_int_eq(kernel_object_note(&k, &(struct ht_identity){.ino = ino}), 0);
	ck_assert_uint_gt(count(&shared), 15000); /* numbers that follow each other are far apart */
	kernel_objects_renew(&k, left, ARRAY_LEN(left));
	ck_assert_uint_eq(count(&shared), 2);
	ck_assert(has(&shared, 7) && has(&shared, 9));
	kernel_objects_renew(&k, NULL, 0);
	ck_assert_uint_eq(count(&shared), 0);
}
END_TEST

/* Nothing is bound whose bit cannot be set. */
START_TEST(test_not_mapped)
{
	struct kernel k = {};

	k.map_fds[MAP_AREA] = -EBADF;
	ck_assert_int_lt(kernel_object_note(&k, &(struct ht_identity){.ino = 1}), 0);
	ck_assert_ptr_null(kernel_shared(&k));
	kernel_objects_renew(&k, NULL, 0);
	kernel_shared_close(&k);
}
END_TEST

int main(void)
{
	TCase *tc = tcase_create("shared");

	tcase_add_test(tc, test_note);
	tcase_add_test(tc, test_renew);
	tcase_add_test(tc, test_not_mapped);
	return tcase_run(tc);
}
