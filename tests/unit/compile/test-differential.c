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
#include "tests/unit/runner.h"

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

	r = image_compile(policies, n, names, &key, RANDOM_NOW, &diags, &image);
	ck_assert(r == 0 || r == IMAGE_E_INVALID);
	ck_assert_int_eq(r == IMAGE_E_INVALID, diags.n_errors > 0);
	return image;
}

static bool answers_equal(const struct policy_answer *a, const struct policy_answer *b)
{
	return a->deny == b->deny && a->kill == b->kill && a->would == b->would &&
	       a->audit == b->audit && memcmp(a->rule, b->rule, sizeof(a->rule)) == 0 &&
	       memcmp(a->reason, b->reason, sizeof(a->reason)) == 0;
}

static bool answers_agree(const struct image *image, const struct policy *policy,
			  const struct policy_question *q, struct policy_answer *compiled,
			  struct policy_answer *judged)
{
	*compiled = (struct policy_answer){};
	if (image_evaluate(image, &image->profiles[0], &key, q, compiled) != 0)
		return false;
	policy_evaluate(policy, RANDOM_NOW, q, judged);
	return answers_equal(compiled, judged);
}

/* ---- shrinking ---- */

static bool disagrees(const struct policy *policy, const struct policy_question *q)
{
	_cleanup_(image_names_freep) struct image_names *names = image_names_new();
	_cleanup_(image_freep) struct image *image = compile(&policy, 1, names);
	struct policy_answer compiled, judged;

	return image && !answers_agree(image, policy, q, &compiled, &judged);
}

static void policy_drop_rule(struct policy *policy, size_t index)
{
	struct policy_rule rule = policy->rules[index];

	memmove(&policy->rules[index], &policy->rules[index + 1],
		(policy->n_rules - index - 1) * sizeof(rule));
	policy->n_rules--;
	free(rule.path.text);
	for (size_t i = 0; i < rule.n_except; i++)
		free(rule.except[i].text);
	free(rule.except);
	for (size_t i = 0; i < rule.unless.n_exe; i++)
		free(rule.unless.exe[i].text);
	free(rule.unless.exe);
	free(rule.unless.uids);
}

static struct policy *policy_without(const struct policy *policy, size_t rule, size_t except)
{
	struct policy *p = policy_build_copy(policy);
	struct policy_rule *r = &p->rules[rule];

	if (except == SIZE_MAX) {
		if (r->kind == POLICY_RULE_EXEC_DEFAULT)
			p->exec_default = POLICY_DEFAULT_ALLOW;
		if (r->kind == POLICY_RULE_FILE_DEFAULT)
			p->file_default = POLICY_DEFAULT_ALLOW;
		policy_drop_rule(p, rule);
	} else {
		free(r->except[except].text);
		r->except[except] = r->except[--r->n_except];
	}
	return p;
}

/* Leave out rules and exceptions as long as the judges still disagree. */
static struct policy *policy_shrink(const struct policy *policy, const struct policy_question *q)
{
	struct policy *best = policy_build_copy(policy);

	for (size_t i = best->n_rules; i-- > 0;) {
		struct policy *smaller = policy_without(best, i, SIZE_MAX);

		if (disagrees(smaller, q)) {
			policy_build_free(best);
			best = smaller;
			continue;
		}
		policy_build_free(smaller);
		for (size_t j = best->rules[i].n_except; j-- > 0;) {
			smaller = policy_without(best, i, j);
			if (disagrees(smaller, q)) {
				policy_build_free(best);
				best = smaller;
			} else {
				policy_build_free(smaller);
			}
		}
	}
	return best;
}

static void tell_question(const struct policy_question *q)
{
	fprintf(stderr, "path: ");
	random_path_print(q->components, q->n, stderr);
	fprintf(stderr, "\nprogram: ");
	if (q->exe)
		random_path_print(q->exe, q->n_exe, stderr);
	fprintf(stderr, "\nuid %u%s%s%s%s\n", q->uid, q->nameless ? ", nameless" : "",
		q->stacked ? ", stacked" : "", q->from_image ? ", of the image" : "",
		q->writable ? ", writable" : "");
}

static void tell_disagreement(uint64_t seed, const struct policy *policy,
			      const struct policy_question *q)
{
	_cleanup_policy_ struct policy *small = policy_shrink(policy, q);
	_cleanup_(image_names_freep) struct image_names *names = image_names_new();
	_cleanup_(image_freep) struct image *image =
		compile((const struct policy *const *)&small, 1, names);
	struct policy_answer a = {}, b = {};

	(void)answers_agree(image, small, q, &a, &b);
	fprintf(stderr, "HAETAE_TEST_SEED=%llu\n", (unsigned long long)seed);
	policy_build_print(small, stderr);
	tell_question(q);
	fprintf(stderr,
		"compiled: deny %#x kill %#x would %#x audit %#x; judged: deny %#x kill %#x would "
		"%#x audit %#x\n",
		a.deny, a.kill, a.would, a.audit, b.deny, b.kill, b.would, b.audit);
	for (uint32_t op = 0; op < POLICY_BITS; op++)
		if (a.rule[op] != b.rule[op] || a.reason[op] != b.reason[op])
			fprintf(stderr, "op %u: compiled rule %#llx reason %u, judged %#llx, %u\n",
				op, (unsigned long long)a.rule[op], a.reason[op],
				(unsigned long long)b.rule[op], b.reason[op]);
}

/* ---- agreement ---- */

#define PATHS_PER_POLICY 100U

static const struct random_shape shapes[] = {
	{.rules = 8, .depth = 3},  {.rules = 3, .depth = 2},
	{.rules = 12, .depth = 1}, {.rules = 20, .depth = 4, .literal = true},
	{.rules = 6, .depth = 4},  {.rules = 8, .depth = 3, .plain = true},
	{.rules = 4, .depth = 8},
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
			struct random_question q;

			random_question(&r, policy, &q);
			compared++;
			if (!answers_agree(image, policy, &q.question, &compiled, &judged)) {
				tell_disagreement(seed, policy, &q.question);
				ck_abort_msg("the judges disagree, see above");
			}
		}
	}
	/* Limits are for hostile input; random policies must nearly always compile. */
	ck_assert_uint_le(refused * 50, n_policies);
	return compared;
}

#define SEEDS 6U
#define POLICIES_PER_SEED 1400U

START_TEST(agree_fixed_seed)
{
	ck_assert_uint_ge(compare(1000 + (uint64_t)_i, POLICIES_PER_SEED), 130000);
}
END_TEST

START_TEST(agree_given_seed)
{
	ck_assert_uint_ge(compare(random_seed(20260101), POLICIES_PER_SEED), 130000);
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
		    !answers_equal(&a, &judged[i]))
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

			policy_evaluate(policy, RANDOM_NOW, &q, &judged[j]);
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

/* Questions whose answers are known, asked of a damaged image. */
#define QUESTIONS 300U

struct examination {
	const struct policy *policy;
	struct random_question questions[QUESTIONS];
	struct policy_answer answers[QUESTIONS];
};

static bool examine(const struct examination *e, const struct image *image)
{
	for (size_t i = 0; i < QUESTIONS; i++) {
		struct policy_answer a = {};

		if (image_evaluate(image, &image->profiles[0], &key, &e->questions[i].question,
				   &a) != 0 ||
		    !answers_equal(&a, &e->answers[i]))
			return false;
	}
	return true;
}

/* A bit of the entry that means something in its kind. */
static void damage(struct image_pair *pair, struct random *r)
{
	uint16_t bit = (uint16_t)(1U << random_below(r, HT_OP_MAX));
	struct ht_entry *e = &pair->entry;

	switch (pair->key.kind) {
	case HT_EDGE_RULE:
	case HT_EDGE_COND_RULE:
		e->rule ^= 1;
		return;
	case HT_EDGE_EXE:
	case HT_EDGE_UID:
		e->rule ^= e->rule & -e->rule;
		return;
	case HT_EDGE_COND:
		if (random_below(r, 2))
			e->next = HT_COND_NONE;
		else
			e->deny = e->would = e->audit = 0;
		return;
	case HT_EDGE_KERNEL:
		e->deny ^= bit;
		e->audit ^= bit;
		return;
	default:
		e->deny ^= bit;
		e->image ^= bit;
		e->audit ^= bit;
	}
}

/* Every kind of entry that decides something: damage to it is found by asking at random. */
START_TEST(planted_faults_everywhere)
{
	struct random r = {.state = random_seed(99)};
	struct examination *e = calloc(1, sizeof(*e));
	unsigned planted[HT_EDGE_KERNEL + 1] = {}, noticed[HT_EDGE_KERNEL + 1] = {};

	ck_assert_ptr_nonnull(e);
	for (unsigned i = 0; i < 40; i++) {
		_cleanup_policy_ struct policy *policy = random_policy(&r, "random", &shapes[0]);
		_cleanup_(image_names_freep) struct image_names *names = image_names_new();
		_cleanup_(image_freep) struct image *image =
			compile((const struct policy *const *)&policy, 1, names);

		policy->mode = POLICY_MODE_ENFORCE;
		for (size_t j = 0; j < QUESTIONS; j++) {
			random_question(&r, policy, &e->questions[j]);
			policy_evaluate(policy, RANDOM_NOW, &e->questions[j].question,
					&e->answers[j]);
		}
		for (size_t at = 0; image && at < image->profiles[0].n_pairs; at++) {
			struct image_pair *pair = &image->profiles[0].pairs[at], saved = *pair;
			uint32_t kind = saved.key.kind;

			if (kind == HT_EDGE_HEADER || kind == HT_EDGE_GLOB)
				continue;
			damage(pair, &r);
			planted[kind]++;
			noticed[kind] += !examine(e, image);
			*pair = saved;
		}
	}
	free(e);
	for (uint32_t kind = 0; kind <= HT_EDGE_KERNEL; kind++) {
		if (kind == HT_EDGE_HEADER || kind == HT_EDGE_GLOB || kind == HT_EDGE_BIND)
			continue;
		ck_assert_msg(planted[kind] > 0 && noticed[kind] * 4 >= planted[kind],
			      "kind %u: %u of %u noticed", kind, noticed[kind], planted[kind]);
	}
}
END_TEST

int main(void)
{
	TCase *t = tcase_create("differential");

	tcase_set_timeout(t, 280);
	tcase_add_loop_test(t, agree_fixed_seed, 0, SEEDS);
	tcase_add_test(t, agree_given_seed);
	tcase_add_test(t, planted_faults_literal);
	tcase_add_test(t, planted_faults_wildcards);
	tcase_add_test(t, planted_faults_everywhere);
	return tcase_run(t);
}
