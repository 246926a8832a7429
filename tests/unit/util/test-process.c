/* SPDX-License-Identifier: Apache-2.0 */

#include "util/process.h"

#include <check.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/unit/runner.h"

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
	TCase *tc = tcase_create("process");

	tcase_add_test(tc, test_start);
	return tcase_run(tc);
}
