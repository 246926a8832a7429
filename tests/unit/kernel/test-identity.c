/* SPDX-License-Identifier: Apache-2.0 */

/* How much room a profile keeps for objects, and what is not asked of a kernel that has nothing. */

#include "kernel-test.h"
#include "tests/unit/runner.h"

static const struct {
	size_t identities, known;
	uint32_t max;
	size_t room;
} rooms[] = {
	{0, 0, 0, 0}, /* nothing is bound: nothing is kept */
	{0, 9, 0, 0},
	{1, 0, 0, 4},
	{10, 0, 0, 40},
	{10, 40, 0, 120}, /* full: twice as much, and room for new ones */
	{1000, 40000, 0, 65536}, /* bounded */
	{1000, 0, 4, 4},
	{1, 0, 100000, 4},
};

START_TEST(test_room)
{
	const struct image_profile profile = {.n_identities = rooms[_i].identities};
	const struct kernel k = {.identities_max = rooms[_i].max};

	ck_assert_uint_eq(kernel_identities_room(&k, &profile, rooms[_i].known), rooms[_i].room);
}
END_TEST

START_TEST(test_count)
{
	const struct kernel_identity identities[] = {{.profile = 1}, {.profile = 2}, {.profile = 1}};

	ck_assert_uint_eq(kernel_identities_count(identities, 3, 1), 2);
	ck_assert_uint_eq(kernel_identities_count(identities, 3, 3), 0);
	ck_assert_uint_eq(kernel_identities_count(NULL, 0, 1), 0);
}
END_TEST

/* Profiles that are unknown, retired or known by id alone take none and are no error. */
START_TEST(test_no_profile)
{
	struct kernel_profile profiles[] = {
		{.id = 1, .fd = -EBADF},
		{.id = 2, .fd = STDIN_FILENO, .retired = true},
	};
	struct kernel k = {.profiles = profiles, .n_profiles = ARRAY_LEN(profiles)};
	const struct ht_identity identity = {.ino = 1};

	for (uint32_t id = 1; id <= 3; id++)
		ck_assert_int_eq(kernel_identity_remove(&k, id, &identity), 0);
}
END_TEST

/* A descriptor that is no map is an error and not "no room". */
START_TEST(test_not_a_map)
{
	const struct kernel_identity identities[] = {{.profile = 1}, {.profile = 2}};
	static struct ht_shared shared;
	struct kernel k = {.shared = &shared};
	size_t no_room = 0;

	ck_assert_int_lt(kernel_identities_fill(&k, -EBADF, 2, identities, 2, &no_room), 0);
	ck_assert_int_eq(kernel_identities_fill(&k, -EBADF, 3, identities, 2, &no_room), 0);
	ck_assert_uint_eq(no_room, 0);
}
END_TEST

int main(void)
{
	TCase *tc = tcase_create("identity");

	tcase_add_loop_test(tc, test_room, 0, (int)ARRAY_LEN(rooms));
	tcase_add_test(tc, test_count);
	tcase_add_test(tc, test_no_profile);
	tcase_add_test(tc, test_not_a_map);
	return tcase_run(tc);
}
