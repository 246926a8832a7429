/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Which rules bind the object that is found under their path, and to what: those that refuse and whose path has no
 * wildcard. Rules that allow do not: an object has no more rights for having an allowed name elsewhere. Nor do rules
 * that only record, and what has expired.
 *
 * Only the operations that the rule itself speaks of are bound. What else the profile says of the path (its defaults,
 * wildcards) is said of the name, and another name of the object may be judged otherwise.
 */

#include "compile/identity.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "compile/judge.h"
#include "compile/spelling.h"
#include "policy/path.h"
#include "util/cleanup.h"

static bool rule_binds(const struct policy_rule *rule, int64_t now)
{
	switch (rule->kind) {
	case POLICY_RULE_EXEC_DENY:
	case POLICY_RULE_FILE_DENY:
		return policy_rule_state(rule, now) != POLICY_RULE_EXPIRED &&
		       !policy_component_has_wildcard(rule->path.text, strlen(rule->path.text));
	case POLICY_RULE_EXEC_DEFAULT:
	case POLICY_RULE_EXEC_ALLOW:
	case POLICY_RULE_FILE_DEFAULT:
	case POLICY_RULE_FILE_ALLOW:
	case POLICY_RULE_EXEC_AUDIT:
	case POLICY_RULE_FILE_AUDIT:
	case POLICY_RULE_EXEC_LIBRARY:
	case POLICY_RULE_EXEC_ANONYMOUS:
	case POLICY_RULE_EXEC_WRITABLE:
	case POLICY_RULE_KERNEL:
	case _POLICY_RULE_KIND_MAX:
	default:
		return false;
	}
}

/* A path, and the operations that rules of it speak of. */
struct identity_wish {
	const char *path;
	uint32_t ops;
};

static int wish_compare(const void *a, const void *b)
{
	return strcmp(((const struct identity_wish *)a)->path,
		      ((const struct identity_wish *)b)->path);
}

/* One wish for each path, sorted. Return: 0, -ENOMEM. */
static int wishes_gather(const struct policy *policy, int64_t now, struct identity_wish **ret, size_t *ret_n)
{
	struct identity_wish *wishes = calloc(policy->n_rules + 1, sizeof(*wishes));
	size_t n = 0, kept = 0;

	if (!wishes)
		return -ENOMEM;
	for (size_t i = 0; i < policy->n_rules; i++)
		if (rule_binds(&policy->rules[i], now))
			wishes[n++] = (struct identity_wish){
				.path = policy->rules[i].path.text,
				.ops = policy->rules[i].ops,
			};
	qsort(wishes, n, sizeof(*wishes), wish_compare);
	for (size_t i = 0; i < n; i++) {
		if (kept > 0 && strcmp(wishes[kept - 1].path, wishes[i].path) == 0)
			wishes[kept - 1].ops |= wishes[i].ops;
		else
			wishes[kept++] = wishes[i];
	}
	*ret = wishes;
	*ret_n = kept;
	return 0;
}

/* What is left of an entry for the operations of the rules alone. Return: does it still say anything? */
static bool entry_narrow(struct ht_entry *e, uint32_t ops)
{
	e->deny &= (uint16_t)ops;
	e->audit &= (uint16_t)ops;
	e->kill &= (uint16_t)ops;
	e->would &= (uint16_t)ops;
	e->cond &= (uint16_t)ops;
	e->image = 0; /* of a name: allow rules have it */
	e->below = 0; /* and this is of what lies below the name */
	return (e->deny | e->audit | e->would | e->cond) != 0;
}

static int identity_add(const struct image *image, const struct ht_hash_key *key,
			struct image_profile *profile, const struct identity_wish *wish)
{
	struct image_component components[HT_RULE_DEPTH_MAX];
	struct image_identity *id = &profile->identities[profile->n_identities];
	const char *p = wish->path, *name;
	size_t n = 0, len;
	int r;

	while (policy_path_next(&p, &name, &len)) {
		if (n == ARRAY_LEN(components))
			return -EINVAL; /* refused by the compiler before */
		components[n++] = (struct image_component){.name = name, .len = len};
	}
	r = image_locate(image, profile, key, components, n, &id->entry);
	if (r < 0)
		return r;
	if (!entry_narrow(&id->entry, wish->ops))
		return 0; /* excepted everywhere */
	id->path = strdup(wish->path);
	if (!id->path)
		return -ENOMEM;
	profile->n_identities++;
	return 0;
}

int identities_compile(const struct policy *policy, int64_t now, const struct image *image,
		       const struct ht_hash_key *key, struct image_profile *profile)
{
	_cleanup_free_ struct identity_wish *wishes = NULL;
	size_t n;
	int r;

	if (strchr(policy->name, IMAGE_VARIANT_MARK))
		return 0;
	r = spelling_directories(policy, &profile->directories, &profile->n_directories);
	if (r >= 0)
		r = wishes_gather(policy, now, &wishes, &n);
	if (r < 0)
		return r;
	profile->identities = calloc(n + 1, sizeof(*profile->identities));
	if (!profile->identities)
		return -ENOMEM;
	for (size_t i = 0; i < n && r >= 0; i++)
		r = identity_add(image, key, profile, &wishes[i]);
	if (r < 0 || profile->n_identities == 0)
		return r;
	/* pairs are sorted, the header is the first */
	profile->pairs[0].entry.flags |= HT_PROFILE_IDENTITIES;
	profile->digest = ht_hash_name(key, profile->pairs, profile->n_pairs * sizeof(*profile->pairs));
	return 0;
}

int identities_copy(const struct image_profile *from, struct image_profile *to)
{
	to->n_identities = 0;
	to->n_directories = 0;
	to->identities = calloc(from->n_identities + 1, sizeof(*to->identities));
	to->directories = calloc(from->n_directories + 1, sizeof(*to->directories));
	if (!to->identities || !to->directories)
		return -ENOMEM;
	for (size_t i = 0; i < from->n_directories; i++) {
		to->directories[i] = strdup(from->directories[i]);
		if (!to->directories[i])
			return -ENOMEM;
		to->n_directories++;
	}
	for (size_t i = 0; i < from->n_identities; i++) {
		struct image_identity *id = &to->identities[i];

		*id = from->identities[i];
		id->path = strdup(from->identities[i].path);
		if (!id->path)
			return -ENOMEM;
		to->n_identities++;
	}
	return 0;
}

void identities_deinit(struct image_profile *profile)
{
	for (size_t i = 0; i < profile->n_identities; i++)
		free(profile->identities[i].path);
	free(profile->identities);
	for (size_t i = 0; i < profile->n_directories; i++)
		free(profile->directories[i]);
	free(profile->directories);
}

static int path_compare(const void *path, const void *identity)
{
	return strcmp(path, ((const struct image_identity *)identity)->path);
}

const struct image_identity *image_identity_find(const struct image_profile *profile,
						 const char *path)
{
	if (profile->n_identities == 0)
		return NULL;
	return bsearch(path, profile->identities, profile->n_identities,
		       sizeof(*profile->identities), path_compare);
}
