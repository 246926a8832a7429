/* SPDX-License-Identifier: Apache-2.0 */

#include "programs/haetaed/last-good.h"

#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "util/cleanup.h"

DEFINE_CLEANUP(struct policy_set *, policy_set_freep, policy_set_free);

static int last_good_path(const char *state_dir, const char *suffix, char path[PATH_MAX])
{
	int n = snprintf(path, PATH_MAX, "%s/policies.json%s", state_dir, suffix);

	return n < 0 || n >= PATH_MAX ? -ENAMETOOLONG : 0;
}

static int source_load(const json_t *entry, struct policy_source *source)
{
	const char *path = json_string_value(json_object_get(entry, "path"));
	const char *text = json_string_value(json_object_get(entry, "text"));
	struct diag_list diags = {};
	const char *slash;
	int r = 0;

	slash = path ? strrchr(path, '/') : NULL;
	if (!slash)
		return -EINVAL;
	source->path = strdup(path);
	source->name = strdup(slash + 1);
	source->masked = json_is_true(json_object_get(entry, "masked"));
	if (!source->path || !source->name)
		return -ENOMEM;
	if (text)
		r = policy_parse(path, text, strlen(text), &diags, &source->file);
	diag_list_deinit(&diags);
	/* written by another version that knew more words: then there is no last good version */
	return r < 0 ? r : 0;
}

int last_good_load(const char *state_dir, struct policy_set **ret)
{
	_cleanup_(policy_set_freep) struct policy_set *set = NULL;
	json_auto_t *list = NULL;
	char path[PATH_MAX];
	int r;

	r = last_good_path(state_dir, "", path);
	if (r < 0)
		return r;
	if (access(path, F_OK) < 0)
		return -errno;
	list = json_load_file(path, 0, NULL);
	if (!json_is_array(list))
		return -EINVAL;
	set = calloc(1, sizeof(*set));
	if (!set)
		return -ENOMEM;
	set->sources = calloc(json_array_size(list) + 1, sizeof(*set->sources));
	if (!set->sources)
		return -ENOMEM;
	for (size_t i = 0; i < json_array_size(list); i++) {
		r = source_load(json_array_get(list, i), &set->sources[set->n_sources++]);
		if (r < 0)
			return r;
	}
	*ret = steal_ptr(set);
	return 0;
}

static json_t *source_save(const struct policy_source *source)
{
	json_t *entry = json_pack("{s:s, s:b}", "path", source->path, "masked", (int)source->masked);

	if (entry && source->file)
		(void)json_object_set_new(entry, "text", json_string(source->file->text));
	return entry;
}

static int file_sync(const char *path)
{
	_cleanup_close_ int fd = open(path, O_RDONLY | O_CLOEXEC);

	return fd < 0 || fsync(fd) < 0 ? -errno : 0;
}

int last_good_save(const char *state_dir, const struct policy_set *set, const char *except)
{
	json_auto_t *list = json_array();
	char path[PATH_MAX], fresh[PATH_MAX];
	int r;

	if (!list)
		return -ENOMEM;
	for (size_t i = 0; i < set->n_sources; i++)
		/* jansson refuses a path that is not UTF-8: such a file has no last good version */
		if (!except || strcmp(set->sources[i].name, except) != 0)
			(void)json_array_append_new(list, source_save(&set->sources[i]));
	r = last_good_path(state_dir, "", path);
	if (r >= 0)
		r = last_good_path(state_dir, ".new", fresh);
	if (r < 0)
		return r;
	if (json_dump_file(list, fresh, JSON_INDENT(1)) < 0)
		return -EIO;
	if (chmod(fresh, 0600) < 0)
		return -errno;
	r = file_sync(fresh);
	if (r < 0)
		return r;
	return rename(fresh, path) < 0 ? -errno : 0;
}
