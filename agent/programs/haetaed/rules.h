/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * What a rule id of the kernel means: policy, place, text. Rules of former publishes are kept, because
 * records made under them may still be in the rings. And the name of a profile id.
 */

#include <stddef.h>
#include <stdint.h>

#include "event/event.h"
#include "policy/policy.h"

struct rule_entry;
struct profile_entry;
struct rule_origin;

struct rules {
	struct rule_entry *by_id;
	struct profile_entry *profiles;
	struct profile_entry *last; /* that an event was of; NULL: none */
	struct rule_origin *origins;
};

/* Make the rules of a policy known under its profile id. Return: 0, -ENOMEM. */
int rules_add(struct rules *rules, const struct policy *policy, uint32_t profile);
/* Make another profile of a policy known: a variant, by its own name or the policy's. Return: 0, -ENOMEM. */
int rules_add_profile(struct rules *rules, const char *policy, uint32_t profile);
/* Fill policy, rule_* , message and severity of an event from its ids. Return: 0, -ENOMEM. */
int rules_enrich(struct rules *rules, struct event *event);
/* Name of a profile; NULL if unknown. */
const char *rules_profile(const struct rules *rules, uint32_t profile);
void rules_deinit(struct rules *rules);
