/* SPDX-License-Identifier: Apache-2.0 */

/*
 * The walk over an image's pairs, step by step as the kernel half does it over its maps. Never
 * trusts the image: whatever is missing or out of range is -EINVAL, not a guess.
 */

#include "compile/image.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "compile/pattern.h"

static int key_compare(const void *a, const void *b)
{
	const struct ht_edge_key *x = a, *y = &((const struct image_pair *)b)->key;

	if (x->state != y->state)
		return x->state < y->state ? -1 : 1;
	if (x->kind != y->kind)
		return x->kind < y->kind ? -1 : 1;
	return x->name < y->name ? -1 : x->name > y->name;
}

static const struct ht_entry *profile_lookup(const struct image_profile *profile, uint32_t state,
					     uint32_t kind, uint64_t name)
{
	struct ht_edge_key key = {.state = state, .kind = kind, .name = name};
	const struct image_pair *pair;

	if (profile->n_pairs == 0)
		return NULL;
	pair = bsearch(&key, profile->pairs, profile->n_pairs, sizeof(*profile->pairs),
		       key_compare);
	return pair ? &pair->entry : NULL;
}

static int glob_compare(const void *a, const void *b)
{
	uint32_t x = *(const uint32_t *)a, y = ((const struct image_glob *)b)->id;

	return x < y ? -1 : x > y;
}

static const struct ht_glob *image_glob(const struct image *image, uint32_t id)
{
	const struct image_glob *glob;

	if (image->n_globs == 0)
		return NULL;
	glob = bsearch(&id, image->globs, image->n_globs, sizeof(*image->globs), glob_compare);
	return glob && glob->glob.len <= HT_GLOB_MAX ? &glob->glob : NULL;
}

/* The set of the state's wildcards that match a name. */
static int state_match_globs(const struct image *image, const struct image_profile *profile,
			     const struct ht_entry *at, const struct image_component *c,
			     uint32_t *ret_mask)
{
	uint32_t n = at->flags & HT_ENTRY_GLOBS, mask = 0;

	if (n > HT_GLOBS_MAX)
		return -EINVAL;
	for (uint32_t i = 0; i < n; i++) {
		const struct ht_entry *entry = profile_lookup(profile, at->next, HT_EDGE_GLOB, i);
		const struct ht_glob *glob = entry ? image_glob(image, entry->next) : NULL;

		if (!glob)
			return -EINVAL;
		if (component_match((struct component){.text = glob->text, .len = glob->len},
				    c->name, c->len))
			mask |= 1U << i;
	}
	*ret_mask = mask;
	return 0;
}

/* One step. Return: 0 with the entry that describes the next state, -EINVAL. */
static int walk_step(const struct image *image, const struct image_profile *profile,
		     const struct ht_hash_key *key, const struct image_component *c,
		     const struct ht_entry **at)
{
	const struct ht_entry *here = *at, *next = NULL;
	uint32_t mask;
	int r;

	if (here->flags & HT_ENTRY_NAMES)
		next = profile_lookup(profile, here->next, HT_EDGE_NAME,
				      ht_hash_name(key, c->name, c->len));
	if (!next && (here->flags & HT_ENTRY_GLOBS)) {
		r = state_match_globs(image, profile, here, c, &mask);
		if (r < 0)
			return r;
		if (mask != 0)
			next = profile_lookup(profile, here->next, HT_EDGE_MASK, mask);
	}
	if (!next && (here->flags & HT_ENTRY_ELSE)) {
		next = profile_lookup(profile, here->next, HT_EDGE_ELSE, 0);
		if (!next)
			return -EINVAL;
	}
	if (!next)
		next = profile_lookup(profile, HT_STATE_HEADER, HT_EDGE_OTHER, 0);
	if (!next)
		return -EINVAL;
	*at = next;
	return 0;
}

static int walk_start(const struct image_profile *profile, const struct ht_entry **ret_header,
		      const struct ht_entry **ret_at)
{
	const struct ht_entry *header, *start, *other;

	header = profile_lookup(profile, HT_STATE_HEADER, HT_EDGE_HEADER, 0);
	start = profile_lookup(profile, HT_STATE_HEADER, HT_EDGE_START, 0);
	other = profile_lookup(profile, HT_STATE_HEADER, HT_EDGE_OTHER, 0);
	if (!header || !start || !other || header->next != start->next ||
	    other->next != HT_STATE_OTHER || !(other->flags & HT_ENTRY_FINAL))
		return -EINVAL;
	*ret_header = header;
	*ret_at = start;
	return 0;
}

static int walk_run(const struct image *image, const struct image_profile *profile,
		    const struct ht_hash_key *key, const struct image_component *components,
		    size_t n, const struct ht_entry **ret_header, const struct ht_entry **ret_at)
{
	int r;

	r = walk_start(profile, ret_header, ret_at);
	for (size_t i = 0; r >= 0 && i < n && !((*ret_at)->flags & HT_ENTRY_FINAL); i++)
		r = walk_step(image, profile, key, &components[i], ret_at);
	return r;
}

int image_locate(const struct image *image, const struct image_profile *profile,
		 const struct ht_hash_key *key, const struct image_component *components, size_t n,
		 struct ht_entry *ret_entry)
{
	const struct ht_entry *header, *at;
	int r;

	r = walk_run(image, profile, key, components, n, &header, &at);
	if (r < 0)
		return r;
	*ret_entry = *at;
	return 0;
}

int image_evaluate(const struct image *image, const struct image_profile *profile,
		   const struct ht_hash_key *key, const struct image_component *components,
		   size_t n, struct image_answer *ret_answer)
{
	const struct ht_entry *header, *at, *rule;
	struct image_answer answer = {};
	int r;

	r = walk_run(image, profile, key, components, n, &header, &at);
	if (r < 0)
		return r;
	answer.state = at->next;
	/* What the header does not name is never walked for. */
	answer.deny = at->deny & header->deny;
	answer.audit = at->audit & header->audit;
	for (uint32_t op = 0; op < HT_OP_MAX; op++) {
		if (!(answer.deny & (1U << op)))
			continue;
		rule = profile_lookup(profile, at->next, HT_EDGE_RULE, op);
		answer.rule[op] = rule ? rule->rule : 0;
	}
	*ret_answer = answer;
	return 0;
}

int image_match_cgroup(const struct image *image, const struct ht_hash_key *key, const char *path,
		       uint32_t ids[HT_PROFILES_MAX])
{
	const struct ht_entry *header, *at, *bind;
	uint32_t n;
	int r;

	r = walk_start(&image->matcher, &header, &at);
	if (r < 0)
		return r;
	while (!(at->flags & HT_ENTRY_FINAL)) {
		struct image_component c;

		path += strspn(path, "/");
		c = (struct image_component){.name = path, .len = strcspn(path, "/")};
		if (c.len == 0)
			break;
		r = walk_step(image, &image->matcher, key, &c, &at);
		if (r < 0)
			return r;
		path += c.len;
	}
	n = at->flags >> HT_ENTRY_COUNT_SHIFT;
	for (uint32_t i = 0; i < n && i < HT_PROFILES_MAX; i++) {
		bind = profile_lookup(&image->matcher, at->next, HT_EDGE_BIND, i);
		if (!bind)
			return -EINVAL;
		ids[i] = bind->next;
	}
	return (int)n;
}
