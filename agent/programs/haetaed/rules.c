/* SPDX-License-Identifier: Apache-2.0 */

#include "programs/haetaed/rules.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <uthash.h>

#include "compile/image.h"
#include "util/cleanup.h"
#include "util/strbuf.h"

/* What all rules of a policy share. Stays as long as there are rules: theirs may have decided something long ago. */
struct rule_origin {
	char *policy;
	char *file;
	UT_hash_handle hh; /* by policy */
	struct rule_origin *other; /* of the same name, in another file */
};

struct rule_entry {
	uint64_t id;
	const struct rule_origin *origin; /* borrowed */
	uint32_t line;
	enum policy_severity severity;
	char *message; /* NULL: none */
	struct event_names *names; /* as events have them; NULL: none had yet */
	UT_hash_handle hh;
	char text[];
};

struct profile_entry {
	uint32_t id;
	char *policy;
	struct event_names *names; /* of an event that no rule decided; NULL: none had yet */
	UT_hash_handle hh;
};

static struct rule_entry *rule_entry_free(struct rule_entry *e)
{
	if (!e)
		return NULL;
	free(e->message);
	(void)event_names_unref(e->names);
	free(e);
	return NULL;
}

DEFINE_CLEANUP(struct rule_entry *, rule_entry_freep, rule_entry_free);

static void origin_free(struct rule_origin *origin)
{
	while (origin) {
		struct rule_origin *other = origin->other;

		free(origin->policy);
		free(origin->file);
		free(origin);
		origin = other;
	}
}

/* Return: NULL: no memory. */
static const struct rule_origin *origin_get(struct rules *rules, const struct policy *policy)
{
	struct rule_origin *first = NULL, *origin;

	HASH_FIND_STR(rules->origins, policy->name, first);
	for (origin = first; origin; origin = origin->other)
		if (strcmp(origin->file, policy->file) == 0)
			return origin;
	origin = calloc(1, sizeof(*origin));
	if (!origin)
		return NULL;
	origin->policy = strdup(policy->name);
	origin->file = strdup(policy->file);
	if (!origin->policy || !origin->file) {
		origin_free(origin);
		return NULL;
	}
	if (first) {
		origin->other = first->other;
		first->other = origin;
	} else {
		HASH_ADD_KEYPTR(hh, rules->origins, origin->policy, strlen(origin->policy), origin);
	}
	return origin;
}

static int rule_add(struct rules *rules, const struct rule_origin *origin,
		    const struct policy_rule *rule)
{
	_cleanup_(rule_entry_freep) struct rule_entry *e = NULL;
	_cleanup_free_ char *text = policy_rule_to_text(rule);
	struct rule_entry *old = NULL;
	size_t size = text ? strlen(text) + 1 : 0;

	e = text ? calloc(1, sizeof(*e) + size) : NULL;
	if (!e)
		return -ENOMEM;
	memcpy(e->text, text, size);
	e->id = rule->id;
	e->origin = origin;
	e->line = rule->location.line;
	e->message = rule->message ? strdup(rule->message) : NULL;
	e->severity = rule->severity;
	if (rule->message && !e->message)
		return -ENOMEM;
	HASH_FIND(hh, rules->by_id, &e->id, sizeof(e->id), old);
	if (old) {
		HASH_DEL(rules->by_id, old);
		(void)rule_entry_free(old);
	}
	HASH_ADD(hh, rules->by_id, id, sizeof(e->id), e);
	e = NULL;
	return 0;
}

int rules_add_profile(struct rules *rules, const char *policy, uint32_t id)
{
	struct profile_entry *p = NULL;

	HASH_FIND(hh, rules->profiles, &id, sizeof(id), p);
	if (p)
		return 0;
	p = calloc(1, sizeof(*p));
	if (!p)
		return -ENOMEM;
	p->id = id;
	p->policy = strndup(policy, strcspn(policy, (const char[]){IMAGE_VARIANT_MARK, '\0'}));
	if (!p->policy) {
		free(p);
		return -ENOMEM;
	}
	HASH_ADD(hh, rules->profiles, id, sizeof(p->id), p);
	return 0;
}

int rules_add(struct rules *rules, const struct policy *policy, uint32_t profile)
{
	const struct rule_origin *origin = origin_get(rules, policy);
	const struct policy_rule *rule;
	int r = origin ? rules_add_profile(rules, policy->name, profile) : -ENOMEM;

	for (size_t i = 0; r == 0 && (rule = policy_rule_at(policy, i)); i++)
		r = rule_add(rules, origin, rule);
	return r;
}

static struct profile_entry *profile_find(const struct rules *rules, uint32_t profile)
{
	struct profile_entry *p = NULL;

	HASH_FIND(hh, rules->profiles, &profile, sizeof(profile), p);
	return p;
}

const char *rules_profile(const struct rules *rules, uint32_t profile)
{
	const struct profile_entry *p = profile_find(rules, profile);

	return p ? p->policy : NULL;
}

/* Names that are made with the first event that has them. */
static int names_set(struct event *event, struct event_names **names,
		     const char *const texts[EVENT_NAMES])
{
	if (!*names)
		*names = event_names_new(texts);
	if (!*names)
		return -ENOMEM;
	event_set_rule(event, *names);
	return 0;
}

static int profile_enrich(struct rules *rules, struct event *event)
{
	if (!rules->last || rules->last->id != event->profile)
		rules->last = profile_find(rules, event->profile);
	if (!rules->last)
		return 0;
	return names_set(event, &rules->last->names,
			 (const char *const[EVENT_NAMES]){rules->last->policy});
}

int rules_enrich(struct rules *rules, struct event *event)
{
	struct rule_entry *e = NULL;

	/* A refusal that no rule made (a foreign mount, a damaged profile) is never routine. */
	event->severity = event->verdict == HT_VERDICT_ALLOW ? POLICY_SEVERITY_INFO :
							       POLICY_SEVERITY_HIGH;
	if (event->rule_id != 0)
		HASH_FIND(hh, rules->by_id, &event->rule_id, sizeof(event->rule_id), e);
	if (!e)
		return profile_enrich(rules, event);
	event->severity = e->severity;
	event->rule_line = e->line;
	return names_set(event, &e->names,
			 (const char *const[EVENT_NAMES]){e->origin->policy, e->origin->file, e->text,
							  e->message});
}

void rules_deinit(struct rules *rules)
{
	struct rule_entry *e, *next;
	struct profile_entry *p, *pnext;
	struct rule_origin *o, *onext;

	HASH_ITER(hh, rules->by_id, e, next)
	{
		HASH_DEL(rules->by_id, e);
		(void)rule_entry_free(e);
	}
	HASH_ITER(hh, rules->profiles, p, pnext)
	{
		HASH_DEL(rules->profiles, p);
		(void)event_names_unref(p->names);
		free(p->policy);
		free(p);
	}
	HASH_ITER(hh, rules->origins, o, onext)
	{
		HASH_DEL(rules->origins, o);
		origin_free(o);
	}
	rules->last = NULL;
}
