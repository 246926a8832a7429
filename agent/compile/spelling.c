/* SPDX-License-Identifier: Apache-2.0 */

#include "compile/spelling.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "abi.h"
#include "compile/array.h"
#include "policy/path.h"
#include "util/cleanup.h"

static bool rule_is_spelled(const struct policy_rule *rule)
{
	return rule->kind == POLICY_RULE_EXEC_DENY || rule->kind == POLICY_RULE_FILE_DENY ||
	       rule->kind == POLICY_RULE_EXEC_AUDIT || rule->kind == POLICY_RULE_FILE_AUDIT;
}

/* Length of the directory in the text of a path. 0: the root. */
static size_t directory_len(const struct policy_path *path)
{
	const char *p = path->text, *name;
	size_t len, end = 0, before = 0;

	while (policy_path_next(&p, &name, &len)) {
		if (policy_component_has_wildcard(name, len))
			return end;
		before = end;
		end = (size_t)(name + len - path->text);
	}
	return path->subtree ? end : before;
}

static int string_compare(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

struct directories {
	char **items;
	size_t n, size;
};

static void directories_free(struct directories *d)
{
	for (size_t i = 0; i < d->n; i++)
		free(d->items[i]);
	free(d->items);
}

static int directory_add(struct directories *d, const char *text, size_t len)
{
	if (array_reserve(d->items, d->size, d->n + 1) < 0)
		return -ENOMEM;
	d->items[d->n] = strndup(text, len);
	if (!d->items[d->n])
		return -ENOMEM;
	d->n++;
	return 0;
}

int spelling_directories(const struct policy *policy, char ***ret, size_t *ret_n)
{
	struct directories d = {};
	size_t kept = 0;
	int r = array_reserve(d.items, d.size, 1);

	for (size_t i = 0; r == 0 && i < policy->n_rules; i++) {
		const char *text = policy->rules[i].path.text;
		size_t len = rule_is_spelled(&policy->rules[i]) ? directory_len(&policy->rules[i].path) : 0;

		for (; r == 0 && len > 0; len = (size_t)((const char *)memrchr(text, '/', len) - text))
			r = directory_add(&d, text, len);
	}
	if (r < 0) {
		directories_free(&d);
		return r;
	}
	qsort(d.items, d.n, sizeof(*d.items), string_compare);
	for (size_t i = 0; i < d.n; i++) {
		if (kept > 0 && strcmp(d.items[kept - 1], d.items[i]) == 0)
			free(d.items[i]);
		else
			d.items[kept++] = d.items[i];
	}
	*ret = d.items;
	*ret_n = kept;
	return 0;
}

static bool name_is_dots(const char *name, size_t len)
{
	return (len == 1 && name[0] == '.') || (len == 2 && name[0] == '.' && name[1] == '.');
}

/* Names in a container may have any bytes, also those that nobody could write in a policy. */
bool spelling_is_valid(const char *to)
{
	unsigned depth = 0;

	if (strcmp(to, "/") == 0)
		return true;
	for (const char *p = to; *p; depth++) {
		size_t len;

		if (*p++ != '/' || depth == HT_RULE_DEPTH_MAX)
			return false;
		len = strcspn(p, "/");
		if (len == 0 || len > HT_NAME_MAX || name_is_dots(p, len) ||
		    policy_component_has_wildcard(p, len))
			return false;
		p += len;
	}
	return depth > 0;
}

/* Return: the path with another beginning; NULL without memory. */
static char *replace_beginning(const char *text, size_t len, const char *to)
{
	const char *rest = text + len;
	char *s;

	if (strcmp(to, "/") == 0)
		return strdup(*rest ? rest : "/");
	if (asprintf(&s, "%s%s", to, rest) < 0)
		return NULL;
	return s;
}

static void rule_free_spelled(struct policy_rule *rule)
{
	free(rule->path.text);
	for (size_t i = 0; i < rule->n_except; i++)
		free(rule->except[i].text);
	free(rule->except);
}

/* What is excepted lies below the rule's path, so it begins the same way. */
static int rule_respell(const struct policy_rule *rule, size_t len, const char *to, struct policy_rule *ret)
{
	*ret = *rule;
	ret->path.text = replace_beginning(rule->path.text, len, to);
	ret->except = calloc(rule->n_except + 1, sizeof(*ret->except));
	ret->n_except = 0;
	if (!ret->path.text || !ret->except)
		return -ENOMEM;
	for (size_t i = 0; i < rule->n_except; i++) {
		struct policy_path *except = &ret->except[ret->n_except++];

		*except = rule->except[i];
		except->text = strncmp(rule->except[i].text, rule->path.text, len) == 0 ?
				       replace_beginning(rule->except[i].text, len, to) :
				       strdup(rule->except[i].text);
		if (!except->text)
			return -ENOMEM;
	}
	return 0;
}

/* A directory that was found at several places has a rule for each. */
static int rule_respell_all(const struct policy_rule *rule, const struct spelling *spellings, size_t n,
			    struct policy *to)
{
	size_t len = rule_is_spelled(rule) ? directory_len(&rule->path) : 0;

	for (size_t i = 0; len > 0 && i < n; i++) {
		size_t from = strlen(spellings[i].from);
		struct policy_rule *grown;
		int r;

		if (from > len || strncmp(spellings[i].from, rule->path.text, from) != 0 ||
		    (rule->path.text[from] != '/' && rule->path.text[from] != '\0'))
			continue;
		grown = reallocarray(to->rules, to->n_rules + 1, sizeof(*grown));
		if (!grown)
			return -ENOMEM;
		to->rules = grown;
		r = rule_respell(rule, from, spellings[i].to, &grown[to->n_rules++]);
		if (r < 0)
			return r;
	}
	return 0;
}

DEFINE_CLEANUP(struct policy *, respelled_freep, policy_respelled_free);

int policy_respell(const struct policy *policy, const char *name, const struct spelling *spellings, size_t n,
		   struct policy **ret)
{
	_cleanup_(respelled_freep) struct policy *p = calloc(1, sizeof(*p));

	*ret = NULL;
	if (!p)
		return -ENOMEM;
	p->name = strdup(name);
	p->file = strdup(policy->file);
	p->mode = policy->mode;
	p->location = policy->location;
	if (!p->name || !p->file)
		return -ENOMEM;
	for (size_t i = 0; i < policy->n_rules; i++) {
		int r = rule_respell_all(&policy->rules[i], spellings, n, p);

		if (r < 0)
			return r;
	}
	if (p->n_rules > 0)
		*ret = steal_ptr(p);
	return 0;
}

struct policy *policy_respelled_free(struct policy *policy)
{
	if (!policy)
		return NULL;
	for (size_t i = 0; i < policy->n_rules; i++)
		rule_free_spelled(&policy->rules[i]);
	free(policy->rules);
	free(policy->name);
	free(policy->file);
	free(policy);
	return NULL;
}
