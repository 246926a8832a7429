/* SPDX-License-Identifier: Apache-2.0 */

/* A policy against a cgroup tree (lint.h). */

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

#include "abi.h"
#include "compile/judge.h"
#include "compile/lint.h"
#include "util/cleanup.h"
#include "util/strbuf.h"

struct search {
	const struct policy_file *file;
	bool *found; /* of all entries, policy by policy */
	size_t n;
};

/* Which entries select this path? What a container is called is not known here, so an entry that
 * asks for it is judged by its other fields. */
static void search_note(struct search *s, const char *path)
{
	size_t at = 0;

	for (size_t i = 0; i < s->file->n_policies; i++)
		for (size_t j = 0; j < s->file->policies[i]->n_matches; j++, at++) {
			struct policy_match entry = s->file->policies[i]->matches[j];
			const struct policy one = {.matches = &entry, .n_matches = 1};
			bool by_container = policy_match_has_container(&entry);

			entry.container = (struct policy_container_match){};
			if (policy_matches_cgroup(&one, path, NULL) ||
			    (by_container && !entry.cgroup.text && !entry.unit))
				s->found[at] = true;
		}
}

static int search_directory(struct search *s, int dir_fd, const char *name, struct strbuf *path,
			    unsigned depth)
{
	_cleanup_closedir_ DIR *dir = NULL;
	int fd = openat(dir_fd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC), r = 0;

	if (fd < 0) /* gone since it was listed */
		return depth > 0 && errno == ENOENT ? 0 : -errno;
	dir = fdopendir(fd);
	if (!dir) {
		r = -errno;
		(void)close(fd);
		return r;
	}
	while (r == 0) {
		const struct dirent *d = readdir(dir);
		size_t len = path->len;

		if (!d)
			break;
		if (d->d_type != DT_DIR || d->d_name[0] == '.' || depth >= HT_CGROUP_DEPTH_MAX)
			continue;
		strbuf_printf(path, "/%s", d->d_name);
		if (strbuf_error(path) < 0)
			return -ENOMEM;
		search_note(s, strbuf_str(path));
		r = search_directory(s, dirfd(dir), d->d_name, path, depth + 1);
		path->len = len;
		path->data[len] = '\0';
	}
	return r;
}

int lint_cgroups(const struct policy_file *file, int tree_fd, struct diag_list *diags)
{
	_cleanup_strbuf_ struct strbuf path = {};
	_cleanup_free_ bool *found = NULL;
	struct search s = {.file = file};
	size_t at = 0;
	int r;

	for (size_t i = 0; i < file->n_policies; i++)
		s.n += file->policies[i]->n_matches;
	found = calloc(s.n ? s.n : 1, sizeof(*found));
	if (!found)
		return -ENOMEM;
	s.found = found;
	r = search_directory(&s, tree_fd, ".", &path, 0);
	for (size_t i = 0; i < file->n_policies && r == 0; i++)
		for (size_t j = 0; j < file->policies[i]->n_matches && r == 0; j++)
			if (!found[at++])
				r = lint_warn(file, file->policies[i]->matches[j].location, diags,
					      NULL, "the entry selects no cgroup that exists now");
	return r;
}
