/* SPDX-License-Identifier: Apache-2.0 */

/* The per-CPU ledgers as one: every counter of every CPU, and none twice. */

#include "kernel-test.h"
#include "tests/unit/runner.h"

#define N_COUNTERS (sizeof(struct ht_ledger) / sizeof(uint64_t))

static void ledger_fill(struct ht_ledger *ledger, uint64_t factor)
{
	uint64_t counters[N_COUNTERS];

	for (size_t i = 0; i < N_COUNTERS; i++)
		counters[i] = (i + 1) * factor;
	memcpy(ledger, counters, sizeof(*ledger));
}

static const size_t cpus[] = {0, 1, 2, 64, 4096};

START_TEST(test_sum)
{
	size_t n = cpus[_i];
	_cleanup_free_ struct ht_ledger *all = calloc(n + 1, sizeof(*all));
	struct ht_ledger sum, want;

	ck_assert_ptr_nonnull(all);
	for (size_t i = 0; i <= n; i++)
		ledger_fill(&all[i], i + 1); /* one more than there are: not to be read */
	memset(&sum, 0xff, sizeof(sum));
	kernel_ledger_sum(all, n, &sum);
	ledger_fill(&want, n * (n + 1) / 2);
	ck_assert_mem_eq(&sum, &want, sizeof(sum));
}
END_TEST

/* Fields stay what they are. */
START_TEST(test_fields)
{
	struct ht_ledger all[2] = {
		{.counted[HT_VERDICT_DENY] = 1ULL << 40,
		 .lost[HT_VERDICT_DENY] = 3,
		 .binds_failed = 5},
		{.counted[HT_VERDICT_DENY] = 7, .counted[HT_VERDICT_ALLOW] = 11, .seq = 13},
	};
	struct ht_ledger sum;

	kernel_ledger_sum(all, 2, &sum);
	ck_assert_uint_eq(sum.counted[HT_VERDICT_DENY], (1ULL << 40) + 7);
	ck_assert_uint_eq(sum.counted[HT_VERDICT_ALLOW], 11);
	ck_assert_uint_eq(sum.lost[HT_VERDICT_DENY], 3);
	ck_assert_uint_eq(sum.seq, 13);
	ck_assert_uint_eq(sum.binds_failed, 5);
	ck_assert_uint_eq(sum.forks_refused, 0);
}
END_TEST

/* A map that cannot be read is an error, never a ledger of zeros. */
START_TEST(test_read_fails)
{
	struct kernel k = {};
	struct ht_ledger ledger;
	static const struct ht_ledger untouched;

	for (unsigned i = 0; i < _MAP_MAX; i++)
		k.map_fds[i] = -EBADF;
	memset(&ledger, 0, sizeof(ledger));
	ck_assert_int_lt(kernel_ledger_read(&k, &ledger), 0);
	ck_assert_mem_eq(&ledger, &untouched, sizeof(ledger));
	ck_assert_int_lt(kernel_aggregates_take(&k, NULL, NULL), 0);
}
END_TEST

/* What cannot be told to the programs is an error, and nothing was told. */
START_TEST(test_rate_fails)
{
	struct kernel k = {};

	for (unsigned i = 0; i < _MAP_MAX; i++)
		k.map_fds[i] = -EBADF;
	ck_assert_int_lt(kernel_rate_set(&k, 100), 0);
	k.map_fds[MAP_SETTINGS] = open("/dev/null", O_RDWR | O_CLOEXEC); /* open, and no map */
	ck_assert_int_ge(k.map_fds[MAP_SETTINGS], 0);
	ck_assert_int_lt(kernel_rate_set(&k, 100), 0);
	ck_assert_int_eq(close(k.map_fds[MAP_SETTINGS]), 0);
}
END_TEST

int main(void)
{
	TCase *tc = tcase_create("ledger");

	tcase_add_loop_test(tc, test_sum, 0, (int)ARRAY_LEN(cpus));
	tcase_add_test(tc, test_fields);
	tcase_add_test(tc, test_read_fails);
	tcase_add_test(tc, test_rate_fails);
	return tcase_run(tc);
}
