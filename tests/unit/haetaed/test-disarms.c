/* SPDX-License-Identifier: Apache-2.0 */

/* What is disarmed: how long, and what of it outlives the agent. Whatever cannot be read disarms nothing. */

#include "programs/haetaed/disarms.h"

#include <errno.h>
#include <sys/stat.h>

#include "tests/unit/event/sample.h"
#include "tests/unit/runner.h"
#include "util/cleanup.h"
#include "util/replace.h"

static char dir[64];
static const uint8_t boot[16] = {1, 2, 3}, other_boot[16] = {1, 2, 4};

static void setup(void)
{
	(void)strcpy(dir, "/tmp/haetae-disarms-XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(dir));
}

static void teardown(void)
{
	char command[128];

	(void)snprintf(command, sizeof(command), "rm -rf '%s'", dir);
	ck_assert_int_eq(system(command), 0);
}

static void put(struct disarms *disarms, const char *cgroup, uint64_t until_ns)
{
	const struct disarm d = {
		.cgroup = (char *)(uintptr_t)cgroup,
		.container = (char *)(uintptr_t)(cgroup ? "web" : NULL),
		.reason = (char *)(uintptr_t) "the shop is down",
		.since_us = 7,
		.until_ns = until_ns,
	};

	ck_assert_int_eq(disarms_put(disarms, &d), 0);
}

START_TEST(test_times)
{
	_cleanup_(disarms_deinit) struct disarms disarms = {};

	ck_assert_uint_eq(disarms_next(&disarms), 0);
	put(&disarms, "/a", 200);
	put(&disarms, NULL, 100);
	put(&disarms, "/b", 300);
	ck_assert(disarms_all(&disarms));
	ck_assert_uint_eq(disarms_next(&disarms), 100);
	ck_assert_uint_eq(disarms_expire(&disarms, 99), 0);
	ck_assert_uint_eq(disarms_expire(&disarms, 100), 1);
	ck_assert(!disarms_all(&disarms));
	ck_assert_uint_eq(disarms_expire(&disarms, 100), 0);
	ck_assert_uint_eq(disarms_next(&disarms), 200);
	ck_assert_uint_eq(disarms_expire(&disarms, 1000), 2);
	ck_assert_uint_eq(disarms_next(&disarms), 0);
	ck_assert_uint_eq(disarms.n, 3);
	/* anew: the same entry */
	put(&disarms, "/a", 2000);
	ck_assert_uint_eq(disarms.n, 3);
	ck_assert_uint_eq(disarms_next(&disarms), 2000);
	disarms_remove(&disarms, 0);
	ck_assert_ptr_null(disarms_find(&disarms, "/a"));
	ck_assert_ptr_nonnull(disarms_find(&disarms, "/b"));
}
END_TEST

START_TEST(test_kept)
{
	_cleanup_(disarms_deinit) struct disarms disarms = {}, again = {}, other = {};

	ck_assert_int_eq(disarms_load(&again, dir, boot), -ENOENT);
	put(&disarms, "/a", 200);
	put(&disarms, NULL, 100);
	ck_assert_uint_eq(disarms_expire(&disarms, 150), 1);
	ck_assert_int_eq(disarms_save(&disarms, dir, boot), 0);
	ck_assert_int_eq(disarms_load(&again, dir, boot), 0);
	ck_assert_uint_eq(again.n, 2);
	ck_assert_str_eq(again.items[0].cgroup, "/a");
	ck_assert_str_eq(again.items[0].container, "web");
	ck_assert_str_eq(again.items[0].reason, "the shop is down");
	ck_assert_uint_eq(again.items[0].since_us, 7);
	ck_assert_uint_eq(again.items[0].until_ns, 200);
	ck_assert(!again.items[0].over);
	ck_assert_ptr_null(again.items[1].cgroup);
	ck_assert(again.items[1].over);
	/* its times are of another boot */
	ck_assert_int_eq(disarms_load(&other, dir, other_boot), -ENOENT);
	ck_assert_uint_eq(other.n, 0);
}
END_TEST

#define BOOT "\"boot_id\": \"01020300000000000000000000000000\""
static const struct {
	const char *text;
	int result;
} damaged[] = {
	{"", -EINVAL},
	{"[]", -EINVAL},
	{"{", -EINVAL},
	{"{}", -ENOENT},
	{"{" BOOT "}", -EINVAL},
	{"{" BOOT ", \"disarmed\": {}}", -EINVAL},
	{"{" BOOT ", \"disarmed\": [1]}", -EINVAL},
	/* without a cgroup it would be everything */
	{"{" BOOT ", \"disarmed\": [{\"until_ns\": 9, \"over\": false}]}", -EINVAL},
	{"{" BOOT ", \"disarmed\": [{\"cgroup\": null, \"over\": false}]}", -EINVAL},
	{"{" BOOT ", \"disarmed\": [{\"cgroup\": null, \"until_ns\": 9}]}", -EINVAL},
	{"{" BOOT ", \"disarmed\": [{\"cgroup\": null, \"until_ns\": \"9\", \"over\": false}]}", -EINVAL},
	{"{" BOOT ", \"disarmed\": [{\"cgroup\": null, \"until_ns\": 9, \"over\": false}, {}]}", -EINVAL},
	{"{" BOOT ", \"disarmed\": [{\"cgroup\": null, \"until_ns\": 9, \"over\": false}]}", 0},
	{"{" BOOT ", \"disarmed\": []}", 0},
};

START_TEST(test_damaged)
{
	_cleanup_(disarms_deinit) struct disarms disarms = {};
	char path[128];

	(void)snprintf(path, sizeof(path), "%s/disarmed.json", dir);
	ck_assert_int_eq(file_replace(path, damaged[_i].text, strlen(damaged[_i].text), 0600), 0);
	ck_assert_msg(disarms_load(&disarms, dir, boot) == damaged[_i].result, "%s", damaged[_i].text);
	if (damaged[_i].result < 0)
		ck_assert_uint_eq(disarms.n, 0);
}
END_TEST

START_TEST(test_too_many)
{
	_cleanup_(disarms_deinit) struct disarms disarms = {};
	char path[32];

	for (unsigned i = 0; i < DISARM_ENTRIES_MAX; i++) {
		(void)snprintf(path, sizeof(path), "/%u", i);
		put(&disarms, path, 1);
	}
	ck_assert_int_eq(disarms_put(&disarms, &(struct disarm){.reason = path}), -ENOSPC);
	put(&disarms, "/7", 2);
}
END_TEST

/* A failure leaves what was kept, and is told. */
START_TEST(test_not_kept)
{
	_cleanup_(disarms_deinit) struct disarms disarms = {};

	put(&disarms, "/\xff", 1);
	ck_assert_int_eq(disarms_save(&disarms, dir, boot), -EINVAL);
	ck_assert_int_eq(disarms_save(&disarms, "/nonexistent", boot), -EINVAL);
	disarms_remove(&disarms, 0);
	ck_assert_int_eq(disarms_save(&disarms, "/nonexistent", boot), -ENOENT);
}
END_TEST

int main(void)
{
	TCase *tc = tcase_create("disarms");

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, test_times);
	tcase_add_test(tc, test_kept);
	tcase_add_loop_test(tc, test_damaged, 0, (int)ARRAY_LEN(damaged));
	tcase_add_test(tc, test_too_many);
	tcase_add_test(tc, test_not_kept);
	return tcase_run(tc);
}
