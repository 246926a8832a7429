/* SPDX-License-Identifier: Apache-2.0 */

/* The answer to "status". The members of the status answer are documented where they are shown:
 * programs/agentctl/cmd-status.c. */

#include <errno.h>
#include <stdarg.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>
#include <time.h>
#include <unistd.h>

#include "programs/haetaed/agent.h"
#include "programs/haetaed/break-glass.h"

static json_t *number(uint64_t n)
{
	return json_integer((json_int_t)n);
}

static json_t *status_links(struct agent *a)
{
	size_t n;
	const char *const *names = kernel_links(a->kernel, &n);
	json_t *list = json_array(), *idle = json_array();
	const char *name;

	for (size_t i = 0; i < n; i++)
		(void)json_array_append_new(list, json_string(names[i]));
	for (size_t i = 0; (name = kernel_idle_programs(a->kernel, &i));)
		(void)json_array_append_new(idle, json_string(name));
	return json_pack("{s:o, s:o, s:o, s:o}", "attached", number(n), "expected", number(n), "names", list,
			 "idle", idle);
}

/* ---- containers, and how many cgroups each policy governs ---- */

struct container_walk {
	struct agent *a;
	json_t *list;
	json_t *per_policy; /* name -> number of cgroups */
};

/* What a policy says through links in a container is a profile of its own there. */
static bool names_have(const json_t *names, const char *name)
{
	json_t *text = control_text(name);
	bool found = false;

	for (size_t i = 0; i < json_array_size(names); i++)
		found = found || json_equal(json_array_get(names, i), text);
	json_decref(text);
	return found;
}

static int container_add(uint64_t id, const char *path, const struct ht_cgroup *value,
			 void *userdata)
{
	struct container_walk *w = userdata;
	const struct container *c = containers_get(&w->a->containers, id);
	json_t *policies = json_array();

	for (unsigned i = 0; i < HT_PROFILES_MAX && value->profiles[i]; i++) {
		const char *name = rules_profile(&w->a->rules, value->profiles[i]);
		json_int_t n;

		if (!name || names_have(policies, name))
			continue;
		n = json_integer_value(json_object_get(w->per_policy, name));
		(void)json_object_set_new(w->per_policy, name, json_integer(n + 1));
		(void)json_array_append_new(policies, control_text(name));
	}
	(void)json_array_append_new(
		w->list, json_pack("{s:o, s:o, s:o, s:o, s:o, s:o, s:o}", "name",
				   control_text(c ? c->name : path), "id",
				   control_text(c ? c->id : NULL), "runtime",
				   control_text(c ? c->runtime : "unknown"), "cgroup",
				   control_text(path), "cgroup_id", number(id), "policies", policies,
				   "counted", number(value->counted)));
	return 0;
}

static json_t *status_policies(struct agent *a, json_t *per_policy, const char **ret_mode)
{
	json_t *list = json_array();

	*ret_mode = "idle";
	for (size_t i = 0; i < a->set->n_sources; i++) {
		const struct policy_source *s = &a->set->sources[i];

		for (size_t j = 0; s->file && j < s->file->n_policies; j++) {
			const struct policy *p = s->file->policies[j];
			uint32_t id = 0;

			(void)image_names_profile(a->names, p->name, &id);
			if (p->mode == POLICY_MODE_ENFORCE)
				*ret_mode = "enforce";
			else if (strcmp(*ret_mode, "idle") == 0)
				*ret_mode = "audit";
			(void)json_array_append_new(
				list,
				json_pack("{s:o, s:o, s:i, s:s, s:s, s:o, s:o, s:I}", "name",
					  control_text(p->name), "file", control_text(p->file),
					  "line", (int)p->location.line, "mode",
					  policy_mode_to_string(p->mode), "state",
					  s->stale ? "stale" : "active", "profile", number(id),
					  "rules", number(p->n_rules), "cgroups",
					  json_integer_value(json_object_get(per_policy, p->name))));
		}
	}
	return list;
}

/* ---- rules with a time ---- */

#define STATUS_TIMES_MAX 100U /* more of them are only counted, by `rules` of their policy */

static void times_add(json_t *list, const struct policy *p, const struct policy_rule *rule, int64_t now)
{
	_cleanup_free_ char *text = policy_rule_to_text(rule);
	enum policy_rule_state state = policy_rule_state(rule, now);
	bool staged = state == POLICY_RULE_STAGED;
	int64_t at = staged ? rule->enforce_after : rule->expires;

	if (at == 0 || json_array_size(list) >= STATUS_TIMES_MAX)
		return;
	(void)json_array_append_new(
		list, json_pack("{s:o, s:o, s:i, s:o, s:s, s:o}", "policy", control_text(p->name),
				"file", control_text(p->file), "line", (int)rule->location.line, "rule",
				control_text(text), "state",
				staged				  ? "staged" :
				state == POLICY_RULE_EXPIRED	  ? "expired" :
								    "expires",
				"at_us", number((uint64_t)at * 1000000ULL)));
}

static json_t *status_times(struct agent *a)
{
	json_t *list = json_array();
	int64_t now = time(NULL);

	for (size_t i = 0; i < a->set->n_sources; i++) {
		const struct policy_file *file = a->set->sources[i].file;

		for (size_t j = 0; file && j < file->n_policies; j++)
			for (size_t k = 0; k < file->policies[j]->n_rules; k++)
				times_add(list, file->policies[j], &file->policies[j]->rules[k], now);
	}
	return list;
}

static json_t *status_sources(struct agent *a)
{
	json_t *list = json_array();

	for (size_t i = 0; i < a->set->n_sources; i++) {
		const struct policy_source *s = &a->set->sources[i];
		const char *state = s->masked			 ? "masked" :
				    s->stale && s->file		 ? "stale" :
				    !s->file			 ? "broken" :
				    s->file->n_policies == 0	 ? "empty" :
								   "active";
		json_t *entry = json_pack("{s:o, s:s}", "path", control_text(s->path), "state", state);

		for (size_t d = 0; s->stale && d < a->set->diags.n_errors; d++) {
			const struct diag *diag;

			if (d >= a->set->diags.n)
				break;
			diag = &a->set->diags.items[d];
			if (strcmp(diag->file, s->path) != 0)
				continue;
			(void)json_object_set_new(entry, "error", control_text(diag->text));
			break;
		}
		(void)json_array_append_new(list, entry);
	}
	return list;
}

/* ---- counters ---- */

static void status_counters(struct agent *a, const struct ht_ledger *ledger,
			    const struct store_stats *stats, json_t *answer)
{
	json_t *counters = json_object(), *stored = json_object(), *unstored = json_object();
	char path[PATH_MAX];

	for (uint8_t v = 0; v < HT_VERDICT_MAX; v++) {
		const char *word = event_verdict_to_string(v);
		uint64_t lost = ledger->lost[v] < a->account.lost[v] ? ledger->lost[v] :
								       a->account.lost[v];

		(void)json_object_set_new(
			counters, word,
			json_pack("{s:o, s:o, s:o, s:o}", "counted", number(ledger->counted[v]),
				  "emitted", number(ledger->emitted[v]), "aggregated",
				  number(a->account.aggregated[v]), "lost", number(lost)));
		(void)json_object_set_new(stored, word,
					  number(a->account.stored[v] - stats->pending_verdicts[v]));
		(void)json_object_set_new(unstored, word, number(a->account.lost[v] - lost));
	}
	(void)snprintf(path, sizeof(path), "%s/events.db", a->options.state_dir);
	(void)json_object_set_new(answer, "counters", counters);
	(void)json_object_set_new(
		answer, "store",
		json_pack("{s:o, s:o, s:o, s:o, s:b, s:o, s:o, s:o}", "path", control_text(path),
			  "committed", number(stats->committed), "pending", number(stats->pending),
			  "dropped", number(stats->dropped), "degraded", (int)stats->degraded, "error",
			  control_text(stats->degraded ? stats->last_error : NULL), "stored", stored,
			  "unstored", unstored));
}

static json_t *status_identities(const struct agent *a)
{
	return json_pack("{s:o, s:o, s:o, s:o, s:o}", "known",
			 number(identity_book_count(&a->identities.book)), "waiting",
			 number(a->identities.waiting.n), "links", number(a->identities.spellings.n),
			 "without-room",
			 number(a->identities.without_room), "failed", number(a->identities.failed));
}

static json_t *status_failures(const struct ht_ledger *ledger)
{
	json_t *failures = json_object();

	for (uint8_t r = HT_REASON_FOREIGN; r < HT_REASON_MAX; r++)
		(void)json_object_set_new(failures, event_reason_to_string(r),
					  number(ledger->failures[r]));
	(void)json_object_set_new(failures, "forks-refused", number(ledger->forks_refused));
	(void)json_object_set_new(failures, "binds-failed", number(ledger->binds_failed));
	(void)json_object_set_new(failures, "verdicts-refused", number(ledger->verdicts_refused));
	return failures;
}

static void warn(json_t *warnings, const char *format, ...) __attribute__((format(printf, 2, 3)));

static void warn(json_t *warnings, const char *format, ...)
{
	_cleanup_free_ char *text = NULL;
	va_list ap;

	va_start(ap, format);
	if (vasprintf(&text, format, ap) >= 0)
		(void)json_array_append_new(warnings, control_text(text));
	va_end(ap);
}

static void warn_unknown(const struct container_record *record, const struct policy *policy, void *userdata)
{
	warn(userdata, "policy '%s' may be meant for container '%s' (%.12s), of which not everything that it asks for can be "
	     "learned: not bound", policy->name, record->facts.name ? record->facts.name : record->cgroup,
	     record->facts.id);
}

static json_t *status_warnings(struct agent *a, const struct ht_ledger *ledger,
			       const struct store_stats *stats)
{
	json_t *warnings = json_array();

	for (size_t i = 0; i < a->set->n_sources; i++)
		if (a->set->sources[i].stale)
			warn(warnings, "policy file '%s' is broken", a->set->sources[i].path);
	if (stats->degraded)
		warn(warnings, "the verdict store cannot be written: %s", stats->last_error);
	if (ledger->binds_failed > 0)
		warn(warnings, "%llu new cgroups could not be bound to their policies",
		     (unsigned long long)ledger->binds_failed);
	for (uint32_t line = 0; line < HT_KERNEL_MAX; line++)
		if (kernel_lines_missing(a->kernel) & (1U << line))
			warn(warnings, "this kernel has no hooks for the line '%s' of 'kernel:': nothing of it is refused",
			     policy_op_to_string(HT_KERNEL_OP(line)));
	if (a->pins_missing > 0)
		warn(warnings, "%zu pins were removed: the enforcement ends with this agent", a->pins_missing);
	agent_bind_unknown(a, warn_unknown, warnings);
	if (agent_bind_unhooked(a))
		warn(warnings, "policies select by 'container:' and the runtimes' hook is not installed (haetae.json): "
			       "containers are governed only some seconds after they started");
	if (a->undecodable > 0)
		warn(warnings, "%llu kernel records could not be read",
		     (unsigned long long)a->undecodable);
	if (a->identities.unavailable < 0)
		warn(warnings, "what rules name is not bound by identity: this kernel does not take the program: %s",
		     strerror(-a->identities.unavailable));
	if (a->identities.without_room > 0)
		warn(warnings, "%llu objects that rules name are not bound by identity: no room",
		     (unsigned long long)a->identities.without_room);
	if (a->spelled_without_room > 0)
		warn(warnings, "in %zu containers rules whose directories are symbolic links hold only as they are written: "
			       "too many policies", a->spelled_without_room);
	if (alerts_dropped(a->alerts) > 0)
		warn(warnings, "%llu alerts did not reach the journal",
		     (unsigned long long)alerts_dropped(a->alerts));
	return warnings;
}

static json_t *status_boot_id(const struct agent *a)
{
	char text[33];

	for (unsigned i = 0; i < 16; i++)
		(void)snprintf(text + 2 * i, 3, "%02x", a->clock.boot_id[i]);
	return json_string(text);
}

json_t *agent_status(struct agent *a)
{
	struct container_walk w = { .a = a, .list = json_array(), .per_policy = json_object() };
	struct ht_ledger ledger = {};
	struct store_stats stats;
	struct utsname uts = {};
	const char *mode;
	json_t *answer, *policies;

	agent_ledger_tick(a); /* what lies in the rings is on its way, not missing */
	(void)uname(&uts);
	(void)kernel_ledger_read(a->kernel, &ledger);
	store_stats_read(a->store, &stats);
	(void)kernel_cgroups_each(a->kernel, container_add, &w);
	policies = status_policies(a, w.per_policy, &mode);
	json_decref(w.per_policy);
	answer = json_pack(
		"{s:s, s:i, s:o, s:o, s:s, s:o, s:o, s:{s:b, s:o}, s:o, s:o, s:o, s:o}", "version",
		HAETAE_VERSION, "pid", (int)getpid(), "since_us", number(a->started_us), "boot_id",
		status_boot_id(a), "mode", mode, "kernel", control_text(uts.release), "generation",
		number(a->published.generation), "canary", "ok", 1, "at_us", number(a->canary_us),
		"links", status_links(a), "policies", policies, "sources", status_sources(a),
		"containers", w.list);
	if (!answer)
		return NULL;
	status_counters(a, &ledger, &stats, answer);
	(void)json_object_set_new(answer, "notices",
				  json_pack("{s:o, s:o}", "emitted", number(ledger.notices_emitted),
					    "lost", number(ledger.notices_lost)));
	(void)json_object_set_new(answer, "times", status_times(a));
	(void)json_object_set_new(answer, "failures", status_failures(&ledger));
	(void)json_object_set_new(answer, "identities", status_identities(a));
	(void)json_object_set_new(answer, "labels", number(kernel_labels_count(a->kernel)));
	(void)json_object_set_new(answer, "spare-verdicts", number(ledger.verdicts_spare));
	(void)json_object_set_new(answer, "disarmed", agent_disarm_status(a));
	(void)json_object_set_new(answer, "trial", agent_trial_status(a));
	(void)json_object_set_new(answer, "warnings", status_warnings(a, &ledger, &stats));
	return answer;
}
