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
#include "policy/path.h"
#include "util/cleanup.h"

struct matcher_builder {
	const uint32_t *ids;
	struct input input;
	struct matcher_pattern {
		uint32_t owner; /* index of the policy; MONITOR: a name that some patterns do not mean */
		bool spares;	/* binds no monitor (policy_match_spares_monitors()) */
	} *patterns;
	size_t patterns_size;
	bool monitor_anywhere[POLICY_MONITORS]; /* is a pattern already */
};

#define MONITOR UINT32_MAX

static void matcher_builder_deinit(struct matcher_builder *b)
{
	input_deinit(&b->input);
	free(b->patterns);
}

/* Patterns come in the order of the policies, so equal owners are neighbours. */
static int matcher_judge(const void *userdata, const uint32_t *matched, size_t n,
			 struct automaton_verdict *v, uint32_t *binds, size_t *ret_n_binds)
{
	const struct matcher_builder *b = userdata;
	uint32_t last = MONITOR;
	bool monitor = false;
	size_t n_binds = 0;

	for (size_t i = 0; i < n; i++)
		monitor = monitor || b->patterns[matched[i]].owner == MONITOR;
	for (size_t i = 0; i < n; i++) {
		const struct matcher_pattern *pattern = &b->patterns[matched[i]];

		if (pattern->owner == MONITOR || pattern->owner == last || (monitor && pattern->spares))
			continue;
		last = pattern->owner;
		binds[n_binds++] = b->ids[last];
	}
	*ret_n_binds = n_binds;
	return 0;
}

static int matcher_add(struct matcher_builder *b, const struct input_spec *spec, uint32_t owner, bool spares)
{
	uint32_t pattern;
	int r;

	r = input_add(&b->input, spec, &pattern);
	if (r != 0)
		return r;
	if (array_reserve(b->patterns, b->patterns_size, (size_t)pattern + 1) < 0)
		return -ENOMEM;
	b->patterns[pattern] = (struct matcher_pattern){.owner = owner, .spares = spares};
	return 0;
}

/* The names of monitors that an entry would catch, at the place where it would, or anywhere for units. */
static int matcher_spare(struct matcher_builder *b, const struct policy_match *match, const struct input_spec *of)
{
	int r = 0;

	for (size_t i = 0; i < POLICY_MONITORS && r == 0; i++) {
		const char *name = policy_monitors[i];
		struct input_text texts[INPUT_TEXTS_MAX];
		struct input_spec spec = *of;
		const struct input_text *last = of->n_texts > 0 ? &of->texts[of->n_texts - 1] : NULL;

		spec.also = spec.loop = NULL;
		if (match->unit) {
			if (b->monitor_anywhere[i] ||
			    !policy_component_overlaps(match->unit, strlen(match->unit), name, strlen(name)))
				continue;
			b->monitor_anywhere[i] = true;
			spec.n_texts = 0;
			spec.subtree = false;
			spec.loop = name;
		} else {
			if (!last || !policy_component_overlaps(last->text, last->len, name, strlen(name)))
				continue;
			memcpy(texts, of->texts, of->n_texts * sizeof(*texts));
			texts[of->n_texts - 1] = (struct input_text){.text = name, .len = strlen(name)};
			spec.texts = texts;
		}
		r = matcher_add(b, &spec, MONITOR, false);
	}
	return r;
}

static int matcher_add_both(struct matcher_builder *b, struct input_spec *spec, const char *unit,
			    uint32_t owner, bool spares)
{
	bool subtree = spec->subtree;
	int r = INPUT_NEVER;

	spec->subtree = false;
	if (spec->n_texts > 0) {
		spec->also = unit;
		r = matcher_add(b, spec, owner, spares);
		spec->also = NULL;
	}
	if (!subtree || (r != 0 && r != INPUT_NEVER))
		return r;
	spec->loop = unit;
	return matcher_add(b, spec, owner, spares);
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
	bool spares = policy_match_spares_monitors(match);
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
	if (spares) {
		r = matcher_spare(b, match, &spec);
		if (r != 0)
			return r;
	}
	if (!match->unit)
		return matcher_add(b, &spec, owner, spares);
	if (!match->cgroup.text) {
		spec.loop = match->unit;
		return matcher_add(b, &spec, owner, spares);
	}
	r = matcher_add_both(b, &spec, match->unit, owner, spares);
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
