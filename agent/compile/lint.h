/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * What is no error in a policy and yet not what its writer meant. Each function adds warnings,
 * which tell what to write instead. None needs a kernel that enforces.
 */

#include <stddef.h>

#include "policy/policy.h"

/* From the text alone: a deny-list of programs, an allow-list of what the container can write, an
 * allow that opens a way out. Return: 0, -ENOMEM. */
int lint_policies(const struct policy_file *file, struct diag_list *diags);

/* A directory in which paths are looked up, as a container would see them. */
struct lint_root {
	const char *path; /* as the user knows it */
	int fd;		  /* O_DIRECTORY or O_PATH, borrowed */
};

/* Against the root directories of the containers a file is meant for: a path that none of them has,
 * a denied name of something that is allowed, and files below a refused directory that have names
 * elsewhere. Return: 0, -ENOMEM. */
int lint_roots(const struct policy_file *file, const struct lint_root *roots, size_t n_roots,
	       struct diag_list *diags);

/* The same for one policy of the file, and the containers that run under it. */
int lint_policy_roots(const struct policy_file *file, const struct policy *policy,
		      const struct lint_root *roots, size_t n_roots, struct diag_list *diags);

/* The last of these, for the directory of one rule in one root: told of the first such file. Looks at
 * 20,000 names at most. Return: 0, -ENOMEM. */
int lint_links(const struct policy_file *file, const struct policy_path *path, const struct lint_root *root,
	       struct diag_list *diags);

/* Against a cgroup tree (tree_fd: /sys/fs/cgroup): an entry of `match` that selects none of it.
 * Return: 0, -ENOMEM, other negative errno if the tree cannot be read. */
int lint_cgroups(const struct policy_file *file, int tree_fd, struct diag_list *diags);

/* One warning about a line of the file, with that line. */
_printf_(5, 6) int lint_warn(const struct policy_file *file, struct policy_location location,
			     struct diag_list *diags, const char *expected, const char *format,
			     ...);
