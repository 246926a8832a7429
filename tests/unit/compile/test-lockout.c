/* SPDX-License-Identifier: Apache-2.0 */

/* What no policy may refuse anything to. */

#include "compile/lockout.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "tests/unit/runner.h"
#include "util/cleanup.h"

static const struct {
	const char *match;
	const char *rest;
	const char *own;
	const char *text; /* of the one report; NULL: none */
} cases[] = {
	{"{cgroup: /*}", "exec: {default: deny}", NULL, "would lock out systemd"},
	{"{cgroup: /init.scope}", "file: {deny: [/a]}", NULL, "would lock out systemd"},
	{"{unit: init.scope}", "file: {deny: [/a]}", NULL, "would lock out systemd"},
	{"{cgroup: /system.slice}", "file: {deny: [/a]}", NULL, "would lock out Haetae itself"},
	{"{cgroup: /system.slice/**}", "file: {deny: [/a]}", NULL, "would lock out Haetae itself"},
	{"{unit: '*.service'}", "file: {deny: [/a]}", NULL, "would lock out Haetae itself"},
	{"{unit: haetaed.service}", "file: {deny: [/a]}", NULL, "would lock out Haetae itself"},
	{"{unit: docker.service}", "file: {deny: [/a]}", NULL, "(docker)"},
	{"{unit: containerd.service}", "file: {deny: [/a]}", NULL, "(containerd)"},
	{"{cgroup: /system.slice/cri*.service}", "file: {deny: [/a]}", NULL, "(CRI-O)"},
	{"{unit: libpod-conmon-*.scope}", "file: {deny: [/a]}", NULL, "conmon"},
	{"{cgroup: /machine.slice/libpod-conmon-*.scope}", "file: {deny: [/a]}", NULL, "conmon"},
	{"{unit: systemd-nspawn@web.service}", "file: {deny: [/a]}", NULL, "nspawn"},
	{"{unit: systemd-nspawn@*.service}", "file: {deny: [/a]}", NULL, "nspawn"},
	{"{cgroup: /machine.slice/systemd-nspawn@web.service}", "file: {deny: [/a]}", NULL, "nspawn"},
	{"{cgroup: /machine.slice/systemd-nspawn@web.service/**}", "file: {deny: [/a]}", NULL, "nspawn"},
	{"{cgroup: /machine.slice/systemd-nspawn@*.service/payload}", "file: {deny: [/a]}", NULL, NULL},
	{"{unit: not-systemd-nspawn@web.service}", "file: {deny: [/a]}", NULL, NULL},
	{"{container: {runtime: nspawn, name: web}}", "file: {deny: [/a]}", NULL, NULL},
	{"{cgroup: /agents/**}", "file: {deny: [/a]}", "/agents/haetae", "would lock out Haetae itself"},
	{"{cgroup: /agents/haetae/x}", "file: {deny: [/a]}", "/agents/haetae", NULL},
	{"{cgroup: /init.scope/**}", "mode: audit\nfile: {deny: [/a]}", NULL, "would, once enforced, lock out systemd"},
	{"{cgroup: /machine.slice/**}", "exec: {default: deny}", NULL, NULL},
	{"{cgroup: /machine.slice/libpod-*.scope}", "exec: {default: deny}", NULL, NULL},
	{"{unit: nginx.service}", "exec: {default: deny}", NULL, NULL},
	{"{cgroup: /system.slice/nginx.service/**}", "exec: {default: deny}", "/system.slice/nginx", NULL},
	{"{cgroup: /user.slice/**}", "file: {deny: [/a]}", NULL, NULL},
};

START_TEST(test_cases)
{
	struct diag_list diags = {}, found = {};
	struct policy_file *file = NULL;
	char text[512];
	bool audit = strstr(cases[_i].rest, "audit") != NULL;

	(void)snprintf(text, sizeof(text), "policy: p\nmatch:\n  - {cgroup: /fine}\n  - %s\n%s\n", cases[_i].match,
		       cases[_i].rest);
	ck_assert_msg(policy_parse("p.yaml", text, strlen(text), &diags, &file) == 0, "%s", text);
	ck_assert_int_eq(lockout_check((const struct policy *const *)file->policies, file->n_policies, cases[_i].own,
				       &found),
			 0);
	if (!cases[_i].text) {
		ck_assert_msg(found.n == 0, "%s: %s", cases[_i].match, found.n ? found.items[0].text : "");
	} else {
		ck_assert_msg(found.n == 1, "%s: %zu", cases[_i].match, found.n);
		ck_assert_msg(strstr(found.items[0].text, cases[_i].text), "%s", found.items[0].text);
		ck_assert_uint_eq(found.items[0].line, 4);
		ck_assert_uint_eq(found.items[0].column, 5);
		ck_assert_str_eq(found.items[0].file, "p.yaml");
		ck_assert_uint_eq(found.n_errors, audit ? 0 : 1);
	}
	diag_list_deinit(&found);
	diag_list_deinit(&diags);
	(void)policy_file_unref(file);
}
END_TEST

int main(void)
{
	TCase *tc = tcase_create("lockout");

	tcase_add_loop_test(tc, test_cases, 0, (int)ARRAY_LEN(cases));
	return tcase_run(tc);
}
