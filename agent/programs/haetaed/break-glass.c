/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Break-glass: for a bounded time what the policies of one container, or all, refuse is recorded and not refused.
 *
 * Whatever fails on the way leaves everything refusing: an order that cannot be kept on disk is not carried out, a record
 * that cannot be read disarms nothing, an image that cannot be changed is published as it was compiled.
 */

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "compile/disarm.h"
#include "compile/judge.h"
#include "programs/haetaed/agent.h"
#include "programs/haetaed/break-glass.h"
#include "programs/haetaed/log.h"
#include "util/strbuf.h"

/* ---- the image ---- */

static int variant_note(const char *policy, uint32_t variant, void *userdata)
{
	struct agent *a = userdata;

	return rules_add_profile(&a->rules, policy, variant);
}

int agent_disarm_image(struct agent *a, struct image *image, char **reterr_text)
{
	for (size_t i = 0; i < a->disarms.n; i++) {
		const struct disarm *d = &a->disarms.items[i];
		const struct image_disarm order = {
			.cgroup = d->cgroup,
			.armed = d->over || a->suspended,
			.each = variant_note,
			.userdata = a,
		};
		int r = d->cgroup ? image_disarm(image, a->names, kernel_key(a->kernel), &order) : 0;

		if (r < 0) {
			if (asprintf(reterr_text, "Failed to disarm '%s': %s", d->container,
				     strerror(-r)) < 0)
				*reterr_text = NULL;
			return r;
		}
	}
	if (disarms_all(&a->disarms) && !a->suspended)
		image_disarm_all(image);
	return 0;
}

/* ---- who it is ---- */

struct container_find {
	struct agent *a;
	const char *wanted; /* name, beginning of the id, or cgroup path */
	char *cgroup;	    /* the topmost that fits */
	char *name;
	char *other; /* one that fits too, and is not below */
	int error;
};

static bool is_below(const char *path, const char *top)
{
	size_t n = strlen(top);

	return strncmp(path, top, n) == 0 && (path[n] == '\0' || path[n] == '/');
}

static bool container_is(const struct container_find *f, const struct container *c, const char *path)
{
	size_t n = strlen(f->wanted);

	if (f->wanted[0] == '/')
		return strcmp(f->wanted, path) == 0;
	return c && ((c->name && strcmp(c->name, f->wanted) == 0) ||
		     (c->id && n >= 8 && strncmp(c->id, f->wanted, n) == 0));
}

/* Cgroups come from the top down, so what is below one that was found comes behind it. */
static int container_visit(uint64_t id, const char *path, const struct ht_cgroup *value, void *userdata)
{
	struct container_find *f = userdata;
	const struct container *c = containers_get(&f->a->containers, id);

	if (!container_is(f, c, path) || (f->cgroup && is_below(path, f->cgroup)))
		return 0;
	if (f->cgroup) {
		f->other = strdup(path);
		return f->other ? 1 : -ENOMEM;
	}
	f->cgroup = strdup(path);
	f->name = strdup(c && c->name ? c->name : path);
	return f->cgroup && f->name ? 0 : -ENOMEM;
}

static void find_deinit(struct container_find *f)
{
	free(f->cgroup);
	free(f->name);
	free(f->other);
}

_printf_(2, 3) static int refuse(char **reterr_text, const char *format, ...)
{
	va_list ap;

	va_start(ap, format);
	if (vasprintf(reterr_text, format, ap) < 0)
		*reterr_text = NULL;
	va_end(ap);
	return -EINVAL;
}

static int container_find(struct container_find *f, char **reterr_text)
{
	int r = kernel_cgroups_each(f->a->kernel, container_visit, f);
	uint32_t ids[HT_PROFILES_MAX];

	if (r < 0)
		return refuse(reterr_text, "the running containers cannot be read: %s", strerror(-r));
	if (f->other)
		return refuse(reterr_text, "'%s' is more than one: %s and %s; give the path of its cgroup",
			      f->wanted, f->cgroup, f->other);
	if (!f->cgroup && f->wanted[0] == '/' &&
	    image_match_cgroup(f->a->image, kernel_key(f->a->kernel), f->wanted, ids) > 0) {
		/* not there now, but it would be governed: a service that cannot start, say */
		f->cgroup = strdup(f->wanted);
		f->name = strdup(f->wanted);
		return f->cgroup && f->name ? 0 : refuse(reterr_text, "out of memory");
	}
	if (!f->cgroup)
		return refuse(reterr_text, "no policy governs a container, unit or cgroup '%s'; see agentctl "
					   "containers", f->wanted);
	return 0;
}

/* What a cgroup above brings cannot be taken off one container alone. */
static int ancestors_check(struct agent *a, const char *cgroup, char **reterr_text)
{
	_cleanup_free_ char *path = strdup(cgroup);
	char *slash;

	while (path && (slash = strrchr(path, '/')) && path[1]) {
		uint32_t ids[HT_PROFILES_MAX] = {};
		const char *policy;

		slash[slash == path] = '\0';
		if (image_match_cgroup(a->image, kernel_key(a->kernel), path, ids) == 0)
			continue;
		policy = rules_profile(&a->rules, ids[0]);
		return refuse(reterr_text,
			      "policy '%s' governs it through %s, where it holds for everything below; "
			      "disarm that cgroup, or everything", policy ? policy : "?", path);
	}
	return path ? 0 : refuse(reterr_text, "out of memory");
}

/* While a task goes over from a profile to its variant it carries both. */
static int room_check(struct agent *a, const char *cgroup, char **reterr_text)
{
	uint32_t ids[HT_PROFILES_MAX] = {};
	int n = image_match_cgroup(a->image, kernel_key(a->kernel), cgroup, ids);

	if (n < 0)
		return refuse(reterr_text, "the published policies cannot be read");
	if (!disarms_find(&a->disarms, cgroup) && 2 * n > (int)HT_PROFILES_MAX)
		return refuse(reterr_text, "%d policies govern it, and one container alone can be disarmed of %u; "
					   "disarm everything, or change the policies", n,
			      HT_PROFILES_MAX / 2);
	return 0;
}

/* ---- orders ---- */

static void disarm_tell(struct agent *a, const struct disarm *d, uint64_t for_us)
{
	const char *who = d->cgroup ? d->container : "everything";

	log_write(LOG_WARNING, "Disarmed %s for %llu s: %s", who, (unsigned long long)(for_us / 1000000ULL),
		  d->reason);
	agent_notice(a, EVENT_NOTICE_DISARMED, POLICY_SEVERITY_HIGH,
		     "Disarmed %s for %llu s, what its policies refuse is only recorded: %s", who,
		     (unsigned long long)(for_us / 1000000ULL), d->reason);
}

static void arm_tell(struct agent *a, const struct disarm *d, const char *why)
{
	const char *who = d->cgroup ? d->container : "everything";

	log_notice("Armed %s again: %s", who, why);
	agent_notice(a, EVENT_NOTICE_ARMED, POLICY_SEVERITY_MEDIUM, "Armed %s again: %s", who, why);
}

static int disarms_keep(struct agent *a)
{
	int r = disarms_save(&a->disarms, a->options.state_dir, a->clock.boot_id);

	agent_deadlines_set(a);
	return r < 0 ? log_error(r, "Failed to keep what is disarmed in '%s'", a->options.state_dir) : 0;
}

/* An order that did not come into force is none. */
static void disarm_undo(struct agent *a, const char *cgroup)
{
	_cleanup_free_ char *text = NULL;
	struct disarm *d = disarms_find(&a->disarms, cgroup);

	if (d)
		d->over = true;
	(void)disarms_keep(a);
	(void)agent_reload(a, &text);
}

static int disarm_order(struct agent *a, const struct disarm *d, char **reterr_text)
{
	int r = disarms_put(&a->disarms, d);

	if (r == -ENOSPC)
		return refuse(reterr_text, "%u containers are disarmed already", DISARM_ENTRIES_MAX);
	if (r < 0)
		return refuse(reterr_text, "out of memory");
	r = disarms_keep(a);
	if (r < 0) {
		disarm_undo(a, d->cgroup);
		return refuse(reterr_text, "the order cannot be kept in '%s': %s", a->options.state_dir,
			      strerror(-r));
	}
	r = agent_reload(a, reterr_text);
	if (r >= 0)
		return 0;
	disarm_undo(a, d->cgroup);
	return r;
}

static uint64_t realtime_us(void)
{
	struct timespec ts;

	(void)clock_gettime(CLOCK_REALTIME, &ts);
	return (uint64_t)ts.tv_sec * 1000000ULL + (uint64_t)ts.tv_nsec / 1000ULL;
}

/* Which container the call is about. Return: 0, *f tells, cgroup NULL for everything; -EINVAL, told. */
static int params_container(struct container_find *f, const json_t *params, char **reterr_text)
{
	const char *container = json_string_value(json_object_get(params, "container"));
	bool all = json_is_true(json_object_get(params, "all"));

	if (all == (container != NULL))
		return refuse(reterr_text, "either a container or everything, not both");
	f->wanted = container;
	return all ? 0 : container_find(f, reterr_text);
}

static json_t *number(uint64_t n)
{
	return json_integer((json_int_t)n);
}

json_t *control_disarm(struct agent *a, const json_t *params, char **reterr_text)
{
	_cleanup_(find_deinit) struct container_find f = {.a = a};
	const char *reason = json_string_value(json_object_get(params, "reason"));
	json_int_t for_us = json_integer_value(json_object_get(params, "for_us"));
	struct disarm d;

	if (for_us < 1000000 || (uint64_t)for_us > DISARM_MAX_US) {
		(void)refuse(reterr_text, "the time is not between one second and 24 hours");
		return NULL;
	}
	if (!reason || !*reason || strlen(reason) > DISARM_REASON_MAX) {
		(void)refuse(reterr_text, "a reason of at most %u bytes is needed", DISARM_REASON_MAX);
		return NULL;
	}
	if (params_container(&f, params, reterr_text) < 0)
		return NULL;
	if (f.cgroup && (ancestors_check(a, f.cgroup, reterr_text) < 0 ||
			 room_check(a, f.cgroup, reterr_text) < 0))
		return NULL;
	d = (struct disarm){
		.cgroup = f.cgroup,
		.container = f.name,
		.reason = (char *)(uintptr_t)reason, /* disarms_put() copies */
		.since_us = realtime_us(),
		.until_ns = agent_boottime_ns() + (uint64_t)for_us * 1000ULL,
	};
	if (disarm_order(a, &d, reterr_text) < 0)
		return NULL;
	disarm_tell(a, &d, (uint64_t)for_us);
	return json_pack("{s:o, s:o, s:o}", "container", control_text(f.name), "cgroup",
			 control_text(f.cgroup), "until_us", number(d.since_us + (uint64_t)for_us));
}

/* A container that is gone has no governed cgroup any more, but may still be listed. */
static struct disarm *disarm_named(struct agent *a, const json_t *params)
{
	const char *wanted = json_string_value(json_object_get(params, "container"));

	if (!wanted)
		return disarms_find(&a->disarms, NULL);
	for (size_t i = 0; i < a->disarms.n; i++) {
		struct disarm *d = &a->disarms.items[i];

		if (d->cgroup && !d->over &&
		    (strcmp(d->cgroup, wanted) == 0 || (d->container && strcmp(d->container, wanted) == 0)))
			return d;
	}
	return NULL;
}

json_t *control_arm(struct agent *a, const json_t *params, char **reterr_text)
{
	bool all = json_is_true(json_object_get(params, "all"));
	struct disarm *d = disarm_named(a, params);
	size_t n = 0;

	/* everything: also what was disarmed by its name */
	for (size_t i = 0; i < a->disarms.n; i++) {
		struct disarm *each = &a->disarms.items[i];

		if (each->over || (!all && each != d))
			continue;
		each->over = true;
		arm_tell(a, each, "by order");
		n++;
	}
	if (n == 0) {
		(void)refuse(reterr_text, "it is not disarmed");
		return NULL;
	}
	(void)disarms_keep(a);
	if (agent_reload(a, reterr_text) < 0) {
		a->deadline_retry_ns = agent_boottime_ns();
		agent_deadlines_set(a);
		return NULL;
	}
	return json_pack("{s:o}", "armed", number(n));
}

/* ---- times ---- */

bool agent_disarm_expire(struct agent *a, uint64_t now_ns)
{
	bool over = false;

	for (size_t i = 0; i < a->disarms.n; i++) {
		struct disarm *d = &a->disarms.items[i];

		if (d->over || d->until_ns > now_ns)
			continue;
		arm_tell(a, d, "its time is over");
		over = true;
	}
	if (disarms_expire(&a->disarms, now_ns) > 0)
		(void)disarms_keep(a);
	return over;
}

static int cgroup_seen(uint64_t id, const char *path, const struct ht_cgroup *value, void *userdata)
{
	return strcmp(path, userdata) == 0 ? 1 : 0;
}

void agent_disarm_prune(struct agent *a)
{
	/* A task that left a container carries its variants as long as it lives, so they stay while there is room. */
	for (size_t i = 0; a->disarms.n > DISARM_ENTRIES_MAX / 2 && i < a->disarms.n;) {
		const struct disarm *d = &a->disarms.items[i];

		if (d->over && (!d->cgroup || kernel_cgroups_each(a->kernel, cgroup_seen, d->cgroup) == 0))
			disarms_remove(&a->disarms, i);
		else
			i++;
	}
}

void agent_disarm_suspend(struct agent *a)
{
	_cleanup_free_ char *text = NULL;

	if (!a->kernel || !a->set || disarms_next(&a->disarms) == 0)
		return;
	/* what nobody watches over must not stay open; the next agent opens what still has time */
	a->suspended = true;
	(void)agent_reload(a, &text);
}

json_t *agent_disarm_status(struct agent *a)
{
	uint64_t now_ns = agent_boottime_ns(), now_us = realtime_us();
	json_t *list = json_array();

	for (size_t i = 0; i < a->disarms.n; i++) {
		const struct disarm *d = &a->disarms.items[i];
		uint64_t left = d->until_ns > now_ns ? d->until_ns - now_ns : 0;

		if (d->over)
			continue;
		(void)json_array_append_new(
			list, json_pack("{s:o, s:o, s:o, s:o, s:o}", "container", control_text(d->container),
					"cgroup", control_text(d->cgroup), "reason",
					control_text(d->reason), "since_us", number(d->since_us),
					"until_us", number(now_us + left / 1000ULL)));
	}
	return list;
}
