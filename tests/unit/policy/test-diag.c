/* SPDX-License-Identifier: Apache-2.0 */

/* Diagnostics as a person sees them, and the list under many of them. */

#include "policy-test.h"

#include <stdio.h>

#include "tests/unit/runner.h"

static char *print(const struct diag_list *diags, bool color)
{
	char *text = NULL;
	size_t len = 0;
	FILE *out = open_memstream(&text, &len);

	ck_assert_ptr_nonnull(out);
	diag_list_print(diags, out, color);
	ck_assert_int_eq(fclose(out), 0);
	return text;
}

static const struct {
	const char *name, *input, *want;
} golden[] = {
	{"plain", HEAD "mode: enforced\nexec: {default: deny}\n",
	 "web.yaml:3:7: error: unknown mode `enforced`; did you mean `enforce`? expected `enforce` "
	 "or `audit`\n"
	 "     3 | mode: enforced\n"
	 "       |       ^~~~~~~~\n"},
	{"wide characters before the column", HEAD "exec: {deny: [/한글/é, b, c]}\n",
	 "web.yaml:3:27: error: relative path; expected a path that starts with `/`\n"
	 "     3 | exec: {deny: [/한글/é, b, c]}\n"
	 "       |                        ^\n"
	 "web.yaml:3:30: error: relative path; expected a path that starts with `/`\n"
	 "     3 | exec: {deny: [/한글/é, b, c]}\n"
	 "       |                           ^\n"},
	{"wide characters under the mark", HEAD "exec: {deny: [한글é]}\n",
	 "web.yaml:3:15: error: relative path; expected a path that starts with `/`\n"
	 "     3 | exec: {deny: [한글é]}\n"
	 "       |               ^~~~~\n"},
	{"tabs before the column", HEAD "exec:\t{\tdeny: [\tb]}\n",
	 "web.yaml:3:17: error: relative path; expected a path that starts with `/`\n"
	 "     3 | exec:   {       deny: [ b]}\n"
	 "       |                         ^\n"},
	{"control characters", HEAD "\"a\\eb\": 1\nexec: {default: deny}\n",
	 "web.yaml:3:1: error: unknown key `a\\x1bb`; expected `policy`, `description`, `mode`, "
	 "`match`, `exec`, `file`, `kernel` or `record`\n"
	 "     3 | \"a\\eb\": 1\n"
	 "       | ^~~~~~\n"},
	{"control character in the line", "policy: p # \033[2J\n",
	 "web.yaml:1:13: error: U+001B: control character\n"
	 "     1 | policy: p # \\x1b[2J\n"
	 "       |             ^~~~\n"},
	{"overrides of the direction", HEAD "exec: {deny: [\342\200\256b]}\n",
	 "web.yaml:3:15: error: relative path; expected a path that starts with `/`\n"
	 "     3 | exec: {deny: [\\xe2\\x80\\xaeb]}\n"
	 "       |               ^~~~~~~~~~~~~\n"},
	{"end of the text", "policy: \"p",
	 "web.yaml:1:11: error: not YAML: found unexpected end of stream while scanning a quoted "
	 "scalar\n"
	 "     1 | policy: \"p\n"
	 "       |           ^\n"},
	{"file as a whole", "# nothing\n", "web.yaml: error: no policy in this file\n"},
	{"warning",
	 "policy: p\r\nmatch: [{cgroup: /a}]\r\nexec: {default: deny, allow: [/bin/x]}\r\n",
	 "web.yaml:3:31: warning: where `/bin` is a link to `/usr/bin`, this path names nothing; "
	 "expected `/usr/bin/x`\n"
	 "     3 | exec: {default: deny, allow: [/bin/x]}\n"
	 "       |                               ^~~~~~\n"},
};

START_TEST(test_golden)
{
	struct policy_file *file = NULL;
	struct diag_list diags = {};
	char *text;

	(void)policy_parse("web.yaml", golden[_i].input, strlen(golden[_i].input), &diags, &file);
	text = print(&diags, false);
	ck_assert_msg(strcmp(text, golden[_i].want) == 0, "%s: got\n%s", golden[_i].name, text);
	free(text);
	(void)policy_file_unref(file);
	diag_list_deinit(&diags);
}
END_TEST

static char file_name[] = "a\nb.yaml", text_error[] = "wrong", text_warning[] = "odd",
	    expected[] = "right", source[] = "x: y";

START_TEST(test_forms)
{
	struct diag_list diags = {};
	struct diag d = {.severity = DIAG_ERROR, .text = text_error};
	char *text;

	ck_assert_int_eq(diag_add(&diags, &d), 0);
	d.file = file_name;
	ck_assert_int_eq(diag_add(&diags, &d), 0);
	d.line = 7;
	d.expected = expected;
	ck_assert_int_eq(diag_add(&diags, &d), 0);
	d.source = source;
	ck_assert_int_eq(diag_add(&diags, &d), 0);
	/* a place outside the line is drawn at its end */
	d.column = 99;
	d.width = 99;
	ck_assert_int_eq(diag_add(&diags, &d), 0);
	text = print(&diags, false);
	ck_assert_str_eq(text, "error: wrong\n"
			       "a\\x0ab.yaml: error: wrong\n"
			       "a\\x0ab.yaml:7: error: wrong; expected right\n"
			       "a\\x0ab.yaml:7: error: wrong; expected right\n"
			       "a\\x0ab.yaml:7:99: error: wrong; expected right\n"
			       "     7 | x: y\n"
			       "       |     ^\n");
	free(text);
	diag_list_deinit(&diags);
	ck_assert_uint_eq(diags.n, 0);
	diag_list_deinit(NULL);
}
END_TEST

START_TEST(test_color)
{
	struct diag_list diags = {};
	struct diag d = {.severity = DIAG_WARNING,
			 .text = text_warning,
			 .source = source,
			 .line = 1,
			 .column = 4,
			 .width = 1};
	char *text;

	ck_assert_int_eq(diag_add(&diags, &d), 0);
	text = print(&diags, true);
	ck_assert_str_eq(text, "\033[1m1:4: \033[1;35mwarning:\033[0m odd\n"
			       "     1 | x: y\n"
			       "       |    \033[1;32m^\033[0m\n");
	free(text);
	diag_list_deinit(&diags);
}
END_TEST

static void add(struct diag_list *diags, enum diag_severity severity, unsigned line)
{
	struct diag d = {.severity = severity, .text = text_error, .line = line};

	ck_assert_int_eq(diag_add(diags, &d), 0);
}

START_TEST(test_overflow)
{
	struct diag_list diags = {};
	char *text;

	for (unsigned i = 0; i < DIAG_MAX + 50; i++)
		add(&diags, DIAG_ERROR, i + 1);
	ck_assert_uint_eq(diags.n, DIAG_MAX);
	ck_assert_uint_eq(diags.n_errors, DIAG_MAX + 50);
	ck_assert(diags.overflow);
	text = print(&diags, false);
	ck_assert_ptr_nonnull(strstr(text, "\n... and 50 more errors\n"));
	free(text);
	diag_list_deinit(&diags);
}
END_TEST

/* Warnings never push an error out. */
START_TEST(test_warnings_yield)
{
	struct diag_list diags = {};
	char *text;

	for (unsigned i = 0; i < DIAG_MAX + 5; i++)
		add(&diags, DIAG_WARNING, i + 1);
	ck_assert_uint_eq(diags.n, DIAG_MAX);
	ck_assert_uint_eq(diags.n_errors, 0);
	text = print(&diags, false);
	ck_assert_ptr_nonnull(strstr(text, "\n... and more warnings\n"));
	free(text);
	for (unsigned i = 0; i < 3; i++)
		add(&diags, DIAG_ERROR, 1000 + i);
	ck_assert_uint_eq(diags.n, DIAG_MAX);
	ck_assert_uint_eq(diags.n_errors, 3);
	for (unsigned i = 0; i < 3; i++) {
		ck_assert_int_eq((int)diags.items[DIAG_MAX - 3 + i].severity, DIAG_ERROR);
		ck_assert_uint_eq(diags.items[DIAG_MAX - 3 + i].line, 1000 + i);
	}
	diag_list_deinit(&diags);
}
END_TEST

START_TEST(test_sort)
{
	static const unsigned lines[] = {9, 3, 5, 3, 1, 5};
	static const unsigned sorted[] = {9, 1, 3, 3, 5, 5};
	struct diag_list diags = {};

	for (size_t i = 0; i < ARRAY_LEN(lines); i++) {
		struct diag d = {.text = text_error, .line = lines[i], .width = (uint32_t)i};

		ck_assert_int_eq(diag_add(&diags, &d), 0);
	}
	diag_list_sort(&diags, 1);
	for (size_t i = 0; i < ARRAY_LEN(sorted); i++)
		ck_assert_uint_eq(diags.items[i].line, sorted[i]);
	/* equal places stay in the order in which they were found */
	ck_assert_uint_eq(diags.items[2].width, 1);
	ck_assert_uint_eq(diags.items[3].width, 3);
	diag_list_deinit(&diags);
}
END_TEST

START_TEST(test_move)
{
	struct diag_list a = {}, b = {};

	add(&a, DIAG_ERROR, 1);
	for (unsigned i = 0; i < DIAG_MAX + 2; i++)
		add(&b, DIAG_ERROR, i);
	ck_assert_int_eq(diag_list_move(&a, &b), 0);
	ck_assert_uint_eq(b.n, 0);
	ck_assert_ptr_null(b.items);
	ck_assert_uint_eq(a.n, DIAG_MAX);
	ck_assert_uint_eq(a.n_errors, DIAG_MAX + 3);
	ck_assert(a.overflow);
	diag_list_deinit(&a);
}
END_TEST

START_TEST(test_file)
{
	struct diag_list diags = {};

	ck_assert_int_eq(diag_add_file(&diags, DIAG_ERROR, "f", NULL, "%d%%", 5), 0);
	ck_assert_int_eq(diag_add_file(&diags, DIAG_WARNING, NULL, "that", "x"), 0);
	ck_assert_uint_eq(diags.n_errors, 1);
	ck_assert_str_eq(diags.items[0].text, "5%");
	ck_assert_str_eq(diags.items[0].file, "f");
	ck_assert_ptr_null(diags.items[1].file);
	ck_assert_str_eq(diags.items[1].expected, "that");
	diag_list_deinit(&diags);
}
END_TEST

int main(void)
{
	TCase *cases = tcase_create("diag");

	tcase_add_loop_test(cases, test_golden, 0, (int)ARRAY_LEN(golden));
	tcase_add_test(cases, test_forms);
	tcase_add_test(cases, test_color);
	tcase_add_test(cases, test_overflow);
	tcase_add_test(cases, test_warnings_yield);
	tcase_add_test(cases, test_sort);
	tcase_add_test(cases, test_move);
	tcase_add_test(cases, test_file);
	return tcase_run(cases);
}
