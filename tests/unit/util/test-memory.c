/* SPDX-License-Identifier: Apache-2.0 */

/* What is given back comes again as it was: the program goes on, its constants are the same, and what was written stays. */

#include "util/memory.h"

#include <check.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tests/unit/runner.h"

#define N 65536U

static const uint32_t constants[N] = {[0] = 1, [N / 2] = 2, [N - 1] = 3};
static uint32_t written[N] = {[N / 2] = 4};

#define PRESENT (1ULL << 63)

/* Is the page in the middle of the constants in the process? Touches nothing around it. */
static bool resident(int pagemap)
{
	uint64_t page = (uintptr_t)&constants[N / 2] / (uintptr_t)sysconf(_SC_PAGESIZE), entry = 0;

	if (pread(pagemap, &entry, sizeof(entry), (off_t)(page * sizeof(entry))) != sizeof(entry))
		abort();
	return entry & PRESENT;
}

START_TEST(test_trim)
{
	void *block = malloc(1 << 20);
	uint32_t sum = 0;
	int pagemap = open("/proc/self/pagemap", O_RDONLY | O_CLOEXEC);
	bool before, after;

	ck_assert_int_ge(pagemap, 0);
	ck_assert_ptr_nonnull(block);
	memset(block, 1, 1 << 20);
	free(block);
	for (size_t i = 0; i < N; i++) {
		sum += constants[i];
		written[i] += (uint32_t)i;
	}
	ck_assert_uint_eq(sum, 6);
	before = resident(pagemap);
	memory_trim();
	after = resident(pagemap);
	ck_assert(before);
	ck_assert(!after);
	ck_assert_int_eq(close(pagemap), 0);
	for (size_t i = 0; i < N; i++)
		ck_assert_uint_eq(written[i], i + (i == N / 2 ? 4 : 0));
	ck_assert_uint_eq(constants[0] + constants[N / 2] + constants[N - 1], 6);
}
END_TEST

int main(void)
{
	TCase *tc = tcase_create("memory");

	tcase_add_test(tc, test_trim);
	return tcase_run(tc);
}
