/* SPDX-License-Identifier: Apache-2.0 */

/* Duplicate and unreachable rules: the table, and random policies against slow judges. */

#include "policy-test.h"

static const struct diag_case bad_rules[] = {
	{"duplicate path",
	 TEXT(HEAD "exec:\n"
		   "  deny:\n"
		   "    - /a\n"
		   "    - /b\n"
		   "    - /a\n"),
	 "7:7+2 error: duplicate rule, first written in line 5\n"},
	{"duplicate with another message",
	 TEXT(HEAD "exec:\n"
		   "  deny:\n"
		   "    - /a\n"
		   "    - {path: /a, message: again, severity: low}\n"),
	 "6:14+2 error: duplicate rule, first written in line 5\n"},
	{"duplicate allow", TEXT(HEAD "exec: {default: deny, allow: [/a, /a]}\n"),
	 "3:35+2 error: duplicate rule, first written in line 3\n"},
	{"duplicate exceptions in another order",
	 TEXT(HEAD "file:\n"
		   "  deny:\n"
		   "    - {path: /a/**, except: [/a/x, /a/y]}\n"
		   "    - {path: /a/**, except: [/a/y, /a/x]}\n"),
	 "6:14+5 error: duplicate rule, first written in line 5\n"},
	{"three times",
	 TEXT(HEAD "exec:\n"
		   "  deny:\n"
		   "    - /a\n"
		   "    - /a\n"
		   "    - /a\n"),
	 "6:7+2 error: duplicate rule, first written in line 5\n"
	 "7:7+2 error: duplicate rule, first written in line 5\n"},
	{"below",
	 TEXT(HEAD "exec:\n"
		   "  deny:\n"
		   "    - /a/**\n"
		   "    - /a/b\n"
		   "    - /a\n"
		   "    - /a/b/**\n"),
	 "6:7+4 error: unreachable rule: the deny rule in line 5 covers it\n"
	 "7:7+2 error: unreachable rule: the deny rule in line 5 covers it\n"
	 "8:7+7 error: unreachable rule: the deny rule in line 5 covers it\n"},
	{"below the root",
	 TEXT(HEAD "file:\n"
		   "  deny:\n"
		   "    - /**\n"
		   "    - /etc/shadow\n"),
	 "6:7+11 error: unreachable rule: the deny rule in line 5 covers it\n"},
	{"narrower wildcard",
	 TEXT(HEAD "exec:\n"
		   "  deny:\n"
		   "    - /usr/*/curl\n"
		   "    - /usr/bin/curl\n"
		   "    - /usr/b?n/curl\n"),
	 "6:7+13 error: unreachable rule: the deny rule in line 5 covers it\n"
	 "7:7+13 error: unreachable rule: the deny rule in line 5 covers it\n"},
	{"fewer ops",
	 TEXT(HEAD "file:\n"
		   "  deny:\n"
		   "    - {path: /a/**, ops: [read, write]}\n"
		   "    - {path: /a/b, ops: [write]}\n"),
	 "6:14+4 error: unreachable rule: the deny rule in line 5 covers it\n"},
	{"exec below file",
	 TEXT(HEAD "file: {deny: [/a/**]}\n"
		   "exec: {deny: [/a/b]}\n"),
	 "4:15+4 error: unreachable rule: the deny rule in line 3 covers it\n"},
	{"except below",
	 TEXT(HEAD "file:\n"
		   "  deny:\n"
		   "    - /a/**\n"
		   "    - {path: /a/b/**, except: [/a/b/c]}\n"),
	 "6:14+7 error: unreachable rule: the deny rule in line 5 covers it\n"},
	{"allow below deny", TEXT(HEAD "exec: {default: deny, allow: [/a/b, /c], deny: [/a/**]}\n"),
	 "3:31+4 error: unreachable rule: the deny rule in line 3 covers it\n"},
	{"allow below a deny of file",
	 TEXT(HEAD "exec: {default: deny, allow: [/a/b]}\n"
		   "file: {deny: [/a/**]}\n"),
	 "3:31+4 error: unreachable rule: the deny rule in line 4 covers it\n"},
	{"allow below allow", TEXT(HEAD "exec: {default: deny, allow: [/a/b, /a/**]}\n"),
	 "3:31+4 warning: the rule changes nothing: the allow rule in line 3 covers it\n"},
	{"without a name",
	 TEXT("match: [{cgroup: /a}]\n"
	      "exec: {deny: [/a, /a]}\n"),
	 "1:1+5 error: the policy has no name; expected `policy: NAME`\n"
	 "2:19+2 error: unreachable rule: the deny rule in line 2 covers it\n"},
};

START_TEST(test_bad_rules)
{
	diag_case_run(&bad_rules[_i]);
}
END_TEST

#include "policy/path.h"
#include "tests/unit/runner.h"

/* Rules that look redundant and are not: none may be reported. */
static const char *const reachable[] = {
	/* the narrower comes first: it keeps its own message */
	HEAD "file:\n  deny:\n    - {path: /a/b, message: own}\n    - /a/**\n",
	HEAD "exec: {deny: [/usr/bin/curl, /usr/**]}\n",
	/* more operations than the broader one */
	HEAD "file:\n  deny:\n    - {path: /a/**, ops: [read]}\n    - {path: /a/b, ops: [read, "
	     "write]}\n",
	HEAD
	"file:\n  deny:\n    - {path: /a/**, ops: [read]}\n    - {path: /a/**, ops: [write]}\n",
	/* a rule of file without exec operations does not cover one of exec */
	HEAD "file:\n  deny:\n    - {path: /a/**, ops: [read, write]}\nexec: {deny: [/a/b]}\n",
	HEAD "exec: {deny: [/a/**]}\nfile: {deny: [/a/b]}\n",
	/* exceptions */
	HEAD "file:\n  deny:\n    - {path: /a/**, except: [/a/b]}\n    - /a/b\n",
	HEAD "file:\n  deny:\n    - {path: /a/**, except: [/a/b]}\n    - {path: /a/**, except: "
	     "[/a/c]}\n",
	HEAD "exec:\n  default: deny\n  allow: [/a/b]\n  deny: [{path: /a/**, except: [/a/b]}]\n",
	/* the directory itself is not below */
	HEAD "file: {deny: [/a/*, /a, /a/**]}\n",
	HEAD "file: {deny: ['/a/?', /a/*]}\n",
	HEAD "file: {deny: [/a/b*, /a/*b, '/a/?', /a/b/**]}\n",
	HEAD "exec: {default: deny, allow: [/a/**], deny: [/a/b]}\n",
	HEAD "file:\n  default: deny\n  allow: [/a/b]\n  deny: [{path: /a/**, ops: [write]}]\n",
	HEAD "file:\n  default: deny\n  allow:\n    - {path: /a/b, ops: [read]}\n    - {path: "
	     "/a/**, ops: [write]}\n",
	/* the same path for exec and for file */
	HEAD "exec: {deny: [/a]}\nfile: {deny: [/a]}\n",
};

START_TEST(test_reachable)
{
	(void)policy_file_unref(parse_good(reachable[_i]));
}
END_TEST

static unsigned random_next(unsigned *state, unsigned n)
{
	*state = *state * 1664525U + 1013904223U;
	return (*state >> 8) % n;
}

struct random_rule {
	char path[64];
	unsigned ops; /* bits of read, write, delete */
	bool allow;
};

static void random_path(unsigned *state, char out[64])
{
	static const char *const parts[] = {"a", "b", "ab", "*", "a*", "?", "*b", "?*"};
	unsigned n = 1 + random_next(state, 3);

	out[0] = '\0';
	for (unsigned i = 0; i < n; i++) {
		strcat(out, "/");
		strcat(out, parts[random_next(state, ARRAY_LEN(parts))]);
	}
	if (random_next(state, 3) == 0)
		strcat(out, "/**");
}

static bool rule_covers(const struct random_rule *a, const struct random_rule *b)
{
	struct policy_path x = {}, y = {};
	struct path_problem problem;
	bool covers;

	ck_assert_int_eq(policy_path_parse(a->path, strlen(a->path), 63, &x, &problem), 0);
	ck_assert_int_eq(policy_path_parse(b->path, strlen(b->path), 63, &y, &problem), 0);
	covers = (a->ops & b->ops) == b->ops && policy_path_covers(&x, &y);
	free(x.text);
	free(y.text);
	return covers;
}

/* What check_rules() should say of rule i, by comparing it with every other one. */
static const char *judge(const struct random_rule *rules, size_t n, size_t i)
{
	for (size_t j = 0; j < i; j++)
		if (rules[j].allow == rules[i].allow && rules[j].ops == rules[i].ops &&
		    strcmp(rules[j].path, rules[i].path) == 0)
			return "duplicate rule";
	for (size_t j = 0; j < (rules[i].allow ? n : i); j++)
		if (!rules[j].allow && j != i && rule_covers(&rules[j], &rules[i]))
			return "unreachable rule";
	for (size_t j = 0; rules[i].allow && j < n; j++)
		if (rules[j].allow && j != i && rule_covers(&rules[j], &rules[i]) &&
		    strcmp(judge(rules, j, j), "duplicate rule") != 0)
			return "the rule changes nothing";
	return "";
}

#define RANDOM_RULES 12U

static void write_rules(struct strbuf *b, const struct random_rule *rules, bool allow)
{
	static const char *const words[] = {"read", "write", "delete"};

	strbuf_printf(b, "  %s:\n", allow ? "allow" : "deny");
	for (size_t i = 0; i < RANDOM_RULES; i++) {
		if (rules[i].allow != allow)
			continue;
		strbuf_printf(b, "    - {path: '%s', ops: [", rules[i].path);
		for (size_t j = 0; j < ARRAY_LEN(words); j++)
			if (rules[i].ops & 1U << j)
				strbuf_printf(b, "%s, ", words[j]);
		strbuf_puts(b, "]}\n");
	}
}

/* The first 5 lines are the head; then a rule a line, allows before denies. */
static const char *told_of(const struct diag_list *diags, size_t line)
{
	for (size_t i = 0; i < diags->n; i++)
		if (diags->items[i].line == line)
			return diags->items[i].text;
	return "";
}

START_TEST(test_random_policies)
{
	unsigned state = 20260101, seen[3] = {};

	for (unsigned round = 0; round < 3000; round++) {
		_cleanup_strbuf_ struct strbuf b = {};
		struct random_rule rules[RANDOM_RULES];
		struct diag_list diags = {};
		struct policy_file *file = NULL;
		size_t n_allow = random_next(&state, RANDOM_RULES - 1) + 1;

		for (size_t i = 0; i < RANDOM_RULES; i++) {
			random_path(&state, rules[i].path);
			rules[i].ops = 1 + random_next(&state, 7);
			rules[i].allow = i < n_allow;
		}
		strbuf_puts(&b, HEAD "file:\n  default: deny\n");
		write_rules(&b, rules, true);
		write_rules(&b, rules, false);
		(void)policy_parse("p.yaml", b.data, b.len, &diags, &file);
		for (size_t i = 0; i < RANDOM_RULES; i++) {
			const char *want = judge(rules, RANDOM_RULES, i);
			const char *got = told_of(&diags, 6 + i + (rules[i].allow ? 0 : 1));

			ck_assert_msg(*want ? strncmp(got, want, strlen(want)) == 0 : !*got,
				      "%s: want %s, got %s in\n%s", rules[i].path, want, got,
				      b.data);
			seen[0] += *want == 'd';
			seen[1] += *want == 'u';
			seen[2] += *want == 't';
		}
		(void)policy_file_unref(file);
		diag_list_deinit(&diags);
	}
	/* the draw must not be so that nothing is tested */
	ck_assert_uint_gt(seen[0], 100);
	ck_assert_uint_gt(seen[1], 100);
	ck_assert_uint_gt(seen[2], 100);
}
END_TEST

/* A policy as large as the bounds allow is checked completely, and the last rule is found out. */
START_TEST(test_many_rules)
{
	_cleanup_strbuf_ struct strbuf b = {};
	struct diag_list diags = {};
	struct policy_file *file = NULL;

	strbuf_puts(&b, HEAD "file:\n  deny:\n");
	for (unsigned i = 0; i < 50000; i++)
		strbuf_printf(&b, "  - /d%u/%u\n", i % 100, i);
	strbuf_puts(&b, "  - /d17/**\n  - /d17/new\n");
	ck_assert_int_eq(policy_parse("p.yaml", b.data, b.len, &diags, &file), POLICY_E_INVALID);
	ck_assert_uint_eq(diags.n, 1);
	ck_assert_uint_eq(diags.items[0].line, 50006);
	diag_list_deinit(&diags);
}
END_TEST

/* Too many wildcards to compare them all: said so, and the policy is taken. */
START_TEST(test_many_wildcards)
{
	_cleanup_strbuf_ struct strbuf b = {};
	struct diag_list diags = {};
	struct policy_file *file = NULL;

	strbuf_puts(&b, HEAD "file:\n  deny:\n");
	for (unsigned i = 0; i < 3000; i++)
		strbuf_printf(&b, "  - /%04u*x\n", i);
	ck_assert_int_eq(policy_parse("p.yaml", b.data, b.len, &diags, &file), 0);
	ck_assert_uint_eq(diags.n, 1);
	ck_assert_str_eq(diags.items[0].text,
			 "too many wildcards to look for unreachable rules everywhere");
	ck_assert_int_eq((int)diags.items[0].severity, DIAG_WARNING);
	diag_list_deinit(&diags);
	(void)policy_file_unref(file);
}
END_TEST

int main(void)
{
	TCase *cases = tcase_create("check");

	tcase_add_loop_test(cases, test_bad_rules, 0, (int)ARRAY_LEN(bad_rules));
	tcase_add_loop_test(cases, test_reachable, 0, (int)ARRAY_LEN(reachable));
	tcase_add_test(cases, test_random_policies);
	tcase_add_test(cases, test_many_rules);
	tcase_add_test(cases, test_many_wildcards);
	return tcase_run(cases);
}
