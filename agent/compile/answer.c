/* SPDX-License-Identifier: Apache-2.0 */

/* What can be done with an answer, whoever gave it. */

#include "compile/judge.h"

uint8_t policy_answer_verdict(const struct policy_answer *answer, uint32_t op)
{
	if (answer->kill & op)
		return HT_VERDICT_KILL;
	if (answer->deny & op)
		return HT_VERDICT_DENY;
	if (answer->would & op)
		return HT_VERDICT_WOULD_DENY;
	return answer->audit & op ? HT_VERDICT_AUDIT : HT_VERDICT_ALLOW;
}

static unsigned answer_strictness(const struct policy_answer *answer, uint32_t op)
{
	if (answer->kill & op)
		return 4;
	if (answer->deny & op)
		return 3;
	if (answer->would & op)
		return 2;
	return answer->audit & op ? 1 : 0;
}

static void answer_take(struct policy_answer *into, const struct policy_answer *from, uint32_t bit)
{
	uint32_t op = 1U << bit;

	into->deny = (into->deny & ~op) | (from->deny & op);
	into->kill = (into->kill & ~op) | (from->kill & op);
	into->would = (into->would & ~op) | (from->would & op);
	into->audit = (into->audit & ~op) | (from->audit & op);
	into->rule[bit] = from->rule[bit];
	into->reason[bit] = from->reason[bit];
}

void policy_answer_merge(struct policy_answer *into, const struct policy_answer *other)
{
	for (uint32_t bit = 0; bit < POLICY_BITS; bit++)
		if (answer_strictness(other, 1U << bit) > answer_strictness(into, 1U << bit))
			answer_take(into, other, bit);
}
