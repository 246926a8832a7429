/* SPDX-License-Identifier: Apache-2.0 */

/* Images as a whole: limits and their diagnostics, determinism, shared wildcards, damage. */

#include <check.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "compile/automaton.h"
#include "random.h"
#include "tests/unit/runner.h"

static const struct ht_hash_key key = {.k0 = 5, .k1 = 6};

DEFINE_CLEANUP(struct image *, image_freep, image_free)
DEFINE_CLEANUP(struct image_names *, image_names_freep, image_names_free)
#define _cleanup_image_ _cleanup_(image_freep)
#define _cleanup_names_ _cleanup_(image_names_freep)
#define _cleanup_diags_ _cleanup_(diag_list_deinit)

static struct image *compile(const struct policy *policy, struct image_names *names)
{
	_cleanup_diags_ struct diag_list diags = {};
	struct image *image = NULL;

	ck_assert_int_eq(image_compile(&policy, 1, names, &key, 0, &diags, &image), 0);
	return image;
}

/* It is refused, at this line, with these words. */
static void check_refused(const struct policy *policy, uint32_t line, const char *words)
{
	_cleanup_names_ struct image_names *names = image_names_new();
	_cleanup_diags_ struct diag_list diags = {};
	struct image *image = NULL;

	ck_assert_int_eq(image_compile(&policy, 1, names, &key, 0, &diags, &image),
			 IMAGE_E_INVALID);
	ck_assert_ptr_null(image);
	ck_assert_uint_ge(diags.n_errors, 1);
	ck_assert_str_eq(diags.items[0].file, "test.yaml");
	if (line > 0)
		ck_assert_uint_eq(diags.items[0].line, line);
	ck_assert_uint_gt(diags.items[0].line, 0);
	ck_assert_int_eq(diags.items[0].severity, DIAG_ERROR);
	ck_assert_msg(strstr(diags.items[0].text, words), "\"%s\" does not say \"%s\"",
		      diags.items[0].text, words);
}

/* ---- limits ---- */

static void deep_path(char *text, unsigned depth)
{
	for (unsigned i = 0; i < depth; i++)
		text = stpcpy(text, "/d");
}

START_TEST(limit_depth)
{
	_cleanup_policy_ struct policy *p = policy_build("p");
	_cleanup_names_ struct image_names *names = image_names_new();
	_cleanup_image_ struct image *image = NULL;
	char text[4 * HT_RULE_DEPTH_MAX];

	policy_build_match(p, "/x", NULL);
	deep_path(text, HT_RULE_DEPTH_MAX);
	policy_build_rule(p, POLICY_RULE_FILE_DENY, text, HT_OP_ALL);
	image = compile(p, names);
	ck_assert_ptr_nonnull(image);
	deep_path(text, HT_RULE_DEPTH_MAX + 1);
	policy_build_rule(p, POLICY_RULE_FILE_ALLOW, text, HT_OPS_FILE);
	check_refused(p, 2, "64 components");
}
END_TEST

/* The other spelling of a path counts too. */
START_TEST(limit_depth_of_twin)
{
	_cleanup_policy_ struct policy *p = policy_build("p");
	char text[4 * HT_RULE_DEPTH_MAX] = "/bin";

	deep_path(text + 4, HT_RULE_DEPTH_MAX - 1);
	policy_build_match(p, "/x", NULL);
	policy_build_rule(p, POLICY_RULE_EXEC_DENY, text, HT_OPS_EXEC);
	check_refused(p, 1, "64 components");
}
END_TEST

START_TEST(limit_depth_of_exception)
{
	_cleanup_policy_ struct policy *p = policy_build("p");
	char text[4 * HT_RULE_DEPTH_MAX];

	deep_path(text, HT_RULE_DEPTH_MAX + 1);
	policy_build_match(p, "/x", NULL);
	policy_build_rule(p, POLICY_RULE_FILE_DENY, "/d/**", HT_OP_ALL);
	policy_build_except(p, text);
	check_refused(p, 1, "64 components");
}
END_TEST

START_TEST(limit_depth_very_deep)
{
	_cleanup_policy_ struct policy *p = policy_build("p");
	_cleanup_free_ char *text = calloc(1, 20001);

	deep_path(text, 10000);
	policy_build_match(p, "/x", NULL);
	policy_build_rule(p, POLICY_RULE_FILE_DENY, text, HT_OP_ALL);
	check_refused(p, 1, "10000 components");
}
END_TEST

START_TEST(limit_depth_of_cgroup)
{
	_cleanup_policy_ struct policy *p = policy_build("p");
	char text[4 * HT_RULE_DEPTH_MAX];

	deep_path(text, HT_CGROUP_DEPTH_MAX + 1);
	policy_build_match(p, "/fine", NULL);
	policy_build_match(p, text, NULL);
	check_refused(p, 2, "33 components");
}
END_TEST

START_TEST(limit_component)
{
	_cleanup_policy_ struct policy *p = policy_build("p");
	char text[400] = "/etc/";

	memset(text + 5, 'x', HT_NAME_MAX + 1);
	policy_build_match(p, "/x", NULL);
	policy_build_rule(p, POLICY_RULE_FILE_DENY, "/fine", HT_OP_ALL);
	policy_build_rule(p, POLICY_RULE_FILE_DENY, text, HT_OP_ALL);
	check_refused(p, 2, "longer than 255 bytes");
}
END_TEST

/* n wildcards compete for one component. */
static struct policy *with_wildcards(unsigned n, bool free_form)
{
	struct policy *p = policy_build("p");

	policy_build_match(p, "/x", NULL);
	for (unsigned i = 0; i < n; i++) {
		char text[32];

		/* by their beginnings they exclude each other; by their middles they do not */
		snprintf(text, sizeof(text), "/dir/%s%c*", free_form ? "*" : "", (char)('A' + i));
		policy_build_rule(p, POLICY_RULE_FILE_DENY, text, 1U << (i % 7));
	}
	return p;
}

START_TEST(limit_wildcards)
{
	_cleanup_policy_ struct policy *most = with_wildcards(HT_GLOBS_MAX, false);
	_cleanup_policy_ struct policy *more = with_wildcards(HT_GLOBS_MAX + 1, false);
	_cleanup_names_ struct image_names *names = image_names_new();
	_cleanup_image_ struct image *image = compile(most, names);

	ck_assert_uint_eq(image->n_globs, HT_GLOBS_MAX);
	check_refused(more, 0, "more than 32 different wildcard patterns");
}
END_TEST

START_TEST(limit_combinations)
{
	_cleanup_policy_ struct policy *most = with_wildcards(10, true);
	_cleanup_policy_ struct policy *more = with_wildcards(11, true);
	_cleanup_policy_ struct policy *worst = with_wildcards(HT_GLOBS_MAX, true);
	_cleanup_names_ struct image_names *names = image_names_new();
	_cleanup_image_ struct image *image = compile(most, names);

	ck_assert_ptr_nonnull(image);
	check_refused(more, 0, "more than 1024 combinations");
	check_refused(worst, 0, "more than 1024 combinations");
}
END_TEST

/* Stars before the end multiply: each state remembers which of the names it has seen. */
START_TEST(limit_states)
{
	_cleanup_policy_ struct policy *p = policy_build("p");

	policy_build_match(p, "/x", NULL);
	for (unsigned i = 0; i < 40; i++) {
		char text[256] = "";

		for (unsigned j = 0; j < 20; j++) {
			size_t at = strlen(text);

			snprintf(text + at, sizeof(text) - at, "/%s", j == i % 20 ? "a" : "*");
			if (j == (i * 7 + 3) % 20)
				strcat(text, i >= 20 ? "b" : "");
		}
		policy_build_rule(p, POLICY_RULE_FILE_DENY, text, 1U << (i % 7));
	}
	check_refused(p, 0, "policy needs more than");
}
END_TEST

START_TEST(limit_pairs)
{
	_cleanup_policy_ struct policy *p = policy_build("p");
	char text[32];

	policy_build_match(p, "/x", NULL);
	/* six pairs each: the name, and of three rules each its own operations */
	policy_build_default(p, POLICY_RULE_EXEC_DEFAULT);
	policy_build_default(p, POLICY_RULE_FILE_DEFAULT);
	for (unsigned i = 0; i < 110000; i++) {
		snprintf(text, sizeof(text), "/d/%u", i);
		policy_build_rule(p, POLICY_RULE_FILE_DENY, text, HT_OP_READ);
	}
	check_refused(p, 0, "more than 655360 map entries");
}
END_TEST

/* ---- other refusals ---- */

static const struct {
	const char *cgroup;
	const char *unit;
	const char *words;
} bad_matches[] = {
	{NULL, NULL, "selects nothing"},  {NULL, "", "one name"},
	{NULL, "a/b", "one name"},	  {"/a/x", "y", "can match both"},
	{"/a/x*", "y", "can match both"}, {"/a/x*", "y*", "can match both"},
	{"/", "y", "can match both"},
};

START_TEST(refused_matches)
{
	_cleanup_policy_ struct policy *p = policy_build("p");

	policy_build_match(p, bad_matches[_i].cgroup, bad_matches[_i].unit);
	check_refused(p, 1, bad_matches[_i].words);
}
END_TEST

START_TEST(refused_name_twice)
{
	_cleanup_policy_ struct policy *a = policy_build("same"), *b = policy_build("same");
	_cleanup_names_ struct image_names *names = image_names_new();
	_cleanup_diags_ struct diag_list diags = {};
	const struct policy *both[] = {a, b};
	struct image *image = NULL;

	policy_build_match(a, "/x", NULL);
	policy_build_match(b, "/x", NULL);
	ck_assert_int_eq(image_compile(both, 2, names, &key, 0, &diags, &image), IMAGE_E_INVALID);
	ck_assert_ptr_nonnull(strstr(diags.items[0].text, "used twice"));
}
END_TEST

START_TEST(all_errors_at_once)
{
	_cleanup_policy_ struct policy *a = policy_build("a"), *b = policy_build("b");
	_cleanup_names_ struct image_names *names = image_names_new();
	_cleanup_diags_ struct diag_list diags = {};
	const struct policy *both[] = {a, b};
	struct image *image = NULL;
	char text[4 * HT_RULE_DEPTH_MAX];

	deep_path(text, HT_RULE_DEPTH_MAX + 1);
	policy_build_match(a, NULL, "a/b");
	policy_build_rule(a, POLICY_RULE_FILE_DENY, text, HT_OP_ALL);
	policy_build_rule(a, POLICY_RULE_FILE_DENY, text, HT_OP_ALL);
	policy_build_match(b, NULL, "a/b");
	policy_build_rule(b, POLICY_RULE_FILE_DENY, text, HT_OP_ALL);
	ck_assert_int_eq(image_compile(both, 2, names, &key, 0, &diags, &image), IMAGE_E_INVALID);
	ck_assert_uint_eq(diags.n_errors, 5);
}
END_TEST

/* ---- collisions ---- */

static uint64_t bad_hash(const struct ht_hash_key *k, const void *name, size_t len)
{
	return len + k->k0; /* equal for names of one length */
}

static int judge_nothing(const void *userdata, const uint32_t *matched, size_t n,
			 struct automaton_verdict *v, uint32_t *binds, size_t *ret_n_binds)
{
	v->deny = n > 0 ? HT_OP_READ : 0;
	*ret_n_binds = 0;
	return 0;
}

START_TEST(hash_collision_is_told)
{
	_cleanup_policy_ struct policy *p = policy_build("p");
	_cleanup_names_ struct image_names *names = image_names_new();
	_cleanup_diags_ struct diag_list diags = {};
	_cleanup_(input_deinit) struct input in = {.diags = &diags};
	_cleanup_(automaton_deinit) struct automaton a = {};
	_cleanup_(emit_deinit) struct emit e = {.names = names, .key = &key, .hash = bad_hash};
	struct image_profile profile = {};

	for (uint32_t i = 0; i < 3; i++) {
		static const char *const paths[] = {"/dir/long", "/dir/one", "/dir/two"};
		struct input_text texts[INPUT_TEXTS_MAX];
		struct input_spec spec = {
			.texts = texts,
			.n_texts = input_split(paths[i], texts),
			.depth_max = HT_RULE_DEPTH_MAX,
			.policy = p,
			.location.line = i + 1,
		};
		uint32_t pattern;

		ck_assert_int_eq(input_add(&in, &spec, &pattern), 0);
		ck_assert_uint_eq(pattern, i);
	}
	ck_assert_int_eq(automaton_build(&a, &in, judge_nothing, NULL), 0);
	ck_assert_int_eq(automaton_reduce(&a), 0);
	ck_assert_int_eq(emit_automaton(&e, &a, NULL, &profile), IMAGE_E_INVALID);
	ck_assert_ptr_null(profile.pairs);
	ck_assert_uint_eq(diags.n_errors, 1);
	ck_assert_uint_eq(diags.items[0].line, 3);
	ck_assert_ptr_nonnull(strstr(diags.items[0].text, "\"one\" and \"two\""));
}
END_TEST

/* ---- determinism and sharing ---- */

START_TEST(same_input_same_bytes)
{
	const struct random_shape shape = {.rules = 12, .depth = 3};
	struct random r = {.state = random_seed(2718)};

	for (unsigned i = 0; i < 200; i++) {
		_cleanup_policy_ struct policy *p = random_policy(&r, "p", &shape);
		_cleanup_policy_ struct policy *q = policy_build_copy(p);
		_cleanup_names_ struct image_names *one = image_names_new(),
						   *two = image_names_new();
		_cleanup_image_ struct image *a = NULL, *b = NULL;
		_cleanup_diags_ struct diag_list diags = {};
		const struct policy *x = p, *y = q;

		if (image_compile(&x, 1, one, &key, 0, &diags, &a) != 0)
			continue;
		ck_assert_int_eq(image_compile(&y, 1, two, &key, 0, &diags, &b), 0);
		ck_assert_uint_eq(a->profiles[0].n_pairs, b->profiles[0].n_pairs);
		ck_assert_mem_eq(a->profiles[0].pairs, b->profiles[0].pairs,
				 a->profiles[0].n_pairs * sizeof(*a->profiles[0].pairs));
		ck_assert_uint_eq(a->profiles[0].digest, b->profiles[0].digest);
		ck_assert_uint_eq(a->matcher.digest, b->matcher.digest);
		ck_assert_uint_eq(a->n_globs, b->n_globs);
		if (a->n_globs > 0)
			ck_assert_mem_eq(a->globs, b->globs, a->n_globs * sizeof(*a->globs));
	}
}
END_TEST

START_TEST(digest_follows_content)
{
	_cleanup_policy_ struct policy *p = policy_build("p");
	_cleanup_names_ struct image_names *names = image_names_new();
	_cleanup_image_ struct image *before = NULL, *same = NULL, *after = NULL;

	policy_build_match(p, "/x", NULL);
	policy_build_rule(p, POLICY_RULE_FILE_DENY, "/a/b*", HT_OP_READ);
	before = compile(p, names);
	p->rules[0].location.line = 99; /* an edit elsewhere in the file */
	same = compile(p, names);
	p->rules[0].ops = HT_OP_WRITE;
	after = compile(p, names);
	ck_assert_uint_eq(before->profiles[0].digest, same->profiles[0].digest);
	ck_assert_uint_ne(before->profiles[0].digest, after->profiles[0].digest);
	ck_assert_uint_eq(before->matcher.digest, after->matcher.digest);
	ck_assert_uint_eq(before->profiles[0].id, after->profiles[0].id);
}
END_TEST

START_TEST(wildcards_are_shared_and_keep_their_ids)
{
	_cleanup_policy_ struct policy *a = policy_build("a"), *b = policy_build("b");
	_cleanup_names_ struct image_names *names = image_names_new();
	_cleanup_diags_ struct diag_list diags = {};
	_cleanup_image_ struct image *image = NULL, *later = NULL;
	const struct policy *both[] = {a, b};

	ck_assert_int_eq(image_names_seed_glob(names, "*.key", 5, 40), 0);
	policy_build_match(a, "/x-*", NULL);
	policy_build_match(b, NULL, "x-**");
	policy_build_rule(a, POLICY_RULE_FILE_DENY, "/etc/*.key", HT_OP_ALL);
	policy_build_rule(b, POLICY_RULE_FILE_DENY, "/etc/**.key", HT_OP_ALL);
	policy_build_rule(b, POLICY_RULE_FILE_DENY, "/etc/*/*.key", HT_OP_ALL);
	ck_assert_int_eq(image_compile(both, 2, names, &key, 0, &diags, &image), 0);
	/* "*.key" and "x-*", once each, rising ids, texts as written in canonical form */
	ck_assert_uint_eq(image->n_globs, 2);
	ck_assert_uint_eq(image->globs[0].id, 40);
	ck_assert_uint_eq(image->globs[1].id, 41);
	ck_assert_uint_eq(image->globs[0].glob.len, 5);
	ck_assert_mem_eq(image->globs[0].glob.text, "*.key", 5);
	ck_assert_mem_eq(image->globs[1].glob.text, "x-*", 3);
	for (size_t i = 5; i < sizeof(image->globs[0].glob.text); i++)
		ck_assert_uint_eq(image->globs[0].glob.text[i], 0);

	ck_assert_int_eq(image_compile(both + 1, 1, names, &key, 0, &diags, &later), 0);
	ck_assert_uint_eq(later->profiles[0].id, image->profiles[1].id);
	ck_assert_uint_eq(later->n_globs, 2);
	ck_assert_uint_eq(later->globs[0].id, 40);
}
END_TEST

/* ---- damage ---- */

static struct image *damage_image(struct image_names *names)
{
	_cleanup_policy_ struct policy *p = policy_build("p");

	policy_build_match(p, "/x*", NULL);
	policy_build_rule(p, POLICY_RULE_FILE_DENY, "/a*/b", HT_OP_READ);
	policy_build_rule(p, POLICY_RULE_FILE_DENY, "/*/c/d", HT_OP_READ);
	return compile(p, names);
}

static int ask(const struct image *image)
{
	const struct image_component c[] = {{"abc", 3}, {"b", 1}};
	struct policy_answer answer;

	struct policy_question q = question_of(c, ARRAY_LEN(c));

	return image_evaluate(image, &image->profiles[0], &key, &q, &answer);
}

START_TEST(damage_is_told)
{
	static const uint32_t kinds[] = {HT_EDGE_HEADER, HT_EDGE_START, HT_EDGE_OTHER,
					 HT_EDGE_GLOB};
	_cleanup_names_ struct image_names *names = image_names_new();
	_cleanup_image_ struct image *image = damage_image(names);
	struct image_profile *p = &image->profiles[0];
	size_t n_globs = image->n_globs;
	uint32_t ids[HT_PROFILES_MAX];

	ck_assert_int_eq(ask(image), 0);
	for (size_t k = 0; k < ARRAY_LEN(kinds); k++)
		for (size_t i = 0; i < p->n_pairs; i++) {
			if (p->pairs[i].key.kind != kinds[k])
				continue;
			p->pairs[i].key.name += 1;
			ck_assert_int_eq(ask(image), -EINVAL);
			p->pairs[i].key.name -= 1;
		}
	image->n_globs = 0;
	ck_assert_int_eq(ask(image), -EINVAL);
	ck_assert_int_eq(image_match_cgroup(image, &key, "/xy", ids), -EINVAL);
	image->n_globs = n_globs;
	image->globs[0].glob.len = HT_GLOB_MAX + 1;
	ck_assert_int_eq(ask(image), -EINVAL);
	p->n_pairs = 0;
	ck_assert_int_eq(ask(image), -EINVAL);
}
END_TEST

START_TEST(nothing_to_free)
{
	ck_assert_ptr_null(image_free(NULL));
	ck_assert_ptr_null(image_names_free(NULL));
}
END_TEST

int main(void)
{
	TCase *t = tcase_create("image");

	tcase_set_timeout(t, 120);
	tcase_add_test(t, limit_depth);
	tcase_add_test(t, limit_depth_of_twin);
	tcase_add_test(t, limit_depth_of_exception);
	tcase_add_test(t, limit_depth_very_deep);
	tcase_add_test(t, limit_depth_of_cgroup);
	tcase_add_test(t, limit_component);
	tcase_add_test(t, limit_wildcards);
	tcase_add_test(t, limit_combinations);
	tcase_add_test(t, limit_states);
	tcase_add_test(t, limit_pairs);
	tcase_add_loop_test(t, refused_matches, 0, ARRAY_LEN(bad_matches));
	tcase_add_test(t, refused_name_twice);
	tcase_add_test(t, all_errors_at_once);
	tcase_add_test(t, hash_collision_is_told);
	tcase_add_test(t, same_input_same_bytes);
	tcase_add_test(t, digest_follows_content);
	tcase_add_test(t, wildcards_are_shared_and_keep_their_ids);
	tcase_add_test(t, damage_is_told);
	tcase_add_test(t, nothing_to_free);
	return tcase_run(t);
}
