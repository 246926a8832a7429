/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Binding by what a runtime says of a container. Its hook tells before the container's first instruction and waits for
 * the answer (control_bind()); nothing that it tells takes a policy away. What no hook told is found in the tree of
 * cgroups: at every reload, and once a second, a moment after it came.
 */

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "compile/judge.h"
#include "container/selectors.h"
#include "programs/haetaed/agent.h"
#include "programs/haetaed/bindings.h"
#include "programs/haetaed/log.h"
#include "programs/haetaed/process.h"

/* A runtime that has made the cgroup is setting the container up in it, and must not be judged for that: it is left alone for a
 * moment, and as long as it is seen at it, if that ends. */
#define SET_UP_NS 3000000000ULL
#define SET_UP_MAX_NS 60000000000ULL

static bool policy_asks(const struct policy *policy)
{
	for (size_t i = 0; i < policy->n_matches; i++)
		if (policy_match_has_container(&policy->matches[i]))
			return true;
	return false;
}

/* The policies in force that select by container. Return: 0 (free() the list, which is NULL without any), -ENOMEM. */
static int asking(const struct agent *a, const struct policy ***ret, size_t *ret_n)
{
	_cleanup_free_ const struct policy **list = NULL;
	size_t n = 0;

	for (size_t i = 0; a->set && i < a->set->n_sources; i++) {
		const struct policy_file *file = a->set->sources[i].file;

		for (size_t j = 0; file && j < file->n_policies; j++) {
			const struct policy **grown;

			if (!policy_asks(file->policies[j]))
				continue;
			grown = reallocarray(list, n + 1, sizeof(*grown));
			if (!grown)
				return -ENOMEM;
			list = grown;
			list[n++] = file->policies[j];
		}
	}
	*ret = steal_ptr(list);
	*ret_n = n;
	return 0;
}

/* ---- what is known ---- */

static int load_one(struct container_record *record, void *userdata)
{
	struct agent *a = userdata;
	struct binding *b;

	return bindings_put(&a->bindings, record, &b);
}

int agent_bind_load(struct agent *a)
{
	return container_records_load(a->options.runtime_dir, load_one, a);
}

static void forget(struct agent *a, struct binding *b)
{
	container_record_remove(a->options.runtime_dir, b->record.cgroup_id);
	bindings_remove(&a->bindings, b);
}

void agent_bind_release(struct agent *a, uint64_t cgroup_id)
{
	struct binding *b = bindings_find(&a->bindings, cgroup_id);

	if (b)
		forget(a, b);
}

/* Containers that nothing governed leave no notice. */
static void prune(struct agent *a)
{
	for (size_t i = a->bindings.n; i-- > 0;) {
		struct binding *b = &a->bindings.items[i];
		uint64_t id;

		if (kernel_cgroup_id(a->kernel, b->record.cgroup, &id) < 0 || id != b->record.cgroup_id)
			forget(a, b);
	}
	a->bindings.prune_at = 2 * a->bindings.n + 64;
}

/* Learn about a container from its runtime's own files. */
static int look(struct agent *a, struct binding *b)
{
	const struct container_place place = {.root_dir = ""};
	struct container_facts facts;
	int r = container_facts_gather(b->record.facts.runtime, b->record.facts.id, &place, &facts);

	if (r < 0)
		return r;
	container_facts_deinit(&b->record.facts);
	b->record.facts = facts;
	b->pending = false;
	return container_record_save(a->options.runtime_dir, &b->record);
}

static bool is_known(const struct container_facts *facts)
{
	return facts->name && facts->image && facts->labels_known;
}

struct scan {
	struct agent *a;
	bool wait; /* for the runtime's set-up to end */
	size_t found;
};

/* Is its runtime still at work? */
static bool is_set_up_now(struct agent *a, const struct binding *b)
{
	return agent_boottime_ns() < b->seen_ns + SET_UP_MAX_NS && cgroup_is_being_set_up(a->kernel, b->record.cgroup);
}

static int scan_add(struct scan *s, uint64_t id, const char *path, const struct container *c)
{
	struct container_record record = {
		.cgroup = strdup(path),
		.cgroup_id = id,
		.facts = {.runtime = strdup(c->runtime), .id = strdup(c->id ? c->id : c->name)},
	};
	struct binding *b;
	int r;

	r = record.cgroup && record.facts.runtime && record.facts.id ? bindings_put(&s->a->bindings, &record, &b) : -ENOMEM;
	if (r < 0) {
		container_record_deinit(&record);
		return r;
	}
	b->pending = true;
	b->seen_ns = agent_boottime_ns();
	return s->wait || cgroup_is_being_set_up(s->a->kernel, path) ? 0 : look(s->a, b);
}

static int scan_one(uint64_t id, const char *path, void *userdata)
{
	struct scan *s = userdata;
	struct container c = {};
	int r = container_from_cgroup(path, &c);

	if (r >= 0 && container_is_container(&c) && c.cgroup_len == strlen(path) &&
	    container_id_is_valid(c.id ? c.id : c.name)) {
		struct binding *b = bindings_find(&s->a->bindings, id);

		if (!b)
			r = scan_add(s, id, path, &c);
		else if (!s->wait && !b->record.told && !is_known(&b->record.facts) && !(b->pending && is_set_up_now(s->a, b)))
			r = look(s->a, b);
	}
	container_deinit(&c);
	return r == -ENOMEM ? r : 0;
}

int agent_bind_prepare(struct agent *a, const struct policy *const *policies, size_t n)
{
	struct scan s = {.a = a};
	int r = selectors_save(a->options.runtime_dir, policies, n);

	if (r < 0)
		return r;
	prune(a);
	for (size_t i = 0; i < n; i++)
		if (policy_asks(policies[i]))
			return kernel_cgroups_all(a->kernel, scan_one, &s);
	return 0;
}

void agent_bind_revert(struct agent *a)
{
	_cleanup_free_ const struct policy **policies = NULL;
	size_t n = 0;
	int r = asking(a, &policies, &n);

	if (r >= 0)
		r = selectors_save(a->options.runtime_dir, policies, n);
	if (r < 0)
		(void)log_error(r, "Failed to tell the runtimes' hook which policies are in force, ignoring");
}

/* ---- what it means ---- */

/* Profiles that the policies give one container. Return: 0; -E2BIG; -EOVERFLOW, -ENOMEM. */
static int profiles_of(struct agent *a, const struct policy *const *policies, size_t n,
		       const struct container_record *record, uint32_t ids[HT_PROFILES_MAX], size_t *ret_n)
{
	const struct policy_container container = container_facts_view(&record->facts);

	*ret_n = 0;
	for (size_t i = 0; i < n; i++) {
		uint32_t id;
		int r;

		if (!policy_asks(policies[i]) || !policy_matches_cgroup(policies[i], record->cgroup, &container))
			continue;
		r = image_names_profile(a->names, policies[i]->name, &id);
		if (r < 0)
			return r;
		if (*ret_n == HT_PROFILES_MAX)
			return -E2BIG;
		ids[(*ret_n)++] = id;
	}
	return 0;
}

static int bind_in_image(struct agent *a, const struct policy *const *policies, size_t n,
			 const struct container_record *record, struct image *image)
{
	uint32_t ids[HT_PROFILES_MAX];
	size_t n_ids;
	int r = profiles_of(a, policies, n, record, ids, &n_ids);

	return r < 0 ? r : image_bind(image, record->cgroup, ids, n_ids);
}

int agent_bind_image(struct agent *a, const struct policy *const *policies, size_t n, struct image *image)
{
	int r = 0;

	for (size_t i = 0; r >= 0 && i < a->bindings.n; i++)
		if (!a->bindings.items[i].pending)
			r = bind_in_image(a, policies, n, &a->bindings.items[i].record, image);
	return r;
}

void agent_bind_unknown(struct agent *a,
			void (*each)(const struct container_record *record, const struct policy *policy, void *userdata),
			void *userdata)
{
	_cleanup_free_ const struct policy **policies = NULL;
	size_t n = 0;

	if (asking(a, &policies, &n) < 0)
		return;
	for (size_t i = 0; n > 0 && i < a->bindings.n; i++) {
		const struct container_record *record = &a->bindings.items[i].record;
		const struct policy_container container = container_facts_view(&record->facts);

		for (size_t j = 0; j < n && !a->bindings.items[i].pending; j++)
			if (policy_fits_cgroup(policies[j], record->cgroup, &container) == POLICY_FIT_UNKNOWN)
				each(record, policies[j], userdata);
	}
}

/* ---- containers that nobody told of ---- */

bool agent_bind_unhooked(struct agent *a)
{
	static const char *const places[] = {
		"/usr/share/containers/oci/hooks.d/haetae.json",
		"/etc/containers/oci/hooks.d/haetae.json",
	};
	_cleanup_free_ const struct policy **policies = NULL;
	size_t n = 0;

	for (size_t i = 0; i < ARRAY_LEN(places); i++)
		if (access(places[i], F_OK) == 0)
			return false;
	return asking(a, &policies, &n) >= 0 && n > 0;
}

static void bind_late(struct agent *a, const struct policy *const *policies, size_t n, struct binding *b)
{
	_cleanup_free_ char *text = NULL;
	int r = look(a, b);

	if (r >= 0)
		r = bind_in_image(a, policies, n, &b->record, a->image);
	if (r >= 0)
		r = kernel_bind_cgroup(a->kernel, a->image, b->record.cgroup, /* running= */ true, &text);
	if (r >= 0)
		r = containers_add(&a->containers, b->record.cgroup_id, b->record.cgroup);
	if (r >= 0)
		identities_started(&a->identities, a->image, b->record.cgroup);
	if (r < 0 && r != -ENOENT)
		log_warning("Failed to bind container '%s': %s", b->record.facts.id, text ? text : strerror(-r));
}

void agent_bind_tick(struct agent *a)
{
	_cleanup_free_ const struct policy **policies = NULL;
	struct scan s = {.a = a, .wait = true};
	uint64_t now = agent_boottime_ns();
	size_t n = 0;

	if (asking(a, &policies, &n) < 0 || n == 0)
		return;
	if (a->bindings.n >= a->bindings.prune_at)
		prune(a);
	if (kernel_cgroups_all(a->kernel, scan_one, &s) < 0)
		return;
	for (size_t i = 0; i < a->bindings.n; i++) {
		struct binding *b = &a->bindings.items[i];

		if (b->pending && now >= b->seen_ns + SET_UP_NS && !is_set_up_now(a, b))
			bind_late(a, policies, n, b);
	}
}

/* ---- the hook's call ---- */

_printf_(2, 3) static json_t *refuse(char **reterr_text, const char *format, ...)
{
	va_list ap;

	va_start(ap, format);
	if (vasprintf(reterr_text, format, ap) < 0)
		*reterr_text = NULL;
	va_end(ap);
	return NULL;
}

/* Facts and cgroup from the call. Return: 0; negative errno with *reterr_text. */
static int record_from_call(struct agent *a, const json_t *params, struct container_record *ret, char **reterr_text)
{
	const char *cgroup = json_string_value(json_object_get(params, "cgroup"));
	int r = container_facts_from_json(params, &ret->facts);
	size_t len;

	if (r < 0 || !cgroup) {
		(void)refuse(reterr_text, "not the description of a container");
		return -EINVAL;
	}
	len = container_own_cgroup(cgroup, ret->facts.id);
	if (len == 0 || strstr(cgroup, "/../")) {
		(void)refuse(reterr_text, "the container has no cgroup of its own (it is in '%s')", cgroup);
		return -EINVAL;
	}
	ret->told = true;
	ret->cgroup = strndup(cgroup, len);
	r = ret->cgroup ? kernel_cgroup_id(a->kernel, ret->cgroup, &ret->cgroup_id) : -ENOMEM;
	if (r < 0)
		(void)refuse(reterr_text, "its cgroup '%s' cannot be read: %s", cgroup, strerror(-r));
	return r;
}

/* A policy that refuses and cannot tell whether it is meant keeps the container from starting. */
static const struct policy *undecided(const struct policy *const *policies, size_t n,
				      const struct container_record *record)
{
	const struct policy_container container = container_facts_view(&record->facts);

	for (size_t i = 0; i < n; i++)
		if (policies[i]->mode == POLICY_MODE_ENFORCE &&
		    policy_fits_cgroup(policies[i], record->cgroup, &container) == POLICY_FIT_UNKNOWN)
			return policies[i];
	return NULL;
}

/* Keep it first: what is bound and not known would be unbound by the next scan. */
static int bind_now(struct agent *a, const struct policy *const *policies, size_t n, struct container_record *record,
		    char **reterr_text)
{
	struct binding *b;
	int r = container_record_save(a->options.runtime_dir, record);

	if (r >= 0)
		r = bindings_put(&a->bindings, record, &b);
	if (r >= 0)
		r = bind_in_image(a, policies, n, &b->record, a->image);
	if (r >= 0)
		r = kernel_bind_cgroup(a->kernel, a->image, b->record.cgroup, /* running= */ false, reterr_text);
	if (r >= 0)
		r = containers_add(&a->containers, b->record.cgroup_id, b->record.cgroup);
	if (r >= 0)
		identities_started(&a->identities, a->image, b->record.cgroup);
	if (r < 0 && !*reterr_text)
		(void)refuse(reterr_text, "the container cannot be bound to its policies: %s",
			     r == -E2BIG ? "there are too many" : strerror(-r));
	return r;
}

json_t *control_bind(struct agent *a, const json_t *params, char **reterr_text)
{
	_cleanup_record_ struct container_record record = {};
	_cleanup_free_ const struct policy **policies = NULL;
	const struct policy *doubt;
	const struct binding *known;
	size_t n = 0;
	int r = record_from_call(a, params, &record, reterr_text);

	if (r < 0)
		return NULL;
	if (asking(a, &policies, &n) < 0)
		return refuse(reterr_text, "out of memory");
	if (a->bindings.n >= a->bindings.prune_at)
		prune(a);
	known = bindings_find(&a->bindings, record.cgroup_id);
	/* whoever tells otherwise could only mean to have the next publish take a policy off it */
	if (known && container_facts_contradict(&known->record.facts, &record.facts))
		return refuse(reterr_text, "another description of this container was given before");
	doubt = undecided(policies, n, &record);
	if (doubt)
		return refuse(reterr_text,
			      "policy '%s' selects by name, image or labels, and not all of that can be learned of "
			      "this container", doubt->name);
	r = bind_now(a, policies, n, &record, reterr_text);
	return r < 0 ? NULL : json_object();
}
