/* SPDX-License-Identifier: Apache-2.0 */

/* What the end of the canary's process proves: only one of all endings proves a refusal. */

#include "kernel-test.h"

#include <signal.h>
#include <sys/wait.h>

#include "tests/unit/runner.h"

#define EXITED(code) ((code) << 8)

static const struct {
	int status;
	int result;
	const char *text; /* NULL: none */
} endings[] = {
	{EXITED(0), 0, NULL},
	{EXITED(1), -EIO, "The canary failed (step 1)"},
	{EXITED(10), -EIO, "The canary failed (step 10)"},
	{EXITED(11), -EIO, "The canary failed (step 11)"},
	{EXITED(12), -ENOTSUP, "The kernel opens what the canary policy refuses"},
	{EXITED(13), -EIO, "The canary failed (step 13)"},
	/* haetaed --canary ends with this */
	{EXITED(14), -ENOTSUP, "The kernel runs what the canary policy refuses"},
	{EXITED(127), -EIO, "The canary failed (step 127)"},
	{SIGKILL, -EIO, "The canary was killed by signal 9"},
	{SIGSEGV | 0x80, -EIO, "The canary was killed by signal 11"},
};

START_TEST(test_ending)
{
	char *text = NULL;

	ck_assert_int_eq(kernel_canary_result(endings[_i].status, &text), endings[_i].result);
	ck_assert_int_eq(text != NULL, endings[_i].text != NULL);
	if (text)
		ck_assert_msg(strncmp(text, endings[_i].text, strlen(endings[_i].text)) == 0, "%s",
			      text);
	free(text);
}
END_TEST

/* The first failure is the one that is told. */
START_TEST(test_fail)
{
	char *text = NULL;

	ck_assert_int_eq(kernel_fail(&text, -ENOENT, "Failed to find '%s'", "x"), -ENOENT);
	ck_assert_str_eq(text, "Failed to find 'x': No such file or directory");
	ck_assert_int_eq(kernel_fail(&text, -EPERM, "Failed to begin"), -EPERM);
	ck_assert_str_eq(text, "Failed to find 'x': No such file or directory");
	free(text);
}
END_TEST

int main(void)
{
	TCase *tc = tcase_create("canary");

	tcase_add_loop_test(tc, test_ending, 0, (int)ARRAY_LEN(endings));
	tcase_add_test(tc, test_fail);
	return tcase_run(tc);
}
