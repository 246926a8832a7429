/* SPDX-License-Identifier: Apache-2.0 */

/*
 * The compiled image against the independent judge: random policies, random paths, and every
 * disagreement shrunk to a few lines before it is told. The same loop must notice planted faults.
 *
 * HAETAE_TEST_SEED=N runs one more seed of the caller's choice (it is printed on failure).
 */

#include <check.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "random.h"

static const struct ht_hash_key key = {.k0 = 0x0123456789abcdefULL, .k1 = 0xfedcba9876543210ULL};

DEFINE_CLEANUP(struct image *, image_freep, image_free)
DEFINE_CLEANUP(struct image_names *, image_names_freep, image_names_free)

/* NULL if the policy is beyond a limit. */
static struct image *compile(const struct policy *const *policies, size_t n,
			     struct image_names *names)
{
	_cleanup_(diag_list_deinit) struct diag_list diags = {};
	struct image *image = NULL;
	int r;

	r = image_compile(policies, n, names, &key, 0, &diags, &image);
	ck_assert(r == 0 || r == IMAGE_E_INVALID);
	ck_assert_int_eq(r == IMAGE_E_INVALID, diags.n_errors > 0);
	return image;
}

static bool answers_agree(const struct image *image, const struct policy *policy,
			  const struct image_component *c, size_t n, struct policy_answer *compiled,
			  struct policy_answer *judged)
{
	struct policy_question q = question_of(c, n);

	*compiled = (struct policy_answer){};
	if (image_evaluate(image, &image->profiles[0], &key, &q, compiled) != 0)
		return false;
	policy_evaluate(policy, 0, &q, judged);
	return compiled->deny == judged->deny && compiled->would == judged->would &&
	       compiled->audit == judged->audit &&
	       memcmp(compiled->rule, judged->rule, sizeof(judged->rule)) == 0;
}

/* ---- shrinking ---- */

static bool disagrees(const struct policy *policy, const struct image_component *c, size_t n)
{
	_cleanup_(image_names_freep) struct image_names *names = image_names_new();
	_cleanup_(image_freep) struct image *image = compile(&policy, 1, names);
	struct policy_answer compiled, judged;

	return image && !answers_agree(image, policy, c, n, &compiled, &judged);
}

static void policy_drop_rule(struct policy *policy, size_t index)
{
	struct policy_rule rule = policy->rules[index];

	memmove(&policy->rules[index], &policy->rules[index + 1],
		(policy->n_rules - index - 1) * sizeof(rule));
	policy->rules[--policy->n_rules] = rule; /* freed with n_rules + 1, see the caller */
}

static struct policy *policy_without(const struct policy *policy, size_t rule, size_t except)
{
	struct policy *p = policy_build_copy(policy);

	if (except == SIZE_MAX) {
		enum policy_rule_kind kind = p->rules[rule].kind;

		if (kind == POLICY_RULE_EXEC_DEFAULT)
			p->exec_default = POLICY_DEFAULT_ALLOW;
		if (kind == POLICY_RULE_FILE_DEFAULT)
			p->file_default = POLICY_DEFAULT_ALLOW;
		policy_drop_rule(p, rule);
		free(p->rules[p->n_rules].path.text);
		for (size_t i = 0; i < p->rules[p->n_rules].n_except; i++)
			free(p->rules[p->n_rules].except[i].text);
		free(p->rules[p->n_rules].except);
	} else {
		struct policy_rule *r = &p->rules[rule];

		free(r->except[except].text);
		r->except[except] = r->except[--r->n_except];
	}
	return p;
}

/* Leave out rules and exceptions as long as the judges still disagree. */
static struct policy *policy_shrink(const struct policy *policy, const struct image_component *c,
				    size_t n)
{
	struct policy *best = policy_build_copy(policy);

	for (size_t i = best->n_rules; i-- > 0;) {
		struct policy *smaller = policy_without(best, i, SIZE_MAX);

		if (disagrees(smaller, c, n)) {
			policy_build_free(best);
			best = smaller;
			continue;
		}
		policy_build_free(smaller);
		for (size_t j = best->rules[i].n_except; j-- > 0;) {
			smaller = policy_without(best, i, j);
			if (disagrees(smaller, c, n)) {
				policy_build_free(best);
				best = smaller;
			} else {
				policy_build_free(smaller);
			}
		}
	}
	return best;
}

static void tell_disagreement(uint64_t seed, const struct policy *policy,
			      const struct image_component *c, size_t n)
{
	_cleanup_policy_ struct policy *small = policy_shrink(policy, c, n);
	_cleanup_(image_names_freep) struct image_names *names = image_names_new();
	_cleanup_(image_freep) struct image *image =
		compile((const struct policy *const *)&small, 1, names);
	struct policy_answer compiled = {}, judged = {};

	(void)answers_agree(image, small, c, n, &compiled, &judged);
	fprintf(stderr, "HAETAE_TEST_SEED=%llu\n", (unsigned long long)seed);
	policy_build_print(small, stderr);
	fprintf(stderr, "path: ");
	random_path_print(c, n, stderr);
	fprintf(stderr, "\ncompiled: deny %#x; judged: deny %#x\n", compiled.deny, judged.deny);
	for (uint32_t op = 0; op < HT_OP_MAX; op++)
		if (compiled.rule[op] != judged.rule[op])
			fprintf(stderr, "op %u: compiled rule %#llx, judged %#llx\n", op,
				(unsigned long long)compiled.rule[op],
				(unsigned long long)judged.rule[op]);
}

/* ---- agreement ---- */

#define PATHS_PER_POLICY 100U

static const struct random_shape shapes[] = {
	{.rules = 8, .depth = 3},  {.rules = 3, .depth = 2},
	{.rules = 12, .depth = 1}, {.rules = 20, .depth = 4, .literal = true},
	{.rules = 6, .depth = 4},
};

/* Return: number of paths compared. */
static size_t compare(uint64_t seed, size_t n_policies)
{
	struct random r = {.state = seed};
	size_t compared = 0, refused = 0;

	for (size_t i = 0; i < n_policies; i++) {
		_cleanup_policy_ struct policy *policy =
			random_policy(&r, "random", &shapes[i % ARRAY_LEN(shapes)]);
		_cleanup_(image_names_freep) struct image_names *names = image_names_new();
		_cleanup_(image_freep) struct image *image =
			compile((const struct policy *const *)&policy, 1, names);

		refused += !image;
		for (size_t j = 0; image && j < PATHS_PER_POLICY; j++) {
			struct policy_answer compiled, judged;
			struct random_path path;

			random_path(&r, policy, &path);
			compared++;
			if (!answers_agree(image, policy, path.components, path.n, &compiled,
					   &judged)) {
				tell_disagreement(seed, policy, path.components, path.n);
				ck_abort_msg("the judges disagree, see above");
			}
		}
	}
	/* Limits are for hostile input; random policies must nearly always compile. */
	ck_assert_uint_le(refused * 50, n_policies);
	return compared;
}

#define SEEDS 10U
#define POLICIES_PER_SEED 4200U

START_TEST(agree_fixed_seed)
{
	ck_assert_uint_ge(compare(1000 + (uint64_t)_i, POLICIES_PER_SEED), 400000);
}
END_TEST

START_TEST(agree_given_seed)
{
	ck_assert_uint_ge(compare(random_seed(20260101), POLICIES_PER_SEED), 400000);
}
END_TEST

/* ---- planted faults ---- */

#define UNIVERSE_MAX 8000U

/* Every name of up to `len` letters of "abc", as paths of up to three components. */
struct universe {
	char names[64][8];
	size_t n_names;
	struct image_component paths[UNIVERSE_MAX][3];
	size_t depths[UNIVERSE_MAX];
	size_t n;
};

static void universe_add_names(struct universe *u, char *prefix, size_t at, size_t len)
{
	for (const char *c = "abc"; *c; c++) {
		prefix[at] = *c;
		prefix[at + 1] = '\0';
		ck_assert_uint_lt(u->n_names, ARRAY_LEN(u->names));
		strcpy(u->names[u->n_names++], prefix);
		if (at + 1 < len)
			universe_add_names(u, prefix, at + 1, len);
	}
}

static void universe_add_paths(struct universe *u, struct image_component *path, size_t depth,
			       size_t max)
{
	ck_assert_uint_lt(u->n, UNIVERSE_MAX);
	if (depth > 0)
		memcpy(u->paths[u->n], path, depth * sizeof(*path));
	u->depths[u->n++] = depth;
	if (depth == max) {
		/* and one step below, for what holds there */
		path[depth] = (struct image_component){.name = "c", .len = 1};
		if (max < 3) {
			memcpy(u->paths[u->n], path, (depth + 1) * sizeof(*path));
			u->depths[u->n++] = depth + 1;
		}
		return;
	}
	for (size_t i = 0; i < u->n_names; i++) {
		path[depth] = (struct image_component){
			.name = u->names[i],
			.len = strlen(u->names[i]),
		};
		universe_add_paths(u, path, depth + 1, max);
	}
}

static struct universe *universe_new(void)
{
	struct universe *u = calloc(1, sizeof(*u));
	struct image_component path[3];
	char prefix[8];

	ck_assert_ptr_nonnull(u);
	universe_add_names(u, prefix, 0, 3);
	universe_add_paths(u, path, 0, 2);
	return u;
}

static void universe_free(struct universe **u)
{
	free(*u);
}

/* A file policy of one or two letters per component over {a, b}, which the universe covers. */
static struct policy *small_policy(struct random *r, bool wildcards)
{
	static const char *const literals[] = {"a", "b", "ab", "ba", "*"};
	static const char *const globs[] = {"a*", "*b", "?", "?a", "a?*", "b"};
	struct policy *p = policy_build("small");
	uint32_t n = 2 + random_below(r, 4);

	for (uint32_t i = 0; i < n; i++) {
		char text[32], *end = text;

		for (uint32_t d = 1 + random_below(r, 2); d > 0; d--) {
			end = stpcpy(end, "/");
			end = stpcpy(end, wildcards && random_below(r, 2)
						  ? globs[random_below(r, ARRAY_LEN(globs))]
						  : literals[random_below(r, ARRAY_LEN(literals))]);
		}
		if (random_below(r, 3) == 0)
			strcpy(end, "/**");
		policy_build_rule(p, POLICY_RULE_FILE_DENY, text, 1 + random_below(r, HT_OP_ALL));
	}
	if (random_below(r, 2))
		policy_build_default(p, POLICY_RULE_FILE_DEFAULT);
	policy_build_match(p, "/x", NULL);
	return p;
}

static bool universe_agrees(const struct universe *u, const struct image *image,
			    const struct policy_answer *judged)
{
	for (size_t i = 0; i < u->n; i++) {
		struct policy_question q = question_of(u->paths[i], u->depths[i]);
		struct policy_answer a = {};

		if (image_evaluate(image, &image->profiles[0], &key, &q, &a) != 0 ||
		    a.deny != judged[i].deny || memcmp(a.rule, judged[i].rule, sizeof(a.rule)) != 0)
			return false;
	}
	return true;
}

static bool kind_steps(uint32_t kind)
{
	return kind == HT_EDGE_START || kind == HT_EDGE_NAME || kind == HT_EDGE_MASK ||
	       kind == HT_EDGE_ELSE;
}

static void profile_drop_pair(struct image_profile *profile, size_t at)
{
	profile->n_pairs--;
	memmove(&profile->pairs[at], &profile->pairs[at + 1],
		(profile->n_pairs - at) * sizeof(*profile->pairs));
}

static void profile_restore_pair(struct image_profile *profile, size_t at, struct image_pair pair)
{
	memmove(&profile->pairs[at + 1], &profile->pairs[at],
		(profile->n_pairs - at) * sizeof(*profile->pairs));
	profile->pairs[at] = pair;
	profile->n_pairs++;
}

/* Plant one fault, ask the loop, repair. Return: 1 noticed, 0 not, -1 nothing to plant here. */
static int plant(const struct universe *u, struct image *image, const struct policy_answer *judged,
		 size_t at, bool drop, struct random *r)
{
	struct image_profile *profile = &image->profiles[0];
	struct image_pair saved = profile->pairs[at];
	uint32_t bit = 1U << random_below(r, HT_OP_MAX);
	bool noticed;

	if (!kind_steps(saved.key.kind))
		return -1;
	if (drop) {
		profile_drop_pair(profile, at);
		noticed = !universe_agrees(u, image, judged);
		profile_restore_pair(profile, at, saved);
		return noticed;
	}
	if (!(profile->pairs[0].entry.deny & bit)) /* masked by the header */
		return -1;
	profile->pairs[at].entry.deny ^= bit;
	noticed = !universe_agrees(u, image, judged);
	profile->pairs[at] = saved;
	return noticed;
}

static void check_planted(bool wildcards, uint32_t percent)
{
	_cleanup_(universe_free) struct universe *u = universe_new();
	_cleanup_free_ struct policy_answer *judged = calloc(u->n, sizeof(*judged));
	struct random r = {.state = random_seed(77)};
	size_t planted[2] = {}, noticed[2] = {};

	ck_assert_ptr_nonnull(judged);
	for (unsigned i = 0; i < 25; i++) {
		_cleanup_policy_ struct policy *policy = small_policy(&r, wildcards);
		_cleanup_(image_names_freep) struct image_names *names = image_names_new();
		_cleanup_(image_freep) struct image *image =
			compile((const struct policy *const *)&policy, 1, names);

		ck_assert_ptr_nonnull(image);
		for (size_t j = 0; j < u->n; j++) {
			struct policy_question q = question_of(u->paths[j], u->depths[j]);

			policy_evaluate(policy, 0, &q, &judged[j]);
		}
		ck_assert(universe_agrees(u, image, judged));
		for (size_t at = 0; at < image->profiles[0].n_pairs; at++)
			for (int drop = 0; drop < 2; drop++) {
				int found = plant(u, image, judged, at, drop, &r);

				planted[drop] += found >= 0;
				noticed[drop] += found > 0;
				if (found == 0 && percent == 100) {
					policy_build_print(policy, stderr);
					fprintf(stderr, "%s of pair %zu (kind %u) went unnoticed\n",
						drop ? "loss" : "bit", at,
						image->profiles[0].pairs[at].key.kind);
				}
			}
		ck_assert(universe_agrees(u, image, judged));
	}
	for (int drop = 0; drop < 2; drop++) {
		ck_assert_uint_ge(planted[drop], 50);
		ck_assert_uint_ge(noticed[drop] * 100, planted[drop] * percent);
	}
}

/* Without wildcards the universe has a path through every edge. */
START_TEST(planted_faults_literal)
{
	check_planted(false, 100);
}
END_TEST

/* An edge for a set of wildcards that no name of the universe matches can be lost unnoticed. */
START_TEST(planted_faults_wildcards)
{
	check_planted(true, 90);
}
END_TEST

/* ---- adding never widens ---- */

START_TEST(deny_rule_never_widens)
{
	struct random r = {.state = random_seed(4711) + (uint64_t)_i};
	size_t refused = 0;

	for (unsigned i = 0; i < 500; i++) {
		const struct random_shape *shape = &shapes[i % ARRAY_LEN(shapes)];
		_cleanup_policy_ struct policy *before = random_policy(&r, "random", shape);
		_cleanup_policy_ struct policy *after = policy_build_copy(before);
		_cleanup_(image_names_freep) struct image_names *names = image_names_new();
		_cleanup_(image_freep) struct image *a = NULL, *b = NULL;
		struct policy_rule last;
		size_t place;

		random_deny_rule(&r, after, shape);
		/* anywhere in the file */
		place = random_below(&r, (uint32_t)after->n_rules);
		last = after->rules[after->n_rules - 1];
		memmove(&after->rules[place + 1], &after->rules[place],
			(after->n_rules - 1 - place) * sizeof(last));
		after->rules[place] = last;

		a = compile((const struct policy *const *)&before, 1, names);
		b = compile((const struct policy *const *)&after, 1, names);
		for (unsigned j = 0; a && b && j < PATHS_PER_POLICY; j++) {
			struct policy_answer x, y;
			struct policy_question q;
			struct random_path path;

			random_path(&r, after, &path);
			q = question_of(path.components, path.n);
			ck_assert_int_eq(image_evaluate(a, &a->profiles[0], &key, &q, &x), 0);
			ck_assert_int_eq(image_evaluate(b, &b->profiles[0], &key, &q, &y), 0);
			ck_assert_uint_eq((x.deny | x.would) & ~(y.deny | y.would), 0);
			refused += (x.deny | x.would) != (y.deny | y.would);
		}
	}
	/* and it does narrow */
	ck_assert_uint_gt(refused, 1000);
}
END_TEST

START_TEST(policy_never_widens)
{
	struct random r = {.state = random_seed(815)};

	for (unsigned i = 0; i < 300; i++) {
		const struct random_shape *shape = &shapes[i % ARRAY_LEN(shapes)];
		_cleanup_policy_ struct policy *one = random_policy(&r, "one", shape);
		_cleanup_policy_ struct policy *two = random_policy(&r, "two", shape);
		_cleanup_(image_names_freep) struct image_names *names = image_names_new();
		_cleanup_(image_freep) struct image *a = NULL, *b = NULL;
		const struct policy *both[] = {one, two};
		uint32_t ids[HT_PROFILES_MAX];

		a = compile(both, 1, names);
		b = compile(both, 2, names);
		if (!a || !b)
			continue;
		/* The first policy's profile is untouched by the second, and still bound. */
		ck_assert_uint_eq(a->profiles[0].id, b->profiles[0].id);
		ck_assert_uint_eq(a->profiles[0].n_pairs, b->profiles[0].n_pairs);
		ck_assert_mem_eq(a->profiles[0].pairs, b->profiles[0].pairs,
				 a->profiles[0].n_pairs * sizeof(*a->profiles[0].pairs));
		ck_assert_uint_eq(a->profiles[0].digest, b->profiles[0].digest);
		ck_assert_int_eq(image_match_cgroup(a, &key, "/x", ids), 1);
		ck_assert_uint_eq(ids[0], a->profiles[0].id);
		ck_assert_int_eq(image_match_cgroup(b, &key, "/x", ids), 2);
		ck_assert_uint_eq(ids[0], a->profiles[0].id);
		ck_assert_uint_eq(ids[1], b->profiles[1].id);
	}
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("compile/differential");
	TCase *t = tcase_create("differential");
	SRunner *sr;
	int failed;

	tcase_set_timeout(t, 280);
	tcase_add_loop_test(t, agree_fixed_seed, 0, SEEDS);
	tcase_add_test(t, agree_given_seed);
	tcase_add_test(t, planted_faults_literal);
	tcase_add_test(t, planted_faults_wildcards);
	tcase_add_loop_test(t, deny_rule_never_widens, 0, 4);
	tcase_add_test(t, policy_never_widens);
	suite_add_tcase(suite, t);
	sr = srunner_create(suite);
	srunner_run_all(sr, CK_SILENT);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
