/* SPDX-License-Identifier: Apache-2.0 */

/* agent/kernel/load.c: what needs no BPF. */

#include "kernel-test.h"
#include "tests/unit/runner.h"

START_TEST(test_labels)
{
	ck_assert_uint_eq(kernel_labels_room("1\n"), 65536);
	ck_assert_uint_eq(kernel_labels_room("15000\n"), 65536);
	ck_assert_uint_eq(kernel_labels_room("16385\n"), 131072);
	ck_assert_uint_eq(kernel_labels_room("60000\n"), 262144);
	ck_assert_uint_eq(kernel_labels_room("4194304\n"), 262144);
	/* not known: all there can be */
	ck_assert_uint_eq(kernel_labels_room(""), 262144);
	ck_assert_uint_eq(kernel_labels_room("many"), 262144);
}
END_TEST

int main(void)
{
	TCase *tc = tcase_create("load");

	tcase_add_test(tc, test_labels);
	return tcase_run(tc);
}
