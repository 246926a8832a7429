/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* How every unit test ends: its cases are run, and each is told of as the environment asks for (CK_TAP_LOG_FILE_NAME). */

#include <check.h>
#include <stdlib.h>

/* Where the last check that passed stands helps a parent whose child crashed. These tests do not fork: each crash has a stack, each
 * failed check its own place. Written to a file for every check that passes it was most of what some tests did. */
#define _mark_point(file, line) ((void)0)

/* Takes the suite. Return: the status of the program. */
static inline int suite_run(Suite *suite)
{
	SRunner *runner = srunner_create(suite);
	int failed;

	srunner_run_all(runner, CK_SILENT);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}

/* The same for a suite of one case, which it takes. */
static inline int tcase_run(TCase *tc)
{
	Suite *suite = suite_create("unit");

	suite_add_tcase(suite, tc);
	return suite_run(suite);
}
