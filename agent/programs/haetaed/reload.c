/* SPDX-License-Identifier: Apache-2.0 */

/*
 * From policy files to the kernel. A reload either puts a complete set in force or changes nothing; a file
 * that is broken keeps its last good version in that set.
 */

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "compile/lockout.h"
#include "programs/haetaed/agent.h"
#include "programs/haetaed/break-glass.h"
#include "programs/haetaed/last-good.h"
#include "programs/haetaed/log.h"
#include "util/fd.h"
#include "util/memory.h"
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
	strbuf_puts(&text, "/canary\"\nkernel:\n");
	for (uint32_t line = 0; line < HT_KERNEL_MAX; line++)
		strbuf_printf(&text, "  %s: allow\n", policy_kernel_to_string(line));
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

/* The cgroup this agent runs in. Return: NULL: not known. */
static char *own_cgroup(void)
{
	_cleanup_free_ char *text = NULL;
	char *line;
	size_t len;

	if (file_read_all(AT_FDCWD, "/proc/self/cgroup", 65536, &text, &len) < 0)
		return NULL;
	line = strstr(text, "0::/");
	if (!line)
		return NULL;
	line += strlen("0::");
	line[strcspn(line, "\n")] = '\0';
	/* an agent in the root cgroup, in a container of its own, has none of its own */
	return line[1] ? strdup(line) : NULL;
}

/* Return: as image_compile(); policies that would lock their author out cannot be compiled either. */
static int compile(struct agent *a, const struct policy *const *policies, size_t n, struct diag_list *diags,
		   struct image **ret)
{
	_cleanup_free_ char *own = own_cgroup();
	size_t errors = diags->n_errors;
	int r = lockout_check(policies, n, own, diags);

	if (r < 0)
		return r;
	if (diags->n_errors > errors)
		return IMAGE_E_INVALID;
	return image_compile(policies, n, a->names, kernel_key(a->kernel), time(NULL), diags, ret);
}

/* Can the last good version of a file still be put in force? Not if this version of the agent knows better. */
static bool is_still_good(struct agent *a, const struct policy_file *file)
{
	_cleanup_(image_freep) struct image *image = NULL;
	struct diag_list diags = {};
	int r = compile(a, (const struct policy *const *)file->policies, file->n_policies, &diags, &image);

	diag_list_deinit(&diags);
	return r == 0;
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
		r = compile(a, (const struct policy *const *)s->file->policies, s->file->n_policies,
			    &set->diags, &image);
		if (r < 0)
			return r;
		if (r == 0)
			continue;
		found++;
		s->file = policy_file_unref(s->file);
		if (last && last->file && is_still_good(a, last->file))
			s->file = policy_file_ref(last->file);
		s->stale = true;
	}
	return found > 0 ? 0 : -EINVAL;
}

static int compile_set(struct agent *a, const struct policy_file *canary, struct policy_set *set,
		       struct policy_list *list, struct image **ret)
{
	for (unsigned attempt = 0; attempt < 2; attempt++) {
		int r = agent_lines_check(a, set);

		if (r < 0)
			return r;
		list->n = 0;
		r = list_fill(list, canary, set);
		if (r < 0)
			return r;
		r = compile(a, list->items, list->n, &set->diags, ret);
		if (r <= 0)
			return r;
		r = compile_fall_back(a, set);
		if (r < 0)
			return r;
	}
	return -EINVAL;
}

/* What cannot be disarmed refuses: the image as it was compiled and bound. */
static int compile_disarm(struct agent *a, const struct policy_list *list, struct image **image)
{
	_cleanup_free_ char *text = NULL;
	struct diag_list diags = {};
	int r = agent_disarm_image(a, *image, &text);

	if (r >= 0)
		return 0;
	log_write(LOG_ERR, "%s; everything refuses", text ? text : "Failed to disarm");
	*image = image_free(*image);
	r = image_compile(list->items, list->n, a->names, kernel_key(a->kernel), time(NULL), &diags, image);
	diag_list_deinit(&diags);
	if (r == 0)
		r = agent_bind_image(a, list->items, list->n, *image);
	return r > 0 ? -EINVAL : r;
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
		agent_notice(a, EVENT_NOTICE_STALE, POLICY_SEVERITY_HIGH,
			     "Policy file '%s' is broken, %s", s->path,
			     s->file ? "its last good version stays in force" :
				       "nothing of it is in force");
	}
	agent_notice(a, EVENT_NOTICE_PUBLISHED, POLICY_SEVERITY_INFO,
		     "Published generation %u: %zu policies, %zu changed, %zu retired, %zu tasks labelled",
		     a->published.generation, n_policies, a->published.profiles_changed,
		     a->published.profiles_retired, a->published.tasks_labelled);
}

static int change_arm(struct agent *a, int64_t at);

/* A compiled image becomes what these policies mean on this host now. */
static int image_finish(struct agent *a, const struct policy_list *list, struct image **image)
{
	int r = agent_spell_image(a, list->items, list->n, image);

	if (r >= 0)
		r = agent_bind_image(a, list->items, list->n, *image);
	return r < 0 ? r : compile_disarm(a, list, image);
}

/* What was found of links while the objects of the rules were looked for belongs into the image as well. */
static int image_respell(struct agent *a, const struct policy_list *list, struct image **image)
{
	struct diag_list diags = {};
	int r;

	if (!a->identities.spellings.changed)
		return 0;
	*image = image_free(*image);
	r = image_compile(list->items, list->n, a->names, kernel_key(a->kernel), time(NULL), &diags, image);
	diag_list_deinit(&diags);
	if (r > 0)
		return -EINVAL;
	return r < 0 ? r : image_finish(a, list, image);
}

static int publish(struct agent *a, const struct image *image, struct kernel_publish *ret, char **reterr_text)
{
	_cleanup_(identity_list_deinit) struct identity_list known = {};
	int r = identities_known(&a->identities, image, &known);

	return r < 0 ? r : kernel_publish(a->kernel, image, known.items, known.n, ret, reterr_text);
}

/* A publish failed, at whatever step. What it has done already is taken back by publishing what was in force before; the
 * kernel room says what holds meanwhile. Not if what runs multiplies faster than it is bound: who can make it do that
 * must not be able to keep a policy out.
 * Return: does the former set stay? *reterr_text says if not. */
static bool publish_take_back(struct agent *a, int error, char **reterr_text)
{
	_cleanup_free_ char *why = NULL, *text = steal_ptr(*reterr_text);
	struct kernel_publish published;
	int r = -EAGAIN;

	if (!a->image) { /* a first publish */
		*reterr_text = steal_ptr(text);
		return false;
	}
	if (error != -EAGAIN)
		r = publish(a, a->image, &published, &why);
	if (r == 0) {
		a->published = published;
		identities_published(&a->identities, a->image, published.identities_without_room);
		*reterr_text = steal_ptr(text);
		return true;
	}
	if (asprintf(reterr_text, "%s; what was put in force of it cannot be taken back%s%s",
		     text ? text : strerror(-error), why ? ": " : "", why ? why : "") < 0)
		*reterr_text = NULL;
	return false;
}

void agent_trim(struct agent *a)
{
	_cleanup_free_ char *text = NULL;
	int r;

	if (!a->ready) /* its canary needs every hook */
		return;
	r = kernel_trim(a->kernel, a->image, &text);
	if (r < 0)
		(void)log_error(r, "Failed to see to hooks that no policy needs, or that make verdicts quicker, ignoring%s%s",
				text ? ": " : "", text ? text : "");
	else if (r > 0)
		log_notice("Took %d programs out of hooks that no policy needs", r);
}

static int reload_set(struct agent *a, struct policy_set **set, bool *ret_stays, char **reterr_text)
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
		r = agent_bind_prepare(a, list.items, list.n);
	if (r >= 0)
		r = image_finish(a, &list, &image);
	if (r >= 0)
		r = rules_register(a, &list);
	/* what the rules name is looked for first, so that it is bound from the instant in which they are in force */
	if (r >= 0)
		r = identities_prepare(&a->identities, image);
	if (r >= 0)
		r = image_respell(a, &list, &image);
	free(list.items);
	if (r < 0)
		return r;
	r = publish(a, image, &published, reterr_text);
	if (r < 0) {
		*ret_stays = publish_take_back(a, r, reterr_text);
		return r;
	}
	a->published = published;
	(void)policy_set_free(a->set);
	a->set = steal_ptr(*set);
	(void)image_free(a->image);
	a->image = steal_ptr(image);
	identities_published(&a->identities, a->image, published.identities_without_room);
	agent_trim(a);
	r = change_arm(a, a->image->changes_at);
	if (r < 0)
		(void)log_error(r, "Failed to set the timer of the rules that come into force or expire, "
				   "ignoring");
	r = last_good_save(a->options.state_dir, a->set, a->trial.name);
	if (r < 0)
		(void)log_error(r, "Failed to keep the policies in '%s', ignoring",
				a->options.state_dir);
	r = kernel_cgroups_each(a->kernel, container_note, a);
	if (r < 0)
		(void)log_error(r, "Failed to name the running containers, ignoring");
	return 0;
}

/* The directories, and before them the one of the file on trial. */
static int load_set(struct agent *a, struct policy_set **ret)
{
	const char *dirs[AGENT_POLICY_DIRS_MAX + 1];
	_cleanup_free_ char *trial = trial_dir(a->options.state_dir);
	size_t n = 0;

	if (!trial)
		return -ENOMEM;
	if (a->trial.name)
		dirs[n++] = trial;
	for (size_t i = 0; i < a->options.n_policy_dirs; i++)
		dirs[n++] = a->options.policy_dirs[i];
	return policy_set_load(dirs, n, a->set, ret);
}

#define US_PER_SECOND 1000000ULL
#define CHANGE_RETRY_SECONDS 10

/* A rule comes into force, or goes: the same policies are compiled anew. */
static int change_due(sd_event_source *source, uint64_t usec, void *userdata)
{
	_cleanup_free_ char *error = NULL;
	struct agent *a = userdata;

	log_notice("A rule comes into force or expires: putting the policies in force again");
	if (agent_reload(a, &error) < 0) /* told there */
		(void)change_arm(a, time(NULL) + CHANGE_RETRY_SECONDS);
	return 0;
}

/* Wake up at that second of the wall clock, which can be set at any time: the timer follows it. 0: never. */
static int change_arm(struct agent *a, int64_t at)
{
	int r = 0;

	if (!a->change && at > 0)
		return sd_event_add_time(a->event, &a->change, CLOCK_REALTIME,
					 (uint64_t)at * US_PER_SECOND, US_PER_SECOND, change_due, a);
	if (!a->change)
		return 0;
	if (at > 0)
		r = sd_event_source_set_time(a->change, (uint64_t)at * US_PER_SECOND);
	if (r >= 0)
		r = sd_event_source_set_enabled(a->change, at > 0 ? SD_EVENT_ONESHOT : SD_EVENT_OFF);
	return r;
}

static int reload(struct agent *a, char **reterr_text)
{
	_cleanup_(policy_set_freep) struct policy_set *set = NULL;
	bool stays = true;
	int r;

	*reterr_text = NULL;
	if (!a->set) {
		/* first time: what an earlier agent had in force stands in for what is broken now */
		r = last_good_load(a->options.state_dir, &a->set);
		if (r < 0 && r != -ENOENT)
			(void)log_error(r, "Failed to read the last good policies, ignoring");
	}
	agent_watch_seen(a);
	agent_disarm_prune(a);
	r = load_set(a, &set);
	if (r >= 0)
		r = reload_set(a, &set, &stays, reterr_text);
	if (r < 0) {
		if (set)
			diag_list_print(&set->diags, stderr, false);
		agent_bind_revert(a);
		if (!*reterr_text)
			*reterr_text = strdup(strerror(-r));
		agent_notice(a, EVENT_NOTICE_STALE, POLICY_SEVERITY_HIGH,
			     "Failed to put the policies in force%s: %s", stays ? ", the former ones stay" : "",
			     *reterr_text ? *reterr_text : "out of memory");
		return r;
	}
	tell_outcome(a, a->set);
	return set_is_broken(a->set) ? 1 : 0;
}

int agent_reload(struct agent *a, char **reterr_text)
{
	int r = reload(a, reterr_text);

	/* reading and compiling takes several times what stays of it */
	memory_trim();
	return r;
}

int agent_policies(const struct agent *a, const struct policy ***ret, size_t *ret_n)
{
	struct policy_list list = {};

	for (size_t i = 0; a->set && i < a->set->n_sources; i++)
		if (a->set->sources[i].file && list_add(&list, a->set->sources[i].file) < 0) {
			free(list.items);
			return -ENOMEM;
		}
	*ret = list.items;
	*ret_n = list.n;
	return 0;
}
