/* SPDX-License-Identifier: Apache-2.0 */

/*
 * The drop-in directories: which file of a name counts, which is masked, and what stays in force
 * when a file is broken.
 *
 * The last good version of a file is found under its name, so it also survives a broken override. A
 * directory that cannot be trusted any more keeps everything that came from it, masks included.
 */

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>

#include "policy/schema.h"
#include "policy/source.h"
#include "util/strbuf.h"

/* A directory while the set is read. */
struct directory {
	const char *path;
	int fd; /* < 0: missing or refused */
	bool refused;
};

/* A name found in a directory. */
struct entry {
	char *name;
	size_t dir; /* index */
};

struct loader {
	struct directory *dirs;
	size_t n_dirs;
	struct entry *entries;
	size_t n_entries, size;
	const struct policy_set *previous;
	struct policy_set *set;
};

DEFINE_CLEANUP(struct policy_set *, policy_set_freep, policy_set_free)

struct policy_set *policy_set_free(struct policy_set *set)
{
	if (!set)
		return NULL;
	for (size_t i = 0; i < set->n_sources; i++) {
		free(set->sources[i].path);
		free(set->sources[i].name);
		(void)policy_file_unref(set->sources[i].file);
	}
	free(set->sources);
	diag_list_deinit(&set->diags);
	free(set);
	return NULL;
}

static void loader_deinit(struct loader *l)
{
	for (size_t i = 0; i < l->n_dirs; i++)
		if (l->dirs[i].fd >= 0)
			(void)close(l->dirs[i].fd);
	free(l->dirs);
	for (size_t i = 0; i < l->n_entries; i++)
		free(l->entries[i].name);
	free(l->entries);
}

static bool has_suffix(const char *s, const char *suffix)
{
	size_t n = strlen(s), m = strlen(suffix);

	return n > m && strcmp(s + n - m, suffix) == 0;
}

/* Hidden files are what editors leave while they work. */
static bool name_is_policy(const char *name)
{
	return name[0] != '.' && (has_suffix(name, ".yaml") || has_suffix(name, ".yml"));
}

static int add_entry(struct loader *l, const char *name, size_t dir)
{
	if (l->n_entries == l->size) {
		size_t size = l->size ? 2 * l->size : 16;
		struct entry *entries = reallocarray(l->entries, size, sizeof(*entries));

		if (!entries)
			return -ENOMEM;
		l->entries = entries;
		l->size = size;
	}
	l->entries[l->n_entries].name = strdup(name);
	if (!l->entries[l->n_entries].name)
		return -ENOMEM;
	l->entries[l->n_entries++].dir = dir;
	return 0;
}

static int scan_dir(struct loader *l, size_t index)
{
	_cleanup_closedir_ DIR *dir = NULL;
	int fd = fcntl(l->dirs[index].fd, F_DUPFD_CLOEXEC, 0);

	if (fd < 0)
		return -errno;
	dir = fdopendir(fd);
	if (!dir) {
		int r = -errno;

		(void)close(fd);
		return r;
	}
	for (;;) {
		const struct dirent *d;
		int r;

		errno = 0;
		d = readdir(dir);
		if (!d)
			return -errno;
		if (!name_is_policy(d->d_name))
			continue;
		r = add_entry(l, d->d_name, index);
		if (r < 0)
			return r;
	}
}

/* The path of a source is its directory, a slash and its name. */
static bool source_is_of(const struct policy_source *source, const char *dir)
{
	size_t n = strlen(dir);

	return strncmp(source->path, dir, n) == 0 && source->path[n] == '/' &&
	       strcmp(source->path + n + 1, source->name) == 0;
}

/* What the directory held when it could be trusted. */
static int recall_dir(struct loader *l, size_t index)
{
	for (size_t i = 0; l->previous && i < l->previous->n_sources; i++) {
		const struct policy_source *s = &l->previous->sources[i];
		int r;

		if (!source_is_of(s, l->dirs[index].path))
			continue;
		r = add_entry(l, s->name, index);
		if (r < 0)
			return r;
	}
	return 0;
}

static int open_dirs(struct loader *l, const char *const *dirs, size_t n_dirs)
{
	l->dirs = calloc(n_dirs ? n_dirs : 1, sizeof(*l->dirs));
	if (!l->dirs)
		return -ENOMEM;
	for (size_t i = 0; i < n_dirs; i++) {
		struct directory *d = &l->dirs[i];
		int r;

		d->path = dirs[i];
		d->fd = -EBADF;
		l->n_dirs++;
		r = source_open_dir(d->path, &l->set->diags, &d->fd);
		if (r == 0)
			r = scan_dir(l, i);
		else if (r == SOURCE_E_REFUSED) {
			d->refused = true;
			r = recall_dir(l, i);
		} else if (r == SOURCE_E_MISSING) {
			r = 0;
		}
		if (r < 0)
			return r;
	}
	return 0;
}

static int entry_compare(const void *a, const void *b)
{
	const struct entry *x = a, *y = b;
	int r = strcmp(x->name, y->name);

	if (r != 0)
		return r;
	return x->dir < y->dir ? -1 : x->dir > y->dir;
}

static const struct policy_source *find_previous(const struct loader *l, const char *name)
{
	for (size_t i = 0; l->previous && i < l->previous->n_sources; i++)
		if (strcmp(l->previous->sources[i].name, name) == 0)
			return &l->previous->sources[i];
	return NULL;
}

/* The policy in force so far that has the name of one of the file's. */
static const struct policy *find_conflict(const struct policy_set *set,
					  const struct policy_file *file,
					  const struct policy **ret_mine)
{
	for (size_t s = 0; s < set->n_sources; s++) {
		const struct policy_file *other = set->sources[s].file;

		for (size_t i = 0; other && i < other->n_policies; i++)
			for (size_t j = 0; j < file->n_policies; j++)
				if (strcmp(other->policies[i]->name, file->policies[j]->name) ==
				    0) {
					*ret_mine = file->policies[j];
					return other->policies[i];
				}
	}
	return NULL;
}

static int report_conflict(struct diag_list *diags, const char *path, const struct policy *mine,
			   const struct policy *other)
{
	_cleanup_strbuf_ struct strbuf text = {};
	struct diag diag = {
		.file = (char *)(uintptr_t)path, /* diag_add() copies */
		.line = mine->location.line,
		.column = mine->location.column,
		.width = (uint32_t)strlen(mine->name),
		.severity = DIAG_ERROR,
	};
	char expected[] = "another name";

	strbuf_printf(&text, "policy `%s` is already in %s:%u", mine->name, other->file,
		      other->location.line);
	if (strbuf_error(&text) < 0) {
		diags->n_errors++;
		return -ENOMEM;
	}
	diag.text = text.data;
	diag.expected = expected;
	return diag_add(diags, &diag);
}

/* Put the last good version of a source into force, if it has one that does not conflict. */
static int recall_source(struct loader *l, struct policy_source *source)
{
	const struct policy_source *before = find_previous(l, source->name);
	const struct policy *mine = NULL, *other;

	source->stale = true;
	if (!before)
		return 0;
	if (before->masked) {
		source->masked = true;
		return 0;
	}
	if (!before->file)
		return 0;
	other = find_conflict(l->set, before->file, &mine);
	if (other)
		return report_conflict(&l->set->diags, source->path, mine, other);
	source->file = policy_file_ref(before->file);
	return 0;
}

/* Return: 0, POLICY_E_INVALID (reported), SOURCE_E_*, -ENOMEM. */
static int read_source(struct loader *l, const struct directory *dir, struct policy_source *source,
		       bool *ret_missing)
{
	_cleanup_(policy_file_unrefp) struct policy_file *file = NULL;
	_cleanup_free_ char *data = NULL;
	const struct policy *mine = NULL, *other;
	size_t len = 0;
	int r;

	if (dir->refused)
		return POLICY_E_INVALID;
	r = source_read(dir->fd, source->name, source->path, &l->set->diags, &data, &len);
	if (r == SOURCE_E_MASKED) {
		source->masked = true;
		return 0;
	}
	if (r == SOURCE_E_MISSING) {
		*ret_missing = true;
		return 0;
	}
	if (r != 0)
		return r < 0 ? r : POLICY_E_INVALID;
	r = policy_parse(source->path, data, len, &l->set->diags, &file);
	if (r != 0)
		return r;
	other = find_conflict(l->set, file, &mine);
	if (other) {
		r = report_conflict(&l->set->diags, source->path, mine, other);
		return r < 0 ? r : POLICY_E_INVALID;
	}
	source->file = steal_ptr(file);
	return 0;
}

static int load_entry(struct loader *l, const struct entry *e)
{
	struct policy_source *source = &l->set->sources[l->set->n_sources];
	bool missing = false;
	int r;

	*source = (struct policy_source){.name = strdup(e->name)};
	if (!source->name)
		return -ENOMEM;
	if (asprintf(&source->path, "%s/%s", l->dirs[e->dir].path, e->name) < 0) {
		source->path = NULL;
		free(source->name);
		return -ENOMEM;
	}
	r = read_source(l, &l->dirs[e->dir], source, &missing);
	if (r == POLICY_E_INVALID)
		r = recall_source(l, source);
	if (r < 0 || missing) {
		/* gone since the directory was read: as if it had never been listed */
		free(source->path);
		free(source->name);
		return r < 0 ? r : SOURCE_E_MISSING;
	}
	l->set->n_sources++;
	return 0;
}

static int load_entries(struct loader *l)
{
	if (l->n_entries > 0)
		qsort(l->entries, l->n_entries, sizeof(*l->entries), entry_compare);
	l->set->sources = calloc(l->n_entries ? l->n_entries : 1, sizeof(*l->set->sources));
	if (!l->set->sources)
		return -ENOMEM;
	for (size_t i = 0; i < l->n_entries;) {
		const char *name = l->entries[i].name;
		int r = SOURCE_E_MISSING;

		/* of one name the highest directory counts that still has it */
		for (; i < l->n_entries && strcmp(l->entries[i].name, name) == 0; i++)
			if (r == SOURCE_E_MISSING)
				r = load_entry(l, &l->entries[i]);
		if (r < 0)
			return r;
	}
	return 0;
}

int policy_set_load(const char *const *dirs, size_t n_dirs, const struct policy_set *previous,
		    struct policy_set **ret_set)
{
	_cleanup_(policy_set_freep) struct policy_set *set = calloc(1, sizeof(*set));
	_cleanup_(loader_deinit) struct loader l = {.previous = previous, .set = set};
	int r;

	if (!set)
		return -ENOMEM;
	r = open_dirs(&l, dirs, n_dirs);
	if (r == 0)
		r = load_entries(&l);
	if (r < 0)
		return r;
	*ret_set = steal_ptr(set);
	return 0;
}
