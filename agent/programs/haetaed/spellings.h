/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Which directories of rules are reached through symbolic links, in which container, and where they are (compile/spelling.h).
 * Found with the identities, in the same children; what was found stays as long as the container does. Each container whose
 * links matter is bound to one more profile for each such policy; containers with the same links share it.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "compile/image.h"
#include "policy/policy.h"

/* Places of one directory that are remembered in one container: who makes a link lead elsewhere again and again gets no more. */
#define SPELLINGS_PLACES_MAX 8U

struct spelled {
	uint64_t cgroup;
	char *cgroup_path;
	char *policy;
	char *from, *to;
	bool seen; /* its cgroup was, in this round */
};

struct spellings {
	struct spelled *items; /* by cgroup, policy, from, to */
	size_t n, size;
	bool changed; /* something was found that is not in force; for whoever publishes to take back */
};

void spellings_deinit(struct spellings *s);
/* A directory was found. policy: a name, perhaps of a variant. Return: 0 (also if it was known, is where the rules say, or
 * cannot be written as a rule), -ENOSPC more than SPELLINGS_PLACES_MAX, -ENOMEM. */
int spellings_add(struct spellings *s, uint64_t cgroup, const char *cgroup_path, const char *policy,
		  const char *from, const char *to);
/* A cgroup is gone. */
void spellings_release(struct spellings *s, uint64_t cgroup);

/* Begin a round of spellings_see(); at its end drop what was not seen in it. */
void spellings_round(struct spellings *s);
void spellings_see(struct spellings *s, uint64_t cgroup);
void spellings_sweep(struct spellings *s);

/* Policies made for what was found. */
struct spelled_policies {
	struct policy **items;
	size_t n;
};

void spelled_policies_deinit(struct spelled_policies *policies);
/* For the policies of a list; they borrow from it. Return: 0, -ENOMEM. */
int spellings_policies(const struct spellings *s, const struct policy *const *policies, size_t n,
		       struct spelled_policies *ret);
/* Drop those whose names would be new beyond that many ids: names are never given back, and a container could use them up with
 * ever new links. Return: how many. */
size_t spelled_policies_bound(struct spelled_policies *policies, const struct image_names *names, uint32_t max);
/* Bind the containers in an image that was compiled with these. Those that have no room for one more profile are added to *no_room.
 * Return: 0; -ENOMEM, -EOVERFLOW. */
int spellings_bind(const struct spellings *s, const struct spelled_policies *made, struct image_names *names,
		   const struct ht_hash_key *key, struct image *image, size_t *no_room);
