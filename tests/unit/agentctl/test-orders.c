/* SPDX-License-Identifier: Apache-2.0 */

/* Commands that change what is in force: what is asked of the agent, and what is left on the disk. */

#include <check.h>
#include <fcntl.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "run.h"
#include "tests/unit/runner.h"
#include "util/fd.h"

#define POLICY "policy: web\nmatch: [{unit: nginx.service}]\nfile: {deny: [/etc/shadow]}\n"

/* Without an agent. */
static const struct {
	const char *args[8];
	int code;
	const char *err;
} cases[] = {
	{{"disarm"}, 2, "disarm needs a container, or --all"},
	{{"disarm", "web", "--all", "--for", "1min", "--reason", "x"}, 2, "needs a container, or --all"},
	{{"disarm", "web", "--for", "1min"}, 2, "needs --for and --reason"},
	{{"disarm", "web", "--for", "1min", "--reason", ""}, 2, "needs --for and --reason"},
	{{"disarm", "web", "--reason", "x"}, 2, "needs --for and --reason"},
	{{"disarm", "web", "--for", "soon", "--reason", "x"}, 2, "--for: "},
	{{"disarm", "web", "--for", "0s", "--reason", "x"}, 2, "a time above zero"},
	{{"disarm", "web", "db", "--for", "1min", "--reason", "x"}, 2, "takes no 'db'"},
	{{"disarm", "web", "--for", "1min", "--reason", "x"}, 3, "not running; nothing was changed"},
	{{"arm"}, 2, "arm needs a container, or --all"},
	{{"arm", "web"}, 3, "not running"},
	{{"apply"}, 2, "apply needs a policy file"},
	{{"apply", "a", "b"}, 2, "takes no 'b'"},
	{{"apply", "--confirm-within", "60", "x"}, 2, "--confirm-within: "},
	{{"apply", "/nonexistent.yaml"}, 1, "No such file"},
	{{"confirm", "x"}, 2, "takes no 'x'"},
	{{"confirm"}, 3, "not running"},
	{{"rollback"}, 3, "not running"},
};

START_TEST(test_cases)
{
	struct run run = run_agentctl(NULL, cases[_i].args);

	ck_assert_msg(run.code == cases[_i].code, "%d: %d %s", _i, run.code, run.err);
	ck_assert_msg(strstr(run.err, cases[_i].err), "%d: %s", _i, run.err);
	ck_assert_str_eq(run.out, "");
	run_free(&run);
}
END_TEST

static char *content(const char *name)
{
	char *text = NULL;
	size_t len;

	ck_assert_int_eq(file_read_all(AT_FDCWD, run_path(name), 1 << 20, &text, &len), 0);
	return text;
}

static void expect_content(const char *name, const char *expected)
{
	_cleanup_free_ char *text = content(name);

	ck_assert_str_eq(text, expected);
}

START_TEST(test_disarm)
{
	struct run run;

	agent_answers("{\"disarm\": {\"container\": \"web\", \"until_us\": 1000000}, \"arm\": {\"armed\": 1}}");
	agent_start("{}", "{}", true);
	run = RUN("disarm", "web", "--for", "1h 30min", "--reason", "the shop is down");
	ck_assert_int_eq(run.code, 0);
	ck_assert_ptr_nonnull(strstr(run.out, "web is only audited until Thu 1970-01-01"));
	run_free(&run);
	run = RUN("disarm", "--all", "--for", "10s", "--reason", "x", "--json");
	ck_assert_ptr_nonnull(strstr(run.out, "\"until_us\": 1000000"));
	run_free(&run);
	run = RUN("arm", "web");
	ck_assert_str_eq(run.out, "web: armed again.\n");
	run_free(&run);
	run = RUN("arm", "--all");
	ck_assert_str_eq(run.out, "Everything: armed again.\n");
	run_free(&run);
	agent_stop();
	expect_content("calls",
		       "{\"call\":\"disarm\",\"container\":\"web\",\"for_us\":5400000000,\"haetae\":1,"
		       "\"reason\":\"the shop is down\"}\n"
		       "{\"all\":true,\"call\":\"disarm\",\"for_us\":10000000,\"haetae\":1,\"reason\":\"x\"}\n"
		       "{\"call\":\"arm\",\"container\":\"web\",\"haetae\":1}\n"
		       "{\"all\":true,\"call\":\"arm\",\"haetae\":1}\n");
}
END_TEST

START_TEST(test_refused)
{
	struct run run;

	agent_answers("{}");
	agent_start("{}", "{}", true);
	run = RUN("disarm", "web", "--for", "1min", "--reason", "x");
	ck_assert_int_eq(run.code, 1);
	ck_assert_ptr_nonnull(strstr(run.err, "The agent refused: no such luck"));
	run_free(&run);
	run = RUN("confirm");
	ck_assert_int_eq(run.code, 1);
	run_free(&run);
	agent_stop();
}
END_TEST

START_TEST(test_trial)
{
	struct run run;

	run_put("50-web.yaml", POLICY);
	run_put("state/trial/other", "");
	agent_answers("{\"apply\": {\"name\": \"50-web.yaml\", \"generation\": 3}, "
		      "\"rollback\": {\"name\": \"50-web.yaml\"}}");
	agent_start("{}", "{}", true);
	run = RUN("apply", "--confirm-within", "60s", run_path("50-web.yaml"));
	ck_assert_msg(run.code == 0, "%s", run.err);
	ck_assert_ptr_nonnull(strstr(run.out, "50-web.yaml is in force on trial."));
	run_free(&run);
	run = RUN("rollback");
	ck_assert_str_eq(run.out, "50-web.yaml is rolled back.\n");
	run_free(&run);
	agent_stop();
	expect_content("state/trial/.50-web.yaml", POLICY);
	expect_content("calls", "{\"call\":\"apply\",\"haetae\":1,\"name\":\"50-web.yaml\",\"within_us\":60000000}\n"
				"{\"call\":\"rollback\",\"haetae\":1}\n");
	ck_assert_int_lt(access(run_path("policies/50-web.yaml"), F_OK), 0);
}
END_TEST

START_TEST(test_apply)
{
	struct stat st;
	struct run run;

	run_put("50-web.yaml", POLICY);
	run_put("state/trial/50-web.yaml", POLICY); /* the agent took it */
	agent_answers("{\"apply\": {\"name\": \"50-web.yaml\", \"generation\": 3}, "
		      "\"confirm\": {\"name\": \"50-web.yaml\"}, \"settle\": {}}");
	agent_start("{}", "{}", true);
	run = RUN("apply", run_path("50-web.yaml"));
	ck_assert_msg(run.code == 0, "%s", run.err);
	ck_assert_ptr_nonnull(strstr(run.out, "policies/50-web.yaml\n"));
	run_free(&run);
	agent_stop();
	expect_content("policies/50-web.yaml", POLICY);
	ck_assert_int_eq(stat(run_path("policies/50-web.yaml"), &st), 0);
	ck_assert_uint_eq(st.st_mode & 07777, 0644);
	expect_content("calls", "{\"call\":\"apply\",\"haetae\":1,\"name\":\"50-web.yaml\",\"within_us\":60000000}\n"
				"{\"call\":\"confirm\",\"haetae\":1}\n{\"call\":\"settle\",\"haetae\":1}\n");
}
END_TEST

/* What is wrong never reaches the agent: by itself, or beside what is there. */
START_TEST(test_apply_wrong)
{
	struct run run;

	run_put("state/trial/other", "");
	run_put("policies/10-web.yaml", POLICY);
	run_put("a.yaml", "policy: a\nfrob: 1\n");
	run_put("b.yaml", POLICY);
	agent_answers("{\"apply\": {}}");
	agent_start("{}", "{}", true);
	run = RUN("apply", run_path("a.yaml"));
	ck_assert_int_eq(run.code, 1);
	ck_assert_ptr_nonnull(strstr(run.err, "a.yaml:2:1"));
	run_free(&run);
	run = RUN("apply", run_path("b.yaml"));
	ck_assert_int_eq(run.code, 1);
	ck_assert_ptr_nonnull(strstr(run.err, "policy 'web' is already defined in"));
	run_free(&run);
	agent_stop();
	ck_assert_int_lt(access(run_path("calls"), F_OK), 0);
	ck_assert_int_lt(access(run_path("state/trial/.a.yaml"), F_OK), 0);
}
END_TEST

int main(void)
{
	TCase *tc = tcase_create("orders");

	tcase_add_checked_fixture(tc, run_setup, run_teardown);
	tcase_set_timeout(tc, 60);
	tcase_add_loop_test(tc, test_cases, 0, (int)ARRAY_LEN(cases));
	tcase_add_test(tc, test_disarm);
	tcase_add_test(tc, test_refused);
	tcase_add_test(tc, test_trial);
	tcase_add_test(tc, test_apply);
	tcase_add_test(tc, test_apply_wrong);
	return tcase_run(tc);
}
