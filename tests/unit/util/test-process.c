/* SPDX-License-Identifier: Apache-2.0 */

#include "util/process.h"

#include <check.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

START_TEST(test_start)
{
	unsigned long long own, child;
	int pid = fork();

	ck_assert_int_ge(pid, 0);
	if (pid == 0) {
		(void)pause();
		_exit(0);
	}
	ck_assert_int_eq(process_start(getpid(), &own), 0);
	ck_assert_int_eq(process_start(pid, &child), 0);
	ck_assert_uint_gt(own, 0);
	ck_assert_uint_ge(child, own);
	(void)kill(pid, SIGKILL);
	(void)waitpid(pid, NULL, 0);
	ck_assert_int_lt(process_start(pid, &child), 0);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("process");
	TCase *tc = tcase_create("process");
	SRunner *runner;
	int failed;

	tcase_add_test(tc, test_start);
	suite_add_tcase(suite, tc);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_SILENT);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
