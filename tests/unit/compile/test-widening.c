/* SPDX-License-Identifier: Apache-2.0 */

/* Adding a rule or a policy never allows what was refused, whatever else the policies say. */

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

#define PATHS_PER_POLICY 100U

static const struct random_shape shapes[] = {
	{.rules = 8, .depth = 3},  {.rules = 3, .depth = 2},
	{.rules = 12, .depth = 1}, {.rules = 20, .depth = 4, .literal = true},
	{.rules = 6, .depth = 4},  {.rules = 8, .depth = 3, .plain = true},
	{.rules = 4, .depth = 8},
};

static void policy_move_last(struct policy *policy, size_t place)
{
	struct policy_rule last = policy->rules[policy->n_rules - 1];

	memmove(&policy->rules[place + 1], &policy->rules[place],
		(policy->n_rules - 1 - place) * sizeof(last));
	policy->rules[place] = last;
}

START_TEST(rule_never_widens)
{
	struct random r = {.state = random_seed(4711) + (uint64_t)_i};
	size_t narrowed = 0;

	for (unsigned i = 0; i < 500; i++) {
		const struct random_shape *shape = &shapes[i % ARRAY_LEN(shapes)];
		_cleanup_policy_ struct policy *before = random_policy(&r, "random", shape);
		_cleanup_policy_ struct policy *after = NULL;
		_cleanup_(image_names_freep) struct image_names *names = image_names_new();
		_cleanup_(image_freep) struct image *a = NULL, *b = NULL;

		before->mode = POLICY_MODE_ENFORCE;
		after = policy_build_copy(before);
		random_deny_rule(&r, after, shape);
		policy_move_last(after, random_below(&r, (uint32_t)after->n_rules));
		a = compile((const struct policy *const *)&before, 1, names);
		b = compile((const struct policy *const *)&after, 1, names);
		for (unsigned j = 0; a && b && j < PATHS_PER_POLICY; j++) {
			struct random_question q;
			struct policy_answer x, y;

			random_question(&r, after, &q);
			ck_assert_int_eq(image_evaluate(a, &a->profiles[0], &key, &q.question, &x),
					 0);
			ck_assert_int_eq(image_evaluate(b, &b->profiles[0], &key, &q.question, &y),
					 0);
			ck_assert_uint_eq(x.deny & ~y.deny, 0);
			/* nor is anything recorded no more */
			ck_assert_uint_eq(
				(x.deny | x.would | x.audit) & ~(y.deny | y.would | y.audit), 0);
			narrowed += x.deny != y.deny;
		}
	}
	ck_assert_uint_gt(narrowed, 1000);
}
END_TEST

/* Two allow-lists on one container: what is allowed is allowed by both. */
START_TEST(allow_lists_intersect)
{
	struct random r = {.state = random_seed(1492)};
	size_t narrowed = 0;

	for (unsigned i = 0; i < 300; i++) {
		const struct random_shape *shape = &shapes[i % ARRAY_LEN(shapes)];
		_cleanup_policy_ struct policy *one = random_policy(&r, "one", shape);
		_cleanup_policy_ struct policy *two = random_policy(&r, "two", shape);

		for (unsigned j = 0; j < PATHS_PER_POLICY; j++) {
			struct random_question q;
			struct policy_answer a, b, both;

			random_question(&r, j % 2 ? one : two, &q);
			policy_evaluate(one, RANDOM_NOW, &q.question, &a);
			policy_evaluate(two, RANDOM_NOW, &q.question, &b);
			both = a;
			policy_answer_merge(&both, &b);
			ck_assert_uint_eq(both.deny, a.deny | b.deny);
			ck_assert_uint_eq(both.kill, a.kill | b.kill);
			ck_assert_uint_eq(both.would, (a.would | b.would) & ~both.deny);
			ck_assert_uint_eq(both.audit,
					  (a.audit | b.audit) & ~both.deny & ~both.would);
			for (uint32_t bit = 0; bit < POLICY_BITS; bit++)
				ck_assert(both.rule[bit] == a.rule[bit] ||
					  both.rule[bit] == b.rule[bit]);
			narrowed += both.deny != a.deny;
		}
	}
	ck_assert_uint_gt(narrowed, 1000);
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
	TCase *t = tcase_create("widening");

	tcase_set_timeout(t, 280);
	tcase_add_loop_test(t, rule_never_widens, 0, 4);
	tcase_add_test(t, allow_lists_intersect);
	tcase_add_test(t, policy_never_widens);
	return tcase_run(t);
}
