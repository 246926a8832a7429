/* SPDX-License-Identifier: Apache-2.0 */

/* Path patterns: canonical form, and the two predicates against a slow judge over real names. */

#include "policy-test.h"

#include "abi.h"
#include "policy/path.h"
#include "tests/unit/runner.h"

static const struct {
	const char *text;
	size_t len;
	const char *problem; /* NULL: fine */
	size_t offset, width;
	const char *canonical;
	bool subtree;
} paths[] = {
	{TEXT("/"), NULL, 0, 0, "/", false},
	{TEXT("/**"), NULL, 0, 0, "/", true},
	{TEXT("/*"), NULL, 0, 0, "/*", false},
	{TEXT("/a"), NULL, 0, 0, "/a", false},
	{TEXT("/a/**"), NULL, 0, 0, "/a", true},
	{TEXT("/a/b/*.so*"), NULL, 0, 0, "/a/b/*.so*", false},
	{TEXT("/a/.b/..c/d./..."), NULL, 0, 0, "/a/.b/..c/d./...", false},
	{TEXT("/\xed\x95\x9c/ "), NULL, 0, 0, "/\xed\x95\x9c/ ", false},
	{TEXT(""), "empty path", 0, 0, NULL, false},
	{TEXT("a"), "relative path", 0, 1, NULL, false},
	{TEXT("./a"), "relative path", 0, 3, NULL, false},
	{TEXT("**"), "relative path", 0, 2, NULL, false},
	{TEXT("//"), "empty component `//`", 0, 2, NULL, false},
	{TEXT("//a"), "empty component `//`", 0, 2, NULL, false},
	{TEXT("/a//b"), "empty component `//`", 2, 2, NULL, false},
	{TEXT("/a/"), "trailing slash", 2, 1, NULL, false},
	{TEXT("/a/**/"), "`**` before the last component", 3, 2, NULL, false},
	{TEXT("/**/a"), "`**` before the last component", 1, 2, NULL, false},
	{TEXT("/."), "component `.`", 1, 1, NULL, false},
	{TEXT("/a/./b"), "component `.`", 3, 1, NULL, false},
	{TEXT("/.."), "component `..`", 1, 2, NULL, false},
	{TEXT("/a/.."), "component `..`", 3, 2, NULL, false},
	{TEXT("/***"), "`***` inside a component", 1, 3, NULL, false},
	{TEXT("/a**"), "`**` inside a component", 2, 2, NULL, false},
	{TEXT("/a**/b"), "`**` inside a component", 2, 2, NULL, false},
	{TEXT("/?**"), "`**` inside a component", 2, 2, NULL, false},
	{TEXT("/*********x"), "`********` inside a component", 1, 9, NULL, false},
	{TEXT("/a\0b"), "control character U+0000 in a path", 2, 1, NULL, false},
	{TEXT("/a\nb"), "control character U+000A in a path", 2, 1, NULL, false},
	{TEXT("/a\x7f"), "control character U+007F in a path", 2, 1, NULL, false},
	{TEXT("/a\xc2\x9b"), "control character U+009B in a path", 2, 2, NULL, false},
	{TEXT("/a\xff"), "byte 0xff in a path is not UTF-8", 2, 1, NULL, false},
};

START_TEST(test_parse)
{
	struct path_problem problem = {};
	struct policy_path path = {};
	int r = policy_path_parse(paths[_i].text, paths[_i].len, HT_RULE_DEPTH_MAX, &path,
				  &problem);

	if (paths[_i].problem) {
		ck_assert_int_eq(r, POLICY_E_INVALID);
		ck_assert_str_eq(problem.text, paths[_i].problem);
		ck_assert_uint_eq(problem.offset, paths[_i].offset);
		ck_assert_uint_eq(problem.len, paths[_i].width);
		ck_assert_ptr_null(path.text);
		return;
	}
	ck_assert_int_eq(r, 0);
	ck_assert_str_eq(path.text, paths[_i].canonical);
	ck_assert(path.subtree == paths[_i].subtree);
	free(path.text);
}
END_TEST

START_TEST(test_bounds)
{
	struct path_problem problem = {};
	struct policy_path path = {};
	char text[1024] = "/";

	memset(text + 1, 'x', HT_NAME_MAX);
	ck_assert_int_eq(policy_path_parse(text, HT_NAME_MAX + 1, 63, &path, &problem), 0);
	free(path.text);
	text[HT_NAME_MAX + 1] = 'x';
	ck_assert_int_eq(policy_path_parse(text, HT_NAME_MAX + 2, 63, &path, &problem),
			 POLICY_E_INVALID);
	for (size_t i = 0; i < 64; i++)
		memcpy(text + 2 * i, "/a", 2);
	ck_assert_int_eq(policy_path_parse(text, 2 * 63, 63, &path, &problem), 0);
	free(path.text);
	ck_assert_int_eq(policy_path_parse(text, 2 * 64, 63, &path, &problem), POLICY_E_INVALID);
	ck_assert_str_eq(problem.text, "more than 63 components");
	ck_assert_uint_eq(problem.offset, 127);
	memcpy(text + 2 * 63, "/**", 3);
	ck_assert_int_eq(policy_path_parse(text, 2 * 63 + 3, 63, &path, &problem), 0);
	free(path.text);
}
END_TEST

static const struct {
	const char *text;
	size_t len;
	const char *problem;
} names[] = {
	{TEXT("nginx.service"), NULL},	    {TEXT("*"), NULL},
	{TEXT("a\\x2db.scope"), NULL},	    {TEXT("..."), NULL},
	{TEXT(""), "empty name"},	    {TEXT("."), "`.` is not a name"},
	{TEXT(".."), "`..` is not a name"}, {TEXT("a/b"), "`/` in a name"},
	{TEXT("/"), "`/` in a name"},	    {TEXT("**"), "`**` in a name"},
	{TEXT("a**b"), "`**` in a name"},   {TEXT("a\tb"), "control character U+0009 in a path"},
};

START_TEST(test_name)
{
	struct path_problem problem = {};
	int r = policy_component_check(names[_i].text, names[_i].len, &problem);

	ck_assert_int_eq(r, names[_i].problem ? POLICY_E_INVALID : 0);
	if (r)
		ck_assert_str_eq(problem.text, names[_i].problem);
}
END_TEST

static const struct {
	const char *a, *b;
	bool covers, overlaps;
} pairs[] = {
	{"/", "/", true, true},
	{"/", "/**", false, true},
	{"/**", "/", true, true},
	{"/**", "/a/b/**", true, true},
	{"/", "/a", false, false},
	{"/a", "/a/**", false, true},
	{"/a/**", "/a", true, true},
	{"/a/**", "/a/*", true, true},
	{"/a/*", "/a/**", false, true},
	{"/a/*", "/a", false, false},
	{"/a/**", "/ab", false, false},
	{"/*/b", "/a/*", false, true},
	{"/*", "/?", true, true},
	{"/?", "/*", false, true},
	{"/?*", "/*?", true, true},
	{"/a*", "/a*b", true, true},
	{"/a*b", "/a*", false, true},
	{"/a*b", "/ab", true, true},
	{"/a*b", "/a", false, false},
	{"/*a*", "/bab", true, true},
	{"/*a", "/a*", false, true},
	{"/*.conf", "/a*d", false, false},
	{"/??", "/a*", false, true},
	{"/a/**", "/*/b/c", false, true},
	{"/a/**", "/b/**", false, false},
	{"/*x*y*", "/*xzy*", true, true},
	{"/\xed\x95\x9c", "/???", false, true},
	{"/???", "/\xed\x95\x9c", true, true},
};

static struct policy_path path_of(const char *text)
{
	struct path_problem problem;
	struct policy_path path = {};

	ck_assert_int_eq(policy_path_parse(text, strlen(text), HT_RULE_DEPTH_MAX, &path, &problem),
			 0);
	return path;
}

START_TEST(test_pairs)
{
	struct policy_path a = path_of(pairs[_i].a), b = path_of(pairs[_i].b);

	ck_assert(policy_path_covers(&a, &b) == pairs[_i].covers);
	ck_assert(policy_path_overlaps(&a, &b) == pairs[_i].overlaps);
	ck_assert(policy_path_overlaps(&b, &a) == pairs[_i].overlaps);
	free(a.text);
	free(b.text);
}
END_TEST

/* The slow judge: one pattern against one name, by definition. */
static bool glob(const char *p, const char *s)
{
	if (!*p)
		return !*s;
	if (*p == '*')
		return glob(p + 1, s) || (*s && glob(p, s + 1));
	return *s && (*p == '?' || *p == *s) && glob(p + 1, s + 1);
}

#define NAMES_LEN 6U  /* two patterns of 3 symbols that meet do so in a name of 6 bytes at most */
#define NAMES_N 1092U /* 3 + 9 + ... + 729 names over {a, b, c} */

static void name_list(char list[NAMES_N][NAMES_LEN + 1])
{
	size_t n = 0;

	for (unsigned len = 1; len <= NAMES_LEN; len++) {
		unsigned count = 1;

		for (unsigned i = 0; i < len; i++)
			count *= 3;
		for (unsigned k = 0; k < count; k++, n++) {
			unsigned rest = k;

			for (unsigned i = 0; i < len; i++, rest /= 3)
				list[n][i] = (char)('a' + rest % 3);
			list[n][len] = '\0';
		}
	}
	ck_assert_uint_eq(n, NAMES_N);
}

/* Every pattern of 1 to 3 symbols over {a, b, ?, *} against every other. */
START_TEST(test_components)
{
	static const char symbols[] = "ab?*";
	static char list[NAMES_N][NAMES_LEN + 1];
	static bool matches[84][NAMES_N];
	char patterns[84][4];
	unsigned n = 0, missed = 0, covered = 0;

	name_list(list);
	for (unsigned len = 1; len <= 3; len++)
		for (unsigned k = 0; k < 1U << (2 * len); k++, n++) {
			for (unsigned i = 0; i < len; i++)
				patterns[n][i] = symbols[k >> (2 * i) & 3];
			patterns[n][len] = '\0';
		}
	ck_assert_uint_eq(n, 84);
	for (unsigned i = 0; i < n; i++)
		for (unsigned k = 0; k < NAMES_N; k++)
			matches[i][k] = glob(patterns[i], list[k]);
	for (unsigned i = 0; i < n; i++)
		for (unsigned j = 0; j < n; j++) {
			const char *p = patterns[i], *q = patterns[j];
			bool all = true, any = false, covers;

			for (unsigned k = 0; k < NAMES_N; k++) {
				all &= !matches[j][k] || matches[i][k];
				any |= matches[j][k] && matches[i][k];
			}
			covers = policy_component_covers(p, strlen(p), q, strlen(q));
			ck_assert_msg(!covers || all, "%s does not cover %s", p, q);
			ck_assert_msg(policy_component_overlaps(p, strlen(p), q, strlen(q)) == any,
				      "%s and %s", p, q);
			missed += all && !covers;
			covered += covers;
		}
	/* what is not recognised stays exotic: `?*` over `*a` and the like */
	ck_assert_uint_gt(covered, 800);
	ck_assert_msg(missed * 20 < covered, "%u of %u", missed, covered);
}
END_TEST

START_TEST(test_next)
{
	static const char *const want[] = {"usr", "b?n", "*"};
	const char *p = "/usr/b?n/*", *name = NULL;
	size_t len = 0, n = 0;

	while (policy_path_next(&p, &name, &len)) {
		ck_assert_uint_lt(n, ARRAY_LEN(want));
		ck_assert_uint_eq(len, strlen(want[n]));
		ck_assert_int_eq(memcmp(name, want[n], len), 0);
		n++;
	}
	ck_assert_uint_eq(n, ARRAY_LEN(want));
	p = "/";
	ck_assert(!policy_path_next(&p, &name, &len));
}
END_TEST

int main(void)
{
	TCase *cases = tcase_create("path");

	tcase_add_loop_test(cases, test_parse, 0, (int)ARRAY_LEN(paths));
	tcase_add_test(cases, test_bounds);
	tcase_add_loop_test(cases, test_name, 0, (int)ARRAY_LEN(names));
	tcase_add_loop_test(cases, test_pairs, 0, (int)ARRAY_LEN(pairs));
	tcase_add_test(cases, test_components);
	tcase_add_test(cases, test_next);
	return tcase_run(cases);
}
