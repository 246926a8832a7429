/* SPDX-License-Identifier: Apache-2.0 */

/*
 * From policy files to the kernel. A reload either puts a complete set in force or changes nothing; a file
 * that is broken keeps its last good version in that set.
 */

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "programs/haetaed/agent.h"
#include "programs/haetaed/last-good.h"
#include "programs/haetaed/log.h"
#include "util/strbuf.h"

DEFINE_CLEANUP(struct policy_set *, policy_set_freep, policy_set_free);
DEFINE_CLEANUP(struct policy_file *, policy_file_unrefp, policy_file_unref);
DEFINE_CLEANUP(struct image *, image_freep, image_free);

/* The agent's own policy: what its canary may not do. */
static int canary_policy(struct agent *a, struct policy_file **ret)
{
	_cleanup_strbuf_ struct strbuf text = {};
	struct diag_list diags = {};
	char real[PATH_MAX];
	int r;

	if (!realpath(a->options.runtime_dir, real))
		return -errno;
	strbuf_puts(&text, "policy: " KERNEL_CANARY_POLICY "\nmode: enforce\nmatch:\n"
			   "  - unit: " KERNEL_CANARY_CGROUP "\n"
			   "exec: {default: deny}\nfile:\n  deny:\n    - \"");
	for (const char *p = real; *p; p++) {
		if (*p == '"' || *p == '\\')
			strbuf_putc(&text, '\\');
		strbuf_putc(&text, *p);
	}
	strbuf_puts(&text, "/canary\"\n");
	if (strbuf_error(&text) < 0)
		return -ENOMEM;
	r = policy_parse("(built in)", strbuf_str(&text), text.len, &diags, ret);
	if (r != 0)
		diag_list_print(&diags, stderr, false);
	diag_list_deinit(&diags);
	return r < 0 ? r : r > 0 ? -EINVAL : 0;
}

struct policy_list {
	const struct policy **items;
	size_t n;
};

static int list_add(struct policy_list *list, const struct policy_file *file)
{
	const struct policy **items;

	items = reallocarray(list->items, list->n + file->n_policies + 1, sizeof(*items));
	if (!items)
		return -ENOMEM;
	list->items = items;
	for (size_t i = 0; i < file->n_policies; i++)
		list->items[list->n++] = file->policies[i];
	return 0;
}

static int list_fill(struct policy_list *list, const struct policy_file *canary,
		     const struct policy_set *set)
{
	int r = list_add(list, canary);

	for (size_t i = 0; r == 0 && i < set->n_sources; i++)
		if (set->sources[i].file)
			r = list_add(list, set->sources[i].file);
	return r;
}

static const struct policy_source *source_by_name(const struct policy_set *set, const char *name)
{
	for (size_t i = 0; set && i < set->n_sources; i++)
		if (strcmp(set->sources[i].name, name) == 0)
			return &set->sources[i];
	return NULL;
}

/* Some policy cannot be compiled: find the files, and let their last good versions stand in. */
static int compile_fall_back(struct agent *a, struct policy_set *set)
{
	int found = 0;

	for (size_t i = 0; i < set->n_sources; i++) {
		_cleanup_(image_freep) struct image *image = NULL;
		struct policy_source *s = &set->sources[i];
		const struct policy_source *last = source_by_name(a->set, s->name);
		int r;

		if (!s->file)
			continue;
		r = image_compile((const struct policy *const *)s->file->policies,
				  s->file->n_policies, a->names, kernel_key(a->kernel), &set->diags,
				  &image);
		if (r < 0)
			return r;
		if (r == 0)
			continue;
		found++;
		s->file = policy_file_unref(s->file);
		if (last && last->file)
			s->file = policy_file_ref(last->file);
		s->stale = true;
	}
	return found > 0 ? 0 : -EINVAL;
}

static int compile_set(struct agent *a, const struct policy_file *canary, struct policy_set *set,
		       struct policy_list *list, struct image **ret)
{
	for (unsigned attempt = 0; attempt < 2; attempt++) {
		int r;

		list->n = 0;
		r = list_fill(list, canary, set);
		if (r < 0)
			return r;
		r = image_compile(list->items, list->n, a->names, kernel_key(a->kernel),
				  &set->diags, ret);
		if (r <= 0)
			return r;
		r = compile_fall_back(a, set);
		if (r < 0)
			return r;
	}
	return -EINVAL;
}

static int rules_register(struct agent *a, const struct policy_list *list)
{
	for (size_t i = 0; i < list->n; i++) {
		uint32_t id;
		int r = image_names_profile(a->names, list->items[i]->name, &id);

		if (r == 0)
			r = rules_add(&a->rules, list->items[i], id);
		if (r < 0)
			return r;
	}
	return 0;
}

/* The kernel's table is the truth; the names follow it. */
static int container_note(uint64_t id, const char *path, const struct ht_cgroup *value,
			  void *userdata)
{
	struct agent *a = userdata;

	return containers_add(&a->containers, id, path);
}

static bool set_is_broken(const struct policy_set *set)
{
	if (set->diags.n_errors > 0)
		return true;
	for (size_t i = 0; i < set->n_sources; i++)
		if (set->sources[i].stale)
			return true;
	return false;
}

static void tell_outcome(struct agent *a, const struct policy_set *set)
{
	size_t n_policies = 0;

	diag_list_print(&set->diags, stderr, false);
	for (size_t i = 0; i < set->n_sources; i++) {
		const struct policy_source *s = &set->sources[i];

		n_policies += s->file ? s->file->n_policies : 0;
		if (!s->stale)
			continue;
		log_write(LOG_ERR, "Policy file '%s' is broken, %s", s->path,
			  s->file ? "its last good version stays in force" :
				    "nothing of it is in force");
		agent_notice(a, EVENT_NOTICE_STALE, POLICY_SEVERITY_HIGH,
			     "Policy file '%s' is broken, %s", s->path,
			     s->file ? "its last good version stays in force" :
				       "nothing of it is in force");
	}
	log_notice("Published generation %u: %zu policies, %zu changed, %zu retired, %zu tasks labelled",
		   a->published.generation, n_policies, a->published.profiles_changed,
		   a->published.profiles_retired, a->published.tasks_labelled);
	agent_notice(a, EVENT_NOTICE_PUBLISHED, POLICY_SEVERITY_INFO,
		     "Published generation %u: %zu policies, %zu changed, %zu retired",
		     a->published.generation, n_policies, a->published.profiles_changed,
		     a->published.profiles_retired);
}

/* What the rules name is looked for first, so that it is bound from the instant in which they are in force. */
static int publish(struct agent *a, const struct image *image, struct kernel_publish *ret,
		   char **reterr_text)
{
	_cleanup_(identity_list_deinit) struct identity_list known = {};
	int r = identities_prepare(&a->identities, image, &known);

	if (r < 0)
		return r;
	return kernel_publish(a->kernel, image, known.items, known.n, ret, reterr_text);
}

static int reload_set(struct agent *a, struct policy_set **set, char **reterr_text)
{
	_cleanup_(policy_file_unrefp) struct policy_file *canary = NULL;
	_cleanup_(image_freep) struct image *image = NULL;
	struct kernel_publish published;
	struct policy_list list = {};
	int r;

	r = canary_policy(a, &canary);
	if (r >= 0)
		r = compile_set(a, canary, *set, &list, &image);
	if (r >= 0)
		r = rules_register(a, &list);
	free(list.items);
	if (r < 0)
		return r;
	r = publish(a, image, &published, reterr_text);
	if (r < 0)
		return r;
	a->published = published;
	(void)policy_set_free(a->set);
	a->set = steal_ptr(*set);
	(void)image_free(a->image);
	a->image = steal_ptr(image);
	identities_published(&a->identities, a->image, published.identities_without_room);
	r = last_good_save(a->options.state_dir, a->set);
	if (r < 0)
		(void)log_error(r, "Failed to keep the policies in '%s', ignoring",
				a->options.state_dir);
	r = kernel_cgroups_each(a->kernel, container_note, a);
	if (r < 0)
		(void)log_error(r, "Failed to name the running containers, ignoring");
	return 0;
}

int agent_reload(struct agent *a, char **reterr_text)
{
	_cleanup_(policy_set_freep) struct policy_set *set = NULL;
	int r;

	*reterr_text = NULL;
	if (!a->set) {
		/* first time: what an earlier agent had in force stands in for what is broken now */
		r = last_good_load(a->options.state_dir, &a->set);
		if (r < 0 && r != -ENOENT)
			(void)log_error(r, "Failed to read the last good policies, ignoring");
	}
	r = policy_set_load(a->options.policy_dirs, a->options.n_policy_dirs, a->set, &set);
	if (r >= 0)
		r = reload_set(a, &set, reterr_text);
	if (r < 0) {
		if (set)
			diag_list_print(&set->diags, stderr, false);
		if (!*reterr_text)
			*reterr_text = strdup(strerror(-r));
		log_write(LOG_ERR, "Failed to put the policies in force, the former ones stay: %s",
			  *reterr_text ? *reterr_text : "out of memory");
		agent_notice(a, EVENT_NOTICE_STALE, POLICY_SEVERITY_HIGH,
			     "Failed to put the policies in force, the former ones stay: %s",
			     *reterr_text ? *reterr_text : "out of memory");
		return r;
	}
	tell_outcome(a, a->set);
	return set_is_broken(a->set) ? 1 : 0;
}
