/* SPDX-License-Identifier: Apache-2.0 */

/* Verdicts as bytes (verdict.h). */

#include "compile/verdict.h"

#include <string.h>

uint16_t verdict_mask(const struct automaton_verdict *v, uint32_t class)
{
	switch (class) {
	case HT_RULE_DENY:
		return v->deny;
	case HT_RULE_AUDIT:
		return v->audit;
	case HT_RULE_IMAGE:
		return v->image;
	default:
		return v->would;
	}
}

/* The rule that decided most of the bits. */
static uint64_t most_common(const uint64_t *rules, uint16_t mask)
{
	uint64_t best = 0;
	unsigned most = 0;

	for (uint32_t i = 0; i < VERDICT_BITS; i++) {
		unsigned n = 0;

		for (uint32_t j = i; mask >> i & 1 && j < VERDICT_BITS; j++)
			n += (mask >> j & 1) && rules[j] == rules[i];
		if (n > most) {
			most = n;
			best = rules[i];
		}
	}
	return best;
}

static size_t encode_rules(const struct automaton_verdict *v, struct verdict_rule *out)
{
	size_t n = 0;

	for (uint32_t class = 0; class < VERDICT_CLASSES; class ++) {
		uint16_t mask = verdict_mask(v, class);
		uint64_t common = most_common(v->rule[class], mask);

		for (uint32_t op = 0; op < VERDICT_BITS; op++)
			if ((mask >> op & 1) && v->rule[class][op] != common)
				out[n++] = (struct verdict_rule){HT_RULE_KEY(class, op),
								 v->rule[class][op]};
		if (mask)
			out[n++] =
				(struct verdict_rule){HT_RULE_KEY(class, HT_RULE_COMMON), common};
	}
	return n;
}

size_t verdict_encode(const struct automaton_verdict *v, const uint32_t *binds, size_t n_binds,
		      void *out)
{
	struct verdict_head head = {
		.exe = v->exe,
		.deny = v->deny,
		.audit = v->audit,
		.kill = v->kill,
		.image = v->image,
		.would = v->would,
		.n_conds = (uint16_t)v->n_conds,
		.n_binds = (uint32_t)n_binds,
	};
	uint8_t *p = (uint8_t *)out + sizeof(head);

	for (uint32_t i = 0; i < v->n_conds; i++)
		head.cond |= v->conds[i].deny | v->conds[i].would | v->conds[i].audit;
	head.n_rules = (uint16_t)encode_rules(v, (struct verdict_rule *)(void *)p);
	p += head.n_rules * sizeof(struct verdict_rule);
	memcpy(p, v->conds, v->n_conds * sizeof(*v->conds));
	p += v->n_conds * sizeof(*v->conds);
	if (n_binds > 0)
		memcpy(p, binds, n_binds * sizeof(*binds));
	p += n_binds * sizeof(*binds);
	memcpy(out, &head, sizeof(head));
	return (size_t)(p - (uint8_t *)out);
}

const struct verdict_rule *verdict_rules(const struct verdict_head *head)
{
	return (const struct verdict_rule *)(const void *)(head + 1);
}

const struct verdict_cond *verdict_conds(const struct verdict_head *head)
{
	return (const struct verdict_cond *)(const void *)(verdict_rules(head) + head->n_rules);
}

const uint32_t *verdict_binds(const struct verdict_head *head)
{
	return (const uint32_t *)(const void *)(verdict_conds(head) + head->n_conds);
}
