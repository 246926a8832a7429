/* SPDX-License-Identifier: Apache-2.0 */

/*
 * A policy file on trial: agentctl lays it into STATE_DIR/trial, the agent puts it in force and takes it back unless
 * it is confirmed in time. What is confirmed agentctl copies into a directory of the administrator, where the agent may not
 * write; when it has arrived there the one on trial goes.
 */

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "programs/haetaed/agent.h"
#include "programs/haetaed/break-glass.h"
#include "programs/haetaed/log.h"

DEFINE_CLEANUP(struct policy_set *, policy_set_freep, policy_set_free);

_printf_(2, 3) static json_t *refuse(char **reterr_text, const char *format, ...)
{
	va_list ap;

	va_start(ap, format);
	if (vasprintf(reterr_text, format, ap) < 0)
		*reterr_text = NULL;
	va_end(ap);
	return NULL;
}

static struct policy_source *source_find(const struct policy_set *set, const char *name)
{
	for (size_t i = 0; set && i < set->n_sources; i++)
		if (strcmp(set->sources[i].name, name) == 0)
			return &set->sources[i];
	return NULL;
}

/* Remove the file. What was in force under its name before is the last good version again.
 * Return: 0; negative errno, logged: the trial goes on. */
static int trial_take_back(struct agent *a)
{
	struct policy_source *source = source_find(a->set, a->trial.name);
	int r = trial_end(a->options.state_dir, &a->trial);

	if (r < 0)
		return log_error(r, "Failed to remove the policy file on trial");
	if (source) {
		(void)policy_file_unref(source->file);
		source->file = steal_ptr(a->trial_before);
		source->masked = false;
	}
	a->trial_before = policy_file_unref(a->trial_before);
	return 0;
}

/* Return: 0 it is in force; negative errno; 1 it is broken. */
static int trial_reload(struct agent *a, char **reterr_text)
{
	const struct policy_source *source;
	int r = agent_reload(a, reterr_text);

	if (r < 0)
		return r;
	source = source_find(a->set, a->trial.name);
	return !source || source->stale || !source->file ? 1 : 0;
}

static void trial_give_up(struct agent *a)
{
	_cleanup_free_ char *text = NULL;

	if (trial_take_back(a) < 0 || agent_reload(a, &text) < 0)
		a->deadline_retry_ns = agent_boottime_ns();
}

static json_t *number(uint64_t n)
{
	return json_integer((json_int_t)n);
}

json_t *control_apply(struct agent *a, const json_t *params, char **reterr_text, json_t **reterr_details)
{
	const char *name = json_string_value(json_object_get(params, "name"));
	json_int_t within_us = json_integer_value(json_object_get(params, "within_us"));
	const struct policy_source *before;
	int r;

	if (!name || !trial_name_is_good(name))
		return refuse(reterr_text, "that is no name of a policy file: it ends in .yaml or .yml");
	if (within_us < 1000000 || (uint64_t)within_us > TRIAL_MAX_US)
		return refuse(reterr_text, "the time is not between one second and 24 hours");
	if (a->trial.name)
		return refuse(reterr_text, "'%s' is on trial; confirm it or roll it back first", a->trial.name);
	a->trial = (struct trial){
		.name = strdup(name),
		.until_ns = agent_boottime_ns() + (uint64_t)within_us * 1000ULL,
	};
	if (!a->trial.name)
		return refuse(reterr_text, "out of memory");
	r = trial_begin(a->options.state_dir, a->clock.boot_id, &a->trial);
	if (r < 0) {
		trial_deinit(&a->trial);
		return refuse(reterr_text, "the file cannot be taken from '%s/trial': %s", a->options.state_dir,
			      strerror(-r));
	}
	before = source_find(a->set, name);
	a->trial_before = before && before->file ? policy_file_ref(before->file) : NULL;
	agent_deadlines_set(a);
	r = trial_reload(a, reterr_text);
	if (r != 0) {
		*reterr_details = json_pack("{s:o*}", "diagnostics", control_diags_to_json(&a->set->diags));
		trial_give_up(a);
		agent_deadlines_set(a);
		return r < 0 ? NULL : refuse(reterr_text, "the file is broken; what was in force stays");
	}
	agent_notice(a, EVENT_NOTICE_TRIAL, POLICY_SEVERITY_MEDIUM,
		     "Policy file '%s' is in force on trial; without a confirmation it goes after %llu s", name,
		     (unsigned long long)within_us / 1000000ULL);
	return json_pack("{s:o, s:o}", "name", control_text(name), "generation", number(a->published.generation));
}

json_t *control_confirm(struct agent *a, char **reterr_text)
{
	int r;

	if (!a->trial.name)
		return refuse(reterr_text, "no policy file is on trial; if one was, its time is over and it was "
					   "rolled back");
	if (!a->trial.confirmed) {
		r = trial_confirm(a->options.state_dir, a->clock.boot_id, &a->trial);
		if (r < 0)
			return refuse(reterr_text, "the confirmation cannot be kept in '%s': %s",
				      a->options.state_dir, strerror(-r));
		agent_deadlines_set(a);
		agent_notice(a, EVENT_NOTICE_CONFIRMED, POLICY_SEVERITY_LOW, "Policy file '%s' is confirmed",
			     a->trial.name);
	}
	return json_pack("{s:o}", "name", control_text(a->trial.name));
}

/* Has the confirmed file arrived where the administrator's are? */
static bool trial_has_arrived(struct agent *a)
{
	_cleanup_(policy_set_freep) struct policy_set *set = NULL;
	const struct policy_source *there, *here = source_find(a->set, a->trial.name);

	if (!here || !here->file ||
	    policy_set_load(a->options.policy_dirs, a->options.n_policy_dirs, NULL, &set) < 0)
		return false;
	there = source_find(set, a->trial.name);
	return there && there->file && strcmp(there->file->text, here->file->text) == 0;
}

json_t *control_settle(struct agent *a, char **reterr_text)
{
	_cleanup_free_ char *name = NULL;

	if (!a->trial.name || !a->trial.confirmed)
		return refuse(reterr_text, "no policy file is confirmed");
	if (!trial_has_arrived(a))
		return refuse(reterr_text, "no policy directory of the agent has this '%s' in force; it stays on trial",
			      a->trial.name);
	name = strdup(a->trial.name);
	if (trial_take_back(a) < 0)
		return refuse(reterr_text, "the file on trial cannot be removed");
	if (agent_reload(a, reterr_text) < 0)
		return NULL;
	return json_pack("{s:o}", "name", control_text(name));
}

static bool trial_roll_back(struct agent *a, const char *why)
{
	_cleanup_free_ char *name = strdup(a->trial.name);

	if (trial_take_back(a) < 0) {
		a->deadline_retry_ns = agent_boottime_ns();
		return false;
	}
	log_write(LOG_WARNING, "Rolled back policy file '%s': %s", name ? name : "", why);
	agent_notice(a, EVENT_NOTICE_ROLLED_BACK, POLICY_SEVERITY_HIGH, "Rolled back policy file '%s': %s",
		     name ? name : "", why);
	return true;
}

json_t *control_rollback(struct agent *a, char **reterr_text)
{
	_cleanup_free_ char *name = NULL;
	bool done;

	if (!a->trial.name)
		return refuse(reterr_text, "no policy file is on trial");
	name = strdup(a->trial.name);
	done = trial_roll_back(a, "by order");
	if (done && agent_reload(a, reterr_text) < 0) {
		a->deadline_retry_ns = agent_boottime_ns();
		done = false;
	} else if (!done) {
		(void)refuse(reterr_text, "the file on trial cannot be removed");
	}
	agent_deadlines_set(a);
	return done ? json_pack("{s:o}", "name", control_text(name)) : NULL;
}

bool agent_trial_expire(struct agent *a, uint64_t now_ns)
{
	if (!a->trial.name || a->trial.confirmed || a->trial.until_ns > now_ns)
		return false;
	return trial_roll_back(a, "nobody confirmed it in time");
}

json_t *agent_trial_status(struct agent *a)
{
	uint64_t now_ns = agent_boottime_ns();
	uint64_t left = a->trial.until_ns > now_ns ? a->trial.until_ns - now_ns : 0;

	if (!a->trial.name)
		return json_null();
	return json_pack("{s:o, s:b, s:o}", "name", control_text(a->trial.name), "confirmed",
			 (int)a->trial.confirmed, "left_us", number(left / 1000ULL));
}
