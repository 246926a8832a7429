/* SPDX-License-Identifier: Apache-2.0 */

/*
 * The cgroup matcher: one automaton over cgroup paths whose states name the profiles to bind.
 *
 * An entry with a cgroup pattern is that path; with a unit alone, the unit's name at any depth;
 * with both, the cgroup pattern whose last component is also the unit's name, and for a subtree the
 * same name at any depth below it.
 */

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "compile/array.h"
#include "compile/profile.h"
#include "util/cleanup.h"

struct matcher_builder {
	const uint32_t *ids;
	struct input input;
	uint32_t *owners; /* of each pattern: index of the policy */
	size_t owners_size;
};

static void matcher_builder_deinit(struct matcher_builder *b)
{
	input_deinit(&b->input);
	free(b->owners);
}

/* Patterns come in the order of the policies, so equal owners are neighbours. */
static int matcher_judge(const void *userdata, const uint32_t *matched, size_t n,
			 struct automaton_verdict *v, uint32_t *binds, size_t *ret_n_binds)
{
	const struct matcher_builder *b = userdata;
	size_t n_binds = 0;

	for (size_t i = 0; i < n; i++)
		if (i == 0 || b->owners[matched[i]] != b->owners[matched[i - 1]])
			binds[n_binds++] = b->ids[b->owners[matched[i]]];
	*ret_n_binds = n_binds;
	return 0;
}

static int matcher_add(struct matcher_builder *b, const struct input_spec *spec, uint32_t owner)
{
	uint32_t pattern;
	int r;

	r = input_add(&b->input, spec, &pattern);
	if (r != 0)
		return r;
	if (array_reserve(b->owners, b->owners_size, (size_t)pattern + 1) < 0)
		return -ENOMEM;
	b->owners[pattern] = owner;
	return 0;
}

static int matcher_add_both(struct matcher_builder *b, struct input_spec *spec, const char *unit,
			    uint32_t owner)
{
	bool subtree = spec->subtree;
	int r = INPUT_NEVER;

	spec->subtree = false;
	if (spec->n_texts > 0) {
		spec->also = unit;
		r = matcher_add(b, spec, owner);
		spec->also = NULL;
	}
	if (!subtree || (r != 0 && r != INPUT_NEVER))
		return r;
	spec->loop = unit;
	return matcher_add(b, spec, owner);
}

static int matcher_add_entry(struct matcher_builder *b, const struct policy *policy,
			     const struct policy_match *match, uint32_t owner)
{
	struct input_text texts[INPUT_TEXTS_MAX];
	struct input_spec spec = {
		.texts = texts,
		.depth_max = HT_CGROUP_DEPTH_MAX,
		.policy = policy,
		.location = match->location,
	};
	int r;

	/* Which cgroup is which container only the runtime knows: image_bind(). */
	if (policy_match_has_container(match))
		return 0;
	if (!match->unit && !match->cgroup.text)
		return input_error(b->input.diags, policy, match->location,
				   "entry selects nothing: give it a cgroup or a unit");
	if (match->unit && (match->unit[0] == '\0' || strchr(match->unit, '/')))
		return input_error(b->input.diags, policy, match->location,
				   "a unit is one name without slashes: use \"cgroup\" for a path");
	if (match->cgroup.text) {
		spec.n_texts = input_split(match->cgroup.text, texts);
		spec.subtree = match->cgroup.subtree;
		spec.location = match->cgroup.location;
	}
	if (!match->unit)
		return matcher_add(b, &spec, owner);
	if (!match->cgroup.text) {
		spec.loop = match->unit;
		return matcher_add(b, &spec, owner);
	}
	r = matcher_add_both(b, &spec, match->unit, owner);
	if (r == INPUT_NEVER)
		return input_error(
			b->input.diags, policy, match->location,
			"no cgroup can match both the cgroup and the unit of this entry: "
			"write two entries if either should do");
	return r;
}

int matcher_compile(const struct policy *const *policies, const uint32_t *ids, size_t n_policies,
		    struct emit *e, struct diag_list *diags, struct image_profile *ret)
{
	_cleanup_(matcher_builder_deinit) struct matcher_builder b = {
		.ids = ids,
		.input =
			{
				.diags = diags,
				.subject = "the set of all match entries",
				.remedy = "select by cgroup path instead of by unit, or many units "
					  "with one "
					  "wildcard",
			},
	};
	_cleanup_(automaton_deinit) struct automaton a = {};
	int worst = 0, r;

	for (uint32_t i = 0; i < n_policies; i++)
		for (size_t j = 0; j < policies[i]->n_matches; j++) {
			r = matcher_add_entry(&b, policies[i], &policies[i]->matches[j], i);
			if (r < 0)
				return r;
			if (r != 0)
				worst = r;
		}
	r = worst;
	if (r == 0)
		r = automaton_build(&a, &b.input, matcher_judge, &b);
	if (r == 0)
		r = automaton_reduce(&a);
	if (r == 0)
		r = emit_automaton(e, &a, NULL, ret);
	return r;
}
