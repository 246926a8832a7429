/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * What holds at a path. A judge fills a struct automaton_verdict, which has room for everything; it
 * is kept encoded, as most paths say little: head, rules, conds, binds, one behind the other. Equal
 * bytes are equal verdicts.
 */

#include <stddef.h>
#include <stdint.h>

#include "abi.h"

#define VERDICT_CLASSES 4U /* HT_RULE_DENY ... HT_RULE_WOULD */
#define VERDICT_BITS 16U   /* width of the masks of struct ht_entry */

/* One exception that depends on the subject: a COND entry and its COND_RULE. */
struct verdict_cond {
	uint64_t rule;
	uint16_t deny;
	uint16_t kill;
	uint16_t would;
	uint16_t audit;
	uint32_t exe; /* number of the condition, HT_COND_NONE */
	uint32_t uid;
};

struct automaton_verdict {
	uint16_t deny;
	uint16_t audit;
	uint16_t kill;
	uint16_t image;
	uint16_t would;
	uint64_t exe;				      /* conditions that a program here meets */
	uint64_t rule[VERDICT_CLASSES][VERDICT_BITS]; /* of each bit set in the mask of the class */
	struct verdict_cond conds[HT_CONDS_MAX];
	uint32_t n_conds;
};

struct verdict_rule {
	uint64_t key; /* HT_RULE_KEY() */
	uint64_t rule;
};

/* The beginning of an encoded verdict. */
struct verdict_head {
	uint64_t exe;
	uint16_t deny;
	uint16_t audit;
	uint16_t kill;
	uint16_t image;
	uint16_t cond;
	uint16_t would;
	uint16_t n_rules; /* RULE entries, by rising key */
	uint16_t n_conds;
	uint32_t n_binds;
	uint32_t pad;
};

#define VERDICT_RULES_MAX (VERDICT_CLASSES * (VERDICT_BITS + 1U))

/* Bytes that a verdict without binds can take at most. */
#define VERDICT_SIZE_MAX                                                                           \
	(sizeof(struct verdict_head) + VERDICT_RULES_MAX * sizeof(struct verdict_rule) +           \
	 HT_CONDS_MAX * sizeof(struct verdict_cond))
/* Return: bytes written. out: aligned to 8. */
size_t verdict_encode(const struct automaton_verdict *v, const uint32_t *binds, size_t n_binds,
		      void *out);
const struct verdict_rule *verdict_rules(const struct verdict_head *head);
const struct verdict_cond *verdict_conds(const struct verdict_head *head);
const uint32_t *verdict_binds(const struct verdict_head *head);

/* The mask of a class. */
uint16_t verdict_mask(const struct automaton_verdict *v, uint32_t class);
