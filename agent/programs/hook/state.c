/* SPDX-License-Identifier: Apache-2.0 */

#include "programs/hook/state.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "container/container.h"
#include "util/fd.h"

#define CGROUP_FILE_MAX 65536U

void state_deinit(struct state *state)
{
	free(state->cgroup);
	container_facts_deinit(&state->facts);
	*state = (struct state){};
}

/* The runtime's own view: a container's first process has been put into its cgroup, and not yet been shut in there. */
static int cgroup_of(const char *root_dir, json_int_t pid, char **ret)
{
	_cleanup_free_ char *text = NULL;
	char path[PATH_MAX], *rest, *line;
	size_t len;

	if (pid <= 0 || snprintf(path, sizeof(path), "%s/proc/%" JSON_INTEGER_FORMAT "/cgroup", root_dir, pid) >=
				(int)sizeof(path))
		return -EPROTO;
	if (file_read_all(AT_FDCWD, path, CGROUP_FILE_MAX, &text, &len) < 0)
		return -ESRCH;
	rest = text;
	while ((line = strsep(&rest, "\n")))
		if (strncmp(line, "0::/", 4) == 0) {
			*ret = strdup(line + 3);
			return *ret ? 0 : -ENOMEM;
		}
	return -ESRCH;
}

/* A container that is in the cgroup of a unit, or of nobody known: who runs it says so. */
static const char *manager(const json_t *annotations)
{
	const char *word = json_string_value(json_object_get(annotations, "io.container.manager"));

	if (word && strcmp(word, "libpod") == 0)
		return "podman";
	return word && strcmp(word, "cri-o") == 0 ? "crio" : "unknown";
}

int state_read(const char *text, size_t len, const char *root_dir, struct state *ret)
{
	json_auto_t *json = json_loadb(text, len, 0, NULL);
	const char *id = json_string_value(json_object_get(json, "id"));
	const struct container_place place = {
		.bundle = json_string_value(json_object_get(json, "bundle")),
		.annotations = json_object_get(json, "annotations"),
		.root_dir = root_dir,
	};
	_cleanup_state_ struct state state = {};
	struct container container = {};
	int r;

	if (!id || !container_id_is_valid(id))
		return -EPROTO;
	r = cgroup_of(root_dir, json_integer_value(json_object_get(json, "pid")), &state.cgroup);
	if (r >= 0)
		r = container_from_cgroup(state.cgroup, &container);
	if (r < 0)
		return r;
	r = container_facts_gather(container_is_container(&container) ? container.runtime : manager(place.annotations),
				   id, &place, &state.facts);
	container_deinit(&container);
	if (r < 0)
		return r;
	*ret = state;
	state = (struct state){};
	return 0;
}
