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

/* What a rule says besides path and operations. */
static void random_limits(struct random *r, struct policy *policy, struct policy_rule *rule,
			  const struct random_shape *shape)
{
	static const enum policy_action actions[] = {POLICY_ACTION_DENY, POLICY_ACTION_DENY,
						     POLICY_ACTION_DENY, POLICY_ACTION_AUDIT,
						     POLICY_ACTION_KILL};
	char text[TEXT_MAX];

	if (shape->plain)
		return;
	if (rule->action == POLICY_ACTION_DENY && random_below(r, 3) == 0)
		rule->action = actions[random_below(r, ARRAY_LEN(actions))];
	if (rule->action >= POLICY_ACTION_DENY && random_below(r, 6) == 0)
		rule->enforce_after = random_below(r, 2) ? RANDOM_NOW + 10 : RANDOM_NOW;
	if (random_below(r, 8) == 0)
		rule->expires = random_below(r, 2) ? RANDOM_NOW + 20 : RANDOM_NOW;
	if (rule->action == POLICY_ACTION_ALLOW || random_below(r, 3))
		return;
	for (uint32_t n = random_below(r, 3); n > 0; n--) {
		random_path_text(r, shape, NULL, text);
		policy_build_exe(policy, text);
	}
	for (uint32_t uid = 0; uid < 4; uid++)
		if (random_below(r, 4) == 0)
			policy_build_uid(policy, uid);
}

static void random_excepts(struct random *r, struct policy *policy, struct policy_rule *rule,
			   const struct random_shape *shape)
{
	size_t n = random_below(r, 3) == 0 ? 1 + random_below(r, 2) : 0;
	char text[TEXT_MAX];

	for (size_t i = 0; i < n; i++) {
		random_path_text(r, shape, random_below(r, 4) ? rule->path.text : NULL, text);
		policy_build_except(policy, text);
	}
}

/* One that refuses or records. */
static void random_speaker(struct random *r, struct policy *policy,
			   const struct random_shape *shape, enum policy_rule_kind file,
			   enum policy_rule_kind exec)
{
	char text[TEXT_MAX];
	struct policy_rule *rule;

	random_path_text(r, shape, NULL, text);
	if (random_below(r, 4) == 0)
		rule = policy_build_rule(policy, exec, text, HT_OPS_EXEC);
	else
		rule = policy_build_rule(policy, file, text, random_ops(r));
	if (rule->kind == POLICY_RULE_FILE_DENY || !shape->plain)
		random_excepts(r, policy, rule, shape);
	random_limits(r, policy, rule, shape);
}

void random_deny_rule(struct random *r, struct policy *policy, const struct random_shape *shape)
{
	random_speaker(r, policy, shape, POLICY_RULE_FILE_DENY, POLICY_RULE_EXEC_DENY);
}

static void random_allow_rule(struct random *r, struct policy *policy,
			      const struct random_shape *shape)
{
	struct policy_rule *rule;
	char text[TEXT_MAX];

	random_path_text(r, shape, NULL, text);
	if (random_below(r, 2)) {
		rule = policy_build_rule(policy, POLICY_RULE_FILE_ALLOW, text,
					 random_below(r, 2) ? HT_OPS_FILE
							    : 1 + random_below(r, HT_OPS_FILE));
	} else if (!shape->plain && random_below(r, 4) == 0) {
		rule = policy_build_rule(policy, POLICY_RULE_EXEC_LIBRARY, text,
					 HT_OP_MAP | HT_OP_MAP_LIBRARY);
	} else {
		rule = policy_build_rule(policy, POLICY_RULE_EXEC_ALLOW, text, HT_OPS_EXEC);
	}
	if (rule->kind != POLICY_RULE_FILE_ALLOW && !shape->plain)
		rule->origin_image = random_below(r, 3) == 0;
	random_limits(r, policy, rule, shape);
}

static void random_rule(struct random *r, struct policy *policy, const struct random_shape *shape)
{
	uint32_t kind = random_below(r, shape->plain ? 5 : 6);

	if (kind < 2)
		random_allow_rule(r, policy, shape);
	else if (kind < 5)
		random_deny_rule(r, policy, shape);
	else
		random_speaker(r, policy, shape, POLICY_RULE_FILE_AUDIT, POLICY_RULE_EXEC_AUDIT);
}

static void random_switches(struct random *r, struct policy *policy)
{
	policy->libraries = (enum policy_libraries)random_below(r, _POLICY_LIBRARIES_MAX);
	if (random_below(r, 2))
		policy_build_switch(policy, &policy->anonymous, HT_OPS_EXEC,
				    (enum policy_action)random_below(r, POLICY_ACTION_KILL));
	if (random_below(r, 2))
		policy_build_switch(policy, &policy->writable, HT_OPS_EXEC,
				    (enum policy_action)random_below(r, POLICY_ACTION_KILL));
	for (uint32_t line = 0; line < HT_KERNEL_MAX; line++)
		policy_build_switch(policy, &policy->kernel[line], HT_KERNEL_OP(line),
				    (enum policy_action)random_below(r, POLICY_ACTION_KILL));
}

struct policy *random_policy(struct random *r, const char *name, const struct random_shape *shape)
{
	struct policy *policy = policy_build(name);
	uint32_t n = random_below(r, shape->rules + 1);
	uint32_t exec_at = random_below(r, 2 * n + 2), file_at = random_below(r, 2 * n + 2);

	policy->mode = random_below(r, 4) ? POLICY_MODE_ENFORCE : POLICY_MODE_AUDIT;
	if (!shape->plain)
		random_switches(r, policy);
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

static const struct policy_path *random_rule_path(struct random *r, const struct policy *policy,
						  bool program)
{
	const struct policy_rule *rule = &policy->rules[random_below(r, (uint32_t)policy->n_rules)];

	/* a few tries: not every rule has conditions */
	for (unsigned i = 0; program && rule->unless.n_exe == 0 && i < 8; i++)
		rule = &policy->rules[random_below(r, (uint32_t)policy->n_rules)];
	if (program && rule->unless.n_exe > 0)
		return &rule->unless.exe[random_below(r, (uint32_t)rule->unless.n_exe)];
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

static void draw_path(struct random *r, const struct policy *policy, bool program,
		      struct random_path *ret)
{
	const struct policy_path *model = NULL;
	struct image_component parts[64];
	char name[RANDOM_NAME_MAX];
	size_t n, skip = 0;

	ret->n = 0;
	if (policy->n_rules > 0 && random_below(r, 4) > 0)
		model = random_rule_path(r, policy, program);
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

void random_path(struct random *r, const struct policy *policy, struct random_path *ret)
{
	draw_path(r, policy, false, ret);
}

void random_question(struct random *r, const struct policy *policy, struct random_question *ret)
{
	uint32_t bits = random_below(r, 256);

	draw_path(r, policy, false, &ret->object);
	ret->question = question_of(ret->object.components, ret->object.n);
	ret->question.ops |= HT_OPS_KERNEL;
	ret->question.nameless = bits < 8;
	ret->question.stacked = bits & 1;
	ret->question.from_image = bits & 2;
	ret->question.writable = bits & 4;
	ret->question.uid = bits >> 3 & 3;
	if (bits & 32)
		return;
	draw_path(r, policy, true, &ret->program);
	ret->question.exe = ret->program.components;
	ret->question.n_exe = ret->program.n;
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
