/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Surgery on the cgroup matcher. The states on the way to the container's cgroup are copied, each copy with one
 * exact edge to the next; so every other path still finds what it found. Of the states from the container on
 * downwards everything that can be reached is copied, with the variants in the place of the originals.
 */

#include "compile/disarm.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "compile/identity.h"
#include "compile/pattern.h"
#include "util/cleanup.h"

/* Mixed into the digest of a profile that does not refuse: the kernel has to be given it anew. */
#define DIGEST_DISARMED 0x9e3779b97f4a7c15ULL
#define VARIANT_HASH_LEN 16U

struct surgery {
	struct image *image;
	struct image_names *names;
	const struct ht_hash_key *key;
	const struct image_disarm *disarm;
	uint64_t hash; /* of the cgroup, for the names of variants */

	/* what the matcher was, sorted */
	const struct image_pair *old;
	size_t n_old;
	/* what is added */
	struct image_pair *fresh;
	size_t n_fresh, fresh_size;

	uint32_t n_states; /* also the next free number */
	uint32_t n_copies; /* states there were before */
	uint32_t *copies;  /* by old state: its copy below the container, 0: none yet */
	uint32_t *todo;	   /* old states that have a copy whose pairs are not there yet */
	size_t n_todo;

	uint32_t (*variants)[2]; /* original, variant */
	size_t n_variants;
};

static void surgery_deinit(struct surgery *s)
{
	free(s->fresh);
	free(s->copies);
	free(s->todo);
	free(s->variants);
}

static int key_compare(const struct ht_edge_key *x, const struct ht_edge_key *y)
{
	if (x->state != y->state)
		return x->state < y->state ? -1 : 1;
	if (x->kind != y->kind)
		return x->kind < y->kind ? -1 : 1;
	return x->name < y->name ? -1 : x->name > y->name;
}

static int pair_compare(const void *a, const void *b)
{
	return key_compare(&((const struct image_pair *)a)->key, &((const struct image_pair *)b)->key);
}

static const struct ht_entry *old_find(const struct surgery *s, uint32_t state, uint32_t kind,
				       uint64_t name)
{
	struct image_pair wanted = {.key = {.state = state, .kind = kind, .name = name}};
	const struct image_pair *pair;

	pair = s->n_old ? bsearch(&wanted, s->old, s->n_old, sizeof(*s->old), pair_compare) : NULL;
	return pair ? &pair->entry : NULL;
}

/* Index of the first pair of a state. */
static size_t old_first(const struct surgery *s, uint32_t state)
{
	size_t low = 0, high = s->n_old;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (s->old[middle].key.state < state)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

static int fresh_add(struct surgery *s, uint32_t state, uint32_t kind, uint64_t name,
		     const struct ht_entry *entry)
{
	if (s->n_old + s->n_fresh >= IMAGE_PAIRS_MAX)
		return -E2BIG;
	if (s->n_fresh == s->fresh_size) {
		size_t size = s->fresh_size ? 2 * s->fresh_size : 64;
		struct image_pair *grown = reallocarray(s->fresh, size, sizeof(*grown));

		if (!grown)
			return -ENOMEM;
		s->fresh = grown;
		s->fresh_size = size;
	}
	s->fresh[s->n_fresh++] = (struct image_pair){
		.key = {.state = state, .kind = kind, .name = name},
		.entry = *entry,
	};
	return 0;
}

/* ---- variants ---- */

static struct ht_entry *profile_header(struct image_profile *profile)
{
	struct image_pair wanted = {.key = {.state = HT_STATE_HEADER, .kind = HT_EDGE_HEADER}};
	struct image_pair *pair = bsearch(&wanted, profile->pairs, profile->n_pairs,
					  sizeof(*profile->pairs), pair_compare);

	return pair ? &pair->entry : NULL;
}

static void profile_disarm(struct image_profile *profile)
{
	struct ht_entry *header = profile_header(profile);

	if (!header || !(header->flags & HT_PROFILE_ENFORCE) || (header->flags & HT_PROFILE_CANARY))
		return;
	header->flags &= ~HT_PROFILE_ENFORCE;
	profile->digest ^= DIGEST_DISARMED;
}

/* "web#0123456789abcdef"; the hash keeps variants of policies apart whose names do not fit. */
static char *variant_name(const struct surgery *s, const char *policy)
{
	uint64_t hash = s->hash ^ ht_hash_name(s->key, policy, strlen(policy));
	char *name;

	if (asprintf(&name, "%.*s%c%016llx", (int)(HT_POLICY_NAME_MAX - 1 - VARIANT_HASH_LEN), policy,
		     IMAGE_VARIANT_MARK, (unsigned long long)hash) < 0)
		return NULL;
	return name;
}

static ssize_t profile_index(const struct image *image, uint32_t id)
{
	for (size_t i = 0; i < image->n_profiles; i++)
		if (image->profiles[i].id == id)
			return (ssize_t)i;
	return -1;
}

static int variant_make(struct surgery *s, size_t original, uint32_t *ret_id)
{
	struct image *image = s->image;
	struct image_profile *grown, *p;
	int r;

	grown = reallocarray(image->profiles, image->n_profiles + 1, sizeof(*grown));
	if (!grown)
		return -ENOMEM;
	image->profiles = grown;
	p = &grown[image->n_profiles];
	*p = grown[original];
	p->policy = variant_name(s, grown[original].policy);
	p->pairs = reallocarray(NULL, p->n_pairs ? p->n_pairs : 1, sizeof(*p->pairs));
	r = identities_copy(&grown[original], p);
	image->n_profiles++;
	if (!p->policy || !p->pairs || r < 0)
		return -ENOMEM;
	memcpy(p->pairs, grown[original].pairs, p->n_pairs * sizeof(*p->pairs));
	r = image_names_profile(s->names, p->policy, &p->id);
	if (r < 0)
		return r;
	if (!s->disarm->armed)
		profile_disarm(p);
	*ret_id = p->id;
	return 0;
}

/* The variant of a profile; the canary has none. */
static int variant_of(struct surgery *s, uint32_t id, uint32_t *ret_id)
{
	ssize_t original = profile_index(s->image, id);
	struct ht_entry *header;
	void *grown;
	int r;

	for (size_t i = 0; i < s->n_variants; i++)
		if (s->variants[i][0] == id) {
			*ret_id = s->variants[i][1];
			return 0;
		}
	header = original < 0 ? NULL : profile_header(&s->image->profiles[original]);
	if (!header)
		return -EINVAL;
	*ret_id = id;
	if (header->flags & HT_PROFILE_CANARY)
		return 0;
	grown = reallocarray(s->variants, s->n_variants + 1, sizeof(*s->variants));
	if (!grown)
		return -ENOMEM;
	s->variants = grown;
	r = variant_make(s, (size_t)original, ret_id);
	if (r < 0)
		return r;
	s->variants[s->n_variants][0] = id;
	s->variants[s->n_variants++][1] = *ret_id;
	if (!s->disarm->each)
		return 0;
	r = s->disarm->each(s->image->profiles[original].policy, *ret_id, s->disarm->userdata);
	return r < 0 ? r : 0;
}

/* ---- below the container ---- */

static int copy_of(struct surgery *s, uint32_t state, uint32_t *ret)
{
	if (state == HT_STATE_OTHER) {
		*ret = state; /* binds nothing and leads nowhere */
		return 0;
	}
	if (state >= s->n_copies)
		return -EINVAL;
	if (!s->copies[state]) {
		s->copies[state] = s->n_states++;
		s->todo[s->n_todo++] = state;
	}
	*ret = s->copies[state];
	return 0;
}

static int copy_pair(struct surgery *s, const struct image_pair *pair, uint32_t state)
{
	struct ht_entry entry = pair->entry;
	int r = 0;

	switch (pair->key.kind) {
	case HT_EDGE_NAME:
	case HT_EDGE_MASK:
	case HT_EDGE_ELSE:
		r = copy_of(s, pair->entry.next, &entry.next);
		break;
	case HT_EDGE_BIND:
		r = variant_of(s, pair->entry.next, &entry.next);
		break;
	default:
		break;
	}
	return r < 0 ? r : fresh_add(s, state, pair->key.kind, pair->key.name, &entry);
}

static int copy_below(struct surgery *s, struct ht_entry *entry)
{
	int r = copy_of(s, entry->next, &entry->next);

	while (r >= 0 && s->n_todo > 0) {
		uint32_t state = s->todo[--s->n_todo];

		for (size_t i = old_first(s, state); r >= 0 && i < s->n_old && s->old[i].key.state == state;
		     i++)
			r = copy_pair(s, &s->old[i], s->copies[state]);
	}
	return r;
}

/* ---- on the way to it ---- */

static int glob_matches(const struct surgery *s, uint32_t id, const char *name, size_t len)
{
	for (size_t i = 0; i < s->image->n_globs; i++) {
		const struct image_glob *glob = &s->image->globs[i];

		if (glob->id == id)
			return component_match((struct component){.text = glob->glob.text,
								  .len = glob->glob.len},
					       name, len);
	}
	return -EINVAL;
}

/* The entry that a name leads to: what image_match_cgroup() finds. */
static int step(const struct surgery *s, const struct ht_entry *at, const char *name, size_t len,
		struct ht_entry *ret)
{
	const struct ht_entry *next;
	uint32_t mask = 0;

	if (at->flags & HT_ENTRY_FINAL) {
		*ret = *at;
		return 0;
	}
	next = old_find(s, at->next, HT_EDGE_NAME, ht_hash_name(s->key, name, len));
	for (uint32_t i = 0; !next && i < (at->flags & HT_ENTRY_GLOBS); i++) {
		const struct ht_entry *glob = old_find(s, at->next, HT_EDGE_GLOB, i);
		int r = glob ? glob_matches(s, glob->next, name, len) : -EINVAL;

		if (r < 0 || i >= HT_GLOBS_MAX)
			return -EINVAL;
		mask |= (uint32_t)r << i;
	}
	if (!next && mask)
		next = old_find(s, at->next, HT_EDGE_MASK, mask);
	if (!next)
		next = old_find(s, at->next, HT_EDGE_ELSE, 0);
	if (!next)
		next = old_find(s, HT_STATE_HEADER, HT_EDGE_OTHER, 0);
	if (!next)
		return -EINVAL;
	*ret = *next;
	return 0;
}

/* A copy of one state under a new number, but for its edge by one name. */
static int copy_state(struct surgery *s, const struct ht_entry *at, uint32_t to, uint64_t name)
{
	bool final = at->flags & HT_ENTRY_FINAL;
	int r = 0;

	for (size_t i = old_first(s, at->next); i < s->n_old && s->old[i].key.state == at->next; i++) {
		const struct ht_edge_key *key = &s->old[i].key;

		if ((key->kind == HT_EDGE_NAME && key->name == name) ||
		    (final && key->kind != HT_EDGE_BIND))
			continue;
		r = fresh_add(s, to, key->kind, key->name, &s->old[i].entry);
		if (r < 0)
			return r;
	}
	/* what held for everything below goes on to, but for this name */
	return final ? fresh_add(s, to, HT_EDGE_ELSE, 0, at) : 0;
}

static int descend(struct surgery *s, struct ht_entry *at, const char *path, unsigned depth)
{
	struct ht_entry next;
	uint64_t name;
	uint32_t copy;
	size_t len;
	int r;

	path += strspn(path, "/");
	len = strcspn(path, "/");
	if (len == 0)
		return copy_below(s, at);
	if (depth >= HT_CGROUP_DEPTH_MAX)
		return -EINVAL;
	r = step(s, at, path, len, &next);
	if (r >= 0)
		r = descend(s, &next, path + len, depth + 1);
	if (r < 0)
		return r;
	name = ht_hash_name(s->key, path, len);
	copy = s->n_states++;
	r = copy_state(s, at, copy, name);
	if (r >= 0)
		r = fresh_add(s, copy, HT_EDGE_NAME, name, &next);
	if (r < 0)
		return r;
	if (at->flags & HT_ENTRY_FINAL)
		at->flags = (at->flags & ~(HT_ENTRY_FINAL | HT_ENTRY_GLOBS)) | HT_ENTRY_ELSE;
	at->flags |= HT_ENTRY_NAMES;
	at->next = copy;
	return 0;
}

/* ---- what is bound by itself ---- */

static bool is_below(const char *path, const char *top)
{
	size_t n = strlen(top);

	while (n > 0 && top[n - 1] == '/')
		n--;
	return strncmp(path, top, n) == 0 && (path[n] == '\0' || path[n] == '/');
}

static int bindings_disarm(struct surgery *s)
{
	for (size_t i = 0; i < s->image->n_bindings; i++) {
		struct image_binding *b = &s->image->bindings[i];

		for (uint32_t j = 0; is_below(b->cgroup, s->disarm->cgroup) && j < b->n; j++) {
			int r = variant_of(s, b->ids[j], &b->ids[j]);

			if (r < 0)
				return r;
		}
	}
	return 0;
}

/* ---- the whole ---- */

static bool key_leads_to_state(const struct ht_edge_key *key)
{
	return key->kind == HT_EDGE_START || key->kind == HT_EDGE_OTHER || key->kind == HT_EDGE_NAME ||
	       key->kind == HT_EDGE_MASK || key->kind == HT_EDGE_ELSE;
}

static int surgery_begin(struct surgery *s)
{
	s->n_states = HT_STATE_FIRST;
	for (size_t i = 0; i < s->n_old; i++) {
		const struct image_pair *pair = &s->old[i];

		if (pair->key.state >= s->n_states)
			s->n_states = pair->key.state + 1;
		if (key_leads_to_state(&pair->key) && pair->entry.next >= s->n_states)
			s->n_states = pair->entry.next + 1;
	}
	s->n_copies = s->n_states;
	s->copies = calloc(s->n_states, sizeof(*s->copies));
	s->todo = calloc(s->n_states, sizeof(*s->todo));
	return s->copies && s->todo ? 0 : -ENOMEM;
}

/* The old pairs and the fresh ones, with the new start. */
static int surgery_finish(struct surgery *s, const struct ht_entry *start)
{
	struct image_profile *matcher = &s->image->matcher;
	size_t n = s->n_old + s->n_fresh;
	struct image_pair *pairs = reallocarray(NULL, n, sizeof(*pairs));

	if (!pairs)
		return -ENOMEM;
	memcpy(pairs, s->old, s->n_old * sizeof(*pairs));
	memcpy(pairs + s->n_old, s->fresh, s->n_fresh * sizeof(*pairs));
	qsort(pairs, n, sizeof(*pairs), pair_compare);
	free(matcher->pairs);
	matcher->pairs = pairs;
	matcher->n_pairs = n;
	for (size_t i = 0; i < n && pairs[i].key.state == HT_STATE_HEADER; i++) {
		if (pairs[i].key.kind == HT_EDGE_HEADER)
			pairs[i].entry.next = start->next;
		if (pairs[i].key.kind == HT_EDGE_START)
			pairs[i].entry = *start;
	}
	matcher->digest = ht_hash_name(s->key, pairs, n * sizeof(*pairs));
	return 0;
}

int image_disarm(struct image *image, struct image_names *names, const struct ht_hash_key *key,
		 const struct image_disarm *disarm)
{
	_cleanup_(surgery_deinit) struct surgery s = {
		.image = image,
		.names = names,
		.key = key,
		.disarm = disarm,
		.hash = ht_hash_name(key, disarm->cgroup, strlen(disarm->cgroup)),
		.old = image->matcher.pairs,
		.n_old = image->matcher.n_pairs,
	};
	const struct ht_entry *old;
	struct ht_entry start;
	int r;

	old = old_find(&s, HT_STATE_HEADER, HT_EDGE_START, 0);
	if (!old)
		return -EINVAL;
	start = *old;
	r = surgery_begin(&s);
	if (r >= 0)
		r = descend(&s, &start, disarm->cgroup, 0);
	if (r >= 0)
		r = bindings_disarm(&s);
	if (r < 0 || s.n_variants == 0)
		return r;
	r = surgery_finish(&s, &start);
	return r < 0 ? r : (int)s.n_variants;
}

void image_disarm_all(struct image *image)
{
	for (size_t i = 0; i < image->n_profiles; i++)
		profile_disarm(&image->profiles[i]);
}
