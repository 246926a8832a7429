/* SPDX-License-Identifier: Apache-2.0 */

/*
 * The independent judge: the meaning of a policy, read off its rules one by one. Slow and plain on
 * purpose. It shares nothing with the compiler, so that the two can be held against each other.
 */

#include "compile/image.h"

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

static bool rule_denies(const struct policy_rule *rule, const struct image_component *c, size_t n)
{
	if (rule->kind != POLICY_RULE_FILE_DENY && rule->kind != POLICY_RULE_EXEC_DENY)
		return false;
	if (!path_or_alias_matches(&rule->path, c, n))
		return false;
	for (size_t i = 0; i < rule->n_except; i++)
		if (path_or_alias_matches(&rule->except[i], c, n))
			return false;
	return true;
}

static bool any_rule_allows(const struct policy *policy, enum policy_rule_kind kind, uint32_t op,
			    const struct image_component *c, size_t n)
{
	for (size_t i = 0; i < policy->n_rules; i++) {
		const struct policy_rule *rule = &policy->rules[i];

		if (rule->kind != kind || (kind == POLICY_RULE_FILE_ALLOW && !(rule->ops & op)))
			continue;
		if (path_matches(rule->path.text, rule->path.subtree, c, n))
			return true;
	}
	return false;
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

static uint64_t default_rule(const struct policy *policy, enum policy_rule_kind kind)
{
	for (size_t i = policy->n_rules; i-- > 0;)
		if (policy->rules[i].kind == kind)
			return policy->rules[i].id;
	return 0;
}

/* Is one operation refused, and by which rule? */
static bool op_refused(const struct policy *policy, uint32_t op, const struct image_component *c,
		       size_t n, uint64_t *ret_rule)
{
	for (size_t i = 0; i < policy->n_rules; i++) {
		const struct policy_rule *rule = &policy->rules[i];
		uint32_t ops = rule->kind == POLICY_RULE_EXEC_DENY ? HT_OPS_EXEC : rule->ops;

		if ((ops & op) && rule_denies(rule, c, n)) {
			*ret_rule = rule->id;
			return true;
		}
	}
	if ((op & HT_OPS_EXEC) && policy->exec_default == POLICY_DEFAULT_DENY) {
		*ret_rule = default_rule(policy, POLICY_RULE_EXEC_DEFAULT);
		return !any_rule_allows(policy, POLICY_RULE_EXEC_ALLOW, op, c, n) &&
		       !(op == HT_OP_MAP_LIBRARY && in_library_directory(c, n));
	}
	if ((op & HT_OPS_FILE) && policy->file_default == POLICY_DEFAULT_DENY) {
		*ret_rule = default_rule(policy, POLICY_RULE_FILE_DEFAULT);
		return !any_rule_allows(policy, POLICY_RULE_FILE_ALLOW, op, c, n);
	}
	return false;
}

void policy_evaluate(const struct policy *policy, const struct image_component *components,
		     size_t n, struct image_answer *ret_answer)
{
	struct image_answer answer = {};

	for (uint32_t op = 0; op < HT_OP_MAX; op++) {
		uint64_t rule = 0;

		if (op_refused(policy, 1U << op, components, n, &rule)) {
			answer.deny |= 1U << op;
			answer.rule[op] = rule;
		}
	}
	*ret_answer = answer;
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

bool policy_matches_cgroup(const struct policy *policy, const char *path)
{
	for (size_t i = 0; i < policy->n_matches; i++) {
		const struct policy_match *m = &policy->matches[i];

		if (m->cgroup.text && !cgroup_matches(m->cgroup.text, m->cgroup.subtree, path))
			continue;
		if (m->unit && !unit_matches(m->unit, path))
			continue;
		if (m->cgroup.text || m->unit)
			return true;
	}
	return false;
}
