/* SPDX-License-Identifier: Apache-2.0 */

/* What is mounted where, from /proc/self/mountinfo (proc(5) has the format). */

#include "host/mounts.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>

#include "host/host.h"
#include "util/fd.h"

/* Mountinfo of a host with a hundred thousand mounts stays below. */
#define MOUNTINFO_MAX (64U << 20)

/* \040 and the like, in place. */
static void octal_unescape(char *s)
{
	char *out = s;

	while (*s) {
		if (s[0] == '\\' && s[1] >= '0' && s[1] <= '3' && s[2] >= '0' && s[2] <= '7' &&
		    s[3] >= '0' && s[3] <= '7') {
			*out++ = (char)((s[1] - '0') << 6 | (s[2] - '0') << 3 | (s[3] - '0'));
			s += 4;
		} else {
			*out++ = *s++;
		}
	}
	*out = '\0';
}

static bool options_are_read_only(const char *options)
{
	return strcmp(options, "ro") == 0 || strncmp(options, "ro,", 3) == 0;
}

/* Split one line; false if it is not one of mountinfo. */
static bool mount_parse(char *line, struct mount *ret)
{
	char *fields[6], *type;

	for (size_t i = 0; i < ARRAY_LEN(fields); i++) {
		fields[i] = strsep(&line, " ");
		if (!fields[i] || !line)
			return false;
	}
	/* optional fields, then a lonely dash, then the type */
	for (;;) {
		char *field = strsep(&line, " ");

		if (!field)
			return false;
		if (strcmp(field, "-") == 0)
			break;
	}
	type = strsep(&line, " ");
	if (!type)
		return false;
	octal_unescape(fields[4]);
	*ret = (struct mount){
		.point = fields[4],
		.type = type,
		.read_only = options_are_read_only(fields[5]),
	};
	return true;
}

int mounts_read(const char *root_dir, struct mounts *ret)
{
	_cleanup_free_ char *path = NULL;
	struct mounts m = {};
	char *line, *rest;
	size_t len, lines = 1;
	int r;

	if (asprintf(&path, "%s/proc/self/mountinfo", root_dir) < 0) {
		path = NULL;
		return -ENOMEM;
	}
	r = file_read_all(AT_FDCWD, path, MOUNTINFO_MAX, &m.text, &len);
	if (r < 0)
		return r;
	for (size_t i = 0; i < len; i++)
		lines += m.text[i] == '\n';
	m.items = calloc(lines, sizeof(*m.items));
	if (!m.items) {
		mounts_deinit(&m);
		return -ENOMEM;
	}
	rest = m.text;
	while ((line = strsep(&rest, "\n"))) {
		if (mount_parse(line, &m.items[m.n]))
			m.n++;
	}
	*ret = m;
	return 0;
}

const struct mount *mounts_at(const struct mounts *m, const char *point)
{
	/* the last one is on top */
	for (size_t i = m->n; i > 0; i--) {
		if (strcmp(m->items[i - 1].point, point) == 0)
			return &m->items[i - 1];
	}
	return NULL;
}

const struct mount *mounts_of_type(const struct mounts *m, const char *type, const char *preferred)
{
	const struct mount *at = preferred ? mounts_at(m, preferred) : NULL;

	if (at && strcmp(at->type, type) == 0)
		return at;
	for (size_t i = 0; i < m->n; i++) {
		if (strcmp(m->items[i].type, type) == 0 &&
		    mounts_at(m, m->items[i].point) == &m->items[i])
			return &m->items[i];
	}
	return NULL;
}

void mounts_deinit(struct mounts *m)
{
	free(m->items);
	free(m->text);
	*m = (struct mounts){};
}

int host_cgroup2_find(const char *root_dir, char **ret_mount_point)
{
	struct mounts m = {};
	const struct mount *found;
	char *copy = NULL;
	int r;

	r = mounts_read(root_dir, &m);
	if (r < 0)
		return r;
	found = mounts_of_type(&m, "cgroup2", "/sys/fs/cgroup");
	r = -ENOENT;
	if (found) {
		copy = strdup(found->point);
		r = copy ? 0 : -ENOMEM;
	}
	mounts_deinit(&m);
	if (r < 0)
		return r;
	*ret_mount_point = copy;
	return 0;
}
