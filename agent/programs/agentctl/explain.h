/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * What is known of one recorded refusal, put together from the store and the policy files: for cmd-explain.c to show.
 */

#include "event/event.h"
#include "programs/agentctl/ask.h"
#include "programs/agentctl/policies.h"

#define EXPLAIN_ANCESTORS_MAX 32U
#define EXPLAIN_OBSTACLES_MAX 16U
#define EXPLAIN_EDITS_MAX 8U

/* A process above the one that acted. */
struct ancestor {
	uint32_t pid;
	bool known; /* the store has a record of it */
	struct event event;
};

/* Where a rule stands that refuses the act now. */
struct obstacle {
	const struct policy *policy;
	const struct policy_rule *rule;
	uint8_t verdict;
};

/* An edit that takes the first obstacle away, and what else it lets happen. */
struct edit {
	char *line;  /* what to write, at the rule's place unless it says otherwise */
	char *wider; /* what it allows besides this act */
	uint64_t recorded; /* of the refusals that this rule made in the time looked at, so many would be allowed */
};

struct explanation {
	struct event event;
	struct ancestor ancestors[EXPLAIN_ANCESTORS_MAX]; /* parent first */
	size_t n_ancestors;

	struct policies policies; /* as they are written now */
	bool *governs;
	struct reply reply; /* to the same act, now */
	bool asked;	    /* reply is good */
	/* All rules that refuse it now, the strictest first: each has to let it pass. */
	struct obstacle obstacles[EXPLAIN_OBSTACLES_MAX];
	size_t n_obstacles;

	struct edit edits[EXPLAIN_EDITS_MAX]; /* for the first obstacle, the narrowest first */
	size_t n_edits;
	uint64_t recorded; /* refusals by the same rule in the time looked at */
};

struct store_reader;
/* Fill everything but the event itself, which is there. now: seconds since 1970. Return: 0 or negative errno. */
int explain_event(struct explanation *e, struct store_reader *reader, int64_t now);
void explanation_deinit(struct explanation *e);

/* ---- explain-edits.c ---- */
int explain_edits(struct explanation *e, struct store_reader *reader);

/* ---- explain-why.c ---- */

/* Why the rule of an event applied: the name that matched, the exceptions that did not, and what stands in the policy
 * files now. Lines of text, indented. */
void explain_why(const struct explanation *e, struct strbuf *b);
