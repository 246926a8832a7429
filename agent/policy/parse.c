/* SPDX-License-Identifier: Apache-2.0 */

/*
 * A policy file becomes a struct policy_file: the tables of the language's upper levels and the
 * handlers behind them. A new key is one line in a table.
 */

#include <assert.h>
#include <errno.h>
#include <string.h>

#include "abi.h"
#include "policy/path.h"
#include "policy/schema.h"

#define MATCH_EXPECTED "a list of entries with `cgroup`, `unit` or `container`"
#define SECTION_EXPECTED "a mapping with `default`, `allow` or `deny`"
#define LIBRARIES_EXPECTED "`default`, `any` or a list of paths"
#define RULES_EXPECTED "a list of rules (`[]` for none)"
#define DEFAULT_EXPECTED "`allow` or `deny`"

/* ---- exec and file ---- */

struct section {
	bool file;
	bool default_known; /* `default` was read, or is absent */
	enum policy_default value;
	const struct node *allow; /* key, if its list has rules */
	const struct node *libraries;
};

static void section_default(struct parse *p, const struct node *key, const struct node *value,
			    void *object)
{
	const char *words[_POLICY_DEFAULT_MAX];
	struct section *s = object;
	int i;

	for (i = 0; i < _POLICY_DEFAULT_MAX; i++)
		words[i] = policy_default_to_string((enum policy_default)i);
	i = schema_find_word(p, value, "default", words, ARRAY_LEN(words));
	s->default_known = i >= 0;
	if (i < 0)
		return;
	s->value = (enum policy_default)i;
	if (s->value == POLICY_DEFAULT_DENY)
		parse_default_rule(p, s->file ? POLICY_RULE_FILE_DEFAULT : POLICY_RULE_EXEC_DEFAULT,
				   key);
}

static void section_allow(struct parse *p, const struct node *key, const struct node *value,
			  void *object)
{
	struct section *s = object;

	if (value->first)
		s->allow = key;
	parse_rules(p, s->file ? POLICY_RULE_FILE_ALLOW : POLICY_RULE_EXEC_ALLOW, value);
}

static void section_deny(struct parse *p, const struct node *key, const struct node *value,
			 void *object)
{
	struct section *s = object;

	parse_rules(p, s->file ? POLICY_RULE_FILE_DENY : POLICY_RULE_EXEC_DENY, value);
}

static void section_audit(struct parse *p, const struct node *key, const struct node *value,
			  void *object)
{
	struct section *s = object;

	parse_rules(p, s->file ? POLICY_RULE_FILE_AUDIT : POLICY_RULE_EXEC_AUDIT, value);
}

static void exec_anonymous(struct parse *p, const struct node *key, const struct node *value,
			   void *object)
{
	parse_switch(p, key, value, &p->policy->anonymous);
}

static void exec_writable(struct parse *p, const struct node *key, const struct node *value,
			  void *object)
{
	parse_switch(p, key, value, &p->policy->writable);
}

/* The word `default` in the list keeps the system's libraries beside what is listed. */
static void libraries_list(struct parse *p, const struct node *value)
{
	p->policy->libraries = POLICY_LIBRARIES_LIST;
	for (const struct node *item = value->first; item; item = item->next) {
		if (item->kind == NODE_SCALAR && strcmp(item->text, "default") == 0) {
			if (p->policy->libraries == POLICY_LIBRARIES_DEFAULT)
				policy_text_error(p->text, item->at, NULL,
						  "`default` is listed twice");
			p->policy->libraries = POLICY_LIBRARIES_DEFAULT;
		} else {
			parse_rule(p, POLICY_RULE_EXEC_LIBRARY, item);
		}
	}
}

static void exec_libraries(struct parse *p, const struct node *key, const struct node *value,
			   void *object)
{
	static const char *const words[] = {"default", "any"};
	struct section *s = object;
	int i;

	s->libraries = key;
	if (value->kind == NODE_LIST) {
		libraries_list(p, value);
		return;
	}
	if (value->kind == NODE_MAPPING || value->len == 0) {
		policy_text_error(p->text, value->kind == NODE_MAPPING ? value->at : key->at,
				  LIBRARIES_EXPECTED, "`libraries` is %s", node_describe(value));
		return;
	}
	i = schema_find_word(p, value, "value", words, ARRAY_LEN(words));
	if (i == 1)
		p->policy->libraries = POLICY_LIBRARIES_ANY;
}

static const struct key_spec exec_keys[] = {
	{"default", KEY_WORD, DEFAULT_EXPECTED, section_default},
	{"allow", KEY_LIST, RULES_EXPECTED, section_allow},
	{"deny", KEY_LIST, RULES_EXPECTED, section_deny},
	{"audit", KEY_LIST, RULES_EXPECTED, section_audit},
	{"anonymous", KEY_WORD, "`deny`, `audit` or `allow`", exec_anonymous},
	{"writable", KEY_WORD, "`deny`, `audit` or `allow`", exec_writable},
	{"libraries", KEY_ANY, LIBRARIES_EXPECTED, exec_libraries},
};

static const struct key_spec file_keys[] = {
	{"default", KEY_WORD, DEFAULT_EXPECTED, section_default},
	{"allow", KEY_LIST, RULES_EXPECTED, section_allow},
	{"deny", KEY_LIST, RULES_EXPECTED, section_deny},
	{"audit", KEY_LIST, RULES_EXPECTED, section_audit},
};

static const struct schema exec_schema = {exec_keys, ARRAY_LEN(exec_keys)};
static const struct schema file_schema = {file_keys, ARRAY_LEN(file_keys)};

static enum policy_default parse_section(struct parse *p, bool file, const struct node *key,
					 const struct node *value)
{
	struct section s = {.file = file, .default_known = true, .value = POLICY_DEFAULT_ALLOW};

	if (!value->first)
		policy_text_error(p->text, value->at, SECTION_EXPECTED, "`%s` is an empty mapping",
				  key->text);
	schema_parse(p, file ? &file_schema : &exec_schema, 0, value, &s);
	if (!s.default_known || s.value != POLICY_DEFAULT_ALLOW || p->partial)
		return s.value;
	/* an allow-list that is none would look like protection and be nothing */
	if (s.allow)
		policy_text_error(p->text, s.allow->at, "`default: deny` beside it",
				  "`allow` has no effect while the default of `%s` is allow",
				  key->text);
	if (s.libraries)
		policy_text_error(p->text, s.libraries->at, "`default: deny` beside it",
				  "`libraries` has no effect while the default of `exec` is allow");
	return s.value;
}

/* ---- the document ---- */

static void top_policy(struct parse *p, const struct node *key, const struct node *value,
		       void *object)
{
	static const char letters[] = "abcdefghijklmnopqrstuvwxyz0123456789";
	static const char more[] = "abcdefghijklmnopqrstuvwxyz0123456789._-";
	static const char expected[] =
		"1 to 63 characters of a-z, 0-9, `.`, `_` and `-`, the first a letter or digit";
	size_t n = 0;

	if (memchr(letters, value->text[0], sizeof(letters) - 1))
		while (n < value->len && memchr(more, value->text[n], sizeof(more) - 1))
			n++;
	if (n < value->len || n > POLICY_NAME_MAX) {
		policy_text_error(p->text, value->at, expected, "invalid policy name `%s`",
				  quote_text(value->text, value->len).text);
		return;
	}
	p->policy->name = node_copy(p, value);
	p->policy->location = policy_text_locate(p->text, value->at.start);
	p->name = value->at;
}

static void top_description(struct parse *p, const struct node *key, const struct node *value,
			    void *object)
{
	if (value->len > POLICY_DESCRIPTION_MAX)
		policy_text_error(p->text, value->at, NULL,
				  "description of %u bytes; %u are allowed", value->len,
				  POLICY_DESCRIPTION_MAX);
	else
		p->policy->description = node_copy(p, value);
}

static void top_mode(struct parse *p, const struct node *key, const struct node *value,
		     void *object)
{
	const char *words[_POLICY_MODE_MAX];
	int i;

	if (strcmp(value->text, "learn") == 0) {
		policy_text_error(p->text, value->at, "`enforce` or `audit`",
				  "mode `learn` is not available in this version");
		return;
	}
	for (i = 0; i < _POLICY_MODE_MAX; i++)
		words[i] = policy_mode_to_string((enum policy_mode)i);
	i = schema_find_word(p, value, "mode", words, ARRAY_LEN(words));
	if (i >= 0)
		p->policy->mode = (enum policy_mode)i;
}

static void top_match(struct parse *p, const struct node *key, const struct node *value,
		      void *object)
{
	if (!value->first && !p->partial)
		policy_text_error(p->text, value->at, MATCH_EXPECTED, "`match` is an empty list");
	if (value->n > POLICY_MATCHES_MAX) {
		policy_text_error(
			p->text, key->at, "a pattern with `*` for what many have in common",
			"%u entries in `match`; %u are allowed", value->n, POLICY_MATCHES_MAX);
		return;
	}
	for (const struct node *item = value->first; item; item = item->next)
		parse_match_entry(p, item);
}

static void top_exec(struct parse *p, const struct node *key, const struct node *value,
		     void *object)
{
	p->policy->exec_default = parse_section(p, false, key, value);
}

static void top_file(struct parse *p, const struct node *key, const struct node *value,
		     void *object)
{
	p->policy->file_default = parse_section(p, true, key, value);
}

static const struct key_spec top_keys[] = {
	{"policy", KEY_LINE, "the name of the policy", top_policy},
	{"description", KEY_TEXT, "text", top_description},
	{"mode", KEY_WORD, "`enforce` or `audit`", top_mode},
	{"match", KEY_LIST, MATCH_EXPECTED, top_match},
	{"exec", KEY_MAPPING, SECTION_EXPECTED, top_exec},
	{"file", KEY_MAPPING, SECTION_EXPECTED, top_file},
	{"kernel", KEY_MAPPING, "a mapping of lines like `mount: deny`", parse_kernel},
	{"record", KEY_MAPPING, "a mapping with `exec` or `file`", parse_record},
};

static const struct schema top_schema = {top_keys, ARRAY_LEN(top_keys)};

/* A slip of the key counts: it was reported as such. */
static bool has_key(const struct node *mapping, const char *name)
{
	for (const struct node *k = mapping->first; k; k = k->next ? k->next->next : NULL)
		if (k->kind == NODE_SCALAR &&
		    (strcmp(k->text, name) == 0 || word_suggest(k->text, k->len, &name, 1)))
			return true;
	return false;
}

static void check_missing(struct parse *p, const struct node *root)
{
	struct span at = root->first ? root->first->at : root->at;

	if (p->partial || root->full)
		return;
	if (!has_key(root, "policy"))
		policy_text_error(p->text, at, "`policy: NAME`", "the policy has no name");
	if (!has_key(root, "match"))
		policy_text_error(p->text, at, "`match:` with " MATCH_EXPECTED,
				  "the policy does not say what it governs");
}

static bool refuses_nothing(const struct policy *policy)
{
	if (policy->n_rules > 0 || policy->anonymous.action != POLICY_ACTION_ALLOW ||
	    policy->writable.action != POLICY_ACTION_ALLOW)
		return false;
	for (uint32_t line = 0; line < HT_KERNEL_MAX; line++)
		if (policy->kernel[line].action != POLICY_ACTION_ALLOW)
			return false;
	return true;
}

/* errors: the count before the document was read.
 * Return: 0 with *ret_policy NULL if the document has errors, -ENOMEM. */
static int parse_document(struct policy_text *text, const struct node *root, bool partial,
			  size_t errors, struct policy **ret_policy, struct span *ret_name)
{
	_cleanup_(policy_freep) struct policy *policy = calloc(1, sizeof(*policy));
	struct parse p = {.text = text, .policy = policy, .partial = partial};
	int r = 0;

	if (!policy)
		return -ENOMEM;
	policy->file = strdup(text->path);
	if (!policy->file)
		return -ENOMEM;
	policy->location = policy_text_locate(text, root->at.start);
	init_switches(policy);
	schema_parse(&p, &top_schema, 0, root, NULL);
	locate_switches(policy);
	check_missing(&p, root);
	if (text->error == 0 && policy->name)
		r = policy_number_rules(policy);
	if (text->error == 0 && r == 0)
		check_rules(&p);
	free(p.rule_spans);
	if (text->error < 0)
		r = text->error;
	if (r < 0)
		return r;
	if (text->diags->n_errors == errors) {
		assert(policy->name && policy->n_matches > 0);
		if (refuses_nothing(policy))
			policy_text_warn(text, p.name, "rules in `exec` or `file`",
					 "the policy refuses nothing");
		*ret_policy = steal_ptr(policy);
		*ret_name = p.name;
	}
	return 0;
}

/* ---- the file ---- */

struct file_reader {
	struct policy_text text;
	struct policy_file *file;
	size_t size; /* of file->policies */
	unsigned n_documents;
	bool empty_first; /* and where it is */
	struct span first;
};

static int add_policy(struct file_reader *f, struct policy *policy, struct span name)
{
	struct policy_file *file = f->file;
	struct policy **policies;

	for (size_t i = 0; i < file->n_policies; i++)
		if (strcmp(file->policies[i]->name, policy->name) == 0)
			policy_text_error(&f->text, name, "another name",
					  "duplicate policy `%s`, first written in line %u",
					  policy->name, file->policies[i]->location.line);
	if (file->n_policies == f->size) {
		policies = reallocarray(file->policies, f->size ? 2 * f->size : 4,
					sizeof(struct policy *));
		if (!policies) {
			(void)policy_free(policy);
			return -ENOMEM;
		}
		file->policies = policies;
		f->size = f->size ? 2 * f->size : 4;
	}
	file->policies[file->n_policies++] = policy;
	return 0;
}

static int read_document(struct file_reader *f, const struct node *root, bool partial,
			 size_t errors)
{
	struct policy *policy = NULL;
	struct span name = {};
	int r;

	f->n_documents++;
	if (root->kind == NODE_BAD)
		return 0;
	if (root->kind == NODE_SCALAR && root->plain && root->len == 0) {
		/* the only one of the file? then the message is about the file */
		if (f->n_documents == 1) {
			f->empty_first = true;
			f->first = root->at;
		} else {
			policy_text_error(&f->text, root->at, NULL, "no policy in this document");
		}
		return 0;
	}
	if (root->kind != NODE_MAPPING) {
		policy_text_error(&f->text, root->at, "a mapping that starts with `policy: NAME`",
				  "the document is %s", node_describe(root));
		return 0;
	}
	r = parse_document(&f->text, root, partial, errors, &policy, &name);
	if (r < 0 || !policy)
		return r;
	return add_policy(f, policy, name);
}

static int read_documents(struct file_reader *f)
{
	_cleanup_(yaml_stream_freep) struct yaml_stream *stream = NULL;
	_cleanup_(arena_freep) struct arena *arena = arena_new();
	size_t errors = f->text.diags->n_errors;
	int r;

	if (!arena)
		return -ENOMEM;
	r = yaml_stream_new(&f->text, &stream);
	if (r < 0)
		return r;
	for (;;) {
		size_t before = f->text.diags->n_errors;
		struct node *root = NULL;
		bool partial = false;

		arena_reset(arena);
		r = yaml_stream_next(stream, arena, &root, &partial);
		if (r <= 0)
			break;
		r = read_document(f, root, partial, before);
		if (r < 0)
			break;
	}
	if (r < 0)
		return r;
	if (f->empty_first && f->n_documents > 1)
		policy_text_error(&f->text, f->first, NULL, "no policy in this document");
	else if (f->n_documents <= f->empty_first && f->text.diags->n_errors == errors)
		r = diag_add_file(f->text.diags, DIAG_ERROR, f->text.path, NULL,
				  "no policy in this file");
	return r < 0 ? r : f->text.error;
}

int policy_parse(const char *path, const void *text, size_t len, struct diag_list *diags,
		 struct policy_file **ret_file)
{
	_cleanup_(policy_file_unrefp) struct policy_file *file = calloc(1, sizeof(*file));
	struct file_reader f = {.file = file};
	size_t errors = diags->n_errors, first = diags->n;
	const char *slash = strrchr(path, '/');
	int r;

	if (!file)
		return -ENOMEM;
	file->refs = 1;
	file->path = strdup(path);
	file->name = strdup(slash ? slash + 1 : path);
	if (!file->path || !file->name)
		return -ENOMEM;
	r = policy_text_init(&f.text, path, text, len, diags);
	if (r == 0)
		r = read_documents(&f);
	policy_text_deinit(&f.text);
	diag_list_sort(diags, first);
	if (r < 0)
		return r;
	if (r == POLICY_E_INVALID || diags->n_errors > errors)
		return POLICY_E_INVALID;
	file->text = malloc(len + 1); /* at most POLICY_FILE_MAX, without a NUL */
	if (!file->text)
		return -ENOMEM;
	memcpy(file->text, text, len);
	file->text[len] = '\0';
	*ret_file = steal_ptr(file);
	return 0;
}
