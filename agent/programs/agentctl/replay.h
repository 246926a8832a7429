/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* Recorded events, asked again of other policies: what would have become of them. */

#include "programs/agentctl/ask.h"
#include "programs/agentctl/policies.h"

/* Acts of one kind whose answer changes. */
struct replay_change {
	uint64_t count;
	uint32_t op;
	bool refused; /* from now on; else from now on not refused */
	char *container;
	char *path;
	char *exe;
	const struct policy *policy; /* that decides: after for what becomes refused, before for the others */
	const struct policy_rule *rule;
};

struct replay {
	const struct policies *before, *after;
	int64_t now;
	uint64_t asked;	  /* acts that were asked again */
	uint64_t unknown; /* acts that could not be: a truncated or relative path, an unknown cgroup */
	struct replay_change *changes;
	size_t n, size;
	struct replay_place *places; /* which policies govern a cgroup */
	size_t n_places;
	int error;
};

/* Replay what the store has since then. Return: 0; -ENOENT nothing was ever recorded; negative errno with *reterr_text. */
int replay_run(struct replay *replay, const char *database, int64_t since_us, char **reterr_text);
void replay_deinit(struct replay *replay);
