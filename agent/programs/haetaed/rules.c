/* SPDX-License-Identifier: Apache-2.0 */

#include "programs/haetaed/rules.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <uthash.h>

#include "compile/image.h"
#include "util/cleanup.h"
#include "util/strbuf.h"

struct rule_entry {
	uint64_t id;
	char *policy;
	char *file;
	uint32_t line;
	char *text;
	char *message; /* NULL: none */
	enum policy_severity severity;
	UT_hash_handle hh;
};

struct profile_entry {
	uint32_t id;
	char *policy;
	UT_hash_handle hh;
};

static struct rule_entry *rule_entry_free(struct rule_entry *e)
{
	if (!e)
		return NULL;
	free(e->policy);
	free(e->file);
	free(e->text);
	free(e->message);
	free(e);
	return NULL;
}

DEFINE_CLEANUP(struct rule_entry *, rule_entry_freep, rule_entry_free);

static int rule_add(struct rules *rules, const struct policy *policy, const struct policy_rule *rule)
{
	_cleanup_(rule_entry_freep) struct rule_entry *e = calloc(1, sizeof(*e));
	struct rule_entry *old = NULL;

	if (!e)
		return -ENOMEM;
	e->id = rule->id;
	e->policy = strdup(policy->name);
	e->file = strdup(policy->file);
	e->line = rule->location.line;
	e->text = policy_rule_to_text(rule);
	e->message = rule->message ? strdup(rule->message) : NULL;
	e->severity = rule->severity;
	if (!e->policy || !e->file || !e->text || (rule->message && !e->message))
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
	const struct policy_rule *rule;
	int r = rules_add_profile(rules, policy->name, profile);

	for (size_t i = 0; r == 0 && (rule = policy_rule_at(policy, i)); i++)
		r = rule_add(rules, policy, rule);
	return r;
}

const char *rules_profile(const struct rules *rules, uint32_t profile)
{
	struct profile_entry *p = NULL;

	HASH_FIND(hh, rules->profiles, &profile, sizeof(profile), p);
	return p ? p->policy : NULL;
}

static int enrich_text(char **to, const char *from)
{
	if (!from)
		return 0;
	free(*to);
	*to = strdup(from);
	return *to ? 0 : -ENOMEM;
}

int rules_enrich(const struct rules *rules, struct event *event)
{
	struct rule_entry *e = NULL;
	int r;

	r = enrich_text(&event->policy, rules_profile(rules, event->profile));
	if (r < 0)
		return r;
	/* A refusal that no rule made (a foreign mount, a damaged profile) is never routine. */
	event->severity = event->verdict == HT_VERDICT_ALLOW ? POLICY_SEVERITY_INFO :
							       POLICY_SEVERITY_HIGH;
	if (event->rule_id == 0)
		return 0;
	HASH_FIND(hh, rules->by_id, &event->rule_id, sizeof(event->rule_id), e);
	if (!e)
		return 0;
	event->severity = e->severity;
	event->rule_line = e->line;
	r = enrich_text(&event->policy, e->policy);
	if (r == 0)
		r = enrich_text(&event->rule_file, e->file);
	if (r == 0)
		r = enrich_text(&event->rule_text, e->text);
	if (r == 0)
		r = enrich_text(&event->message, e->message);
	return r;
}

void rules_deinit(struct rules *rules)
{
	struct rule_entry *e, *next;
	struct profile_entry *p, *pnext;

	HASH_ITER(hh, rules->by_id, e, next)
	{
		HASH_DEL(rules->by_id, e);
		(void)rule_entry_free(e);
	}
	HASH_ITER(hh, rules->profiles, p, pnext)
	{
		HASH_DEL(rules->profiles, p);
		free(p->policy);
		free(p);
	}
}
