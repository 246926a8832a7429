/* SPDX-License-Identifier: Apache-2.0 */

/* Suites of expectations: read as strictly as policies. */

#include "policy/suite.h"

#include "policy-test.h"
#include "tests/unit/runner.h"

START_TEST(test_good)
{
	static const char text[] = "- name: first\n  container: web\n  exec: /usr/bin/curl\n  expect: deny\n"
				   "  rule: exec.deny /usr/bin/curl\n"
				   "# comment\n"
				   "- {cgroup: /a/b, op: read, path: /etc/shadow, exe: /bin/x, uid: 33, expect: allow}\n"
				   "---\n"
				   "- {op: mount, expect: kill}\n- {exec: /a, from_image: true, expect: would-deny}\n";
	struct diag_list diags = {};
	struct suite suite = {};
	int r = suite_parse("s.yaml", text, sizeof(text) - 1, &diags, &suite);
	char *told = diags_render(&diags);

	ck_assert_msg(r == 0 && diags.n == 0, "%s", told);
	free(told);
	ck_assert_uint_eq(suite.n, 4);
	ck_assert_str_eq(suite.tests[0].name, "first");
	ck_assert_str_eq(suite.tests[0].container, "web");
	ck_assert_str_eq(suite.tests[0].op, "exec");
	ck_assert_str_eq(suite.tests[0].path, "/usr/bin/curl");
	ck_assert_str_eq(suite.tests[0].rule, "exec.deny /usr/bin/curl");
	ck_assert_uint_eq(suite.tests[0].expect, HT_VERDICT_DENY);
	ck_assert_uint_eq(suite.tests[0].location.line, 1);
	ck_assert_str_eq(suite.tests[1].cgroup, "/a/b");
	ck_assert_str_eq(suite.tests[1].op, "read");
	ck_assert_str_eq(suite.tests[1].exe, "/bin/x");
	ck_assert_uint_eq(suite.tests[1].uid, 33);
	ck_assert_uint_eq(suite.tests[1].expect, HT_VERDICT_ALLOW);
	ck_assert_uint_eq(suite.tests[1].location.line, 7);
	ck_assert_str_eq(suite.tests[2].op, "mount");
	ck_assert_ptr_null(suite.tests[2].path);
	ck_assert_uint_eq(suite.tests[2].expect, HT_VERDICT_KILL);
	ck_assert(suite.tests[3].from_image);
	suite_deinit(&suite);
	diag_list_deinit(&diags);
}
END_TEST

#define KEYS "`name`, `container`, `cgroup`, `exec`, `op`, `path`, `exe`, `uid`, `from_image`, `expect` or `rule`"
#define VERDICTS "`allow`, `audit`, `would-deny`, `deny` or `kill`"

static const struct diag_case bad[] = {
	{"nothing", TEXT(""), "0:0+0 error: no test in this file; expected a list of tests\n"},
	{"a mapping", TEXT("exec: /a\n"), "1:1+8 error: a suite is a mapping; expected a list of tests\n"},
	{"no test", TEXT("- /a\n"),
	 "1:3+2 error: a test is text; expected a mapping with `exec` or `op`, and `expect`\n"},
	{"unknown key", TEXT("- {exec: /a, expct: deny}\n"),
	 "1:14+5 error: unknown key `expct`; did you mean `expect`?; expected " KEYS "\n"},
	{"unknown verdict", TEXT("- {exec: /a, expect: dney}\n"),
	 "1:22+4 error: unknown verdict `dney`; did you mean `deny`?; expected " VERDICTS "\n"},
	{"two acts", TEXT("- {exec: /a, op: read, expect: deny}\n"),
	 "1:18+4 error: `op` beside `exec`: one act in each test\n"},
	{"no act", TEXT("- {name: x, expect: deny}\n"),
	 "1:3+23 error: the test tries nothing; expected `exec`, or `op` and `path`\n"},
	{"nothing to act on", TEXT("- {op: read, expect: deny}\n"),
	 "1:3+24 error: `op: read` on nothing; expected `path`\n"},
	{"no expectation", TEXT("- exec: /a\n"), "1:3+8 error: the test expects nothing; expected `expect`\n"},
	{"relative", TEXT("- {exec: a, expect: deny}\n"),
	 "1:10+1 error: `a` is not absolute; expected an absolute path\n"},
	{"uid", TEXT("- {exec: /a, uid: -1, expect: deny}\n- {exec: /a, uid: root, expect: deny}\n"),
	 "1:19+2 error: `-1` is not a user id; expected the number of a user\n"
	 "2:19+4 error: `root` is not a user id; expected the number of a user\n"},
	{"both", TEXT("- {exec: /a, container: a, cgroup: /b, expect: deny}\n"),
	 "1:3+50 error: `cgroup` beside `container`: one of them\n"},
	{"a list as a value", TEXT("- {exec: [/a], expect: deny}\n"), "1:10+4 error: `exec` is a list; expected one text\n"},
	{"anchors", TEXT("- &x {exec: /a, expect: deny}\n"), "1:3+2 error: anchors are not allowed in a policy\n"},
};

START_TEST(test_bad)
{
	const struct diag_case *c = &bad[_i];
	struct diag_list diags = {};
	struct suite suite = {};
	char *told;

	ck_assert_int_eq(suite_parse("s.yaml", c->text, c->len, &diags, &suite), POLICY_E_INVALID);
	told = diags_render(&diags);
	ck_assert_msg(strcmp(told, c->diags) == 0, "%s: got\n%s", c->name, told);
	free(told);
	diag_list_deinit(&diags);
}
END_TEST

int main(void)
{
	TCase *tc = tcase_create("suite");

	tcase_add_test(tc, test_good);
	tcase_add_loop_test(tc, test_bad, 0, (int)ARRAY_LEN(bad));
	return tcase_run(tc);
}
