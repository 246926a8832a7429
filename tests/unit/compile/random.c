/* SPDX-License-Identifier: Apache-2.0 */

/* Random policies and paths. */

#include "random.h"

#include <stdlib.h>
#include <string.h>

#include "util/escape.h"

uint64_t random_next(struct random *r)
{
	uint64_t z = r->state += 0x9e3779b97f4a7c15ULL; /* splitmix64 */

	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ULL;
	z = (z ^ (z >> 27)) * 0x94d049bb133111ebULL;
	return z ^ (z >> 31);
}

uint32_t random_below(struct random *r, uint32_t n)
{
	return (uint32_t)(random_next(r) >> 33) % n;
}

uint64_t random_seed(uint64_t otherwise)
{
	const char *s = getenv("HAETAE_TEST_SEED");

	return s && *s ? strtoull(s, NULL, 0) : otherwise;
}

/* A byte of a name: mostly the tiny alphabet, sometimes anything a name can hold. */
static char random_byte(struct random *r)
{
	static const char alphabet[] = "aaaabbbc.";
	unsigned char c;

	if (random_below(r, 24) > 0)
		return alphabet[random_below(r, sizeof(alphabet) - 1)];
	do
		c = (unsigned char)(1 + random_below(r, 255));
	while (c == '/' || c == '*' || c == '?');
	return (char)c;
}

static const char *random_word(struct random *r)
{
	static const char *const words[] = {"usr",    "bin",   "sbin", "lib",	  "lib32", "lib64",
					    "libx32", "local", "usr",  "libexec", "lib",   "bin"};

	return words[random_below(r, sizeof(words) / sizeof(words[0]))];
}

static void random_name(struct random *r, char *ret)
{
	uint32_t len = 1 + random_below(r, random_below(r, 8) == 0 ? 9 : 3);

	if (random_below(r, 8) == 0) {
		strcpy(ret, random_word(r));
		return;
	}
	for (uint32_t i = 0; i < len; i++)
		ret[i] = random_byte(r);
	ret[len] = '\0';
	if (strcmp(ret, ".") == 0 || strcmp(ret, "..") == 0)
		ret[0] = 'a';
}

static void random_pattern(struct random *r, const struct random_shape *shape, char *ret)
{
	uint32_t len, kind = random_below(r, 10);

	if (kind == 0) {
		strcpy(ret, "*");
	} else if (kind < 6 || shape->literal) {
		random_name(r, ret);
	} else {
		len = 1 + random_below(r, 4);
		for (uint32_t i = 0; i < len; i++)
			ret[i] = random_below(r, 2) ? random_byte(r) : "**?"[random_below(r, 3)];
		ret[len] = '\0';
		if (strcmp(ret, ".") == 0 || strcmp(ret, "..") == 0 || strcmp(ret, "**") == 0)
			strcpy(ret, "?*");
	}
}

/* text: at least (depth + 1) * (RANDOM_NAME_MAX + 1) bytes. */
static void random_path_text(struct random *r, const struct random_shape *shape, const char *below,
			     char *text)
{
	uint32_t n = random_below(r, shape->depth + 1);
	char *p = text;

	if (below && strcmp(below, "/") != 0)
		p = stpcpy(p, below);
	for (uint32_t i = 0; i < n; i++) {
		if (i == 0 && !below && random_below(r, 4) == 0) {
			p = stpcpy(stpcpy(p, "/"), random_word(r));
			continue;
		}
		*p++ = '/';
		random_pattern(r, shape, p);
		p += strlen(p);
	}
	*p = '\0';
	if (random_below(r, 3) == 0)
		p = stpcpy(p, "/**");
	if (p == text)
		strcpy(text, "/");
}

#define TEXT_MAX ((2 * RANDOM_DEPTH_MAX + 2) * (RANDOM_NAME_MAX + 1))

static uint32_t random_ops(struct random *r)
{
	if (random_below(r, 3) == 0)
		return HT_OP_ALL;
	return 1 + random_below(r, HT_OP_ALL);
}

void random_deny_rule(struct random *r, struct policy *policy, const struct random_shape *shape)
{
	char text[TEXT_MAX];
	struct policy_rule *rule;
	size_t n;

	random_path_text(r, shape, NULL, text);
	if (random_below(r, 4) == 0) {
		policy_build_rule(policy, POLICY_RULE_EXEC_DENY, text, HT_OPS_EXEC);
		return;
	}
	rule = policy_build_rule(policy, POLICY_RULE_FILE_DENY, text, random_ops(r));
	n = random_below(r, 3) == 0 ? 1 + random_below(r, 2) : 0;
	for (size_t i = 0; i < n; i++) {
		random_path_text(r, shape, random_below(r, 4) ? rule->path.text : NULL, text);
		policy_build_except(policy, text);
	}
}

static void random_rule(struct random *r, struct policy *policy, const struct random_shape *shape)
{
	char text[TEXT_MAX];

	switch (random_below(r, 5)) {
	case 0:
		random_path_text(r, shape, NULL, text);
		policy_build_rule(policy, POLICY_RULE_EXEC_ALLOW, text, HT_OPS_EXEC);
		return;
	case 1:
		random_path_text(r, shape, NULL, text);
		policy_build_rule(policy, POLICY_RULE_FILE_ALLOW, text,
				  random_below(r, 2) ? HT_OPS_FILE
						     : 1 + random_below(r, HT_OPS_FILE));
		return;
	default:
		random_deny_rule(r, policy, shape);
	}
}

struct policy *random_policy(struct random *r, const char *name, const struct random_shape *shape)
{
	struct policy *policy = policy_build(name);
	uint32_t n = random_below(r, shape->rules + 1);
	uint32_t exec_at = random_below(r, 2 * n + 2), file_at = random_below(r, 2 * n + 2);

	policy->mode = random_below(r, 2) ? POLICY_MODE_ENFORCE : POLICY_MODE_AUDIT;
	for (uint32_t i = 0; i <= n; i++) {
		if (i == exec_at && !shape->no_exec)
			policy_build_default(policy, POLICY_RULE_EXEC_DEFAULT);
		if (i == file_at)
			policy_build_default(policy, POLICY_RULE_FILE_DEFAULT);
		if (i < n)
			random_rule(r, policy, shape);
	}
	policy_build_match(policy, "/x", NULL);
	return policy;
}

/* A name that the pattern's component matches, most of the time. */
static void random_instance(struct random *r, const char *p, size_t len, char *ret)
{
	size_t n = 0;

	for (size_t i = 0; i < len && n < RANDOM_NAME_MAX - 4; i++) {
		if (p[i] == '*')
			for (uint32_t k = random_below(r, 3); k > 0; k--)
				ret[n++] = random_byte(r);
		else
			ret[n++] = p[i] == '?' ? random_byte(r) : p[i];
	}
	if (n == 0)
		ret[n++] = 'a';
	ret[n] = '\0';
}

static const struct policy_path *random_rule_path(struct random *r, const struct policy *policy)
{
	const struct policy_rule *rule = &policy->rules[random_below(r, (uint32_t)policy->n_rules)];

	if (rule->n_except > 0 && random_below(r, 2))
		return &rule->except[random_below(r, (uint32_t)rule->n_except)];
	return rule->path.text ? &rule->path : NULL;
}

static void path_push(struct random_path *path, const char *name)
{
	if (path->n == RANDOM_DEPTH_MAX)
		return;
	strcpy(path->names[path->n], name);
	path->components[path->n] = (struct image_component){
		.name = path->names[path->n],
		.len = strlen(name),
	};
	path->n++;
}

void random_path(struct random *r, const struct policy *policy, struct random_path *ret)
{
	const struct policy_path *model = NULL;
	struct image_component parts[64];
	char name[RANDOM_NAME_MAX];
	size_t n, skip = 0;

	ret->n = 0;
	if (policy->n_rules > 0 && random_below(r, 4) > 0)
		model = random_rule_path(r, policy);
	if (model) {
		n = components_split(model->text, parts, 64);
		/* the other spelling of merged /usr */
		if (random_below(r, 6) == 0)
			path_push(ret, "usr");
		else if (n > 0 && random_below(r, 6) == 0)
			skip = 1;
		if (n > 0 && random_below(r, 8) == 0)
			n--;
		for (size_t i = skip; i < n; i++) {
			if (random_below(r, 16) == 0)
				random_name(r, name);
			else
				random_instance(r, parts[i].name, parts[i].len, name);
			path_push(ret, name);
		}
		if (random_below(r, 3))
			return;
	}
	n = random_below(r, model ? 3 : 5);
	for (size_t i = 0; i < n; i++) {
		random_name(r, name);
		path_push(ret, name);
	}
}

void random_path_print(const struct image_component *components, size_t n, FILE *out)
{
	for (size_t i = 0; i < n; i++) {
		_cleanup_strbuf_ struct strbuf b = {};

		escape_text(&b, components[i].name, components[i].len);
		fprintf(out, "/%s", strbuf_str(&b));
	}
	fprintf(out, "%s", n == 0 ? "/" : "");
}
