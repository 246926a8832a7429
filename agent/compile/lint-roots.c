/* SPDX-License-Identifier: Apache-2.0 */

/* A policy against the files of the containers it is meant for (lint.h). */

#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "compile/lint.h"
#include "policy/path.h"
#include "util/cleanup.h"

/* What an allowed name leads to. */
struct allowed {
	size_t root;
	dev_t dev;
	ino_t ino;
	const struct policy_rule *rule;
};

struct linter {
	const struct policy_file *file;
	const struct lint_root *roots;
	size_t n_roots;
	struct diag_list *diags;
	struct allowed *allowed;
	size_t n_allowed, size;
};

static bool path_is_literal(const struct policy_path *path)
{
	return path->text && !policy_component_has_wildcard(path->text, strlen(path->text));
}

/* Links are followed as the container would, never out of its root. last: the link itself counts.
 */
static int root_stat(const struct lint_root *root, const char *path, bool last, struct stat *ret)
{
	struct open_how how = {
		.flags = O_PATH | O_CLOEXEC | (last ? O_NOFOLLOW : 0),
		.resolve = RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS,
	};
	int fd = (int)syscall(SYS_openat2, root->fd, path, &how, sizeof(how)), r;

	if (fd < 0)
		return -errno;
	r = fstat(fd, ret) < 0 ? -errno : 0;
	(void)close(fd);
	return r;
}

static int note_allowed(struct linter *l, const struct policy_rule *rule)
{
	for (size_t i = 0; i < l->n_roots; i++) {
		struct stat st;

		if (root_stat(&l->roots[i], rule->path.text, false, &st) < 0 ||
		    !S_ISREG(st.st_mode))
			continue;
		if (l->n_allowed == l->size) {
			size_t size = l->size ? 2 * l->size : 16;
			struct allowed *grown = reallocarray(l->allowed, size, sizeof(*grown));

			if (!grown)
				return -ENOMEM;
			l->allowed = grown;
			l->size = size;
		}
		l->allowed[l->n_allowed++] = (struct allowed){
			.root = i, .dev = st.st_dev, .ino = st.st_ino, .rule = rule};
	}
	return 0;
}

static const struct allowed *find_allowed(const struct linter *l, size_t root,
					  const struct stat *st, const struct policy_rule *rule)
{
	for (size_t i = 0; i < l->n_allowed; i++) {
		const struct allowed *a = &l->allowed[i];

		if (a->root == root && a->dev == st->st_dev && a->ino == st->st_ino &&
		    strcmp(a->rule->path.text, rule->path.text) != 0)
			return a;
	}
	return NULL;
}

/* A denied name in one root. Return: 1 if something was told, 0, -ENOMEM. */
static int lint_denied(struct linter *l, const struct policy_rule *rule, size_t root)
{
	const struct lint_root *at = &l->roots[root];
	const struct allowed *allowed;
	size_t before = l->diags->n;
	struct stat st;
	int r = 0;

	if (rule->path.subtree) {
		r = lint_links(l->file, &rule->path, at, l->diags);
		return r < 0 ? r : l->diags->n > before;
	}
	if (root_stat(at, rule->path.text, false, &st) < 0 || !S_ISREG(st.st_mode))
		return 0;
	allowed = find_allowed(l, root, &st, rule);
	if (!allowed)
		return 0;
	r = lint_warn(l->file, rule->path.location, l->diags, "a rule for the file itself",
		      "in %s the allowed `%s` is the same file", at->path, allowed->rule->path.text);
	return r < 0 ? r : 1;
}

/* Does the path, or the directory of a subtree, exist in any of the roots? */
static int lint_missing(struct linter *l, const struct policy_path *path)
{
	struct stat st;

	if (!path_is_literal(path))
		return 0;
	for (size_t i = 0; i < l->n_roots; i++)
		if (root_stat(&l->roots[i], path->text, true, &st) == 0)
			return 0;
	return lint_warn(l->file, path->location, l->diags, NULL, "no container has this path%s%s",
			 l->n_roots == 1 ? ": it is missing in " : "",
			 l->n_roots == 1 ? l->roots[0].path : "");
}

static bool kind_is_allow(enum policy_rule_kind kind)
{
	return kind == POLICY_RULE_EXEC_ALLOW || kind == POLICY_RULE_FILE_ALLOW ||
	       kind == POLICY_RULE_EXEC_LIBRARY;
}

static int lint_policy(struct linter *l, const struct policy *policy)
{
	int r = 0;

	for (size_t i = 0; i < policy->n_rules && r == 0; i++) {
		const struct policy_rule *rule = &policy->rules[i];

		if (kind_is_allow(rule->kind) && !rule->path.subtree &&
		    path_is_literal(&rule->path))
			r = note_allowed(l, rule);
	}
	for (size_t i = 0; i < policy->n_rules && r == 0; i++) {
		const struct policy_rule *rule = &policy->rules[i];

		r = lint_missing(l, &rule->path);
		if (rule->action < POLICY_ACTION_DENY || !path_is_literal(&rule->path))
			continue;
		for (size_t j = 0; j < l->n_roots && r == 0; j++)
			r = lint_denied(l, rule, j);
		r = r > 0 ? 0 : r;
	}
	return r;
}

int lint_policy_roots(const struct policy_file *file, const struct policy *policy,
		      const struct lint_root *roots, size_t n_roots, struct diag_list *diags)
{
	struct linter l = {.file = file, .roots = roots, .n_roots = n_roots, .diags = diags};
	size_t first = diags->n;
	int r;

	if (n_roots == 0)
		return 0;
	r = lint_policy(&l, policy);
	free(l.allowed);
	diag_list_sort(diags, first);
	return r;
}

int lint_roots(const struct policy_file *file, const struct lint_root *roots, size_t n_roots,
	       struct diag_list *diags)
{
	size_t first = diags->n;
	int r = 0;

	for (size_t i = 0; i < file->n_policies && r == 0; i++)
		r = lint_policy_roots(file, file->policies[i], roots, n_roots, diags);
	diag_list_sort(diags, first);
	return r;
}
