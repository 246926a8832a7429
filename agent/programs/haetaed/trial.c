/* SPDX-License-Identifier: Apache-2.0 */

#include "programs/haetaed/trial.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "programs/haetaed/boot-id.h"
#include "util/cleanup.h"
#include "util/replace.h"

bool trial_name_is_good(const char *name)
{
	size_t n = strlen(name);

	if (n > NAME_MAX - 8 || name[0] == '.' || strchr(name, '/'))
		return false;
	return (n > 5 && strcmp(name + n - 5, ".yaml") == 0) || (n > 4 && strcmp(name + n - 4, ".yml") == 0);
}

void trial_deinit(struct trial *trial)
{
	free(trial->name);
	*trial = (struct trial){};
}

char *trial_dir(const char *state_dir)
{
	char *path;

	return asprintf(&path, "%s/trial", state_dir) < 0 ? NULL : path;
}

static int note_path(const char *state_dir, char path[PATH_MAX])
{
	int n = snprintf(path, PATH_MAX, "%s/trial.json", state_dir);

	return n < 0 || n >= PATH_MAX ? -ENAMETOOLONG : 0;
}

/* Return: the descriptor of the directory, made if missing; negative errno. */
static int trial_open(const char *state_dir)
{
	_cleanup_free_ char *path = trial_dir(state_dir);
	int fd;

	if (!path)
		return -ENOMEM;
	if (mkdir(path, 0700) < 0 && errno != EEXIST)
		return -errno;
	fd = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	return fd < 0 ? -errno : fd;
}

/* Remove everything but the file of that name. */
static int trial_sweep(const char *state_dir, const char *keep)
{
	_cleanup_closedir_ DIR *dir = NULL;
	int fd = trial_open(state_dir);
	const struct dirent *d;

	if (fd < 0)
		return fd;
	dir = fdopendir(fd);
	if (!dir) {
		(void)close(fd);
		return -ENOMEM;
	}
	while ((d = readdir(dir))) {
		if (strcmp(d->d_name, ".") == 0 || strcmp(d->d_name, "..") == 0 ||
		    (keep && strcmp(d->d_name, keep) == 0))
			continue;
		if (unlinkat(dirfd(dir), d->d_name, 0) < 0 && errno != ENOENT)
			return -errno;
	}
	return 0;
}

/* Return: 0 none, 1 one, -EINVAL, -ENOMEM. */
static int note_read(const char *path, const uint8_t boot_id[16], struct trial *ret)
{
	json_auto_t *root = NULL;
	const char *name;

	if (access(path, F_OK) < 0)
		return errno == ENOENT ? 0 : -errno;
	root = json_load_file(path, 0, NULL);
	name = json_string_value(json_object_get(root, "name"));
	if (!name || !trial_name_is_good(name) || !json_is_integer(json_object_get(root, "until_ns")) ||
	    !json_is_boolean(json_object_get(root, "confirmed")))
		return -EINVAL;
	ret->confirmed = json_is_true(json_object_get(root, "confirmed"));
	ret->until_ns = (uint64_t)json_integer_value(json_object_get(root, "until_ns"));
	/* nobody confirmed it before the machine went down */
	if (!ret->confirmed && !boot_id_is(json_string_value(json_object_get(root, "boot_id")), boot_id))
		return 0;
	ret->name = strdup(name);
	return ret->name ? 1 : -ENOMEM;
}

int trial_load(const char *state_dir, const uint8_t boot_id[16], struct trial *ret)
{
	struct trial trial = {};
	char path[PATH_MAX];
	int found, r;

	r = note_path(state_dir, path);
	if (r < 0)
		return r;
	found = note_read(path, boot_id, &trial);
	if (found == -ENOMEM)
		return found;
	r = trial_sweep(state_dir, trial.name);
	if (r >= 0 && found <= 0 && unlink(path) < 0 && errno != ENOENT)
		r = -errno;
	/* On a disk that cannot be written it stays, and is not read: nothing is on trial that the note does not name. */
	if (r < 0 && r != -EROFS) {
		trial_deinit(&trial);
		return r;
	}
	if (found == 1)
		*ret = trial;
	return found;
}

static int note_write(const char *state_dir, const uint8_t boot_id[16], const struct trial *trial)
{
	char id[BOOT_ID_TEXT], path[PATH_MAX];
	json_auto_t *root = json_pack("{s:s, s:I, s:b, s:s}", "name", trial->name, "until_ns",
				      (json_int_t)trial->until_ns, "confirmed", (int)trial->confirmed,
				      "boot_id", boot_id_format(boot_id, id));
	_cleanup_free_ char *text = root ? json_dumps(root, JSON_INDENT(1)) : NULL;
	int r = note_path(state_dir, path);

	if (!text)
		return root ? -ENOMEM : -EINVAL; /* a name that is not UTF-8 cannot be kept */
	return r < 0 ? r : file_replace(path, text, strlen(text), 0600);
}

int trial_begin(const char *state_dir, const uint8_t boot_id[16], const struct trial *trial)
{
	_cleanup_free_ char *hidden = NULL;
	_cleanup_close_ int fd = trial_open(state_dir);
	char path[PATH_MAX];
	int r;

	if (fd < 0)
		return fd;
	if (asprintf(&hidden, ".%s", trial->name) < 0) {
		hidden = NULL;
		return -ENOMEM;
	}
	if (faccessat(fd, hidden, R_OK, AT_SYMLINK_NOFOLLOW) < 0)
		return -errno;
	/* the note first: a file without one is removed by the next agent, a note without a file is harmless */
	r = note_path(state_dir, path);
	if (r >= 0)
		r = note_write(state_dir, boot_id, trial);
	if (r >= 0 && (renameat(fd, hidden, fd, trial->name) < 0 || fsync(fd) < 0)) {
		r = -errno;
		(void)unlink(path);
	}
	return r;
}

int trial_confirm(const char *state_dir, const uint8_t boot_id[16], struct trial *trial)
{
	struct trial confirmed = *trial;
	int r;

	confirmed.confirmed = true;
	r = note_write(state_dir, boot_id, &confirmed);
	if (r >= 0)
		trial->confirmed = true;
	return r;
}

int trial_end(const char *state_dir, struct trial *trial)
{
	char path[PATH_MAX];
	int r = trial_sweep(state_dir, NULL);

	if (r >= 0)
		r = note_path(state_dir, path);
	if (r < 0)
		return r;
	/* a note that stays speaks of a file that is not there, and the next agent removes it */
	(void)unlink(path);
	trial_deinit(trial);
	return 0;
}
