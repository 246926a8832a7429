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

void policy_rule_deinit(struct policy_rule *rule)
{
	free(rule->path.text);
	for (size_t i = 0; i < rule->n_except; i++)
		free(rule->except[i].text);
	free(rule->except);
	free(rule->message);
}

void policy_match_deinit(struct policy_match *match)
{
	free(match->cgroup.text);
	free(match->unit);
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

static int rule_id(const struct policy *policy, const struct policy_rule *rule, uint64_t *ret_id)
{
	_cleanup_strbuf_ struct strbuf b = {};
	uint32_t ops = htole32(rule->ops);
	uint64_t exceptions = 0, id;

	/* a sum, so that the order of the exceptions is no matter */
	for (size_t i = 0; i < rule->n_except; i++) {
		strbuf_reset(&b);
		append_path(&b, &rule->except[i]);
		if (strbuf_error(&b) < 0)
			return -ENOMEM;
		exceptions += ht_hash_name(&rule_id_key, b.data, b.len);
	}
	exceptions = htole64(exceptions);
	strbuf_reset(&b);
	strbuf_puts(&b, policy->name);
	strbuf_putc(&b, '\0');
	strbuf_puts(&b, policy_rule_kind_to_string(rule->kind));
	strbuf_putc(&b, '\0');
	append_path(&b, &rule->path);
	strbuf_append(&b, &ops, sizeof(ops));
	strbuf_append(&b, &exceptions, sizeof(exceptions));
	if (strbuf_error(&b) < 0)
		return -ENOMEM;
	id = ht_hash_name(&rule_id_key, b.data, b.len);
	*ret_id = id ? id : 1; /* 0 is "no rule" in abi.h */
	return 0;
}

int policy_number_rules(struct policy *policy)
{
	for (size_t i = 0; i < policy->n_rules; i++) {
		int r = rule_id(policy, &policy->rules[i], &policy->rules[i].id);

		if (r < 0)
			return r;
	}
	return 0;
}
