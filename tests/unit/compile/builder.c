/* SPDX-License-Identifier: Apache-2.0 */

/* Policies by hand, and their text for reproducers. */

#include "builder.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "util/escape.h"

static void *must(void *p)
{
	if (!p)
		abort();
	return p;
}

/* Room for one more; the size doubles at every power of two. */
static void *grow(void *array, size_t n, size_t width)
{
	if (n & (n - 1))
		return array;
	return must(reallocarray(array, n ? 2 * n : 1, width));
}

static char *copy(const char *s)
{
	return s ? must(strdup(s)) : NULL;
}

struct policy *policy_build(const char *name)
{
	struct policy *p = must(calloc(1, sizeof(*p)));

	p->name = copy(name);
	p->file = copy("test.yaml");
	p->location.line = 1;
	p->record_exec = true;
	return p;
}

static void rule_deinit(struct policy_rule *rule)
{
	free(rule->path.text);
	for (size_t i = 0; i < rule->n_except; i++)
		free(rule->except[i].text);
	free(rule->except);
	for (size_t i = 0; i < rule->unless.n_exe; i++)
		free(rule->unless.exe[i].text);
	free(rule->unless.exe);
	free(rule->unless.uids);
}

struct policy *policy_build_free(struct policy *policy)
{
	if (!policy)
		return NULL;
	for (size_t i = 0; i < policy->n_rules; i++)
		rule_deinit(&policy->rules[i]);
	for (size_t i = 0; i < policy->n_matches; i++) {
		free(policy->matches[i].cgroup.text);
		free(policy->matches[i].unit);
	}
	free(policy->rules);
	free(policy->matches);
	free(policy->name);
	free(policy->file);
	free(policy);
	return NULL;
}

static struct policy_path build_path(const char *text, uint32_t line)
{
	struct policy_path path = {.location.line = line};
	size_t len;

	if (!text)
		return path;
	path.text = copy(text);
	len = strlen(text);
	if (len >= 3 && strcmp(text + len - 3, "/**") == 0) {
		path.subtree = true;
		path.text[len == 3 ? 1 : len - 3] = '\0';
	}
	return path;
}

static enum policy_action build_action(enum policy_rule_kind kind)
{
	if (kind == POLICY_RULE_EXEC_ALLOW || kind == POLICY_RULE_FILE_ALLOW ||
	    kind == POLICY_RULE_EXEC_LIBRARY)
		return POLICY_ACTION_ALLOW;
	if (kind == POLICY_RULE_EXEC_AUDIT || kind == POLICY_RULE_FILE_AUDIT)
		return POLICY_ACTION_AUDIT;
	return POLICY_ACTION_DENY;
}

struct policy_rule *policy_build_rule(struct policy *policy, enum policy_rule_kind kind,
				      const char *path, uint32_t ops)
{
	uint32_t line = (uint32_t)policy->n_rules + 1;
	struct policy_rule *rule;
	uint64_t id = line;

	for (const char *p = policy->name; *p; p++)
		id += (uint64_t)(unsigned char)*p << 32;
	policy->rules = grow(policy->rules, policy->n_rules, sizeof(*policy->rules));
	rule = &policy->rules[policy->n_rules++];
	*rule = (struct policy_rule){
		.id = id,
		.kind = kind,
		.action = build_action(kind),
		.path = build_path(path, line),
		.ops = ops,
		.location.line = line,
	};
	return rule;
}

void policy_build_except(struct policy *policy, const char *path)
{
	struct policy_rule *rule = &policy->rules[policy->n_rules - 1];

	rule->except = grow(rule->except, rule->n_except, sizeof(*rule->except));
	rule->except[rule->n_except++] = build_path(path, rule->location.line);
}

void policy_build_exe(struct policy *policy, const char *path)
{
	struct policy_rule *rule = &policy->rules[policy->n_rules - 1];
	struct policy_unless *u = &rule->unless;

	u->exe = grow(u->exe, u->n_exe, sizeof(*u->exe));
	u->exe[u->n_exe++] = build_path(path, rule->location.line);
}

void policy_build_uid(struct policy *policy, uint32_t uid)
{
	struct policy_unless *u = &policy->rules[policy->n_rules - 1].unless;

	u->uids = grow(u->uids, u->n_uids, sizeof(*u->uids));
	u->uids[u->n_uids++] = uid;
}

void policy_build_switch(struct policy *policy, struct policy_rule *rule, uint32_t ops,
			 enum policy_action action)
{
	*rule = (struct policy_rule){
		.id = 0xffff000000000000ULL | ops,
		.kind = rule == &policy->anonymous  ? POLICY_RULE_EXEC_ANONYMOUS
			: rule == &policy->writable ? POLICY_RULE_EXEC_WRITABLE
						    : POLICY_RULE_KERNEL,
		.action = action,
		.ops = ops,
		.location.line = 1,
	};
	if (rule == &policy->writable)
		rule->id++;
}

void policy_build_default(struct policy *policy, enum policy_rule_kind kind)
{
	if (kind == POLICY_RULE_EXEC_DEFAULT)
		policy->exec_default = POLICY_DEFAULT_DENY;
	else
		policy->file_default = POLICY_DEFAULT_DENY;
	(void)policy_build_rule(policy, kind, NULL,
				kind == POLICY_RULE_EXEC_DEFAULT ? HT_OPS_EXEC : HT_OPS_FILE);
}

void policy_build_match(struct policy *policy, const char *cgroup, const char *unit)
{
	uint32_t line = (uint32_t)policy->n_matches + 1;

	policy->matches = grow(policy->matches, policy->n_matches, sizeof(*policy->matches));
	policy->matches[policy->n_matches++] = (struct policy_match){
		.cgroup = build_path(cgroup, line),
		.unit = copy(unit),
		.location.line = line,
	};
}

struct policy *policy_build_copy(const struct policy *policy)
{
	struct policy *p = policy_build(policy->name);

	p->mode = policy->mode;
	p->record_exec = policy->record_exec;
	p->record_file = policy->record_file;
	p->libraries = policy->libraries;
	p->anonymous = policy->anonymous;
	p->writable = policy->writable;
	memcpy(p->kernel, policy->kernel, sizeof(p->kernel));
	p->exec_default = policy->exec_default;
	p->file_default = policy->file_default;
	for (size_t i = 0; i < policy->n_rules; i++) {
		const struct policy_rule *from = &policy->rules[i];
		struct policy_rule *to =
			policy_build_rule(p, from->kind, from->path.text, from->ops);

		to->id = from->id;
		to->path.subtree = from->path.subtree;
		for (size_t j = 0; j < from->n_except; j++) {
			policy_build_except(p, from->except[j].text);
			to->except[j].subtree = from->except[j].subtree;
		}
		to->action = from->action;
		to->origin_image = from->origin_image;
		to->enforce_after = from->enforce_after;
		to->expires = from->expires;
		for (size_t j = 0; j < from->unless.n_exe; j++) {
			policy_build_exe(p, from->unless.exe[j].text);
			to->unless.exe[j].subtree = from->unless.exe[j].subtree;
		}
		for (size_t j = 0; j < from->unless.n_uids; j++)
			policy_build_uid(p, from->unless.uids[j]);
	}
	for (size_t i = 0; i < policy->n_matches; i++) {
		policy_build_match(p, policy->matches[i].cgroup.text, policy->matches[i].unit);
		p->matches[i].cgroup.subtree = policy->matches[i].cgroup.subtree;
	}
	return p;
}

static void print_path(const struct policy_path *path, FILE *out)
{
	_cleanup_strbuf_ struct strbuf b = {};

	escape_text(&b, path->text, strlen(path->text));
	fprintf(out, "\"%s%s\"",
		strcmp(path->text, "/") == 0 && path->subtree ? "" : strbuf_str(&b),
		path->subtree ? "/**" : "");
}

static void print_limits(const struct policy_rule *rule, FILE *out)
{
	fprintf(out, ", action: %s%s", policy_action_to_string(rule->action),
		rule->origin_image ? ", origin: image" : "");
	if (rule->enforce_after)
		fprintf(out, ", enforce_after: %lld", (long long)rule->enforce_after);
	if (rule->expires)
		fprintf(out, ", expires: %lld", (long long)rule->expires);
	for (size_t i = 0; i < rule->unless.n_exe; i++) {
		fprintf(out, ", unless exe ");
		print_path(&rule->unless.exe[i], out);
	}
	for (size_t i = 0; i < rule->unless.n_uids; i++)
		fprintf(out, ", unless uid %u", rule->unless.uids[i]);
}

static void print_switches(const struct policy *policy, FILE *out)
{
	fprintf(out, "libraries: %d\nanonymous: %s%s\nwritable: %s\n", (int)policy->libraries,
		policy_action_to_string(policy->anonymous.action),
		policy->anonymous.id ? "" : " (not written)",
		policy_action_to_string(policy->writable.action));
	for (uint32_t line = 0; line < HT_KERNEL_MAX; line++)
		fprintf(out, "%s: %s\n", policy_kernel_to_string(line),
			policy_action_to_string(policy->kernel[line].action));
}

static void print_rule(const struct policy_rule *rule, FILE *out)
{
	static const char *const kinds[] = {
		[POLICY_RULE_EXEC_DEFAULT] = "exec.default: deny",
		[POLICY_RULE_EXEC_ALLOW] = "exec.allow",
		[POLICY_RULE_EXEC_DENY] = "exec.deny",
		[POLICY_RULE_FILE_DEFAULT] = "file.default: deny",
		[POLICY_RULE_FILE_ALLOW] = "file.allow",
		[POLICY_RULE_FILE_DENY] = "file.deny",
		[POLICY_RULE_EXEC_AUDIT] = "exec.audit",
		[POLICY_RULE_FILE_AUDIT] = "file.audit",
		[POLICY_RULE_EXEC_LIBRARY] = "exec.libraries",
	};

	fprintf(out, "  - %s", kinds[rule->kind]);
	if (rule->path.text) {
		fprintf(out, ": {path: ");
		print_path(&rule->path, out);
		fprintf(out, ", ops: 0x%x", rule->ops);
		for (size_t i = 0; i < rule->n_except; i++) {
			fprintf(out, "%s", i == 0 ? ", except: [" : ", ");
			print_path(&rule->except[i], out);
		}
		fprintf(out, "%s", rule->n_except > 0 ? "]" : "");
		print_limits(rule, out);
		fprintf(out, "}");
	}
	fprintf(out, " # id %#llx\n", (unsigned long long)rule->id);
}

void policy_build_print(const struct policy *policy, FILE *out)
{
	fprintf(out, "policy: %s\nmode: %s\nmatch:\n", policy->name,
		policy->mode == POLICY_MODE_ENFORCE ? "enforce" : "audit");
	for (size_t i = 0; i < policy->n_matches; i++) {
		fprintf(out, "  -");
		if (policy->matches[i].cgroup.text) {
			fprintf(out, " cgroup: ");
			print_path(&policy->matches[i].cgroup, out);
		}
		if (policy->matches[i].unit)
			fprintf(out, " unit: \"%s\"", policy->matches[i].unit);
		fputc('\n', out);
	}
	print_switches(policy, out);
	fprintf(out, "rules:\n");
	for (size_t i = 0; i < policy->n_rules; i++)
		print_rule(&policy->rules[i], out);
}

struct policy_question question_of(const struct image_component *components, size_t n)
{
	return (struct policy_question){.ops = HT_OP_ALL, .components = components, .n = n};
}

size_t components_split(const char *path, struct image_component *ret, size_t max)
{
	size_t n = 0;

	while (*(path += strspn(path, "/"))) {
		size_t len = strcspn(path, "/");

		assert(n < max);
		ret[n++] = (struct image_component){.name = path, .len = len};
		path += len;
	}
	return n;
}
