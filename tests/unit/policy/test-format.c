/* SPDX-License-Identifier: Apache-2.0 */

/* The canonical form: what a file becomes, and that it becomes nothing else the second time. */

#include "policy/format.h"

#include <errno.h>

#include "policy-test.h"
#include "tests/unit/runner.h"

struct format_case {
	const char *name;
	const char *text;
	const char *formatted;
};

static const struct format_case cases[] = {
	{"as it should be",
	 "# the web server\npolicy: web\nmatch:\n  - unit: nginx.service\nexec:\n  default: deny\n",
	 "# the web server\npolicy: web\nmatch:\n  - unit: nginx.service\nexec:\n  default: deny\n"},
	{"indentation",
	 "policy:   web\nmatch:\n- unit:   a\n- cgroup: /b\nfile:\n    deny:\n    -   /x\n",
	 "policy: web\nmatch:\n  - unit: a\n  - cgroup: /b\nfile:\n  deny:\n    - /x\n"},
	{"one line stays one line",
	 "match: [ {cgroup: /a},{unit:   b } ]\nfile: {deny: [{path: /x/**,ops: [read,write]}]}\n",
	 "match: [{cgroup: /a}, {unit: b}]\nfile: {deny: [{path: /x/**, ops: [read, write]}]}\n"},
	{"several lines that fit become one", "match: [{cgroup: /a},\n  {unit: b}\n]\n",
	 "match: [{cgroup: /a}, {unit: b}]\n"},
	{"one line that does not fit becomes several",
	 "allow: [/usr/bin/aaaaaaaaaaaaaaaaaaaaaaaaaaaaaa, /usr/bin/bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb, "
	 "/usr/bin/cccccccccc]\n",
	 "allow:\n  - /usr/bin/aaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\n"
	 "  - /usr/bin/bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb\n  - /usr/bin/cccccccccc\n"},
	{"quotes", "a: \"/plain\"\nb: 'two words'\nc: \"true\"\nd: '*.scope'\ne: \"a: b\"\nf: '12'\n",
	 "a: /plain\nb: \"two words\"\nc: \"true\"\nd: \"*.scope\"\ne: \"a: b\"\nf: \"12\"\n"},
	{"a comment behind", "policy: web # name\nmatch: # who\n - {unit: a}   # that\n",
	 "policy: web  # name\nmatch:  # who\n  - {unit: a}  # that\n"},
	{"comments in a list",
	 "deny:\n # first\n - /a\n # second\n\n # third\n - /b\n # - /c\nallow: [/d]\n",
	 "deny:\n  # first\n  - /a\n  # second\n\n  # third\n  - /b\n  # - /c\nallow: [/d]\n"},
	{"a comment inside what was one line", "deny: [/a, # why\n  /b]\nmode: audit\n",
	 "deny:\n  - /a  # why\n  - /b\nmode: audit\n"},
	{"a number sign in text", "message: no#comment\nb: '# none'\nc: \"a # b\" # one\n",
	 "message: no#comment\nb: \"# none\"\nc: \"a # b\"  # one\n"},
	{"blank lines", "\n\npolicy: a\n\n\n\nmode: audit\n\n# x\nmatch: []\n\n\n",
	 "policy: a\n\nmode: audit\n\n# x\nmatch: []\n"},
	{"documents", "---\npolicy: a\n# between\n---\n# two\npolicy: b\n...\n",
	 "policy: a\n# between\n---\n# two\npolicy: b\n"},
	{"lines of text", "description: |\n    one # no comment\n      two\n\n    three\nmode: audit\n",
	 "description: |\n  one # no comment\n    two\n\n  three\nmode: audit\n"},
	{"lines of text, joined", "description: >\n  one\n  two\nx: |-   # why\n  a\n  b\n",
	 "description: |\n  one two\nx: |-  # why\n  a\n  b\n"},
	{"text over two lines", "message: one\n  two\nb: 1\n", "message: one two\nb: 1\n"},
	{"a mapping in a list", "deny:\n  -  path: /a\n     except:\n     - /a/b # but\n  - /c\n",
	 "deny:\n  - path: /a\n    except:\n      - /a/b  # but\n  - /c\n"},
	{"carriage returns", "policy: a # x\r\nmode: audit\r\n", "policy: a  # x\nmode: audit\n"},
	{"nothing", "", ""},
	{"comments alone", "# a\n\n# b\n", "# a\n\n# b\n"},
	{"no value", "policy:\nmode: ''\n", "policy:\nmode: \"\"\n"},
	{"a comment at the end of a line in one line that is split",
	 "file: {\n  # deep\n  deny: [/a]\n  # end\n}\n", "file:\n  # deep\n  deny: [/a]\n  # end\n"},
	{"a list in a list", "a:\n- - b\n  - c\n", "a:\n  -\n    - b\n    - c\n"},
};

static char *format(const char *name, const char *text, uint32_t line)
{
	struct diag_list diags = {};
	char *formatted = NULL, *told;
	int r = policy_format("p.yaml", text, strlen(text), line, &diags, &formatted);

	told = diags_render(&diags);
	ck_assert_msg(r == 0 && diags.n == 0, "%s: %d\n%s", name, r, told);
	free(told);
	diag_list_deinit(&diags);
	return formatted;
}

START_TEST(test_cases)
{
	const struct format_case *c = &cases[_i];
	char *once = format(c->name, c->text, POLICY_FORMAT_ALL), *twice;

	ck_assert_msg(strcmp(once, c->formatted) == 0, "%s: got\n%s", c->name, once);
	twice = format(c->name, once, POLICY_FORMAT_ALL);
	ck_assert_msg(strcmp(once, twice) == 0, "%s: a second time\n%s", c->name, twice);
	free(once);
	free(twice);
}
END_TEST

START_TEST(test_one_document)
{
	static const char text[] = "# head\npolicy: a # one\n---\n# two\npolicy:   b\n";
	char *first = format("first", text, 2), *second = format("second", text, 5);
	struct diag_list diags = {};
	char *none = NULL;

	ck_assert_str_eq(first, "# head\npolicy: a  # one\n");
	ck_assert_str_eq(second, "# two\npolicy: b\n");
	ck_assert_int_eq(policy_format("p", text, sizeof(text) - 1, 99, &diags, &none), -ENOENT);
	ck_assert_ptr_null(none);
	free(first);
	free(second);
	diag_list_deinit(&diags);
}
END_TEST

START_TEST(test_refused)
{
	static const char *const texts[] = {"a: [b\n", "a: &x b\n", "a: 1\na: 2\n", "a: \001\n"};

	for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
		struct diag_list diags = {};
		char *formatted = NULL;

		ck_assert_int_eq(policy_format("p", texts[i], strlen(texts[i]), POLICY_FORMAT_ALL,
					       &diags, &formatted),
				 POLICY_E_INVALID);
		ck_assert_ptr_null(formatted);
		ck_assert_uint_gt(diags.n_errors, 0);
		diag_list_deinit(&diags);
	}
}
END_TEST

/* What cannot be written anew without losing something stays as it is: a document that is empty. */
START_TEST(test_unformatted)
{
	static const char *const texts[] = {"---\n---\n", "---\n---\npolicy: a\n"};

	for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
		struct diag_list diags = {};
		char *formatted = NULL;

		ck_assert_int_eq(policy_format("p", texts[i], strlen(texts[i]), POLICY_FORMAT_ALL, &diags, &formatted),
				 POLICY_E_UNFORMATTED);
		ck_assert_ptr_null(formatted);
		ck_assert_uint_eq(diags.n, 0);
	}
}
END_TEST

int main(void)
{
	TCase *tc = tcase_create("format");

	tcase_add_loop_test(tc, test_cases, 0, ARRAY_LEN(cases));
	tcase_add_test(tc, test_one_document);
	tcase_add_test(tc, test_refused);
	tcase_add_test(tc, test_unformatted);
	return tcase_run(tc);
}
