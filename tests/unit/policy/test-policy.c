/* SPDX-License-Identifier: Apache-2.0 */

/* Ids of rules: stored verdicts are found by them, so they may never change by accident. */

#include "policy-test.h"

#include <inttypes.h>

#include "tests/unit/runner.h"

static uint64_t id_of(const char *text, size_t index)
{
	struct policy_file *file = parse_good(text);
	uint64_t id;

	ck_assert_uint_lt(index, file->policies[0]->n_rules);
	id = file->policies[0]->rules[index].id;
	(void)policy_file_unref(file);
	return id;
}

#define BASE HEAD "file:\n  deny:\n    - {path: /root/**, except: [/root/a, /root/b/**]}\n"

/* Pinned. If this fails, stored history no longer finds its rules: do not adapt the numbers. */
START_TEST(test_pinned)
{
	ck_assert_msg(id_of(BASE, 0) == 0xc028e8168ba1b495ULL, "%016" PRIx64, id_of(BASE, 0));
	ck_assert_msg(id_of(HEAD "exec: {default: deny}\n", 0) == 0x70d4e5137c09a011ULL,
		      "%016" PRIx64, id_of(HEAD "exec: {default: deny}\n", 0));
}
END_TEST

/* The same rule, however and wherever it is written. */
static const struct {
	const char *text;
	size_t index;
} same[] = {
	{"# moved\n\n" BASE, 0},
	{HEAD "exec: {default: deny}\nfile:\n  deny:\n    - /other\n"
	      "    - path: '/root/**'\n      except: [/root/a, /root/b/**]\n",
	 2},
	{HEAD "file: {deny: [{except: [/root/b/**, /root/a], path: /root/**}]}\n", 0},
	{HEAD "mode: audit\nfile: {deny: [{path: /root/**, except: [/root/a, /root/b/**], "
	      "severity: low, message: x}]}\n",
	 0},
};

START_TEST(test_same)
{
	ck_assert_uint_eq(id_of(same[_i].text, same[_i].index), id_of(BASE, 0));
}
END_TEST

/* Rules that differ in one thing. */
static const char *const different[] = {
	"policy: q\nmatch: [{cgroup: /a}]\nfile: {deny: [{path: /root/**, except: [/root/a, "
	"/root/b/**]}]}\n",
	HEAD "exec: {deny: [{path: /root/**, except: [/root/a, /root/b/**]}]}\n",
	HEAD "file: {deny: [{path: /root/*, except: [/root/a, /root/b/**]}]}\n",
	HEAD "file: {deny: [{path: /**, except: [/root/a, /root/b/**]}]}\n",
	HEAD "file: {deny: [{path: /root/**, except: [/root/a, /root/b]}]}\n",
	HEAD "file: {deny: [{path: /root/**, except: [/root/a/**, /root/b]}]}\n",
	HEAD "file: {deny: [{path: /root/**, except: [/root/a]}]}\n",
	HEAD "file: {deny: [/root/**]}\n",
	HEAD "file: {deny: [/root]}\n",
	HEAD "file: {deny: [{path: /root/**, except: [/root/a, /root/b/**], ops: [read]}]}\n",
	HEAD "file: {default: deny, allow: [/root/**]}\n",
	HEAD "exec: {default: deny, allow: [/root/**]}\n",
};

START_TEST(test_different)
{
	const char *text = different[_i];
	size_t index = strstr(text, "default") ? 1 : 0;

	ck_assert_uint_ne(id_of(text, index), id_of(BASE, 0));
	for (int i = 0; i < _i; i++)
		ck_assert_uint_ne(id_of(text, index),
				  id_of(different[i], strstr(different[i], "default") ? 1 : 0));
}
END_TEST

int main(void)
{
	TCase *cases = tcase_create("policy");

	tcase_add_test(cases, test_pinned);
	tcase_add_loop_test(cases, test_same, 0, (int)ARRAY_LEN(same));
	tcase_add_loop_test(cases, test_different, 0, (int)ARRAY_LEN(different));
	return tcase_run(cases);
}
