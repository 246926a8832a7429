/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Fuzz target of the compiler: input.c, automaton.c, reduce.c, emit.c, judge.c, conditions.c,
 * matcher.c and both judges. Whatever policy the bytes are, it is refused with a diagnostic, or
 * compiled into an image that is sound and gives the answers that the policy's rules give.
 */

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "compile/judge.h"
#include "util/cleanup.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Not assert(): it must hold whatever NDEBUG says. */
#define MUST(condition)                                                                            \
	do {                                                                                       \
		if (!(condition)) {                                                                \
			fprintf(stderr, "%s:%d: %s\n", __FILE__, __LINE__, #condition);            \
			abort();                                                                   \
		}                                                                                  \
	} while (0)

static const struct ht_hash_key key = {.k0 = 1, .k1 = 2};
static const int64_t now = 1800000000;

DEFINE_CLEANUP(struct image *, image_freep, image_free)
DEFINE_CLEANUP(struct image_names *, image_names_freep, image_names_free)
DEFINE_CLEANUP(struct policy_file *, policy_file_unrefp, policy_file_unref)

/* Strictly rising keys. */
static void check_pairs(const struct image_profile *p)
{
	for (size_t i = 1; i < p->n_pairs; i++) {
		const struct ht_edge_key *a = &p->pairs[i - 1].key, *b = &p->pairs[i].key;

		if (a->state != b->state)
			MUST(a->state < b->state);
		else if (a->kind != b->kind)
			MUST(a->kind < b->kind);
		else
			MUST(a->name < b->name);
	}
}

#define DEPTH 6U

/* The pattern's own text as a path: wildcards are bytes like any other. */
static size_t split(const char *text, struct image_component *c)
{
	size_t n = 0;

	while (*(text += strspn(text, "/")) && n < DEPTH) {
		c[n++] = (struct image_component){.name = text, .len = strcspn(text, "/")};
		text += c[n - 1].len;
	}
	return n;
}

static void ask(const struct image *image, const struct image_profile *profile,
		const struct policy *policy, const struct policy_question *q)
{
	struct policy_answer a, b;

	MUST(image_evaluate(image, profile, &key, q, &a) == 0);
	policy_evaluate(policy, now, q, &b);
	MUST(a.deny == b.deny && a.kill == b.kill && a.would == b.would && a.audit == b.audit);
	MUST(memcmp(a.rule, b.rule, sizeof(a.rule)) == 0);
}

static void ask_about(const struct image *image, const struct image_profile *profile,
		      const struct policy *policy, const char *path, const char *program)
{
	struct image_component object[DEPTH + 1], exe[DEPTH];
	struct policy_question q = {
		.ops = HT_OP_ALL | HT_OPS_KERNEL,
		.components = object,
		.n = split(path, object),
		.uid = 1000,
	};

	ask(image, profile, policy, &q);
	object[q.n] = (struct image_component){.name = "x.so", .len = 4};
	q.n++;
	q.stacked = q.writable = true;
	if (program) {
		q.exe = exe;
		q.n_exe = split(program, exe);
	}
	ask(image, profile, policy, &q);
	q.nameless = true;
	ask(image, profile, policy, &q);
}

static void check_policy(const struct image *image, const struct image_profile *profile,
			 const struct policy *policy)
{
	size_t step = policy->n_rules / 16 + 1;

	check_pairs(profile);
	ask_about(image, profile, policy, "/", NULL);
	for (size_t i = 0; i < policy->n_rules; i += step) {
		const struct policy_rule *rule = &policy->rules[i];
		const char *exe = rule->unless.n_exe > 0 ? rule->unless.exe[0].text : "/usr/bin/x";

		if (rule->path.text)
			ask_about(image, profile, policy, rule->path.text, exe);
		if (rule->n_except > 0)
			ask_about(image, profile, policy, rule->except[0].text, exe);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	_cleanup_(image_names_freep) struct image_names *names = image_names_new();
	_cleanup_(policy_file_unrefp) struct policy_file *file = NULL;
	_cleanup_(diag_list_deinit) struct diag_list diags = {};
	_cleanup_(image_freep) struct image *image = NULL;
	int r;

	MUST(names);
	if (policy_parse("fuzz.yaml", data, size, &diags, &file) != 0)
		return 0;
	r = image_compile((const struct policy *const *)file->policies, file->n_policies, names,
			  &key, now, &diags, &image);
	MUST(r == 0 || r == IMAGE_E_INVALID);
	MUST((r == 0) == (diags.n_errors == 0) && (r == 0) == (image != NULL));
	if (!image)
		return 0;
	check_pairs(&image->matcher);
	for (size_t i = 0; i < image->n_profiles; i++)
		check_policy(image, &image->profiles[i], file->policies[i]);
	return 0;
}
