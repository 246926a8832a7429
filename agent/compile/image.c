/* SPDX-License-Identifier: Apache-2.0 */

/*
 * A policy set as an image. Owned by whoever compiled it; immutable afterwards. Nothing in it
 * points into a policy or into the names, so both may change while it lives.
 */

#include "compile/image.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "compile/array.h"
#include "compile/identity.h"
#include "compile/intern.h"
#include "compile/profile.h"
#include "util/cleanup.h"

DEFINE_CLEANUP(struct image *, image_freep, image_free)

struct image *image_free(struct image *image)
{
	if (!image)
		return NULL;
	free(image->matcher.pairs);
	for (size_t i = 0; i < image->n_profiles; i++) {
		free(image->profiles[i].policy);
		free(image->profiles[i].pairs);
		identities_deinit(&image->profiles[i]);
	}
	free(image->profiles);
	free(image->globs);
	for (size_t i = 0; i < image->n_bindings; i++)
		free(image->bindings[i].cgroup);
	free(image->bindings);
	free(image);
	return NULL;
}

static void intern_cleanup(struct intern *in)
{
	intern_deinit(in);
}

/* Two policies of one name would share an id, and one would be lost. */
static int image_check_names(const struct policy *const *policies, size_t n,
			     struct diag_list *diags)
{
	_cleanup_(intern_cleanup) struct intern seen = {};
	int worst = 0, r;

	for (size_t i = 0; i < n; i++) {
		uint32_t first;

		r = intern_put(&seen, policies[i]->name, strlen(policies[i]->name), &first);
		if (r < 0)
			return r;
		if (r == INTERN_NEW)
			continue;
		worst = input_error(diags, policies[i], policies[i]->location,
				    "policy name \"%s\" is used twice: rename one",
				    policies[i]->name);
		if (worst < 0)
			return worst;
	}
	return worst;
}

/* Profiles one by one, going on after a bad one so that every error is told at once. */
static int image_compile_profiles(struct image *image, const struct policy *const *policies,
				  size_t n, int64_t now, struct emit *e, struct diag_list *diags,
				  uint32_t *ids)
{
	int worst = 0, r;

	image->profiles = calloc(n ? n : 1, sizeof(*image->profiles));
	if (!image->profiles)
		return -ENOMEM;
	for (size_t i = 0; i < n; i++) {
		struct image_profile *p = &image->profiles[image->n_profiles++];

		p->policy = strdup(policies[i]->name);
		if (!p->policy)
			return -ENOMEM;
		r = image_names_profile(e->names, p->policy, &p->id);
		if (r < 0)
			return r;
		ids[i] = p->id;
		r = profile_compile(policies[i], now, e, diags, p);
		if (r < 0)
			return r;
		if (r != 0)
			worst = r;
	}
	return worst;
}

static int glob_compare(const void *a, const void *b)
{
	uint32_t x = ((const struct image_glob *)a)->id, y = ((const struct image_glob *)b)->id;

	return x < y ? -1 : x > y;
}

static int image_fill(struct image *image, const struct policy *const *policies, size_t n,
		      int64_t now, struct emit *e, struct diag_list *diags)
{
	_cleanup_free_ uint32_t *ids = calloc(n ? n : 1, sizeof(*ids));
	int worst, r;

	if (!ids)
		return -ENOMEM;
	worst = image_check_names(policies, n, diags);
	if (worst < 0)
		return worst;
	r = image_compile_profiles(image, policies, n, now, e, diags, ids);
	if (r < 0)
		return r;
	if (r != 0)
		worst = r;
	r = matcher_compile(policies, ids, n, e, diags, &image->matcher);
	if (r < 0)
		return r;
	return r != 0 ? r : worst;
}

static int64_t next_change(const struct policy *const *policies, size_t n, int64_t now)
{
	int64_t at = 0;

	for (size_t i = 0; i < n; i++) {
		int64_t own = policy_changes_at(policies[i], now);

		if (own != 0 && (at == 0 || own < at))
			at = own;
	}
	return at;
}

int image_compile(const struct policy *const *policies, size_t n_policies,
		  struct image_names *names, const struct ht_hash_key *key, int64_t now,
		  struct diag_list *diags, struct image **ret_image)
{
	_cleanup_(image_freep) struct image *image = calloc(1, sizeof(*image));
	_cleanup_(emit_deinit) struct emit e = {.names = names, .key = key, .hash = emit_hash};
	int r;

	if (!image)
		return -ENOMEM;
	r = image_fill(image, policies, n_policies, now, &e, diags);
	if (r != 0)
		return r;
	if (e.n_globs > 0)
		qsort(e.globs, e.n_globs, sizeof(*e.globs), glob_compare);
	image->globs = steal_ptr(e.globs);
	image->n_globs = e.n_globs;
	image->changes_at = next_change(policies, n_policies, now);
	for (size_t i = 0; i < n_policies; i++) {
		r = identities_compile(policies[i], now, image, key, &image->profiles[i]);
		if (r < 0)
			return r;
	}
	*ret_image = steal_ptr(image);
	return 0;
}

uint32_t image_profile_lines(const struct image_profile *profile)
{
	for (size_t i = 0; i < profile->n_pairs; i++) {
		const struct image_pair *p = &profile->pairs[i];

		if (p->key.state == HT_STATE_HEADER && p->key.kind == HT_EDGE_KERNEL)
			return p->entry.deny | p->entry.would | p->entry.audit;
	}
	return 0;
}
