/* SPDX-License-Identifier: Apache-2.0 */

#include "programs/haetaed/containers.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <uthash.h>

/* Names kept of cgroups that are gone: far more than can have records in two rings. */
#define CONTAINERS_GONE_MAX 16384U

struct containers_entry {
	uint64_t id;
	char *path;
	struct container container;
	struct event_names *names; /* as events have them; NULL: none had yet */
	bool gone;
	UT_hash_handle hh; /* in order of arrival, so the first gone one is the oldest */
};

static void entry_free(struct containers_entry *e)
{
	free(e->path);
	(void)event_names_unref(e->names);
	container_deinit(&e->container);
	free(e);
}

static struct containers_entry *entry_find(const struct containers *containers, uint64_t id)
{
	struct containers_entry *e = NULL;

	HASH_FIND(hh, containers->by_id, &id, sizeof(id), e);
	return e;
}

static void entry_remove(struct containers *containers, struct containers_entry *e)
{
	if (e->gone)
		containers->n_gone--;
	if (containers->last == e)
		containers->last = NULL;
	HASH_DEL(containers->by_id, e);
	entry_free(e);
}

int containers_add(struct containers *containers, uint64_t id, const char *path)
{
	struct containers_entry *e = entry_find(containers, id);
	int r;

	if (e && strcmp(e->path, path) == 0 && !e->gone)
		return 0;
	if (e)
		entry_remove(containers, e);
	e = calloc(1, sizeof(*e));
	if (!e)
		return -ENOMEM;
	e->id = id;
	e->path = strdup(path);
	r = e->path ? container_from_cgroup(path, &e->container) : -ENOMEM;
	if (r >= 0)
		r = container_resolve_name(&e->container, "/proc", "");
	if (r < 0 && r != -ENOENT) {
		entry_free(e);
		return r;
	}
	HASH_ADD(hh, containers->by_id, id, sizeof(e->id), e);
	return 0;
}

void containers_release(struct containers *containers, uint64_t id)
{
	struct containers_entry *e = entry_find(containers, id), *next;

	if (!e || e->gone)
		return;
	e->gone = true;
	if (++containers->n_gone <= CONTAINERS_GONE_MAX)
		return;
	HASH_ITER(hh, containers->by_id, e, next)
	{
		if (!e->gone)
			continue;
		entry_remove(containers, e);
		return;
	}
}

/* Events come by the hundred from the same container. */
static struct containers_entry *entry_of_event(struct containers *containers, const struct event *event)
{
	if (!containers->last || containers->last->id != event->cgroup_id)
		containers->last = entry_find(containers, event->cgroup_id);
	return containers->last;
}

int containers_enrich(struct containers *containers, struct event *event)
{
	struct containers_entry *e = entry_of_event(containers, event);

	if (!e)
		return -ENOENT;
	if (!e->names)
		e->names = event_names_new((const char *const[EVENT_NAMES]){
			e->path, e->container.name, e->container.id, e->container.runtime});
	if (!e->names)
		return -ENOMEM;
	event_set_place(event, e->names);
	return 0;
}

const struct container *containers_get(const struct containers *containers, uint64_t id)
{
	const struct containers_entry *e = entry_find(containers, id);

	return e ? &e->container : NULL;
}

void containers_deinit(struct containers *containers)
{
	struct containers_entry *e, *next;

	HASH_ITER(hh, containers->by_id, e, next)
	{
		HASH_DEL(containers->by_id, e);
		entry_free(e);
	}
	containers->n_gone = 0;
	containers->last = NULL;
}
