/* SPDX-License-Identifier: Apache-2.0 */

/* What a profile says of what lies below a place: by tables, against the judge, and against a search. */

#include <check.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "compile/below.h"
#include "random.h"
#include "tests/unit/runner.h"

static const struct ht_hash_key key = {.k0 = 3, .k1 = 4};

DEFINE_CLEANUP(struct image *, image_freep, image_free)
DEFINE_CLEANUP(struct image_names *, image_names_freep, image_names_free)
#define _cleanup_image_ _cleanup_(image_freep)

/* NULL if the policy is beyond a limit. */
static struct image *compile(const struct policy *policy)
{
	_cleanup_(image_names_freep) struct image_names *names = image_names_new();
	_cleanup_(diag_list_deinit) struct diag_list diags = {};
	struct image *image = NULL;
	int r = image_compile(&policy, 1, names, &key, 0, &diags, &image);

	ck_assert(r == 0 || r == IMAGE_E_INVALID);
	return image;
}

static struct policy_answer ask(const struct image *image, const char *path)
{
	struct image_component c[64];
	struct policy_answer answer = {};
	struct policy_question q = question_of(c, components_split(path, c, ARRAY_LEN(c)));

	ck_assert_int_eq(image_evaluate(image, &image->profiles[0], &key, &q, &answer), 0);
	return answer;
}

/* ---- by tables ---- */

#define BELOW_RULES_MAX 3

static const struct {
	const char *what;
	struct {
		const char *path;
		const char *except;
		uint32_t ops;
	} rules[BELOW_RULES_MAX];
	bool file_default;
	struct {
		const char *path;
		uint32_t below;
	} places[6];
} below_table[] = {
	{
		"one name",
		{{"/p/d/secret", NULL, HT_OP_READ}},
		false,
		{{"/", HT_OP_READ},
		 {"/p", HT_OP_READ},
		 {"/p/d", HT_OP_READ},
		 {"/p/d/secret", 0},
		 {"/p/e", 0},
		 {"/q", 0}},
	},
	{
		"a subtree",
		{{"/p/d/**", NULL, HT_OP_DELETE}},
		false,
		{{"/p", HT_OP_DELETE},
		 {"/p/d", HT_OP_DELETE},
		 {"/p/d/e/f", HT_OP_DELETE},
		 {"/p/e", 0}},
	},
	{
		"beyond the default",
		{{"/p/d", NULL, HT_OP_DELETE | HT_OP_MAP}},
		true,
		{{"/", HT_OP_MAP}, {"/p", HT_OP_MAP}, {"/q", 0}},
	},
	{
		"wildcards on the way",
		{{"/p/*/x", NULL, HT_OP_WRITE}, {"/p/a?/y", NULL, HT_OP_READ}},
		false,
		{{"/p", HT_OP_WRITE | HT_OP_READ},
		 {"/p/b", HT_OP_WRITE},
		 {"/p/ab", HT_OP_WRITE | HT_OP_READ},
		 {"/p/ab/x", 0}},
	},
	{
		"an exception",
		{{"/p/**", "/p/d/**", HT_OP_LINK}},
		false,
		{{"/", HT_OP_LINK}, {"/p", HT_OP_LINK}, {"/p/c", HT_OP_LINK}, {"/p/d", 0}},
	},
	{
		"several depths",
		{{"/p/a", NULL, HT_OP_READ},
		 {"/p/a/b", NULL, HT_OP_WRITE},
		 {"/p/a/b/c", NULL, HT_OP_ATTR}},
		false,
		{{"/p", HT_OP_READ | HT_OP_WRITE | HT_OP_ATTR},
		 {"/p/a", HT_OP_WRITE | HT_OP_ATTR},
		 {"/p/a/b", HT_OP_ATTR},
		 {"/p/a/b/c", 0}},
	},
};

START_TEST(places)
{
	_cleanup_policy_ struct policy *policy = policy_build("p");
	_cleanup_image_ struct image *image = NULL;

	for (size_t i = 0; i < BELOW_RULES_MAX && below_table[_i].rules[i].path; i++) {
		(void)policy_build_rule(policy, POLICY_RULE_FILE_DENY, below_table[_i].rules[i].path,
					below_table[_i].rules[i].ops);
		if (below_table[_i].rules[i].except)
			policy_build_except(policy, below_table[_i].rules[i].except);
	}
	if (below_table[_i].file_default)
		policy_build_default(policy, POLICY_RULE_FILE_DEFAULT);
	image = compile(policy);
	ck_assert_ptr_nonnull(image);
	for (size_t i = 0; i < ARRAY_LEN(below_table[_i].places); i++) {
		const char *path = below_table[_i].places[i].path;

		if (path)
			ck_assert_msg(ask(image, path).below == below_table[_i].places[i].below,
				      "%s: %s: %#x, not %#x", below_table[_i].what, path,
				      ask(image, path).below, below_table[_i].places[i].below);
	}
}
END_TEST

static const struct ht_entry *below_rule(const struct image *image, const char *path)
{
	const struct image_profile *p = &image->profiles[0];
	uint32_t state = ask(image, path).state;

	for (size_t i = 0; i < p->n_pairs; i++)
		if (p->pairs[i].key.state == state && p->pairs[i].key.kind == HT_EDGE_RULE &&
		    p->pairs[i].key.name == HT_RULE_KEY(HT_RULE_BELOW, HT_RULE_COMMON))
			return &p->pairs[i].entry;
	return NULL;
}

START_TEST(names_a_rule)
{
	_cleanup_policy_ struct policy *policy = policy_build("p");
	_cleanup_image_ struct image *image = NULL;
	uint64_t id;

	id = policy_build_rule(policy, POLICY_RULE_FILE_DENY, "/p/d/secret", HT_OP_READ)->id;
	image = compile(policy);
	ck_assert_ptr_nonnull(image);
	ck_assert_uint_eq(below_rule(image, "/")->rule, id);
	ck_assert_uint_eq(below_rule(image, "/p")->rule, id);
	ck_assert_uint_eq(below_rule(image, "/p/d")->rule, id);
	ck_assert_ptr_null(below_rule(image, "/p/d/secret"));
	ck_assert_ptr_null(below_rule(image, "/q"));
}
END_TEST

START_TEST(limits)
{
	struct image_pair *pairs = calloc(2, sizeof(*pairs));
	size_t n = 2;

	pairs[0].key = (struct ht_edge_key){.kind = HT_EDGE_OTHER};
	pairs[0].entry = (struct ht_entry){.next = HT_STATE_OTHER, .flags = HT_ENTRY_FINAL};
	pairs[1].key = (struct ht_edge_key){.state = HT_STATE_START, .kind = HT_EDGE_NAME, .name = 1};
	pairs[1].entry = (struct ht_entry){.next = HT_STATE_FIRST, .deny = HT_OP_READ};
	ck_assert_int_eq(below_mark(&pairs, &n, 2), BELOW_E_FULL);
	ck_assert_int_eq(below_mark(&pairs, &n, 3), 0);
	ck_assert_uint_eq(n, 3);
	n = 0;
	ck_assert_int_eq(below_mark(&pairs, &n, 3), -EINVAL);
	free(pairs);
}
END_TEST

/* ---- against the judge and a search ---- */

static bool leads(const struct image_pair *pair)
{
	return pair->key.kind == HT_EDGE_NAME || pair->key.kind == HT_EDGE_MASK ||
	       pair->key.kind == HT_EDGE_ELSE;
}

/* Everything that can be reached from a state, looked for anew each time. */
static uint32_t search(const struct image_profile *p, uint32_t state, uint32_t defaults, bool *seen)
{
	uint32_t ops = 0;

	if (seen[state])
		return 0;
	seen[state] = true;
	for (size_t i = 0; i < p->n_pairs; i++) {
		const struct ht_entry *e = &p->pairs[i].entry;

		if (p->pairs[i].key.state != state || !leads(&p->pairs[i]))
			continue;
		ops |= (uint32_t)(e->deny | e->image | e->cond) & ~defaults;
		if (!(e->flags & HT_ENTRY_FINAL))
			ops |= search(p, e->next, defaults, seen);
	}
	return ops;
}

static uint32_t image_defaults(const struct image_profile *p)
{
	for (size_t i = 0; i < p->n_pairs; i++)
		if (p->pairs[i].key.kind == HT_EDGE_OTHER)
			return (uint32_t)(p->pairs[i].entry.deny | p->pairs[i].entry.image |
					  p->pairs[i].entry.cond);
	ck_abort_msg("no defaults");
}

static void compare_with_search(const struct image_profile *p)
{
	uint32_t defaults = image_defaults(p), last = 0;
	bool *seen;

	for (size_t i = 0; i < p->n_pairs; i++)
		if (leads(&p->pairs[i]) && p->pairs[i].entry.next > last)
			last = p->pairs[i].entry.next;
	seen = calloc(last + HT_STATE_FIRST, sizeof(*seen));
	for (size_t i = 0; i < p->n_pairs; i++) {
		const struct ht_entry *e = &p->pairs[i].entry;
		uint32_t expected;

		if (!leads(&p->pairs[i]))
			continue;
		(void)memset(seen, 0, (last + HT_STATE_FIRST) * sizeof(*seen));
		expected = e->flags & HT_ENTRY_FINAL ?
				   (uint32_t)(e->deny | e->image | e->cond) & ~defaults :
				   search(p, e->next, defaults, seen);
		ck_assert_uint_eq(e->below, expected);
	}
	free(seen);
}

START_TEST(random_policies)
{
	struct random r = {.state = random_seed(1000 + (uint64_t)_i)};
	/* odd: the whole language, for the search alone */
	const struct random_shape shape = {.rules = 6, .depth = 4, .plain = _i % 2 == 0};
	unsigned below = 0;

	for (unsigned round = 0; round < 200; round++) {
		_cleanup_policy_ struct policy *policy = random_policy(&r, "p", &shape);
		_cleanup_image_ struct image *image = compile(policy);
		struct policy_answer far, answer;
		struct policy_question q;
		struct random_path path;
		uint32_t beyond;

		if (!image)
			continue;
		compare_with_search(&image->profiles[0]);
		for (unsigned i = 0; i < 50 && shape.plain; i++) {
			random_path(&r, policy, &path);
			q = question_of(path.components, path.n);
			policy_evaluate(policy, 0, &q, &far);
			beyond = (far.deny | far.would) & ~image_defaults(&image->profiles[0]);
			for (size_t n = 0; n < path.n; n++) {
				q.n = n;
				ck_assert_int_eq(image_evaluate(image, &image->profiles[0], &key, &q,
								&answer),
						 0);
				ck_assert_uint_eq(beyond & ~answer.below, 0);
				below += beyond != 0;
			}
		}
	}
	ck_assert_uint_ge(below, shape.plain ? 1000 : 0);
}
END_TEST

int main(void)
{
	TCase *t = tcase_create("below");

	tcase_set_timeout(t, 120);
	tcase_add_loop_test(t, places, 0, (int)ARRAY_LEN(below_table));
	tcase_add_test(t, names_a_rule);
	tcase_add_test(t, limits);
	tcase_add_loop_test(t, random_policies, 0, 4);
	return tcase_run(t);
}
