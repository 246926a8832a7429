/* SPDX-License-Identifier: Apache-2.0 */

/*
 * The algebra of component patterns. Everything that prunes is held against brute force: all
 * patterns up to a length against all names up to a length.
 */

#include <check.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "compile/pattern.h"
#include "random.h"
#include "tests/unit/runner.h"

/* ---- canonical form ---- */

static const struct {
	const char *text;
	int kind;
	const char *canonical;
} canonical[] = {
	{"", COMPONENT_LITERAL, ""},
	{"a", COMPONENT_LITERAL, "a"},
	{"\xff\x01", COMPONENT_LITERAL, "\xff\x01"},
	{"[a-z]", COMPONENT_LITERAL, "[a-z]"},
	{"\\", COMPONENT_LITERAL, "\\"},
	{"*", COMPONENT_ANY, "*"},
	{"**", COMPONENT_ANY, "*"},
	{"*****", COMPONENT_ANY, "*"},
	{"?", COMPONENT_GLOB, "?"},
	{"?*", COMPONENT_GLOB, "?*"},
	{"*?", COMPONENT_GLOB, "?*"},
	{"*?*?*", COMPONENT_GLOB, "??*"},
	{"a**b", COMPONENT_GLOB, "a*b"},
	{"a*?*b", COMPONENT_GLOB, "a?*b"},
	{"*a*?", COMPONENT_GLOB, "*a?*"},
	{"??a", COMPONENT_GLOB, "??a"},
};

START_TEST(canonical_form)
{
	uint8_t out[HT_GLOB_MAX];
	size_t len = 0;
	int kind;

	kind = component_canonicalize(canonical[_i].text, strlen(canonical[_i].text), out, &len);
	ck_assert_int_eq(kind, canonical[_i].kind);
	ck_assert_uint_eq(len, strlen(canonical[_i].canonical));
	ck_assert_mem_eq(out, canonical[_i].canonical, len);
}
END_TEST

START_TEST(canonical_form_is_bounded)
{
	uint8_t out[HT_GLOB_MAX];
	char text[600];
	size_t len = 0;

	memset(text, 'a', sizeof(text));
	ck_assert_int_eq(component_canonicalize(text, HT_GLOB_MAX, out, &len), COMPONENT_LITERAL);
	ck_assert_uint_eq(len, HT_GLOB_MAX);
	ck_assert_int_eq(component_canonicalize(text, HT_GLOB_MAX + 1, out, &len), -E2BIG);
	text[HT_GLOB_MAX] = '*';
	ck_assert_int_eq(component_canonicalize(text, HT_GLOB_MAX + 1, out, &len), -E2BIG);
	memset(text, '?', sizeof(text));
	ck_assert_int_eq(component_canonicalize(text, HT_GLOB_MAX + 1, out, &len), -E2BIG);
	/* long to write, short in meaning */
	memset(text, '*', sizeof(text));
	ck_assert_int_eq(component_canonicalize(text, sizeof(text), out, &len), COMPONENT_ANY);
	ck_assert_uint_eq(len, 1);
}
END_TEST

/* ---- matching ---- */

static const struct {
	const char *pattern;
	const char *name;
	bool match;
} matches[] = {
	{"", "", true},
	{"", "a", false},
	{"a", "a", true},
	{"a", "b", false},
	{"a", "ab", false},
	{"ab", "a", false},
	{"*", "", true},
	{"*", ".hidden", true},
	{"?", "", false},
	{"?", "a", true},
	{"?", "\xff", true},
	{"?", "ab", false},
	{"a*", "a", true},
	{"a*", "abc", true},
	{"*a", "ba", true},
	{"*a", "ab", false},
	{"a*b", "ab", true},
	{"a*b", "axxb", true},
	{"a*b", "axxbx", false},
	{"*ab*ab*", "abab", true},
	{"*ab*ab*", "ab", false},
	{"*aab", "aaab", true},
	{"*.so*", "libc.so.6", true},
	{"*.so*", "libc.a", false},
	{"a*b*c", "abbc", true},
	{"a*b*c", "acb", false},
	{"[a]", "a", false},
	{"[a]", "[a]", true},
	{"lib?.so", "libc.so", true},
	{"lib?.so", "lib.so", false},
};

static struct component as_component(const char *text)
{
	return (struct component){.text = (const uint8_t *)text, .len = strlen(text)};
}

START_TEST(match_table)
{
	ck_assert_int_eq(component_match(as_component(matches[_i].pattern), matches[_i].name,
					 strlen(matches[_i].name)),
			 matches[_i].match);
}
END_TEST

/* The plainest matcher there is, for short texts. */
static bool brute_match(const char *p, const char *s)
{
	if (*p == '\0')
		return *s == '\0';
	if (*p == '*')
		return brute_match(p + 1, s) || (*s && brute_match(p, s + 1));
	return *s && (*p == '?' || *p == *s) && brute_match(p + 1, s + 1);
}

START_TEST(match_is_not_exponential)
{
	char pattern[HT_GLOB_MAX + 1] = "", name[HT_NAME_MAX + 1] = "";

	for (size_t i = 0; i + 2 < sizeof(pattern); i += 2)
		memcpy(pattern + i, "*a", 2);
	strcpy(pattern + 120, "*b");
	memset(name, 'a', HT_NAME_MAX);
	ck_assert(!component_match(as_component(pattern), name, HT_NAME_MAX));
	name[HT_NAME_MAX - 1] = 'b';
	ck_assert(component_match(as_component(pattern), name, HT_NAME_MAX));
}
END_TEST

/* ---- all patterns against all names ---- */

#define WORDS_MAX 2000U

struct words {
	char text[WORDS_MAX][8];
	size_t n;
};

static void words_add(struct words *w, const char *alphabet, char *prefix, size_t at, size_t max)
{
	prefix[at] = '\0';
	ck_assert_uint_lt(w->n, WORDS_MAX);
	strcpy(w->text[w->n++], prefix);
	for (const char *c = alphabet; *c && at < max; c++) {
		prefix[at] = *c;
		words_add(w, alphabet, prefix, at + 1, max);
	}
}

/* "x" stands for every byte no pattern names; seven bytes suffice to tell patterns of three apart.
 */
static struct words names, patterns;

static void words_init(void)
{
	char prefix[8];

	names.n = patterns.n = 0;
	words_add(&names, "abx", prefix, 0, 6);
	words_add(&patterns, "ab*?", prefix, 0, 4);
}

START_TEST(match_all)
{
	words_init();
	for (size_t i = 0; i < patterns.n; i++)
		for (size_t j = 0; j < names.n; j++)
			ck_assert_int_eq(component_match(as_component(patterns.text[i]),
							 names.text[j], strlen(names.text[j])),
					 brute_match(patterns.text[i], names.text[j]));
}
END_TEST

START_TEST(canonical_form_matches_the_same)
{
	words_init();
	for (size_t i = 0; i < patterns.n; i++) {
		uint8_t out[HT_GLOB_MAX];
		size_t len = 0;

		ck_assert_int_ge(component_canonicalize(patterns.text[i], strlen(patterns.text[i]),
							out, &len),
				 0);
		for (size_t j = 0; j < names.n; j++)
			ck_assert_int_eq(component_match((struct component){out, len},
							 names.text[j], strlen(names.text[j])),
					 brute_match(patterns.text[i], names.text[j]));
	}
}
END_TEST

/* One bit for each name a pattern matches. */
static uint64_t *match_sets(size_t *ret_words)
{
	size_t width = (names.n + 63) / 64;
	uint64_t *sets = calloc(patterns.n * width, sizeof(*sets));

	ck_assert_ptr_nonnull(sets);
	for (size_t i = 0; i < patterns.n; i++)
		for (size_t j = 0; j < names.n; j++)
			if (brute_match(patterns.text[i], names.text[j]))
				sets[i * width + j / 64] |= 1ULL << (j % 64);
	*ret_words = width;
	return sets;
}

/* disjoint: exact (two patterns of up to four tokens that meet, meet in a name of up to six bytes
 * whenever they meet at all in so few). implies: only ever true when it is. */
START_TEST(relations_all)
{
	size_t width, claimed = 0, missed = 0;
	_cleanup_free_ uint64_t *sets = NULL;

	words_init();
	sets = match_sets(&width);
	for (size_t i = 0; i < patterns.n; i++)
		for (size_t j = 0; j < patterns.n; j++) {
			struct component a = as_component(patterns.text[i]),
					 b = as_component(patterns.text[j]);
			bool meet = false, inside = true;

			for (size_t k = 0; k < width; k++) {
				meet |= (sets[i * width + k] & sets[j * width + k]) != 0;
				inside &= (sets[i * width + k] & ~sets[j * width + k]) == 0;
			}
			if (meet)
				ck_assert_msg(!component_disjoint(a, b), "\"%s\" meets \"%s\"",
					      patterns.text[i], patterns.text[j]);
			else if (strlen(patterns.text[i]) + strlen(patterns.text[j]) <= 6)
				ck_assert_msg(component_disjoint(a, b),
					      "\"%s\" is apart from \"%s\"", patterns.text[i],
					      patterns.text[j]);
			if (component_implies(a, b)) {
				claimed++;
				ck_assert_msg(inside, "\"%s\" is not within \"%s\"",
					      patterns.text[i], patterns.text[j]);
			} else {
				missed += inside;
			}
		}
	/* It may miss some, but is of use. */
	ck_assert_uint_gt(claimed, 5 * missed);
}
END_TEST

/* ---- combinations ---- */

static void relate(const struct component *c, unsigned n,
		   uint8_t relation[HT_GLOBS_MAX][HT_GLOBS_MAX])
{
	for (unsigned i = 0; i < n; i++)
		for (unsigned j = 0; j < n; j++) {
			relation[i][j] = component_disjoint(c[i], c[j]) ? COMPONENT_DISJOINT : 0;
			if (component_implies(c[i], c[j]))
				relation[i][j] |= COMPONENT_IMPLIES;
		}
}

static bool listed(const uint32_t *masks, size_t n, uint32_t mask)
{
	for (size_t i = 0; i < n; i++)
		if (masks[i] == mask)
			return true;
	return false;
}

/* Every set that some name matches is listed: random families of patterns, all names. */
START_TEST(combinations_miss_nothing)
{
	uint8_t relation[HT_GLOBS_MAX][HT_GLOBS_MAX];
	struct random r = {.state = random_seed(99) + (uint64_t)_i};
	size_t listed_total = 0, real_total = 0;

	words_init();
	for (unsigned round = 0; round < 400; round++) {
		struct component c[10];
		unsigned n = 1 + random_below(&r, ARRAY_LEN(c));
		uint32_t masks[1024];
		uint8_t seen[1024] = {};
		size_t count;

		for (unsigned i = 0; i < n; i++)
			c[i] = as_component(patterns.text[random_below(&r, (uint32_t)patterns.n)]);
		relate(c, n, relation);
		count = component_combine(relation, n, masks, ARRAY_LEN(masks));
		ck_assert_uint_le(count, 1023);
		for (size_t i = 1; i < count; i++)
			ck_assert_uint_lt(masks[i - 1], masks[i]);
		for (size_t j = 0; j < names.n; j++) {
			uint32_t mask = 0;

			for (unsigned i = 0; i < n; i++)
				if (component_match(c[i], names.text[j], strlen(names.text[j])))
					mask |= 1U << i;
			if (mask == 0 || seen[mask])
				continue;
			seen[mask] = 1;
			real_total++;
			ck_assert_msg(listed(masks, count, mask), "set %#x of name \"%s\" is lost",
				      mask, names.text[j]);
		}
		listed_total += count;
	}
	/* The pruning works: not far from what names can really do. */
	ck_assert_uint_lt(listed_total, 3 * real_total);
}
END_TEST

static const struct {
	const char *patterns[8];
	size_t count; /* of listed sets */
} families[] = {
	{{}, 0},
	{{"a*"}, 1},
	{{"a*", "b*"}, 2},		    /* apart by their beginnings */
	{{"*a", "*b", "*c"}, 3},	    /* by their ends */
	{{"a*", "*a"}, 3},		    /* free */
	{{"a*", "ab*"}, 2},		    /* {a*}, {a*, ab*} */
	{{"a*", "ab*", "abc*"}, 3},	    /* a chain */
	{{"?", "??", "???"}, 3},	    /* by length */
	{{"?*", "a*", "b*"}, 3},	    /* {?*}, with a*, with b* */
	{{"a*a", "b*b", "a*", "b*"}, 4},    /* implied and disjoint together */
	{{"*a*", "*b*", "*c*", "*d*"}, 15}, /* all free */
	{{"a?c", "ab?", "*"}, 4},	    /* {*}, and with either or both */
};

START_TEST(combinations_of_families)
{
	uint8_t relation[HT_GLOBS_MAX][HT_GLOBS_MAX] = {};
	struct component c[8];
	uint32_t masks[64];
	unsigned n = 0;

	while (n < ARRAY_LEN(c) && families[_i].patterns[n]) {
		c[n] = as_component(families[_i].patterns[n]);
		n++;
	}
	relate(c, n, relation);
	ck_assert_uint_eq(component_combine(relation, n, masks, ARRAY_LEN(masks)),
			  families[_i].count);
}
END_TEST

START_TEST(combinations_are_bounded)
{
	uint8_t relation[HT_GLOBS_MAX][HT_GLOBS_MAX] = {};
	uint32_t masks[100];

	/* 2^32 - 1 sets: it must stop at the limit, not count them. */
	ck_assert_uint_eq(component_combine(relation, HT_GLOBS_MAX, masks, ARRAY_LEN(masks)), 101);
	ck_assert_uint_eq(component_combine(relation, 6, masks, 63), 63);
	ck_assert_uint_eq(component_combine(relation, 6, masks, 62), 63);
}
END_TEST

int main(void)
{
	TCase *t = tcase_create("pattern");

	tcase_set_timeout(t, 120);
	tcase_add_loop_test(t, canonical_form, 0, ARRAY_LEN(canonical));
	tcase_add_test(t, canonical_form_is_bounded);
	tcase_add_loop_test(t, match_table, 0, ARRAY_LEN(matches));
	tcase_add_test(t, match_is_not_exponential);
	tcase_add_test(t, match_all);
	tcase_add_test(t, canonical_form_matches_the_same);
	tcase_add_test(t, relations_all);
	tcase_add_loop_test(t, combinations_miss_nothing, 0, 4);
	tcase_add_loop_test(t, combinations_of_families, 0, ARRAY_LEN(families));
	tcase_add_test(t, combinations_are_bounded);
	return tcase_run(t);
}
