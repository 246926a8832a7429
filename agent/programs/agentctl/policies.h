/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* Policies as the commands below `agentctl policy` want them: read from files, directories or the drop-in
 * directories, in one list, with every diagnostic. */

#include "policy/policy.h"
#include "programs/agentctl/agentctl.h"

struct policies {
	struct diag_list diags;
	struct policy_set *set;		   /* of the drop-in directories; NULL: not read */
	struct policy_file **files;	   /* of paths that were named */
	size_t n_files;
	const struct policy **items;	   /* all policies, set before files (borrowed from both) */
	const struct policy_file **owners; /* the file of each */
	size_t n;
	bool failed; /* something could not be read; complained about */
	const struct agentctl *ctl; /* where containers are looked up; borrowed, NULL: where they usually are */
};

/* Read a file, a directory of files, or "-". Ownership is not looked at.
 * Return: 0, also if it is wrong (the diagnostics tell) or cannot be read (failed); -ENOMEM. */
int policies_add_path(struct policies *p, const char *path);
/* Read a text as if it stood in a file of that name. Return: as above. */
int policies_add_text(struct policies *p, const char *name, const char *text, size_t len);
/* Read the drop-in directories, as the agent does. Return: 0; EXIT_CODE_*, complained about. */
int policies_add_dirs(struct policies *p, const struct agentctl *ctl);
/* Make the list. A file that was named stands in for the one of the same file name in the drop-in
 * directories. A policy name that is used twice is an error. Return: 0 or -ENOMEM. */
int policies_collect(struct policies *p);
/* Collect, and compile as the agent would at that time (seconds since 1970), if there were no errors yet.
 * Return: 0, also if something cannot be compiled as written (the diagnostics tell); negative errno. */
int policies_compile(struct policies *p, int64_t now);
/* Index of a policy in the list. Return: -1: there is none of that name. */
ssize_t policies_find(const struct policies *p, const char *name);
void policies_deinit(struct policies *p);
