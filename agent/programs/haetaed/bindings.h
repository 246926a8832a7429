/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Which containers there are, for policies that select by `container:`. A table in memory, kept in the runtime
 * directory as well (container/record.h), so a restarted agent knows what it was told.
 */

#include "container/record.h"
#include "policy/policy.h"

struct agent;
struct image;

struct binding {
	struct container_record record;
	uint64_t seen_ns; /* when the agent found it; 0: it is what the record says, or was there before */
	bool pending;	  /* found and not looked at yet: its runtime may be setting it up */
};

struct bindings {
	struct binding *items;
	size_t n;
	size_t prune_at; /* so many: some of them may be gone */
};

/* By the cgroup's id. NULL: not known. Until the table changes. */
struct binding *bindings_find(const struct bindings *bindings, uint64_t cgroup_id);
/* Add one, or replace it. Takes what the record holds. Return: 0, -ENOMEM. */
int bindings_put(struct bindings *bindings, struct container_record *record, struct binding **ret);
void bindings_remove(struct bindings *bindings, struct binding *binding);
void bindings_deinit(struct bindings *bindings);

/* ---- bind.c ---- */

/* What a former agent knew. Return: 0, -ENOMEM. */
int agent_bind_load(struct agent *a);
/* About to publish these policies: tell the hook, find the containers that nobody told of, forget those that are gone.
 * Return: 0, negative errno. */
int agent_bind_prepare(struct agent *a, const struct policy *const *policies, size_t n);
/* The policies that were to be published are not in force: tell the hook of those that are. */
void agent_bind_revert(struct agent *a);
/* Bind in the image every container that the policies select by what its runtime says of it. Return: 0; -E2BIG more than
 * HT_PROFILES_MAX for one; -ENOMEM. */
int agent_bind_image(struct agent *a, const struct policy *const *policies, size_t n, struct image *image);
/* A cgroup is gone. */
void agent_bind_release(struct agent *a, uint64_t cgroup_id);
/* Once a second: containers of runtimes without the hook. */
void agent_bind_tick(struct agent *a);
/* Call `each` for every container of which a policy wants to know what is not known. */
void agent_bind_unknown(struct agent *a,
			void (*each)(const struct container_record *record, const struct policy *policy, void *userdata),
			void *userdata);
/* Does a policy in force need the hook, and no runtime would call it? */
bool agent_bind_unhooked(struct agent *a);
/* The hook's call: bind a container before it runs. As control_handler. */
json_t *control_bind(struct agent *a, const json_t *params, char **reterr_text);
