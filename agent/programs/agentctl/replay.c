/* SPDX-License-Identifier: Apache-2.0 */

#include "programs/agentctl/replay.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "programs/agentctl/cgroups.h"
#include "store/store.h"

struct replay_place {
	char *cgroup;
	bool *before, *after;
};

void replay_deinit(struct replay *replay)
{
	for (size_t i = 0; i < replay->n; i++) {
		free(replay->changes[i].container);
		free(replay->changes[i].path);
		free(replay->changes[i].exe);
	}
	free(replay->changes);
	for (size_t i = 0; i < replay->n_places; i++) {
		free(replay->places[i].cgroup);
		free(replay->places[i].before);
		free(replay->places[i].after);
	}
	free(replay->places);
}

static bool *governs_new(const struct policies *policies, const char *cgroup)
{
	bool *governs = calloc(policies->n + 1, sizeof(*governs));

	for (size_t i = 0; governs && i < policies->n; i++)
		governs[i] = policies_governs(policies, i, cgroup);
	return governs;
}

static const struct replay_place *place_get(struct replay *r, const char *cgroup)
{
	struct replay_place *grown, *p;

	/* events of one place come in runs, and the latest places are the likeliest */
	for (size_t i = r->n_places; i > 0; i--)
		if (strcmp(r->places[i - 1].cgroup, cgroup) == 0)
			return &r->places[i - 1];
	grown = reallocarray(r->places, r->n_places + 1, sizeof(*grown));
	if (!grown)
		return NULL;
	r->places = grown;
	p = &grown[r->n_places++];
	*p = (struct replay_place){.cgroup = strdup(cgroup),
				   .before = governs_new(r->before, cgroup),
				   .after = governs_new(r->after, cgroup)};
	return p->cgroup && p->before && p->after ? p : NULL;
}

static bool text_equal(const char *a, const char *b)
{
	return a && b ? strcmp(a, b) == 0 : a == b;
}

static int change_add(struct replay *r, const struct event *event, const char *path, const char *exe,
		      const struct reply *decides, bool refused)
{
	struct replay_change *c, *grown;

	for (size_t i = 0; i < r->n; i++) {
		c = &r->changes[i];
		if (c->op == event->op && c->refused == refused && c->rule == decides->rule &&
		    c->policy == decides->policy && text_equal(c->container, event->container) &&
		    text_equal(c->path, path) && text_equal(c->exe, exe)) {
			c->count += event->count;
			return 0;
		}
	}
	if (r->n == r->size) {
		r->size = r->size ? 2 * r->size : 64;
		grown = reallocarray(r->changes, r->size, sizeof(*grown));
		if (!grown)
			return -ENOMEM;
		r->changes = grown;
	}
	c = &r->changes[r->n++];
	*c = (struct replay_change){
		.count = event->count,
		.op = event->op,
		.refused = refused,
		.container = event->container ? strdup(event->container) : NULL,
		.path = path ? strdup(path) : NULL,
		.exe = exe ? strdup(exe) : NULL,
		.policy = decides->policy,
		.rule = decides->rule,
	};
	return 0;
}

/* What was refused for another reason than a policy would be again. */
static bool event_is_asked(const struct event *event)
{
	return event->op != 0 && event->cgroup && event->verdict != HT_VERDICT_SELF_TEST &&
	       !(event->flags & (HT_RECORD_PATH_TRUNCATED | HT_RECORD_EXE_TRUNCATED));
}

static int replay_event(const struct event *event, void *userdata)
{
	_cleanup_free_ char *path = event_bytes_text(&event->path), *exe = event_bytes_text(&event->exe);
	struct replay *r = userdata;
	const struct replay_place *place;
	struct reply before, after;
	struct ask ask = {
		.op = event->op,
		.path = event->op & HT_OPS_KERNEL ? NULL : path,
		.exe = exe && exe[0] == '/' ? exe : NULL,
		.uid = event->uid,
		.nameless = event->reason == HT_REASON_ANONYMOUS,
		/* whether a file came with the image is not recorded: as if it had */
		.stacked = true,
		.from_image = event->reason != HT_REASON_ORIGIN,
		.writable = event->reason == HT_REASON_WRITABLE,
	};

	if (event->verdict == HT_VERDICT_SELF_TEST)
		return 0;
	if (!event_is_asked(event) || (!ask.path && !(event->op & HT_OPS_KERNEL))) {
		r->unknown += event->count;
		return 0;
	}
	place = place_get(r, event->cgroup);
	if (!place)
		return -ENOMEM;
	if (ask_policies(r->before, place->before, r->now, &ask, &before) < 0 ||
	    ask_policies(r->after, place->after, r->now, &ask, &after) < 0) {
		r->unknown += event->count;
		return 0;
	}
	r->asked += event->count;
	if (verdict_refuses(before.verdict) == verdict_refuses(after.verdict))
		return 0;
	return change_add(r, event, path, exe, verdict_refuses(after.verdict) ? &after : &before,
			  verdict_refuses(after.verdict));
}

int replay_run(struct replay *replay, const char *database, int64_t since_us, char **reterr_text)
{
	const struct store_filter filter = {
		.since_us = since_us,
		.kinds = 1U << EVENT_VERDICT | 1U << EVENT_AGGREGATE,
	};
	struct store_reader *reader = NULL;
	int r = store_reader_open(database, &reader, reterr_text);

	if (r < 0)
		return r;
	r = store_query(reader, &filter, replay_event, replay);
	(void)store_reader_close(reader);
	return r;
}
