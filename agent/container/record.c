/* SPDX-License-Identifier: Apache-2.0 */

/* Facts of running containers on a file system that a boot empties. */

#include "container/record.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "util/fd.h"
#include "util/replace.h"

#define RECORD_DIR "containers"
#define RECORD_SUFFIX ".json"
#define RECORD_MAX (1U << 20)

void container_record_deinit(struct container_record *record)
{
	free(record->cgroup);
	container_facts_deinit(&record->facts);
	*record = (struct container_record){};
}

static char *record_path(const char *runtime_dir, uint64_t cgroup_id)
{
	char *path;

	if (asprintf(&path, "%s/" RECORD_DIR "/%" PRIu64 RECORD_SUFFIX, runtime_dir, cgroup_id) < 0)
		return NULL;
	return path;
}

int container_record_save(const char *runtime_dir, const struct container_record *record)
{
	_cleanup_free_ char *path = record_path(runtime_dir, record->cgroup_id);
	json_auto_t *json = container_facts_to_json(&record->facts);
	_cleanup_free_ char *text = NULL;
	char *slash;
	int r;

	if (!path || !json || json_object_set_new(json, "cgroup", json_string(record->cgroup)) < 0 ||
	    json_object_set_new(json, "cgroup_id", json_integer((json_int_t)record->cgroup_id)) < 0 ||
	    json_object_set_new(json, "told", json_boolean(record->told)) < 0)
		return -ENOMEM;
	text = json_dumps(json, JSON_COMPACT);
	if (!text)
		return -ENOMEM;
	slash = strrchr(path, '/');
	*slash = '\0';
	r = mkdir_parents(path, 0700);
	*slash = '/';
	return r < 0 ? r : file_replace(path, text, strlen(text), 0600);
}

void container_record_remove(const char *runtime_dir, uint64_t cgroup_id)
{
	_cleanup_free_ char *path = record_path(runtime_dir, cgroup_id);

	if (path)
		(void)unlink(path);
}

int container_record_parse(const char *text, size_t len, struct container_record *ret)
{
	_cleanup_record_ struct container_record record = {};
	json_auto_t *json = json_loadb(text, len, JSON_REJECT_DUPLICATES, NULL);
	const char *cgroup = json_string_value(json_object_get(json, "cgroup"));
	json_int_t id = json_integer_value(json_object_get(json, "cgroup_id"));
	int r = container_facts_from_json(json, &record.facts);

	if (r < 0)
		return r;
	if (!cgroup || cgroup[0] != '/' || strlen(cgroup) >= PATH_MAX || id <= 0)
		return -EPROTO;
	record.cgroup = strdup(cgroup);
	if (!record.cgroup)
		return -ENOMEM;
	record.cgroup_id = (uint64_t)id;
	record.told = json_is_true(json_object_get(json, "told"));
	*ret = record;
	record = (struct container_record){};
	return 0;
}

int container_record_load(const char *runtime_dir, uint64_t cgroup_id, struct container_record *ret)
{
	_cleanup_free_ char *path = record_path(runtime_dir, cgroup_id);
	_cleanup_free_ char *text = NULL;
	size_t len;
	int r;

	if (!path)
		return -ENOMEM;
	r = file_read_all(AT_FDCWD, path, RECORD_MAX, &text, &len);
	return r < 0 ? r : container_record_parse(text, len, ret);
}

static bool name_is_record(const char *name)
{
	size_t digits = strspn(name, "0123456789");

	return digits > 0 && digits <= 20 && strcmp(name + digits, RECORD_SUFFIX) == 0;
}

int container_records_load(const char *runtime_dir, int (*each)(struct container_record *record, void *userdata),
			   void *userdata)
{
	_cleanup_closedir_ DIR *dir = NULL;
	_cleanup_free_ char *path = NULL;
	const struct dirent *d;

	if (asprintf(&path, "%s/" RECORD_DIR, runtime_dir) < 0) {
		path = NULL;
		return -ENOMEM;
	}
	dir = opendir(path);
	while (dir && (d = readdir(dir))) {
		_cleanup_record_ struct container_record record = {};
		_cleanup_free_ char *text = NULL;
		size_t len;
		int r;

		if (!name_is_record(d->d_name))
			continue;
		r = file_read_all(dirfd(dir), d->d_name, RECORD_MAX, &text, &len);
		if (r >= 0)
			r = container_record_parse(text, len, &record);
		if (r == -ENOMEM)
			return r;
		r = r < 0 ? 0 : each(&record, userdata);
		if (r != 0)
			return r;
	}
	return 0;
}
