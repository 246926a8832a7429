/* SPDX-License-Identifier: Apache-2.0 */

#include "programs/haetaed/disarms.h"

#include <errno.h>
#include <jansson.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "programs/haetaed/boot-id.h"
#include "util/cleanup.h"
#include "util/replace.h"

static void disarm_deinit(struct disarm *d)
{
	free(d->cgroup);
	free(d->container);
	free(d->reason);
	*d = (struct disarm){};
}

void disarms_deinit(struct disarms *disarms)
{
	for (size_t i = 0; i < disarms->n; i++)
		disarm_deinit(&disarms->items[i]);
	free(disarms->items);
	*disarms = (struct disarms){};
}

static bool text_equal(const char *a, const char *b)
{
	return a && b ? strcmp(a, b) == 0 : a == b;
}

struct disarm *disarms_find(const struct disarms *disarms, const char *cgroup)
{
	for (size_t i = 0; i < disarms->n; i++)
		if (text_equal(disarms->items[i].cgroup, cgroup))
			return &disarms->items[i];
	return NULL;
}

/* Return: 0 or -ENOMEM; deinit in every case. */
static int disarm_copy(struct disarm *to, const struct disarm *from)
{
	*to = *from;
	to->cgroup = from->cgroup ? strdup(from->cgroup) : NULL;
	to->container = from->container ? strdup(from->container) : NULL;
	to->reason = strdup(from->reason ? from->reason : "");
	return (from->cgroup && !to->cgroup) || (from->container && !to->container) || !to->reason ?
		       -ENOMEM :
		       0;
}

int disarms_put(struct disarms *disarms, const struct disarm *disarm)
{
	struct disarm *old = disarms_find(disarms, disarm->cgroup), copy, *grown;
	int r;

	if (!old && disarms->n >= DISARM_ENTRIES_MAX)
		return -ENOSPC;
	grown = reallocarray(disarms->items, disarms->n + 1, sizeof(*grown));
	if (!grown)
		return -ENOMEM;
	disarms->items = grown;
	r = disarm_copy(&copy, disarm);
	if (r < 0) {
		disarm_deinit(&copy);
		return r;
	}
	old = disarms_find(disarms, disarm->cgroup);
	if (old)
		disarm_deinit(old);
	else
		old = &disarms->items[disarms->n++];
	*old = copy;
	return 0;
}

void disarms_remove(struct disarms *disarms, size_t i)
{
	disarm_deinit(&disarms->items[i]);
	memmove(&disarms->items[i], &disarms->items[i + 1],
		(--disarms->n - i) * sizeof(*disarms->items));
}

size_t disarms_expire(struct disarms *disarms, uint64_t now_ns)
{
	size_t n = 0;

	for (size_t i = 0; i < disarms->n; i++) {
		if (disarms->items[i].over || disarms->items[i].until_ns > now_ns)
			continue;
		disarms->items[i].over = true;
		n++;
	}
	return n;
}

uint64_t disarms_next(const struct disarms *disarms)
{
	uint64_t next = 0;

	for (size_t i = 0; i < disarms->n; i++) {
		const struct disarm *d = &disarms->items[i];

		if (!d->over && (next == 0 || d->until_ns < next))
			next = d->until_ns;
	}
	return next;
}

bool disarms_all(const struct disarms *disarms)
{
	const struct disarm *all = disarms_find(disarms, NULL);

	return all && !all->over;
}

/* ---- on disk ---- */

static int disarms_path(const char *state_dir, char path[PATH_MAX])
{
	int n = snprintf(path, PATH_MAX, "%s/disarmed.json", state_dir);

	return n < 0 || n >= PATH_MAX ? -ENAMETOOLONG : 0;
}

static int entry_load(const json_t *entry, struct disarms *disarms)
{
	const json_t *until = json_object_get(entry, "until_ns"), *over = json_object_get(entry, "over");
	const json_t *cgroup = json_object_get(entry, "cgroup");
	const struct disarm d = {
		.cgroup = (char *)(uintptr_t)json_string_value(cgroup), /* disarms_put() copies */
		.container =
			(char *)(uintptr_t)json_string_value(json_object_get(entry, "container")),
		.reason = (char *)(uintptr_t)json_string_value(json_object_get(entry, "reason")),
		.since_us = (uint64_t)json_integer_value(json_object_get(entry, "since_us")),
		.until_ns = (uint64_t)json_integer_value(until),
		.over = json_is_true(over),
	};

	/* an entry without a cgroup disarms everything: it has to say so itself */
	if (!json_is_integer(until) || !json_is_boolean(over) ||
	    (!json_is_string(cgroup) && !json_is_null(cgroup)))
		return -EINVAL;
	return disarms_put(disarms, &d);
}

int disarms_load(struct disarms *disarms, const char *state_dir, const uint8_t boot_id[16])
{
	json_auto_t *root = NULL;
	const json_t *list;
	char path[PATH_MAX];
	int r;

	r = disarms_path(state_dir, path);
	if (r < 0)
		return r;
	if (access(path, F_OK) < 0)
		return -errno;
	root = json_load_file(path, 0, NULL);
	if (!json_is_object(root))
		return -EINVAL;
	if (!boot_id_is(json_string_value(json_object_get(root, "boot_id")), boot_id))
		return -ENOENT;
	list = json_object_get(root, "disarmed");
	r = json_is_array(list) ? 0 : -EINVAL;
	for (size_t i = 0; r == 0 && i < json_array_size(list); i++)
		r = entry_load(json_array_get(list, i), disarms);
	if (r < 0)
		disarms_deinit(disarms);
	return r;
}

int disarms_save(const struct disarms *disarms, const char *state_dir, const uint8_t boot_id[16])
{
	char id[BOOT_ID_TEXT], path[PATH_MAX];
	json_auto_t *root = NULL;
	json_t *list = json_array();
	_cleanup_free_ char *text = NULL;
	int r;

	for (size_t i = 0; i < disarms->n; i++) {
		const struct disarm *d = &disarms->items[i];
		/* a name that is not UTF-8 cannot be kept: then nothing is, and the caller refuses */
		json_t *entry = json_pack("{s:s?, s:s?, s:s, s:I, s:I, s:b}", "cgroup", d->cgroup,
					  "container", d->container, "reason", d->reason, "since_us",
					  (json_int_t)d->since_us, "until_ns", (json_int_t)d->until_ns,
					  "over", (int)d->over);

		if (!entry || json_array_append_new(list, entry) < 0) {
			json_decref(list);
			return -EINVAL;
		}
	}
	root = json_pack("{s:s, s:o}", "boot_id", boot_id_format(boot_id, id), "disarmed", list);
	text = root ? json_dumps(root, JSON_INDENT(1)) : NULL;
	if (!text)
		return -ENOMEM;
	r = disarms_path(state_dir, path);
	return r < 0 ? r : file_replace(path, text, strlen(text), 0600);
}
