/* SPDX-License-Identifier: Apache-2.0 */

#include "programs/agentctl/policies.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>

#include "compile/image.h"
#include "compile/lockout.h"
#include "util/fd.h"

/* The parser refuses far smaller ones with a diagnostic of its own; this only bounds the reading. */
#define POLICY_READ_MAX (16U << 20)

DEFINE_CLEANUP(struct image *, image_freep, image_free)
DEFINE_CLEANUP(struct image_names *, image_names_freep, image_names_free)

void policies_deinit(struct policies *p)
{
	diag_list_deinit(&p->diags);
	(void)policy_set_free(p->set);
	for (size_t i = 0; i < p->n_files; i++)
		(void)policy_file_unref(p->files[i]);
	free(p->files);
	free(p->items);
	free(p->owners);
	*p = (struct policies){};
}

static int files_keep(struct policies *p, struct policy_file *file)
{
	struct policy_file **files = reallocarray(p->files, p->n_files + 1, sizeof(*p->files));

	if (!files) {
		(void)policy_file_unref(file);
		return -ENOMEM;
	}
	p->files = files;
	p->files[p->n_files++] = file;
	return 0;
}

int policies_add_text(struct policies *p, const char *name, const char *text, size_t len)
{
	struct policy_file *file = NULL;
	int r = policy_parse(name, text, len, &p->diags, &file);

	if (r == POLICY_E_INVALID)
		return 0;
	return r < 0 ? r : files_keep(p, file);
}

static int add_file(struct policies *p, const char *path)
{
	_cleanup_free_ char *text = NULL;
	size_t len;
	int r;

	if (strcmp(path, "-") == 0) {
		r = fd_read_all(STDIN_FILENO, POLICY_READ_MAX, &text, &len);
		path = "(standard input)";
	} else {
		r = file_read_all(AT_FDCWD, path, POLICY_READ_MAX, &text, &len);
	}
	if (r == -ENOMEM)
		return r;
	if (r < 0) {
		complain("%s: %s", escaped(path), strerror(-r));
		p->failed = true;
		return 0;
	}
	return policies_add_text(p, path, text, len);
}

static int name_is_policy(const struct dirent *entry)
{
	const char *dot = strrchr(entry->d_name, '.');

	return entry->d_name[0] != '.' && dot &&
	       (strcmp(dot, ".yaml") == 0 || strcmp(dot, ".yml") == 0);
}

static int add_directory(struct policies *p, const char *path)
{
	struct dirent **entries = NULL;
	int n, r = 0;

	n = scandir(path, &entries, name_is_policy, alphasort);
	if (n < 0) {
		complain("%s: %s", escaped(path), strerror(errno));
		p->failed = true;
		return 0;
	}
	if (n == 0)
		complain("%s: no *.yaml or *.yml in it", escaped(path));
	for (int i = 0; i < n; i++) {
		_cleanup_free_ char *full = NULL;

		if (r >= 0 && asprintf(&full, "%s/%s", path, entries[i]->d_name) < 0) {
			full = NULL;
			r = -ENOMEM;
		}
		if (r >= 0)
			r = add_file(p, full);
		free(entries[i]);
	}
	free(entries);
	return r;
}

int policies_add_path(struct policies *p, const char *path)
{
	struct stat st;

	if (strcmp(path, "-") != 0 && stat(path, &st) == 0 && S_ISDIR(st.st_mode))
		return add_directory(p, path);
	return add_file(p, path);
}

int policies_add_dirs(struct policies *p, const struct agentctl *ctl)
{
	const char *const *dirs;
	size_t n_dirs;
	int r;

	p->ctl = ctl;
	dirs = policy_dirs(ctl, &n_dirs);
	r = policy_set_load(dirs, n_dirs, NULL, &p->set);
	if (r >= 0)
		r = diag_list_move(&p->diags, &p->set->diags);
	if (r == -ENOMEM)
		return out_of_memory();
	if (r < 0) {
		complain("Failed to read the policy directories: %s", strerror(-r));
		return r == -EACCES || r == -EPERM ? EXIT_CODE_PERMISSION : EXIT_CODE_FAILURE;
	}
	return 0;
}

/* Within one file the parser has said so already. */
static int check_name(struct policies *p, const struct policy *policy)
{
	for (size_t i = 0; i < p->n; i++) {
		if (strcmp(p->items[i]->name, policy->name) != 0 ||
		    strcmp(p->items[i]->file, policy->file) == 0)
			continue;
		return diag_add_file(&p->diags, DIAG_ERROR, policy->file, "a name of its own",
				     "policy '%s' is already defined in %s", policy->name,
				     p->items[i]->file);
	}
	return 0;
}

static int collect_file(struct policies *p, const struct policy_file *file)
{
	const struct policy_file **owners;
	const struct policy **items;

	items = reallocarray(p->items, p->n + file->n_policies + 1, sizeof(*items));
	if (!items)
		return -ENOMEM;
	p->items = items;
	owners = reallocarray(p->owners, p->n + file->n_policies + 1, sizeof(*owners));
	if (!owners)
		return -ENOMEM;
	p->owners = owners;
	for (size_t i = 0; i < file->n_policies; i++) {
		if (check_name(p, file->policies[i]) < 0)
			return -ENOMEM;
		p->owners[p->n] = file;
		p->items[p->n++] = file->policies[i];
	}
	return 0;
}

static bool is_replaced(const struct policies *p, const char *name)
{
	for (size_t i = 0; i < p->n_files; i++)
		if (strcmp(p->files[i]->name, name) == 0)
			return true;
	return false;
}

int policies_collect(struct policies *p)
{
	int r = 0;

	p->n = 0;
	for (size_t i = 0; p->set && r >= 0 && i < p->set->n_sources; i++)
		if (p->set->sources[i].file && !is_replaced(p, p->set->sources[i].name))
			r = collect_file(p, p->set->sources[i].file);
	for (size_t i = 0; r >= 0 && i < p->n_files; i++)
		r = collect_file(p, p->files[i]);
	return r;
}

int policies_compile(struct policies *p, int64_t now)
{
	_cleanup_(image_names_freep) struct image_names *names = image_names_new();
	_cleanup_(image_freep) struct image *image = NULL;
	struct ht_hash_key key;
	int r;

	if (!names)
		return -ENOMEM;
	if (getrandom(&key, sizeof(key), 0) != (ssize_t)sizeof(key))
		return -errno;
	r = policies_collect(p);
	if (r < 0)
		return r;
	r = lockout_check(p->items, p->n, NULL, &p->diags);
	if (r < 0)
		return r;
	/* names that clash or files that are wrong would only be repeated in other words */
	if (p->diags.n_errors > 0)
		return 0;
	r = image_compile(p->items, p->n, names, &key, now, &p->diags, &image);
	return r == IMAGE_E_INVALID ? 0 : r;
}

ssize_t policies_find(const struct policies *p, const char *name)
{
	for (size_t i = 0; i < p->n; i++)
		if (strcmp(p->items[i]->name, name) == 0)
			return (ssize_t)i;
	return -1;
}
