/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Putting into force what was found of links in containers (spellings.h): with the image that is being made, and while one is in
 * force. Where containers have the same links, one more of them is only bound; else the policies are put in force again.
 * Whatever fails leaves the rules as they are written.
 */

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "programs/haetaed/agent.h"
#include "programs/haetaed/log.h"

/* Half of the names that the kernel has room for are left to policies. */
#define SPELLED_NAMES_MAX 2048U

static int make(struct agent *a, const struct policy *const *policies, size_t n, struct spelled_policies *ret)
{
	int r = spellings_policies(&a->identities.spellings, policies, n, ret);

	a->spelled_without_room = r < 0 ? 0 : spelled_policies_bound(ret, a->names, SPELLED_NAMES_MAX);
	return r;
}

/* The policies, and those made of them, in one image. Return: as image_compile(). */
static int compile(struct agent *a, const struct policy *const *policies, size_t n, const struct spelled_policies *made,
		   struct image **ret)
{
	_cleanup_free_ const struct policy **all = calloc(n + made->n + 1, sizeof(*all));
	struct diag_list diags = {};
	int r;

	if (!all)
		return -ENOMEM;
	if (n > 0)
		memcpy(all, policies, n * sizeof(*all));
	for (size_t i = 0; i < made->n; i++)
		all[n + i] = made->items[i];
	r = image_compile(all, n + made->n, a->names, kernel_key(a->kernel), time(NULL), &diags, ret);
	diag_list_deinit(&diags);
	return r > 0 ? -EINVAL : r;
}

/* Events tell the policy, whatever profile refused. */
static int register_profiles(struct agent *a, const struct spelled_policies *made)
{
	int r = 0;

	for (size_t i = 0; i < made->n && r >= 0; i++) {
		uint32_t id;

		r = image_names_profile(a->names, made->items[i]->name, &id);
		if (r >= 0)
			r = rules_add_profile(&a->rules, made->items[i]->name, id);
	}
	return r;
}

int agent_spell_image(struct agent *a, const struct policy *const *policies, size_t n, struct image **image)
{
	_cleanup_(spelled_policies_deinit) struct spelled_policies made = {};
	struct image *with = NULL;
	int r = make(a, policies, n, &made);

	a->identities.spellings.changed = false;
	if (r < 0 || made.n == 0)
		return r;
	r = compile(a, policies, n, &made, &with);
	if (r >= 0)
		r = register_profiles(a, &made);
	if (r == -ENOMEM) {
		(void)image_free(with);
		return r;
	}
	if (r < 0) {
		(void)log_error(r, "Failed to bind what rules name through symbolic links, these hold as they are written");
		(void)image_free(with);
		return 0;
	}
	(void)image_free(*image);
	*image = with;
	return spellings_bind(&a->identities.spellings, &made, a->names, kernel_key(a->kernel), *image,
			      &a->spelled_without_room);
}

static bool image_has(const struct image *image, const char *policy)
{
	for (size_t i = 0; i < image->n_profiles; i++)
		if (strcmp(image->profiles[i].policy, policy) == 0)
			return true;
	return false;
}

/* Return: 1; 0: some of it is not in the image in force; negative errno. */
static int bind_known(struct agent *a, const struct policy *const *policies, size_t n)
{
	_cleanup_(spelled_policies_deinit) struct spelled_policies made = {};
	const struct spellings *s = &a->identities.spellings;
	int r = make(a, policies, n, &made);

	for (size_t i = 0; i < made.n && r >= 0; i++)
		if (!image_has(a->image, made.items[i]->name))
			return 0;
	if (r >= 0)
		r = spellings_bind(s, &made, a->names, kernel_key(a->kernel), a->image,
				   &a->spelled_without_room);
	for (size_t i = 0; i < s->n && r >= 0; i++) {
		_cleanup_free_ char *text = NULL;

		if (i > 0 && s->items[i].cgroup == s->items[i - 1].cgroup)
			continue;
		r = kernel_bind_cgroup(a->kernel, a->image, s->items[i].cgroup_path, /* running= */ true, &text);
		if (r == -ENOENT)
			r = 0; /* it has gone */
		if (r < 0 && text)
			log_warning("%s", text);
	}
	return r < 0 ? r : 1;
}

void agent_respell(struct agent *a)
{
	_cleanup_free_ const struct policy **policies = NULL;
	_cleanup_free_ char *text = NULL;
	size_t n = 0;
	int r;

	if (!a->identities.spellings.changed || !a->image)
		return;
	a->identities.spellings.changed = false; /* what fails is tried again with the next one, or a publish */
	r = agent_policies(a, &policies, &n);
	/* a container that is disarmed is bound to variants, which only a publish makes */
	if (r >= 0)
		r = a->disarms.n == 0 ? bind_known(a, policies, n) : 0;
	if (r == 0)
		r = agent_reload(a, &text); /* told there */
	else if (r < 0)
		(void)log_error(r, "Failed to bind what rules name through symbolic links, ignoring");
}
