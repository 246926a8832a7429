/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Rules whose directories are symbolic links. The kernel judges an object by where it is, and what is reached through a link is
 * where the link leads to: a rule on /var/run/secrets/... with /var/run -> /run says nothing of /run/secrets. Where the links
 * of a container lead to is known only when it runs, so what its rules say is said once more, of the other spelling, by a
 * policy of its own that is bound to this container alone.
 *
 * Only rules that refuse or record: a link is the container's to make, and must not allow anything.
 */

#include <stddef.h>
#include <stdint.h>

#include "policy/policy.h"

/* A directory as rules spell it, and where it is. Both literal and canonical; borrowed. */
struct spelling {
	const char *from;
	const char *to;
};

/* The literal directories that the rules of a policy lie in, and those above, each once and in order, but not "/": "/a" and "/a/b"
 * of the rules /a/b/c, /a/b/x*y/c and /a/b/ with everything below. All of them, as the last ones may not be there yet. Return: 0,
 * *ret is a list of *ret_n strings, all of them the caller's; -ENOMEM. */
int spelling_directories(const struct policy *policy, char ***ret, size_t *ret_n);
/* Can rules be written with it? Not with wildcards in its own name, for one. */
bool spelling_is_valid(const char *to);

/* The rules of a policy that lie in or below the directories `from`, as they are with `to`, under another name: same ids, times and
 * conditions, and nothing else. It borrows from `policy`. Return: 0; *ret is NULL if there are none; -ENOMEM. */
int policy_respell(const struct policy *policy, const char *name, const struct spelling *spellings, size_t n,
		   struct policy **ret);
struct policy *policy_respelled_free(struct policy *policy); /* NULL is fine; returns NULL */
