/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Files below a refused directory that have names elsewhere (lint.h). A rule for a directory holds by the names below it;
 * whoever made a hard link of such a file before has another one.
 *
 * A container chooses what it shows here, so how far this looks is bounded, and it opens directories alone.
 */

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "compile/lint.h"
#include "util/cleanup.h"

#define ENTRIES_MAX 20000U /* of one directory tree */
#define DEPTH_MAX 32U
#define FILES_MAX 256U /* with several names */

struct linked {
	dev_t dev;
	ino_t ino;
	unsigned long missing; /* names that were not seen yet */
	char name[256];	       /* the first one's last component */
};

struct search {
	unsigned entries;
	unsigned n;
	struct linked files[FILES_MAX];
};

/* One more name of a file. */
static void search_note(struct search *s, const char *name, const struct stat *st)
{
	for (unsigned i = 0; i < s->n; i++)
		if (s->files[i].dev == st->st_dev && s->files[i].ino == st->st_ino) {
			if (s->files[i].missing > 0)
				s->files[i].missing--;
			return;
		}
	if (s->n == FILES_MAX)
		return;
	s->files[s->n] = (struct linked){.dev = st->st_dev, .ino = st->st_ino, .missing = st->st_nlink - 1U};
	(void)snprintf(s->files[s->n].name, sizeof(s->files[0].name), "%s", name);
	s->n++;
}

/* fd: of a directory; taken over. What cannot be read is left out. */
static void search_directory(struct search *s, int fd, unsigned depth)
{
	DIR *directory = fdopendir(fd);
	struct dirent *entry;
	struct stat st;

	if (!directory) {
		(void)close(fd);
		return;
	}
	while (s->entries < ENTRIES_MAX && (entry = readdir(directory))) {
		if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0)
			continue;
		s->entries++;
		if (fstatat(dirfd(directory), entry->d_name, &st, AT_SYMLINK_NOFOLLOW) < 0)
			continue;
		if (S_ISREG(st.st_mode) && st.st_nlink > 1)
			search_note(s, entry->d_name, &st);
		if (S_ISDIR(st.st_mode) && depth < DEPTH_MAX) {
			int below = openat(dirfd(directory), entry->d_name,
					   O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

			if (below >= 0)
				search_directory(s, below, depth + 1);
		}
	}
	(void)closedir(directory);
}

int lint_links(const struct policy_file *file, const struct policy_path *path, const struct lint_root *root,
	       struct diag_list *diags)
{
	struct open_how how = {
		.flags = O_RDONLY | O_DIRECTORY | O_CLOEXEC,
		.resolve = RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS,
	};
	_cleanup_free_ struct search *s = calloc(1, sizeof(*s));
	int fd;

	if (!s)
		return -ENOMEM;
	fd = (int)syscall(SYS_openat2, root->fd, path->text, &how, sizeof(how));
	if (fd < 0)
		return 0;
	search_directory(s, fd, 0);
	for (unsigned i = 0; i < s->n; i++)
		if (s->files[i].missing > 0)
			return lint_warn(file, path->location, diags, "the file itself beside it",
					 "in %s a file below this, `%s`, has %lu more name%s elsewhere: the rule does not hold "
					 "for %s",
					 root->path, s->files[i].name, s->files[i].missing,
					 s->files[i].missing == 1 ? "" : "s",
					 s->files[i].missing == 1 ? "it" : "them");
	return 0;
}
