/* SPDX-License-Identifier: Apache-2.0 */

/* The kernel tells less while the store falls behind, and as much as ever when it has caught up. */

#include "programs/haetaed/pace.h"
#include "tests/unit/event/sample.h"
#include "tests/unit/runner.h"

static const struct {
	uint32_t rate, max;
	uint64_t pending, room;
	uint32_t next;
} steps[] = {
	{2000, 2000, 0, 65536, 2000},
	{2000, 2000, 16384, 65536, 2000}, /* a quarter: not yet */
	{2000, 2000, 16385, 65536, 1000},
	{1000, 2000, 65536, 65536, 500},
	{60, 2000, 65536, 65536, PACE_MIN},
	{PACE_MIN, 2000, 65536, 65536, PACE_MIN},
	{500, 2000, 8000, 65536, 500}, /* neither full nor empty */
	{500, 2000, 4096, 65536, 500},
	{500, 2000, 4095, 65536, 1000},
	{1001, 2000, 0, 65536, 2000},
	{0, 2000, 0, 65536, PACE_MIN},
	{UINT32_MAX, 2000, 8000, 65536, 2000},
	{10, 10, 65536, 65536, 10}, /* asked for less than that */
	{2000, 2000, 1, 1, 1000},
	{2000, 2000, 0, 0, 2000},
};

START_TEST(test_step)
{
	ck_assert_uint_eq(pace_next(steps[_i].rate, steps[_i].max, steps[_i].pending, steps[_i].room), steps[_i].next);
}
END_TEST

START_TEST(test_there_and_back)
{
	uint32_t rate = 2000;

	for (int i = 0; i < 6; i++)
		rate = pace_next(rate, 2000, 60000, 65536);
	ck_assert_uint_eq(rate, PACE_MIN);
	for (int i = 0; i < 6; i++)
		rate = pace_next(rate, 2000, 0, 65536);
	ck_assert_uint_eq(rate, 2000);
}
END_TEST

int main(void)
{
	TCase *tc = tcase_create("pace");

	tcase_add_loop_test(tc, test_step, 0, (int)ARRAY_LEN(steps));
	tcase_add_test(tc, test_there_and_back);
	return tcase_run(tc);
}
