/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Rules that can never decide anything.
 *
 * The strictest action decides: kill, deny, audit. Of equal ones a rule that speaks always (no
 * exceptions, no `unless`, no times) comes before one that speaks under conditions, and then the
 * first in the file is the one that is told. So
 *   - a deny or an audit is unreachable if a stricter rule that speaks always covers its path and
 *     operations, or an *earlier* one as strict (a later one may well be broader: the earlier keeps
 * its own severity and message); if it has an `unless`, any as strict;
 *   - an allow is unreachable if *any* deny that speaks always covers it;
 *   - an allow that another allow covers changes nothing: only a warning, it does no harm.
 * An error must be right, so coverage is the sound predicate of path.h, and by one rule at a time.
 *
 * 100,000 rules are possible, so they are kept in tries of components. Literal components are
 * looked up; wildcards have to be tried one by one, for which there is a budget.
 */

#include <errno.h>
#include <string.h>

#include "policy/path.h"
#include "policy/schema.h"

/* Steps of comparing wildcard components (bytes of the one by bytes of the other): a few tenths of
 * a second. Beyond it a warning tells that not everything was looked at. */
#define BUDGET 100000000U

#define NONE UINT32_MAX

struct trie_node {
	uint32_t parent;
	const char *name; /* component, borrowed from the rule */
	uint32_t len;
	uint32_t bucket_next;	    /* chain of the hash table */
	uint32_t globs;		    /* first child with wildcards */
	uint32_t globs_next;	    /* its siblings */
	uint32_t rules, rules_last; /* list of rules that end here, in order */
};

struct trie {
	struct trie_node *nodes;
	size_t n_nodes, size;
	uint32_t *buckets;
	size_t n_buckets;     /* power of two */
	uint32_t *rules_next; /* by index of the rule */
};

struct checker {
	struct parse *p;
	struct trie deny, audit, allow;
	unsigned budget;
	bool exhausted;
};

/* One search: is there a rule in the trie that covers this one? */
struct query {
	struct checker *c;
	const struct trie *trie;
	const struct policy_rule *rule;
	size_t self; /* its index */
};

static bool rule_has_unless(const struct policy_rule *rule)
{
	return rule->unless.n_exe > 0 || rule->unless.n_uids > 0;
}

/* Whatever the path, the moment and the subject are. */
static bool rule_speaks_always(const struct policy_rule *rule)
{
	return rule->n_except == 0 && !rule_has_unless(rule) && rule->enforce_after == 0 &&
	       rule->expires == 0;
}

/* Does a rule that covers another leave it nothing to decide? */
static bool rule_silences(const struct policy_rule *rules, size_t outer, size_t inner)
{
	const struct policy_rule *o = &rules[outer], *i = &rules[inner];

	if (outer == inner || (o->ops & i->ops) != i->ops)
		return false;
	if (o->action == POLICY_ACTION_ALLOW)
		return i->action == POLICY_ACTION_ALLOW && (!o->origin_image || i->origin_image);
	if (i->action == POLICY_ACTION_ALLOW || (rule_has_unless(i) && o->action == i->action))
		return true;
	return o->action > i->action || (o->action == i->action && outer < inner);
}

static uint32_t component_hash(uint32_t parent, const char *name, size_t len)
{
	uint32_t h = 2166136261U ^ (parent * 2654435761U);

	for (size_t i = 0; i < len; i++)
		h = (h ^ (unsigned char)name[i]) * 16777619U;
	return h ^ h >> 15;
}

static uint32_t trie_find(const struct trie *t, uint32_t parent, const char *name, size_t len)
{
	uint32_t i = t->buckets[component_hash(parent, name, len) & (t->n_buckets - 1)];

	for (; i != NONE; i = t->nodes[i].bucket_next) {
		const struct trie_node *n = &t->nodes[i];

		if (n->parent == parent && n->len == len && memcmp(n->name, name, len) == 0)
			return i;
	}
	return NONE;
}

static int trie_grow(struct trie *t)
{
	size_t size = t->size ? 2 * t->size : 64;
	struct trie_node *nodes;
	uint32_t *buckets;

	nodes = reallocarray(t->nodes, size, sizeof(*nodes));
	if (!nodes)
		return -ENOMEM;
	t->nodes = nodes;
	buckets = reallocarray(t->buckets, size, sizeof(*buckets));
	if (!buckets)
		return -ENOMEM;
	t->buckets = buckets;
	t->size = size;
	t->n_buckets = size;
	memset(buckets, 0xff, size * sizeof(*buckets));
	for (uint32_t i = 1; i < t->n_nodes; i++) {
		struct trie_node *n = &nodes[i];
		uint32_t *bucket =
			&buckets[component_hash(n->parent, n->name, n->len) & (size - 1)];

		n->bucket_next = *bucket;
		*bucket = i;
	}
	return 0;
}

static int trie_add_node(struct trie *t, uint32_t parent, const char *name, size_t len,
			 uint32_t *ret)
{
	uint32_t i = (uint32_t)t->n_nodes, *bucket;
	int r;

	if (t->n_nodes == t->size) {
		r = trie_grow(t);
		if (r < 0)
			return r;
	}
	t->nodes[i] = (struct trie_node){
		.parent = parent,
		.name = name,
		.len = (uint32_t)len,
		.bucket_next = NONE,
		.globs = NONE,
		.globs_next = NONE,
		.rules = NONE,
		.rules_last = NONE,
	};
	t->n_nodes++;
	*ret = i;
	if (i == 0) /* the root has no name */
		return 0;
	bucket = &t->buckets[component_hash(parent, name, len) & (t->n_buckets - 1)];
	t->nodes[i].bucket_next = *bucket;
	*bucket = i;
	if (policy_component_has_wildcard(name, len)) {
		t->nodes[i].globs_next = t->nodes[parent].globs;
		t->nodes[parent].globs = i;
	}
	return 0;
}

static int trie_init(struct trie *t, size_t n_rules)
{
	uint32_t root;

	t->rules_next = calloc(n_rules, sizeof(*t->rules_next));
	if (!t->rules_next)
		return -ENOMEM;
	return trie_add_node(t, NONE, "", 0, &root);
}

static void trie_deinit(struct trie *t)
{
	free(t->nodes);
	free(t->buckets);
	free(t->rules_next);
}

static int trie_add_rule(struct trie *t, const struct policy_path *path, uint32_t rule)
{
	const char *rest = path->text, *name = NULL;
	uint32_t at = 0, child;
	size_t len = 0;

	while (policy_path_next(&rest, &name, &len)) {
		child = trie_find(t, at, name, len);
		if (child == NONE) {
			int r = trie_add_node(t, at, name, len, &child);

			if (r < 0)
				return r;
		}
		at = child;
	}
	t->rules_next[rule] = NONE;
	if (t->nodes[at].rules_last == NONE)
		t->nodes[at].rules = rule;
	else
		t->rules_next[t->nodes[at].rules_last] = rule;
	t->nodes[at].rules_last = rule;
	return 0;
}

static uint32_t query_rules(const struct query *q, uint32_t at, bool whole)
{
	const struct policy_rule *rules = q->c->p->policy->rules;

	for (uint32_t i = q->trie->nodes[at].rules; i != NONE; i = q->trie->rules_next[i]) {
		if (!rule_silences(rules, i, q->self))
			continue;
		/* a subtree covers what ends here and all below; an exact path only its equal */
		if (rules[i].path.subtree || (whole && !q->rule->path.subtree))
			return i;
	}
	return NONE;
}

/* Depth is bounded by HT_RULE_DEPTH_MAX. Return: index of a covering rule or NONE. */
static uint32_t query_walk(const struct query *q, uint32_t at, const char *rest)
{
	const struct trie *t = q->trie;
	const char *name = NULL;
	size_t len = 0;
	bool whole = !policy_path_next(&rest, &name, &len);
	uint32_t found = query_rules(q, at, whole), child, cost;

	if (found != NONE || whole)
		return found;
	child = trie_find(t, at, name, len);
	if (child != NONE) {
		found = query_walk(q, child, rest);
		if (found != NONE)
			return found;
	}
	for (uint32_t i = t->nodes[at].globs; i != NONE; i = t->nodes[i].globs_next) {
		if (i == child)
			continue;
		cost = t->nodes[i].len * (uint32_t)len + 8;
		if (q->c->budget < cost) {
			q->c->exhausted = true;
			return NONE;
		}
		q->c->budget -= cost;
		if (!policy_component_covers(t->nodes[i].name, t->nodes[i].len, name, len))
			continue;
		found = query_walk(q, i, rest);
		if (found != NONE)
			return found;
	}
	return NONE;
}

static struct trie *trie_of(struct checker *c, const struct policy_rule *rule)
{
	if (rule->action == POLICY_ACTION_ALLOW)
		return &c->allow;
	return rule->action == POLICY_ACTION_AUDIT ? &c->audit : &c->deny;
}

static int build_tries(struct checker *c, const bool *duplicate)
{
	const struct policy *policy = c->p->policy;
	int r;

	r = trie_init(&c->deny, policy->n_rules);
	if (r == 0)
		r = trie_init(&c->audit, policy->n_rules);
	if (r == 0)
		r = trie_init(&c->allow, policy->n_rules);
	for (size_t i = 0; i < policy->n_rules && r == 0; i++) {
		const struct policy_rule *rule = &policy->rules[i];

		if (rule->path.text && rule_speaks_always(rule) && !duplicate[i])
			r = trie_add_rule(trie_of(c, rule), &rule->path, (uint32_t)i);
	}
	return r;
}

static uint32_t find_cover(struct checker *c, const struct trie *trie, size_t index)
{
	const struct policy_rule *rule = &c->p->policy->rules[index];
	struct query q = {.c = c, .trie = trie, .rule = rule, .self = index};

	return query_walk(&q, 0, rule->path.text);
}

static void check_reachable(struct checker *c, size_t index)
{
	const struct policy_rule *rules = c->p->policy->rules, *rule = &rules[index];
	uint32_t found = find_cover(c, &c->deny, index);

	if (found == NONE && rule->action == POLICY_ACTION_AUDIT)
		found = find_cover(c, &c->audit, index);
	if (found != NONE) {
		policy_text_error(c->p->text, c->p->rule_spans[index], NULL,
				  "unreachable rule: the %s rule in line %u covers it",
				  policy_action_to_string(rules[found].action),
				  rules[found].path.location.line);
		return;
	}
	if (rule->action != POLICY_ACTION_ALLOW)
		return;
	found = find_cover(c, &c->allow, index);
	if (found != NONE)
		policy_text_warn(c->p->text, c->p->rule_spans[index], NULL,
				 "the rule changes nothing: the allow rule in line %u covers it",
				 rules[found].path.location.line);
}

struct id_index {
	uint64_t id;
	size_t index;
};

static int id_compare(const void *a, const void *b)
{
	const struct id_index *x = a, *y = b;

	if (x->id != y->id)
		return x->id < y->id ? -1 : 1;
	return x->index < y->index ? -1 : x->index > y->index;
}

/* Rules with one id say the same thing. Marks the later ones. */
static int check_duplicates(struct parse *p, bool *duplicate)
{
	const struct policy *policy = p->policy;
	_cleanup_free_ struct id_index *ids = calloc(policy->n_rules, sizeof(*ids));
	size_t first = 0;

	if (!ids)
		return -ENOMEM;
	for (size_t i = 0; i < policy->n_rules; i++)
		ids[i] = (struct id_index){policy->rules[i].id, i};
	qsort(ids, policy->n_rules, sizeof(*ids), id_compare);
	for (size_t i = 1; i < policy->n_rules; i++) {
		if (ids[i].id != ids[first].id) {
			first = i;
			continue;
		}
		duplicate[ids[i].index] = true;
		policy_text_error(p->text, p->rule_spans[ids[i].index], NULL,
				  "duplicate rule, first written in line %u",
				  policy->rules[ids[first].index].location.line);
	}
	return 0;
}

void check_rules(struct parse *p)
{
	const struct policy *policy = p->policy;
	struct checker c = {.p = p, .budget = BUDGET};
	_cleanup_free_ bool *duplicate = NULL;
	int r = 0;

	if (policy->n_rules == 0)
		return;
	duplicate = calloc(policy->n_rules, sizeof(*duplicate));
	if (!duplicate)
		r = -ENOMEM;
	/* without a name there are no ids; the file is refused anyway */
	if (r == 0 && policy->name)
		r = check_duplicates(p, duplicate);
	if (r == 0)
		r = build_tries(&c, duplicate);
	for (size_t i = 0; i < policy->n_rules && r == 0; i++)
		if (policy->rules[i].path.text && !duplicate[i])
			check_reachable(&c, i);
	if (c.exhausted)
		policy_text_warn(p->text, p->name, NULL,
				 "too many wildcards to look for unreachable rules everywhere");
	trie_deinit(&c.deny);
	trie_deinit(&c.audit);
	trie_deinit(&c.allow);
	if (r < 0)
		p->text->error = r;
}
