/* SPDX-License-Identifier: Apache-2.0 */

/* Random policies. Their patterns are made of the names of the tree, so that most of them match
 * something. */

#include "text.h"

#include <err.h>
#include <stdlib.h>
#include <string.h>

#include "policy/policy.h"
#include "util/strbuf.h"

const char *const text_programs[TEXT_PROGRAMS] = {"/z/app", "/z/web/app2", "/z/other"};

/* ---- patterns ---- */

/* Length of the character at s: 0 if a policy cannot have it. */
static size_t character_len(const char *s)
{
	const unsigned char *c = (const unsigned char *)s;
	size_t n = c[0] < 0x80			 ? 1
		   : c[0] >= 0xc2 && c[0] < 0xe0 ? 2
		   : c[0] >= 0xe0 && c[0] < 0xf0 ? 3
						 : 0;

	if (n == 1 && (c[0] < 0x20 || c[0] == 0x7f))
		return 0;
	for (size_t i = 1; i < n; i++)
		if ((c[i] & 0xc0) != 0x80)
			return 0;
	if (n == 3 &&
	    (c[0] == 0xe0 ||
	     c[0] == 0xed)) /* too long a form, or a surrogate: rare enough to leave out */
		return 0;
	if (n == 2 && c[0] == 0xc2 && c[1] < 0xa0) /* control characters */
		return 0;
	return n;
}

/* A pattern for one name: literal as far as a policy can write it, else with wildcards. */
static void component_draw(struct dice *d, const char *name, size_t len, struct strbuf *out)
{
	bool wild = dice_chance(d, 35);

	if (dice_chance(d, 12)) {
		strbuf_putc(out, '*');
		return;
	}
	for (size_t i = 0; i < len;) {
		size_t n = character_len(name + i);

		if (wild && dice_chance(d, 25)) {
			strbuf_putc(out, '*');
			i += 1 + dice_below(d, (uint32_t)(len - i));
			while (i < len && ((unsigned char)name[i] & 0xc0) == 0x80)
				i++; /* a star takes whole characters */
		} else if (n == 0 || n > len - i || (wild && n == 1 && dice_chance(d, 30))) {
			strbuf_putc(out, '?');
			i++;
		} else {
			strbuf_append(out, name + i, n);
			i += n;
		}
	}
	if (wild && dice_chance(d, 20))
		strbuf_putc(out, '*');
}

/* Two stars in a row mean something else, at the end of a path. */
static bool pattern_is_fine(const char *p)
{
	return !strstr(p, "**") && !strstr(p, "/./") && !strstr(p, "/../");
}

/* below: the pattern begins like this path's. */
static void pattern_draw(const struct world *w, struct dice *d, const char *below,
			 struct strbuf *ret)
{
	do {
		const char *p = below ? below : w->nodes[dice_below(d, (uint32_t)w->n_nodes)].path;
		uint32_t depth = 0, keep = 62;

		strbuf_reset(ret);
		if (dice_chance(d, 30))
			keep = 1 + dice_below(d, 6);
		if (below && dice_chance(d, 70))
			p = w->nodes[dice_below(d, (uint32_t)w->n_nodes)].path;
		for (; *p == '/' && depth < keep; depth++) {
			size_t len = strcspn(++p, "/");

			strbuf_putc(ret, '/');
			if (depth == 0 && dice_chance(d, 90))
				strbuf_puts(ret, WORLD_ROOT + 1);
			else
				component_draw(d, p, len, ret);
			p += len;
		}
		if (dice_chance(d, 15)) {
			strbuf_putc(ret, '/');
			strbuf_puts(ret, dice_below(d, 2) ? "a" : "*");
		}
	} while (!pattern_is_fine(strbuf_str(ret)) || strbuf_error(ret) < 0);
	if (dice_chance(d, 30))
		strbuf_puts(ret, "/**");
}

/* The very path of a file that has other names too: what is there is bound under them. Return:
 * false: no such file can be written in a policy. */
static bool exact_draw(const struct world *w, struct dice *d, struct strbuf *ret)
{
	const struct node *n = world_linked(w, d);

	strbuf_reset(ret);
	for (const char *p = n ? n->path : "*"; *p;) {
		size_t len = character_len(p);

		if (len == 0 || *p == '*' || *p == '?')
			return false;
		strbuf_append(ret, p, len);
		p += len;
	}
	return true;
}

static void quote(struct strbuf *out, const char *s)
{
	strbuf_putc(out, '"');
	for (; *s; s++) {
		if (*s == '"' || *s == '\\')
			strbuf_putc(out, '\\');
		strbuf_putc(out, *s);
	}
	strbuf_putc(out, '"');
}

static void quote_pattern(const struct world *w, struct dice *d, const char *below,
			  struct strbuf *out)
{
	_cleanup_strbuf_ struct strbuf pattern = {};

	pattern_draw(w, d, below, &pattern);
	quote(out, strbuf_str(&pattern));
}

/* ---- rules ---- */

static void ops_draw(struct dice *d, bool with_map, struct strbuf *out)
{
	static const char *const words[] = {"read",   "write", "create", "delete",
					    "rename", "link",  "attr",	 "map"};
	uint32_t ops = 1 + dice_below(d, with_map ? 255 : 127);
	const char *separator = "";

	strbuf_puts(out, ", ops: [");
	for (size_t i = 0; i < ARRAY_LEN(words); i++) {
		if (!(ops >> i & 1))
			continue;
		strbuf_printf(out, "%s%s", separator, words[i]);
		separator = ", ";
	}
	strbuf_putc(out, ']');
}

static void unless_draw(struct dice *d, struct strbuf *out)
{
	static const char *const programs[] = {"/z/app", "/z/web/app2", "/z/*",
					       "/z/**",	 "/z/o?her",	"/nowhere"};
	static const char *const users[] = {"0", "1000", "[1000, 1001]", "[0, 1001]", "7"};
	uint32_t which = 1 + dice_below(d, 3);

	strbuf_puts(out, ", unless: {");
	if (which & 1)
		strbuf_printf(out, "exe: \"%s\"%s", programs[dice_below(d, ARRAY_LEN(programs))],
			      which == 3 ? ", " : "");
	if (which & 2)
		strbuf_printf(out, "uid: %s", users[dice_below(d, ARRAY_LEN(users))]);
	strbuf_putc(out, '}');
}

/* What only rules that refuse can say. */
static void force_draw(struct dice *d, struct strbuf *out)
{
	static const char *const force[] = {
		", action: kill",
		", action: audit",
		", action: deny",
		", enforce_after: 2001-01-01",
		", enforce_after: 2999-01-01",
		", expires: 2999-01-01",
		", expires: 2001-01-01",
	};

	if (dice_chance(d, 35))
		strbuf_puts(out, force[dice_below(d, ARRAY_LEN(force))]);
}

static void rule_draw(struct text_rule *rule, const struct world *w, struct dice *d)
{
	_cleanup_strbuf_ struct strbuf out = {}, pattern = {};
	bool allow = rule->list == TEXT_EXEC_ALLOW || rule->list == TEXT_FILE_ALLOW;
	bool deny = rule->list == TEXT_EXEC_DENY || rule->list == TEXT_FILE_DENY;

	if (!deny || !dice_chance(d, 25) || !exact_draw(w, d, &pattern))
		pattern_draw(w, d, NULL, &pattern);
	strbuf_puts(&out, "{path: ");
	quote(&out, strbuf_str(&pattern));
	if (rule->list >= TEXT_FILE_ALLOW && dice_chance(d, 65))
		ops_draw(d, deny, &out);
	if (!allow && dice_chance(d, 25)) {
		strbuf_puts(&out, ", except: [");
		quote_pattern(w, d, strbuf_str(&pattern), &out);
		strbuf_putc(&out, ']');
	}
	rule->conditional = !allow && dice_chance(d, 25);
	if (rule->conditional)
		unless_draw(d, &out);
	if (deny)
		force_draw(d, &out);
	if (rule->list == TEXT_EXEC_ALLOW && dice_chance(d, 15))
		strbuf_puts(&out, ", origin: image");
	strbuf_putc(&out, '}');
	rule->text = strbuf_steal(&out);
	if (!rule->text)
		err(3, "strdup");
}

static void policy_draw(struct text_policy *p, const struct world *w, struct dice *d)
{
	static const char *const matches[] = {"cgroup: " TEXT_CGROUP, "unit: differential.scope",
					      "cgroup: /differential.s*",
					      "cgroup: " TEXT_CGROUP "/**"};
	static const char *const words[] = {NULL, NULL, "deny", "audit", "allow"};
	static const char *const libraries[] = {NULL, "default", "any"};

	p->audit = dice_chance(d, 15);
	p->exec_deny = dice_chance(d, 20);
	p->file_deny = dice_chance(d, 25);
	p->match = matches[dice_below(d, ARRAY_LEN(matches))];
	p->anonymous = words[dice_below(d, ARRAY_LEN(words))];
	p->writable = dice_chance(d, 40) ? words[dice_below(d, ARRAY_LEN(words))] : NULL;
	p->libraries = p->exec_deny ? libraries[dice_below(d, ARRAY_LEN(libraries))] : NULL;
	p->n_rules = 2 + dice_below(d, TEXT_RULES - 1);
	for (size_t i = 0; i < p->n_rules; i++) {
		struct text_rule *r = &p->rules[i];
		uint32_t list = dice_below(d, 10);

		r->list = list < 5   ? TEXT_FILE_DENY
			  : list < 6 ? TEXT_FILE_AUDIT
			  : list < 8 ? TEXT_EXEC_DENY
				     : TEXT_EXEC_AUDIT;
		if (p->file_deny && dice_chance(d, 40))
			r->list = TEXT_FILE_ALLOW;
		else if (p->exec_deny && dice_chance(d, 30))
			r->list = TEXT_EXEC_ALLOW;
		rule_draw(r, w, d);
	}
}

/* ---- text ---- */

struct printer {
	struct strbuf out;
	uint32_t line; /* of what comes next */
	struct text_without without;
	bool number; /* the rules get the numbers of their lines */
};

static void print_line(struct printer *p, const char *words, const char *value)
{
	strbuf_printf(&p->out, "%s%s\n", words, value);
	p->line++;
}

static void print_list(struct printer *p, struct text_policy *policy, enum text_list list,
		       const char *title)
{
	bool first = true;

	for (size_t i = 0; i < policy->n_rules; i++) {
		const struct text_rule *r = &policy->rules[i];

		if (r->list != list || r->dropped || (r->line && r->line == p->without.line) ||
		    (r->conditional && p->without.conditional))
			continue;
		if (first)
			print_line(p, title, "");
		first = false;
		if (p->number)
			policy->rules[i].line = p->line;
		print_line(p, "    - ", r->text);
	}
}

static void print_policy(struct printer *p, struct text_policy *policy, size_t number)
{
	strbuf_printf(&p->out, "%spolicy: p%zu\n", number ? "---\n" : "", number);
	p->line += number ? 2 : 1;
	print_line(p, "mode: ", policy->audit ? "audit" : "enforce");
	strbuf_printf(&p->out, "match: [{%s}]\n", policy->match);
	p->line++;
	print_line(p, "exec:", "");
	print_line(p, "  default: ", policy->exec_deny ? "deny" : "allow");
	if (policy->anonymous)
		print_line(p, "  anonymous: ", policy->anonymous);
	if (policy->writable)
		print_line(p, "  writable: ", policy->writable);
	if (policy->libraries)
		print_line(p, "  libraries: ", policy->libraries);
	print_list(p, policy, TEXT_EXEC_ALLOW, "  allow:");
	print_list(p, policy, TEXT_EXEC_DENY, "  deny:");
	print_list(p, policy, TEXT_EXEC_AUDIT, "  audit:");
	print_line(p, "file:", "");
	print_line(p, "  default: ", policy->file_deny ? "deny" : "allow");
	print_list(p, policy, TEXT_FILE_ALLOW, "  allow:");
	print_list(p, policy, TEXT_FILE_DENY, "  deny:");
	print_list(p, policy, TEXT_FILE_AUDIT, "  audit:");
	print_line(p, "kernel: {device: allow}", ""); /* a whiteout is a device */
	print_line(p, "record: {exec: denied}", "");
}

char *text_print(struct text *t, struct text_without without)
{
	struct printer p = {
		.line = 1, .without = without, .number = !without.line && !without.conditional};
	char *text;

	for (size_t i = 0; i < t->n_policies; i++)
		print_policy(&p, &t->policies[i], i);
	text = strbuf_steal(&p.out);
	if (!text)
		err(3, "strbuf");
	return text;
}

/* Rules that the parser refuses, as those that never decide anything, are left out. Return: was
 * there one? */
static bool drop_refused(struct text *t)
{
	_cleanup_free_ char *text = text_print(t, (struct text_without){});
	_cleanup_(diag_list_deinit) struct diag_list diags = {};
	struct policy_file *file = NULL;
	size_t dropped = 0;
	int r = policy_parse("drawn.yaml", text, strlen(text), &diags, &file);

	(void)policy_file_unref(file);
	if (r == 0)
		return false;
	for (size_t i = 0; i < diags.n; i++)
		for (size_t j = 0; j < t->n_policies * TEXT_RULES; j++) {
			struct text_policy *p = &t->policies[j / TEXT_RULES];
			struct text_rule *rule = &p->rules[j % TEXT_RULES];

			if (j % TEXT_RULES >= p->n_rules || rule->dropped ||
			    rule->line != diags.items[i].line ||
			    diags.items[i].severity != DIAG_ERROR)
				continue;
			rule->dropped = true;
			dropped++;
		}
	if (dropped > 0)
		return true;
	diag_list_print(&diags, stderr, false);
	errx(3, "the parser refuses what is no rule:\n%s", text);
}

void text_draw(struct text *t, const struct world *w, struct dice *d)
{
	*t = (struct text){.n_policies = 1 + dice_below(d, TEXT_POLICIES)};
	for (size_t i = 0; i < t->n_policies; i++)
		policy_draw(&t->policies[i], w, d);
	while (drop_refused(t))
		;
}

void text_free(struct text *t)
{
	for (size_t i = 0; i < t->n_policies; i++)
		for (size_t j = 0; j < t->policies[i].n_rules; j++)
			free(t->policies[i].rules[j].text);
	*t = (struct text){};
}
