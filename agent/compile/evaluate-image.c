/* SPDX-License-Identifier: Apache-2.0 */

/*
 * The walk over an image's pairs, step by step as the kernel half does it over its maps. Never
 * trusts the image: whatever is missing or out of range is -EINVAL, not a guess.
 */

#include "compile/judge.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "compile/pattern.h"

static int key_compare(const void *a, const void *b)
{
	const struct ht_edge_key *x = a, *y = &((const struct image_pair *)b)->key;

	if (x->state != y->state)
		return x->state < y->state ? -1 : 1;
	if (x->kind != y->kind)
		return x->kind < y->kind ? -1 : 1;
	return x->name < y->name ? -1 : x->name > y->name;
}

static const struct ht_entry *profile_lookup(const struct image_profile *profile, uint32_t state,
					     uint32_t kind, uint64_t name)
{
	struct ht_edge_key key = {.state = state, .kind = kind, .name = name};
	const struct image_pair *pair;

	if (profile->n_pairs == 0)
		return NULL;
	pair = bsearch(&key, profile->pairs, profile->n_pairs, sizeof(*profile->pairs),
		       key_compare);
	return pair ? &pair->entry : NULL;
}

static int glob_compare(const void *a, const void *b)
{
	uint32_t x = *(const uint32_t *)a, y = ((const struct image_glob *)b)->id;

	return x < y ? -1 : x > y;
}

static const struct ht_glob *image_glob(const struct image *image, uint32_t id)
{
	const struct image_glob *glob;

	if (image->n_globs == 0)
		return NULL;
	glob = bsearch(&id, image->globs, image->n_globs, sizeof(*image->globs), glob_compare);
	return glob && glob->glob.len <= HT_GLOB_MAX ? &glob->glob : NULL;
}

/* The set of the state's wildcards that match a name. */
static int state_match_globs(const struct image *image, const struct image_profile *profile,
			     const struct ht_entry *at, const struct image_component *c,
			     uint32_t *ret_mask)
{
	uint32_t n = at->flags & HT_ENTRY_GLOBS, mask = 0;

	if (n > HT_GLOBS_MAX)
		return -EINVAL;
	for (uint32_t i = 0; i < n; i++) {
		const struct ht_entry *entry = profile_lookup(profile, at->next, HT_EDGE_GLOB, i);
		const struct ht_glob *glob = entry ? image_glob(image, entry->next) : NULL;

		if (!glob)
			return -EINVAL;
		if (component_match((struct component){.text = glob->text, .len = glob->len},
				    c->name, c->len))
			mask |= 1U << i;
	}
	*ret_mask = mask;
	return 0;
}

/* One step. Return: 0 with the entry that describes the next state, -EINVAL. */
static int walk_step(const struct image *image, const struct image_profile *profile,
		     const struct ht_hash_key *key, const struct image_component *c,
		     const struct ht_entry **at)
{
	const struct ht_entry *here = *at, *next = NULL;
	uint32_t mask;
	int r;

	if (here->flags & HT_ENTRY_NAMES)
		next = profile_lookup(profile, here->next, HT_EDGE_NAME,
				      ht_hash_name(key, c->name, c->len));
	if (!next && (here->flags & HT_ENTRY_GLOBS)) {
		r = state_match_globs(image, profile, here, c, &mask);
		if (r < 0)
			return r;
		if (mask != 0)
			next = profile_lookup(profile, here->next, HT_EDGE_MASK, mask);
	}
	if (!next && (here->flags & HT_ENTRY_ELSE)) {
		next = profile_lookup(profile, here->next, HT_EDGE_ELSE, 0);
		if (!next)
			return -EINVAL;
	}
	if (!next)
		next = profile_lookup(profile, HT_STATE_HEADER, HT_EDGE_OTHER, 0);
	if (!next)
		return -EINVAL;
	*at = next;
	return 0;
}

static int walk_start(const struct image_profile *profile, const struct ht_entry **ret_header,
		      const struct ht_entry **ret_at)
{
	const struct ht_entry *header, *start, *other;

	header = profile_lookup(profile, HT_STATE_HEADER, HT_EDGE_HEADER, 0);
	start = profile_lookup(profile, HT_STATE_HEADER, HT_EDGE_START, 0);
	other = profile_lookup(profile, HT_STATE_HEADER, HT_EDGE_OTHER, 0);
	if (!header || !start || !other || header->next != start->next ||
	    other->next != HT_STATE_OTHER || !(other->flags & HT_ENTRY_FINAL))
		return -EINVAL;
	*ret_header = header;
	*ret_at = start;
	return 0;
}

/* The entry of the object, as far as the walk must go. */
static int walk_to(const struct image *image, const struct image_profile *profile,
		   const struct ht_hash_key *key, const struct image_component *components,
		   size_t n, const struct ht_entry *start, const struct ht_entry **ret_at)
{
	const struct ht_entry *at = start;

	for (size_t i = 0; i < n && !(at->flags & HT_ENTRY_FINAL); i++) {
		int r = walk_step(image, profile, key, &components[i], &at);

		if (r < 0)
			return r;
	}
	*ret_at = at;
	return 0;
}

int image_locate(const struct image *image, const struct image_profile *profile,
		 const struct ht_hash_key *key, const struct image_component *components, size_t n,
		 struct ht_entry *ret_entry)
{
	const struct ht_entry *header, *start, *at;
	int r;

	r = walk_start(profile, &header, &start);
	if (r >= 0)
		r = walk_to(image, profile, key, components, n, start, &at);
	if (r < 0)
		return r;
	*ret_entry = *at;
	return 0;
}

/* One evaluation under way. */
struct trial {
	const struct image *image;
	const struct image_profile *profile;
	const struct ht_hash_key *key;
	const struct policy_question *question;
	const struct ht_entry *header, *start;
	uint64_t exe_mask, uid_mask; /* conditions that the subject meets */
	struct policy_answer *answer;
};

static uint64_t trial_rule(const struct trial *t, uint32_t state, uint32_t class, uint32_t op)
{
	const struct ht_entry *rule;

	rule = profile_lookup(t->profile, state, HT_EDGE_RULE, HT_RULE_KEY(class, op));
	if (!rule)
		rule = profile_lookup(t->profile, state, HT_EDGE_RULE,
				      HT_RULE_KEY(class, HT_RULE_COMMON));
	return rule ? rule->rule : 0;
}

static int trial_subject(struct trial *t)
{
	const struct policy_question *q = t->question;
	const struct ht_entry *at, *mask;
	int r;

	if (!(t->header->flags & HT_PROFILE_CONDITIONS))
		return 0;
	mask = profile_lookup(t->profile, HT_STATE_HEADER, HT_EDGE_UID, q->uid);
	t->uid_mask = mask ? mask->rule : 0;
	if (!q->exe)
		return 0;
	r = walk_to(t->image, t->profile, t->key, q->exe, q->n_exe, t->start, &at);
	if (r < 0 || !(at->flags & HT_ENTRY_EXE))
		return r;
	mask = profile_lookup(t->profile, at->next, HT_EDGE_EXE, 0);
	if (!mask)
		return -EINVAL;
	t->exe_mask = mask->rule;
	return 0;
}

static bool condition_met(uint64_t mask, uint32_t number)
{
	return number == HT_COND_NONE || (number < HT_CONDITIONS_MAX && (mask >> number & 1));
}

enum level { LEVEL_ALLOW, LEVEL_AUDIT, LEVEL_WOULD, LEVEL_DENY, LEVEL_KILL };

static enum level answer_level(const struct policy_answer *a, uint32_t op)
{
	if (a->kill & op)
		return LEVEL_KILL;
	if (a->deny & op)
		return LEVEL_DENY;
	if (a->would & op)
		return LEVEL_WOULD;
	return a->audit & op ? LEVEL_AUDIT : LEVEL_ALLOW;
}

/* The strictest counts, of equal ones the first that is told. */
static void trial_tell(struct trial *t, uint32_t bit, enum level level, uint8_t reason,
		       uint64_t rule)
{
	struct policy_answer *a = t->answer;
	uint32_t op = 1U << bit;

	if (!(t->header->flags & HT_PROFILE_ENFORCE) && level > LEVEL_WOULD)
		level = LEVEL_WOULD;
	if (level <= answer_level(a, op))
		return;
	a->kill &= ~op;
	a->deny &= ~op;
	a->would &= ~op;
	a->audit &= ~op;
	if (level >= LEVEL_DENY)
		a->deny |= op;
	if (level == LEVEL_KILL)
		a->kill |= op;
	if (level == LEVEL_WOULD)
		a->would |= op;
	if (level == LEVEL_AUDIT)
		a->audit |= op;
	a->rule[bit] = rule;
	a->reason[bit] = reason;
}

/* What one mask of the state's entry says. kill: of these, the ones that kill. */
static void trial_mask(struct trial *t, uint32_t ops, uint32_t kill, uint32_t state, uint32_t class,
		       uint8_t reason)
{
	static const enum level levels[] = {
		[HT_RULE_DENY] = LEVEL_DENY,
		[HT_RULE_AUDIT] = LEVEL_AUDIT,
		[HT_RULE_IMAGE] = LEVEL_DENY,
		[HT_RULE_WOULD] = LEVEL_WOULD,
	};

	ops &= t->question->ops;
	for (uint32_t op = 0; op < HT_OP_MAX; op++)
		if (ops >> op & 1)
			trial_tell(t, op, kill >> op & 1 ? LEVEL_KILL : levels[class], reason,
				   trial_rule(t, state, class, op));
}

static enum level condition_level(const struct ht_entry *c, uint32_t op)
{
	if (c->deny & op)
		return c->kill & op ? LEVEL_KILL : LEVEL_DENY;
	if (c->would & op)
		return LEVEL_WOULD;
	return c->audit & op ? LEVEL_AUDIT : LEVEL_ALLOW;
}

static int trial_conditions(struct trial *t, const struct ht_entry *at)
{
	uint32_t n = at->cond & t->question->ops ? at->flags >> HT_ENTRY_COUNT_SHIFT : 0;

	if (n > HT_CONDS_MAX)
		return -EINVAL;
	for (uint32_t i = 0; i < n; i++) {
		const struct ht_entry *c, *rule;

		c = profile_lookup(t->profile, at->next, HT_EDGE_COND, i);
		rule = profile_lookup(t->profile, at->next, HT_EDGE_COND_RULE, i);
		if (!c || !rule)
			return -EINVAL;
		if (condition_met(t->exe_mask, c->next) && condition_met(t->uid_mask, c->flags))
			continue;
		for (uint32_t op = 0; op < HT_OP_MAX; op++)
			if (t->question->ops >> op & 1)
				trial_tell(t, op, condition_level(c, 1U << op), HT_REASON_POLICY,
					   rule->rule);
	}
	return 0;
}

static void trial_writable(struct trial *t)
{
	const struct ht_entry *w;

	w = profile_lookup(t->profile, HT_STATE_HEADER, HT_EDGE_WRITABLE, 0);
	if (!w)
		return;
	trial_mask(t, w->deny & t->header->deny, w->kill, HT_STATE_WRITABLE, HT_RULE_DENY,
		   HT_REASON_WRITABLE);
	trial_mask(t, w->audit & t->header->audit, 0, HT_STATE_WRITABLE, HT_RULE_AUDIT,
		   HT_REASON_WRITABLE);
}

static int trial_object(struct trial *t, const struct ht_entry *at, uint8_t reason)
{
	const struct policy_question *q = t->question;
	uint32_t image = q->from_image ? 0 : at->image;

	if (!q->stacked)
		image &= ~HT_OP_MAP_LIBRARY;
	/* What the header does not name is never walked for. */
	trial_mask(t, at->deny & t->header->deny, at->kill, at->next, HT_RULE_DENY, reason);
	trial_mask(t, image & t->header->deny, at->kill, at->next, HT_RULE_IMAGE, HT_REASON_ORIGIN);
	trial_mask(t, at->would & t->header->would, 0, at->next, HT_RULE_WOULD, reason);
	trial_mask(t, at->audit & t->header->audit, 0, at->next, HT_RULE_AUDIT, reason);
	return trial_conditions(t, at);
}

static void trial_kernel(struct trial *t)
{
	const struct ht_entry *k;

	k = profile_lookup(t->profile, HT_STATE_HEADER, HT_EDGE_KERNEL, 0);
	for (uint32_t line = 0; k && line < HT_KERNEL_MAX; line++) {
		uint32_t bit = HT_KERNEL_SHIFT + line, class = HT_RULE_DENY;
		enum level level = condition_level(k, 1U << line);

		if (!(t->question->ops >> bit & 1) || level == LEVEL_ALLOW)
			continue;
		if (level == LEVEL_WOULD)
			class = HT_RULE_WOULD;
		if (level == LEVEL_AUDIT)
			class = HT_RULE_AUDIT;
		trial_tell(t, bit, level, HT_REASON_KERNEL,
			   trial_rule(t, HT_STATE_KERNEL, class, line));
	}
}

int image_evaluate(const struct image *image, const struct image_profile *profile,
		   const struct ht_hash_key *key, const struct policy_question *question,
		   struct policy_answer *ret_answer)
{
	struct trial t = {
		.image = image,
		.profile = profile,
		.key = key,
		.question = question,
		.answer = ret_answer,
	};
	const struct ht_entry *at;
	int r;

	*ret_answer = (struct policy_answer){};
	r = walk_start(profile, &t.header, &t.start);
	if (r == 0)
		r = trial_subject(&t);
	if (r < 0)
		return r;
	if (question->nameless) {
		at = profile_lookup(profile, HT_STATE_HEADER, HT_EDGE_ANONYMOUS, 0);
		r = at && at->next == HT_STATE_ANONYMOUS ? 0 : -EINVAL;
	} else {
		r = walk_to(image, profile, key, question->components, question->n, t.start, &at);
	}
	if (r == 0 && question->writable)
		trial_writable(&t);
	if (r == 0)
		r = trial_object(&t, at,
				 question->nameless ? HT_REASON_ANONYMOUS : HT_REASON_POLICY);
	if (r < 0)
		return r;
	ret_answer->state = at->next;
	ret_answer->below = question->nameless ? 0 : at->below;
	trial_kernel(&t);
	return 0;
}

/* Besides `n` that are there. */
static uint32_t match_bindings(const struct image *image, const char *path, uint32_t *ids, uint32_t n)
{
	const struct image_binding *b = image_binding_find(image, path);

	for (uint32_t i = 0; b && i < b->n; i++) {
		uint32_t known = 0;

		while (known < n && known < HT_PROFILES_MAX && ids[known] != b->ids[i])
			known++;
		if (known < n && known < HT_PROFILES_MAX)
			continue;
		if (n < HT_PROFILES_MAX)
			ids[n] = b->ids[i];
		n++;
	}
	return n;
}

int image_match_cgroup(const struct image *image, const struct ht_hash_key *key, const char *path,
		       uint32_t ids[HT_PROFILES_MAX])
{
	const struct ht_entry *header, *at, *bind;
	const char *whole = path;
	uint32_t n;
	int r;

	r = walk_start(&image->matcher, &header, &at);
	if (r < 0)
		return r;
	while (!(at->flags & HT_ENTRY_FINAL)) {
		struct image_component c;

		path += strspn(path, "/");
		c = (struct image_component){.name = path, .len = strcspn(path, "/")};
		if (c.len == 0)
			break;
		r = walk_step(image, &image->matcher, key, &c, &at);
		if (r < 0)
			return r;
		path += c.len;
	}
	n = at->flags >> HT_ENTRY_COUNT_SHIFT;
	for (uint32_t i = 0; i < n && i < HT_PROFILES_MAX; i++) {
		bind = profile_lookup(&image->matcher, at->next, HT_EDGE_BIND, i);
		if (!bind)
			return -EINVAL;
		ids[i] = bind->next;
	}
	return (int)match_bindings(image, whole, ids, n);
}
