/* SPDX-License-Identifier: Apache-2.0 */

/* Lifetime of parsed policies, and the ids of their rules. */

#include "policy/policy.h"

#include <assert.h>
#include <endian.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "policy/schema.h"
#include "siphash.h"
#include "util/strbuf.h"

/* Not a secret: the ids must be the same on every machine and in every version. Changing it, or
 * what is hashed, cuts the stored history off from the rules. */
static const struct ht_hash_key rule_id_key = {
	.k0 = 0x7220656174656168ULL, /* "haetae r" */
	.k1 = 0x3120646920656c75ULL, /* "ule id 1" */
};

static void paths_free(struct policy_path *paths, size_t n)
{
	for (size_t i = 0; i < n; i++)
		free(paths[i].text);
	free(paths);
}

void policy_rule_deinit(struct policy_rule *rule)
{
	free(rule->path.text);
	paths_free(rule->except, rule->n_except);
	paths_free(rule->unless.exe, rule->unless.n_exe);
	free(rule->unless.uids);
	free(rule->message);
	for (size_t i = 0; i < rule->n_tags; i++)
		free(rule->tags[i]);
	free(rule->tags);
}

void policy_match_deinit(struct policy_match *match)
{
	struct policy_container_match *c = &match->container;

	free(match->cgroup.text);
	free(match->unit);
	free(c->runtime);
	free(c->name);
	free(c->image);
	for (size_t i = 0; i < c->n_labels; i++) {
		free(c->labels[i].key);
		free(c->labels[i].value);
	}
	free(c->labels);
}

struct policy *policy_free(struct policy *policy)
{
	if (!policy)
		return NULL;
	for (size_t i = 0; i < policy->n_matches; i++)
		policy_match_deinit(&policy->matches[i]);
	free(policy->matches);
	for (size_t i = 0; i < policy->n_rules; i++)
		policy_rule_deinit(&policy->rules[i]);
	free(policy->rules);
	policy_rule_deinit(&policy->anonymous);
	policy_rule_deinit(&policy->writable);
	for (size_t i = 0; i < HT_KERNEL_MAX; i++)
		policy_rule_deinit(&policy->kernel[i]);
	free(policy->name);
	free(policy->description);
	free(policy->file);
	free(policy);
	return NULL;
}

struct policy_file *policy_file_ref(struct policy_file *file)
{
	assert(file->refs > 0);
	file->refs++;
	return file;
}

struct policy_file *policy_file_unref(struct policy_file *file)
{
	if (!file)
		return NULL;
	assert(file->refs > 0);
	if (--file->refs > 0)
		return NULL;
	for (size_t i = 0; i < file->n_policies; i++)
		(void)policy_free(file->policies[i]);
	free(file->policies);
	free(file->path);
	free(file->name);
	free(file->text);
	free(file);
	return NULL;
}

static void append_path(struct strbuf *b, const struct policy_path *path)
{
	strbuf_puts(b, path->text ? path->text : "");
	strbuf_putc(b, '\0');
	strbuf_putc(b, path->subtree ? 1 : 0);
}

/* Sums of hashes, so that the order of the elements is no matter. */
static uint64_t sum_paths(struct strbuf *b, const struct policy_path *paths, size_t n)
{
	uint64_t sum = 0;

	for (size_t i = 0; i < n; i++) {
		strbuf_reset(b);
		append_path(b, &paths[i]);
		if (strbuf_error(b) == 0)
			sum += ht_hash_name(&rule_id_key, b->data, b->len);
	}
	strbuf_reset(b);
	return sum;
}

static uint64_t sum_uids(const struct policy_unless *unless)
{
	uint64_t sum = 0;

	for (size_t i = 0; i < unless->n_uids; i++) {
		uint32_t uid = htole32(unless->uids[i]);

		sum += ht_hash_name(&rule_id_key, &uid, sizeof(uid));
	}
	return sum;
}

/* What came later to the language is hashed only where it is used: the ids of all other rules stay.
 */
static void append_limits(struct strbuf *b, const struct policy_rule *rule, uint64_t programs)
{
	uint64_t users = htole64(sum_uids(&rule->unless));

	programs = htole64(programs);
	if (rule->unless.n_exe > 0) {
		strbuf_puts(b, "exe");
		strbuf_append(b, &programs, sizeof(programs));
	}
	if (rule->unless.n_uids > 0) {
		strbuf_puts(b, "uid");
		strbuf_append(b, &users, sizeof(users));
	}
	if (rule->origin_image)
		strbuf_puts(b, "image");
}

static int rule_id(const struct policy *policy, const struct policy_rule *rule, uint64_t *ret_id)
{
	_cleanup_strbuf_ struct strbuf b = {};
	uint32_t ops = htole32(rule->ops);
	uint64_t exceptions = sum_paths(&b, rule->except, rule->n_except), id;
	uint64_t programs = sum_paths(&b, rule->unless.exe, rule->unless.n_exe);

	exceptions = htole64(exceptions);
	strbuf_puts(&b, policy->name);
	strbuf_putc(&b, '\0');
	strbuf_puts(&b, policy_rule_kind_to_string(rule->kind));
	strbuf_putc(&b, '\0');
	append_path(&b, &rule->path);
	strbuf_append(&b, &ops, sizeof(ops));
	strbuf_append(&b, &exceptions, sizeof(exceptions));
	append_limits(&b, rule, programs);
	if (strbuf_error(&b) < 0)
		return -ENOMEM;
	id = ht_hash_name(&rule_id_key, b.data, b.len);
	*ret_id = id ? id : 1; /* 0 is "no rule" in abi.h */
	return 0;
}

/* Those of a switch that was not written stay without. */
static int number_switches(struct policy *policy)
{
	int r = 0;

	if (policy->anonymous.location.line != 0)
		r = rule_id(policy, &policy->anonymous, &policy->anonymous.id);
	if (r == 0 && policy->writable.location.line != 0)
		r = rule_id(policy, &policy->writable, &policy->writable.id);
	for (size_t i = 0; i < HT_KERNEL_MAX && r == 0; i++)
		r = rule_id(policy, &policy->kernel[i], &policy->kernel[i].id);
	return r;
}

int policy_number_rules(struct policy *policy)
{
	for (size_t i = 0; i < policy->n_rules; i++) {
		int r = rule_id(policy, &policy->rules[i], &policy->rules[i].id);

		if (r < 0)
			return r;
	}
	return number_switches(policy);
}

/* ---- questions about rules ---- */

const struct policy_rule *policy_rule_at(const struct policy *policy, size_t index)
{
	if (index < policy->n_rules)
		return &policy->rules[index];
	index -= policy->n_rules;
	if (policy->anonymous.id != 0 && index-- == 0)
		return &policy->anonymous;
	if (policy->writable.id != 0 && index-- == 0)
		return &policy->writable;
	return index < HT_KERNEL_MAX && policy->kernel[index].id != 0 ? &policy->kernel[index]
								      : NULL;
}

const struct policy_rule *policy_rule_find(const struct policy *policy, uint64_t id)
{
	const struct policy_rule *rule;

	for (size_t i = 0; (rule = policy_rule_at(policy, i)); i++)
		if (rule->id == id)
			return rule;
	return NULL;
}

enum policy_rule_state policy_rule_state(const struct policy_rule *rule, int64_t now)
{
	if (rule->expires != 0 && rule->expires <= now)
		return POLICY_RULE_EXPIRED;
	return rule->enforce_after > now ? POLICY_RULE_STAGED : POLICY_RULE_IN_FORCE;
}

static void earlier(int64_t *at, int64_t now, int64_t when)
{
	if (when > now && (*at == 0 || when < *at))
		*at = when;
}

int64_t policy_changes_at(const struct policy *policy, int64_t now)
{
	int64_t at = 0;

	for (size_t i = 0; i < policy->n_rules; i++) {
		const struct policy_rule *rule = &policy->rules[i];

		if (policy_rule_state(rule, now) == POLICY_RULE_EXPIRED)
			continue;
		earlier(&at, now, rule->enforce_after);
		earlier(&at, now, rule->expires);
	}
	return at;
}

static void append_switch(struct strbuf *b, const struct policy_rule *rule)
{
	if (rule->kind == POLICY_RULE_KERNEL)
		strbuf_printf(b, ".%s", policy_op_to_string(rule->ops));
	strbuf_printf(b, ": %s", policy_action_to_string(rule->action));
}

char *policy_rule_to_text(const struct policy_rule *rule)
{
	_cleanup_strbuf_ struct strbuf b = {};

	strbuf_puts(&b, policy_rule_kind_to_string(rule->kind));
	if (rule->path.text) {
		strbuf_printf(&b, " %s", rule->path.text);
		if (rule->path.subtree)
			strbuf_puts(&b, strcmp(rule->path.text, "/") == 0 ? "**" : "/**");
	} else {
		append_switch(&b, rule);
	}
	return strbuf_steal(&b);
}
