/* SPDX-License-Identifier: Apache-2.0 */

/*
 * The independent judge: the meaning of a policy, read off its rules one by one. Slow and plain on
 * purpose. It shares nothing with the compiler, so that the two can be held against each other.
 */

#include "compile/judge.h"

#include <string.h>

enum glob_result {
	GLOB_MATCH,
	GLOB_MISMATCH,
	GLOB_ABORT, /* the name is too short, whatever an earlier star takes */
};

/* Recursive; a mismatch behind a star that ran out of name is final for the stars before it. */
static enum glob_result glob_try(const char *p, size_t p_len, const char *s, size_t s_len)
{
	if (p_len == 0)
		return s_len == 0 ? GLOB_MATCH : GLOB_MISMATCH;
	if (*p == '*') {
		for (size_t skip = 0; skip <= s_len; skip++) {
			enum glob_result r = glob_try(p + 1, p_len - 1, s + skip, s_len - skip);

			if (r != GLOB_MISMATCH)
				return r;
		}
		return GLOB_ABORT;
	}
	if (s_len == 0)
		return GLOB_ABORT;
	if (*p != '?' && *p != *s)
		return GLOB_MISMATCH;
	return glob_try(p + 1, p_len - 1, s + 1, s_len - 1);
}

static bool glob_matches(const char *p, size_t p_len, const char *s, size_t s_len)
{
	return glob_try(p, p_len, s, s_len) == GLOB_MATCH;
}

/* pattern: "/a/b*" or "" or "/". */
static bool path_matches(const char *pattern, bool subtree, const struct image_component *c,
			 size_t n)
{
	const char *end;

	while (*pattern == '/')
		pattern++;
	if (*pattern == '\0')
		return n == 0 || subtree;
	if (n == 0)
		return false;
	end = strchrnul(pattern, '/');
	if (!glob_matches(pattern, (size_t)(end - pattern), c[0].name, c[0].len))
		return false;
	return path_matches(end, subtree, c + 1, n - 1);
}

static bool starts_in_merged_directory(const char *path)
{
	static const char *const names[] = {"/bin", "/sbin", "/lib", "/lib32", "/lib64", "/libx32"};

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		size_t len = strlen(names[i]);

		if (strncmp(path, names[i], len) == 0 && (path[len] == '/' || path[len] == '\0'))
			return true;
	}
	return false;
}

/* With the other spelling of merged /usr. */
static bool path_or_alias_matches(const struct policy_path *path, const struct image_component *c,
				  size_t n)
{
	if (path_matches(path->text, path->subtree, c, n))
		return true;
	if (starts_in_merged_directory(path->text))
		return n > 0 && c[0].len == 3 && memcmp(c[0].name, "usr", 3) == 0 &&
		       path_matches(path->text, path->subtree, c + 1, n - 1);
	if (strncmp(path->text, "/usr/", 5) == 0 && starts_in_merged_directory(path->text + 4))
		return path_matches(path->text + 4, path->subtree, c, n);
	return false;
}

/* ---- one operation ---- */

/* Who may have the last word. Within a rank the first rule of the file counts. */
enum rank {
	RANK_KILL,
	RANK_KILL_UNLESS,
	RANK_WRITABLE,
	RANK_DENY,
	RANK_DEFAULT, /* no rule allows it */
	RANK_ORIGIN,  /* only rules that want it to have come with the image do */
	RANK_DENY_UNLESS,
	RANK_STAGED,
	RANK_STAGED_UNLESS,
	RANK_WRITABLE_AUDIT,
	RANK_AUDIT,
	RANK_AUDIT_UNLESS,
	_RANK_MAX,
};

/* The strictest first. Where nothing is enforced what would be refused is as strict as what is
 * staged. */
static const enum rank enforced[_RANK_MAX] = {
	RANK_KILL,	    RANK_KILL_UNLESS,	 RANK_WRITABLE,	   RANK_DENY,
	RANK_DEFAULT,	    RANK_ORIGIN,	 RANK_DENY_UNLESS, RANK_STAGED,
	RANK_STAGED_UNLESS, RANK_WRITABLE_AUDIT, RANK_AUDIT,	   RANK_AUDIT_UNLESS,
};
static const enum rank audited[_RANK_MAX] = {
	RANK_WRITABLE,	    RANK_KILL,		 RANK_DENY,	   RANK_DEFAULT,
	RANK_ORIGIN,	    RANK_STAGED,	 RANK_KILL_UNLESS, RANK_DENY_UNLESS,
	RANK_STAGED_UNLESS, RANK_WRITABLE_AUDIT, RANK_AUDIT,	   RANK_AUDIT_UNLESS,
};

struct opinion {
	const struct policy_rule *of[_RANK_MAX];
	bool allowed;			       /* an allow rule allows it whatever it is */
	const struct policy_rule *if_of_image; /* one allows it if it came with the image */
};

struct hearing {
	const struct policy *policy;
	const struct policy_question *question;
	int64_t now;
	struct opinion opinions[HT_OP_MAX];
};

static void opinion_add(struct hearing *h, uint32_t ops, enum rank rank,
			const struct policy_rule *rule)
{
	for (uint32_t op = 0; op < HT_OP_MAX; op++)
		if ((ops & (1U << op)) && !h->opinions[op].of[rank])
			h->opinions[op].of[rank] = rule;
}

static bool rule_speaks(const struct hearing *h, const struct policy_rule *rule)
{
	const struct policy_question *q = h->question;

	if (!path_or_alias_matches(&rule->path, q->components, q->n))
		return false;
	for (size_t i = 0; i < rule->n_except; i++)
		if (path_or_alias_matches(&rule->except[i], q->components, q->n))
			return false;
	return true;
}

static bool subject_is_excepted(const struct policy_unless *unless, const struct policy_question *q)
{
	bool program = unless->n_exe == 0, user = unless->n_uids == 0;

	if (program && user)
		return false; /* the rule has no `unless` */
	for (size_t i = 0; i < unless->n_exe; i++)
		if (q->exe &&
		    path_matches(unless->exe[i].text, unless->exe[i].subtree, q->exe, q->n_exe))
			program = true;
	for (size_t i = 0; i < unless->n_uids; i++)
		if (unless->uids[i] == q->uid)
			user = true;
	return program && user;
}

static enum rank rule_rank(const struct policy_rule *rule, int64_t now)
{
	bool conditional = rule->unless.n_exe > 0 || rule->unless.n_uids > 0;

	if (rule->action == POLICY_ACTION_AUDIT)
		return conditional ? RANK_AUDIT_UNLESS : RANK_AUDIT;
	if (rule->enforce_after > now)
		return conditional ? RANK_STAGED_UNLESS : RANK_STAGED;
	if (rule->action == POLICY_ACTION_KILL)
		return conditional ? RANK_KILL_UNLESS : RANK_KILL;
	return conditional ? RANK_DENY_UNLESS : RANK_DENY;
}

static void hear_allow(struct hearing *h, const struct policy_rule *rule, uint32_t ops)
{
	const struct policy_question *q = h->question;

	if (!path_matches(rule->path.text, rule->path.subtree, q->components, q->n))
		return;
	for (uint32_t op = 0; op < HT_OP_MAX; op++) {
		if (!(ops & (1U << op)))
			continue;
		if (!rule->origin_image)
			h->opinions[op].allowed = true;
		else if (!h->opinions[op].if_of_image)
			h->opinions[op].if_of_image = rule;
	}
}

static void hear_rule(struct hearing *h, const struct policy_rule *rule)
{
	if (rule->expires != 0 && rule->expires <= h->now)
		return;
	switch (rule->kind) {
	case POLICY_RULE_EXEC_ALLOW:
		hear_allow(h, rule, HT_OPS_EXEC);
		return;
	case POLICY_RULE_EXEC_LIBRARY:
		hear_allow(h, rule, HT_OP_MAP | HT_OP_MAP_LIBRARY);
		return;
	case POLICY_RULE_FILE_ALLOW:
		hear_allow(h, rule, rule->ops & HT_OPS_FILE);
		return;
	case POLICY_RULE_EXEC_DENY:
	case POLICY_RULE_EXEC_AUDIT:
	case POLICY_RULE_FILE_DENY:
	case POLICY_RULE_FILE_AUDIT:
		if (rule_speaks(h, rule) && !subject_is_excepted(&rule->unless, h->question))
			opinion_add(h, rule->ops, rule_rank(rule, h->now), rule);
		return;
	case POLICY_RULE_EXEC_DEFAULT:
	case POLICY_RULE_FILE_DEFAULT:
	case POLICY_RULE_EXEC_ANONYMOUS:
	case POLICY_RULE_EXEC_WRITABLE:
	case POLICY_RULE_KERNEL:
	case _POLICY_RULE_KIND_MAX:
	default:
		return;
	}
}

static bool in_library_directory(const struct image_component *c, size_t n)
{
	static const char *const directories[] = {
		"/lib",	      "/lib32",	    "/lib64",	   "/libx32",	   "/usr/lib",
		"/usr/lib32", "/usr/lib64", "/usr/libx32", "/usr/libexec", "/usr/local/lib",
	};

	for (size_t i = 0; i < sizeof(directories) / sizeof(directories[0]); i++)
		if (path_matches(directories[i], true, c, n) &&
		    !path_matches(directories[i], false, c, n))
			return true;
	return false;
}

static const struct policy_rule *default_rule(const struct policy *policy,
					      enum policy_rule_kind kind)
{
	for (size_t i = policy->n_rules; i-- > 0;)
		if (policy->rules[i].kind == kind)
			return &policy->rules[i];
	return NULL;
}

/* What `libraries` gives besides the rules of its list. */
static void hear_libraries(struct hearing *h, const struct policy_rule *exec_default)
{
	struct opinion *o = &h->opinions[__builtin_ctz(HT_OP_MAP_LIBRARY)];

	if (h->policy->libraries == POLICY_LIBRARIES_ANY)
		o->allowed = true;
	else if (h->policy->libraries == POLICY_LIBRARIES_DEFAULT && !o->if_of_image &&
		 in_library_directory(h->question->components, h->question->n))
		o->if_of_image = exec_default;
}

/* What the allow rules leave. */
static void hear_default(struct hearing *h, uint32_t ops, const struct policy_rule *rule)
{
	const struct policy_question *q = h->question;

	for (uint32_t op = 0; op < HT_OP_MAX; op++) {
		struct opinion *o = &h->opinions[op];
		bool judged_by_origin = 1U << op != HT_OP_MAP_LIBRARY || q->stacked;

		if (!(ops & (1U << op)) || o->allowed)
			continue;
		if (!o->if_of_image)
			o->of[RANK_DEFAULT] = rule;
		else if (judged_by_origin && !q->from_image)
			o->of[RANK_ORIGIN] = o->if_of_image;
	}
}

static void hear_named(struct hearing *h)
{
	const struct policy *policy = h->policy;
	const struct policy_rule *rule;

	for (size_t i = 0; i < policy->n_rules; i++)
		hear_rule(h, &policy->rules[i]);
	if (policy->exec_default == POLICY_DEFAULT_DENY) {
		rule = default_rule(policy, POLICY_RULE_EXEC_DEFAULT);
		hear_libraries(h, rule);
		hear_default(h, HT_OPS_EXEC, rule);
	}
	if (policy->file_default == POLICY_DEFAULT_DENY)
		hear_default(h, HT_OPS_FILE, default_rule(policy, POLICY_RULE_FILE_DEFAULT));
}

/* No path rule can name it, and rules on files speak of paths. */
static void hear_nameless(struct hearing *h)
{
	const struct policy *policy = h->policy;

	if (policy->anonymous.id == 0 && policy->exec_default == POLICY_DEFAULT_DENY)
		opinion_add(h, HT_OPS_EXEC, RANK_DEFAULT,
			    default_rule(policy, POLICY_RULE_EXEC_DEFAULT));
	if (policy->anonymous.id != 0 && policy->anonymous.action == POLICY_ACTION_DENY)
		opinion_add(h, HT_OPS_EXEC, RANK_DENY, &policy->anonymous);
	if (policy->anonymous.id != 0 && policy->anonymous.action == POLICY_ACTION_AUDIT)
		opinion_add(h, HT_OPS_EXEC, RANK_AUDIT, &policy->anonymous);
}

static void answer_add(struct policy_answer *answer, const struct policy *policy, uint32_t bit,
		       enum rank rank, uint64_t rule, uint8_t reason)
{
	uint32_t op = 1U << bit;

	if (rank >= RANK_WRITABLE_AUDIT)
		answer->audit |= op;
	else if (rank >= RANK_STAGED || policy->mode != POLICY_MODE_ENFORCE)
		answer->would |= op;
	else
		answer->deny |= op;
	if ((answer->deny & op) && (rank == RANK_KILL || rank == RANK_KILL_UNLESS))
		answer->kill |= op;
	answer->rule[bit] = rule;
	answer->reason[bit] = reason;
}

static void conclude(const struct hearing *h, uint32_t bit, struct policy_answer *answer)
{
	const enum rank *order = h->policy->mode == POLICY_MODE_ENFORCE ? enforced : audited;
	const struct opinion *o = &h->opinions[bit];
	uint8_t reason = HT_REASON_POLICY;
	enum rank rank;
	size_t i = 0;

	while (i < _RANK_MAX && !o->of[order[i]])
		i++;
	if (i == _RANK_MAX)
		return;
	rank = order[i];
	if (rank == RANK_WRITABLE || rank == RANK_WRITABLE_AUDIT)
		reason = HT_REASON_WRITABLE;
	else if (rank == RANK_ORIGIN)
		reason = HT_REASON_ORIGIN;
	else if (h->question->nameless)
		reason = HT_REASON_ANONYMOUS;
	answer_add(answer, h->policy, bit, rank, o->of[rank]->id, reason);
}

static void hear_kernel(const struct policy *policy, uint32_t ops, struct policy_answer *answer)
{
	for (uint32_t line = 0; line < HT_KERNEL_MAX; line++) {
		const struct policy_rule *rule = &policy->kernel[line];

		if ((ops & HT_KERNEL_OP(line)) && rule->action != POLICY_ACTION_ALLOW)
			answer_add(answer, policy, HT_KERNEL_SHIFT + line,
				   rule->action == POLICY_ACTION_AUDIT ? RANK_AUDIT : RANK_DENY,
				   rule->id, HT_REASON_KERNEL);
	}
}

void policy_evaluate(const struct policy *policy, int64_t now,
		     const struct policy_question *question, struct policy_answer *ret_answer)
{
	struct hearing h = {.policy = policy, .question = question, .now = now};

	*ret_answer = (struct policy_answer){};
	if (question->nameless)
		hear_nameless(&h);
	else
		hear_named(&h);
	if (question->writable && policy->writable.action == POLICY_ACTION_DENY)
		opinion_add(&h, HT_OPS_EXEC, RANK_WRITABLE, &policy->writable);
	if (question->writable && policy->writable.action == POLICY_ACTION_AUDIT)
		opinion_add(&h, HT_OPS_EXEC, RANK_WRITABLE_AUDIT, &policy->writable);
	for (uint32_t op = 0; op < HT_OP_MAX; op++)
		if (question->ops & (1U << op))
			conclude(&h, op, ret_answer);
	hear_kernel(policy, question->ops & HT_OPS_KERNEL, ret_answer);
}

/* ---- cgroups ---- */

static bool cgroup_matches(const char *pattern, bool subtree, const char *path)
{
	const char *p_end, *s_end;

	while (*pattern == '/')
		pattern++;
	while (*path == '/')
		path++;
	if (*pattern == '\0')
		return *path == '\0' || subtree;
	if (*path == '\0')
		return false;
	p_end = strchrnul(pattern, '/');
	s_end = strchrnul(path, '/');
	if (!glob_matches(pattern, (size_t)(p_end - pattern), path, (size_t)(s_end - path)))
		return false;
	return cgroup_matches(p_end, subtree, s_end);
}

static bool unit_matches(const char *unit, const char *path)
{
	size_t end = strlen(path), start;

	while (end > 0 && path[end - 1] == '/')
		end--;
	start = end;
	while (start > 0 && path[start - 1] != '/')
		start--;
	return end > start && glob_matches(unit, strlen(unit), path + start, end - start);
}

static bool path_is_monitor(const char *path)
{
	for (size_t i = 0; i < POLICY_MONITORS; i++)
		if (unit_matches(policy_monitors[i], path))
			return true;
	return false;
}

static enum policy_fit entry_fits(const struct policy_match *m, const char *path,
				  const struct policy_container *container)
{
	if (m->cgroup.text && !cgroup_matches(m->cgroup.text, m->cgroup.subtree, path))
		return POLICY_FIT_NO;
	if (m->unit && !unit_matches(m->unit, path))
		return POLICY_FIT_NO;
	if (policy_match_spares_monitors(m) && path_is_monitor(path))
		return POLICY_FIT_NO;
	if (policy_match_has_container(m))
		return container ? policy_match_container_fit(m, container) : POLICY_FIT_NO;
	return m->cgroup.text || m->unit ? POLICY_FIT_YES : POLICY_FIT_NO;
}

enum policy_fit policy_fits_cgroup(const struct policy *policy, const char *path,
				   const struct policy_container *container)
{
	enum policy_fit best = POLICY_FIT_NO;

	for (size_t i = 0; i < policy->n_matches && best != POLICY_FIT_YES; i++) {
		enum policy_fit fit = entry_fits(&policy->matches[i], path, container);

		if (fit > best)
			best = fit;
	}
	return best;
}

bool policy_matches_cgroup(const struct policy *policy, const char *path,
			   const struct policy_container *container)
{
	return policy_fits_cgroup(policy, path, container) == POLICY_FIT_YES;
}
