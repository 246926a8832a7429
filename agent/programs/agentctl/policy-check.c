/* SPDX-License-Identifier: Apache-2.0 */

/*
 * agentctl policy check: what the agent would say about these files, before it is given them.
 * Ownership is not looked at: a policy is usually checked where it is written, in somebody's
 * repository.
 */

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "compile/image.h"
#include "compile/lint.h"
#include "policy/policy.h"
#include "programs/agentctl/policy.h"
#include "util/fd.h"

/* The parser refuses far smaller ones with a diagnostic of its own; this only bounds the reading.
 */
#define POLICY_READ_MAX (16U << 20)

struct checker {
	struct diag_list diags;
	struct policy_file **files;
	size_t n_files;
	bool failed; /* something could not be read */
};

DEFINE_CLEANUP(struct image *, image_freep, image_free)
DEFINE_CLEANUP(struct image_names *, image_names_freep, image_names_free)

static void checker_deinit(struct checker *c)
{
	diag_list_deinit(&c->diags);
	for (size_t i = 0; i < c->n_files; i++)
		(void)policy_file_unref(c->files[i]);
	free(c->files);
}

static int checker_keep(struct checker *c, struct policy_file *file)
{
	struct policy_file **files = reallocarray(c->files, c->n_files + 1, sizeof(*c->files));

	if (!files) {
		(void)policy_file_unref(file);
		return -ENOMEM;
	}
	c->files = files;
	c->files[c->n_files++] = file;
	return 0;
}

/* Return: 0, also if the text is wrong (the diagnostics tell); -ENOMEM. */
static int check_text(struct checker *c, const char *name, const char *text, size_t len)
{
	struct policy_file *file = NULL;
	int r = policy_parse(name, text, len, &c->diags, &file);

	if (r == POLICY_E_INVALID)
		return 0;
	return r < 0 ? r : checker_keep(c, file);
}

static int check_file(struct checker *c, int dir_fd, const char *path, const char *shown)
{
	_cleanup_free_ char *text = NULL;
	size_t len;
	int r;

	if (strcmp(shown, "-") == 0) {
		r = fd_read_all(STDIN_FILENO, POLICY_READ_MAX, &text, &len);
		shown = "(standard input)";
	} else {
		r = file_read_all(dir_fd, path, POLICY_READ_MAX, &text, &len);
	}
	if (r == -ENOMEM)
		return r;
	if (r < 0) {
		complain("%s: %s", escaped(shown), strerror(-r));
		c->failed = true;
		return 0;
	}
	return check_text(c, shown, text, len);
}

static int name_is_policy(const struct dirent *entry)
{
	const char *dot = strrchr(entry->d_name, '.');

	return entry->d_name[0] != '.' && dot &&
	       (strcmp(dot, ".yaml") == 0 || strcmp(dot, ".yml") == 0);
}

static int check_directory(struct checker *c, const char *path)
{
	struct dirent **entries = NULL;
	int n, r = 0;

	n = scandir(path, &entries, name_is_policy, alphasort);
	if (n < 0) {
		complain("%s: %s", escaped(path), strerror(errno));
		c->failed = true;
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
			r = check_file(c, AT_FDCWD, full, full);
		free(entries[i]);
	}
	free(entries);
	return r;
}

static int check_path(struct checker *c, const char *path)
{
	struct stat st;

	if (strcmp(path, "-") != 0 && stat(path, &st) == 0 && S_ISDIR(st.st_mode))
		return check_directory(c, path);
	return check_file(c, AT_FDCWD, path, path);
}

/* All policies in the order of the files; a name that is taken already is an error of the later
 * one. */
static int policies_collect(struct checker *c, const struct policy ***ret, size_t *ret_n)
{
	const struct policy **all = NULL;
	size_t n = 0;

	for (size_t i = 0; i < c->n_files; i++) {
		for (size_t j = 0; j < c->files[i]->n_policies; j++) {
			const struct policy *policy = c->files[i]->policies[j];
			const struct policy **grown;

			for (size_t k = 0; k < n; k++) {
				/* within one file the parser has said so already */
				if (strcmp(all[k]->name, policy->name) != 0 ||
				    strcmp(all[k]->file, policy->file) == 0)
					continue;
				if (diag_add_file(&c->diags, DIAG_ERROR, policy->file,
						  "a name of its own",
						  "policy '%s' is already defined in %s",
						  policy->name, all[k]->file) < 0)
					goto no_memory;
			}
			grown = reallocarray(all, n + 1, sizeof(*all));
			if (!grown)
				goto no_memory;
			all = grown;
			all[n++] = policy;
		}
	}
	*ret = all;
	*ret_n = n;
	return 0;

no_memory:
	free(all);
	return -ENOMEM;
}

/* Return: 0, also if something cannot be compiled as written (the diagnostics tell); negative
 * errno. */
static int check_compile(struct checker *c, size_t *ret_n)
{
	_cleanup_(image_names_freep) struct image_names *names = image_names_new();
	_cleanup_(image_freep) struct image *image = NULL;
	_cleanup_free_ const struct policy **policies = NULL;
	struct ht_hash_key key;
	int r;

	if (!names)
		return -ENOMEM;
	if (getrandom(&key, sizeof(key), 0) != (ssize_t)sizeof(key))
		return -errno;
	r = policies_collect(c, &policies, ret_n);
	if (r < 0)
		return r;
	/* names that clash or files that are wrong would only be repeated in other words */
	if (c->diags.n_errors > 0)
		return 0;
	r = image_compile(policies, *ret_n, names, &key, time(NULL), &c->diags, &image);
	return r == IMAGE_E_INVALID ? 0 : r;
}

/* A file that cannot be compiled is not worth advice. */
static int check_lint(struct checker *c, const struct policy_options *options)
{
	struct lint_root roots[POLICY_ROOTS_MAX];
	int n_roots = 0, tree = -EBADF, r = 0;

	for (int i = 0; i < options->n_roots; i++) {
		struct lint_root *root = &roots[n_roots];

		root->path = options->roots[i];
		root->fd = open(root->path, O_PATH | O_DIRECTORY | O_CLOEXEC);
		if (root->fd >= 0) {
			n_roots++;
			continue;
		}
		complain("%s: %s", escaped(root->path), strerror(errno));
		c->failed = true;
	}
	if (options->cgroups) {
		tree = open(options->cgroups, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		if (tree < 0) {
			complain("%s: %s", escaped(options->cgroups), strerror(errno));
			c->failed = true;
		}
	}
	for (size_t i = 0; i < c->n_files && r >= 0 && c->diags.n_errors == 0; i++) {
		r = lint_policies(c->files[i], &c->diags);
		if (r >= 0)
			r = lint_roots(c->files[i], roots, (size_t)n_roots, &c->diags);
		if (r >= 0 && tree >= 0)
			r = lint_cgroups(c->files[i], tree, &c->diags);
	}
	for (int i = 0; i < n_roots; i++)
		(void)close(roots[i].fd);
	if (tree >= 0)
		(void)close(tree);
	return r;
}

int policy_check(const struct agentctl *ctl, const struct policy_options *options, int n,
		 char **paths)
{
	_cleanup_(checker_deinit) struct checker c = {};
	size_t n_policies = 0, n_warnings = 0;
	int r = 0;

	for (int i = 0; r >= 0 && i < n; i++)
		r = check_path(&c, paths[i]);
	if (r >= 0)
		r = check_compile(&c, &n_policies);
	if (r >= 0)
		r = check_lint(&c, options);
	if (r < 0) {
		complain("Failed to check: %s", strerror(-r));
		return EXIT_CODE_FAILURE;
	}
	for (size_t i = 0; i < c.diags.n; i++)
		n_warnings += c.diags.items[i].severity == DIAG_WARNING;
	diag_list_print(&c.diags, stderr, color_wanted(ctl->color, STDERR_FILENO));
	(void)printf("%zu files, %zu policies: %zu errors, %zu warnings\n", c.n_files, n_policies,
		     c.diags.n_errors, n_warnings);
	if (c.failed || c.diags.n_errors > 0 || (options->strict && n_warnings > 0))
		return EXIT_CODE_FAILURE;
	return fflush(stdout) == 0 || errno == EPIPE ? EXIT_CODE_OK : EXIT_CODE_FAILURE;
}
