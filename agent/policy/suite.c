/* SPDX-License-Identifier: Apache-2.0 */

/* Reading a suite (suite.h): one table of keys, then what has to be there together. */

#include "policy/suite.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "policy/node.h"
#include "policy/text.h"

struct reader {
	struct policy_text text;
	struct suite suite;
	size_t size;
};

struct value {
	struct reader *reader;
	const struct node *node;
};

static void test_deinit(struct suite_test *t)
{
	free(t->name);
	free(t->container);
	free(t->cgroup);
	free(t->op);
	free(t->path);
	free(t->exe);
	free(t->rule);
}

void suite_deinit(struct suite *suite)
{
	for (size_t i = 0; i < suite->n; i++)
		test_deinit(&suite->tests[i]);
	free(suite->tests);
	*suite = (struct suite){};
}

static void reader_deinit(struct reader *r)
{
	suite_deinit(&r->suite);
	policy_text_deinit(&r->text);
}

/* ---- values ---- */

static void take_text(const struct value *v, char **ret)
{
	*ret = strndup(v->node->text, v->node->len);
	if (!*ret)
		v->reader->text.error = -ENOMEM;
}

static void take_path(const struct value *v, char **ret)
{
	if (v->node->text[0] != '/')
		policy_text_error(&v->reader->text, v->node->at, "an absolute path", "`%s` is not absolute",
				  quote_text(v->node->text, v->node->len).text);
	take_text(v, ret);
}

static void take_name(const struct value *v, struct suite_test *t)
{
	take_text(v, &t->name);
}

static void take_container(const struct value *v, struct suite_test *t)
{
	take_text(v, &t->container);
}

static void take_cgroup(const struct value *v, struct suite_test *t)
{
	take_path(v, &t->cgroup);
}

static void take_exec(const struct value *v, struct suite_test *t)
{
	if (t->op)
		policy_text_error(&v->reader->text, v->node->at, NULL, "`exec` beside `op`: one act in each test");
	free(t->op);
	t->op = strdup("exec");
	if (!t->op)
		v->reader->text.error = -ENOMEM;
	free(t->path);
	take_path(v, &t->path);
}

static void take_op(const struct value *v, struct suite_test *t)
{
	uint32_t bits;

	if (t->op)
		policy_text_error(&v->reader->text, v->node->at, NULL, "`op` beside `exec`: one act in each test");
	free(t->op);
	take_text(v, &t->op);
	if (t->op && policy_op_from_string(t->op, &bits) < 0)
		policy_text_error(&v->reader->text, v->node->at,
				  "read, write, create, delete, rename, link, attr, map, exec, or a line of `kernel:`",
				  "unknown operation `%s`", quote_text(v->node->text, v->node->len).text);
}

static void take_object(const struct value *v, struct suite_test *t)
{
	free(t->path);
	take_path(v, &t->path);
}

static void take_exe(const struct value *v, struct suite_test *t)
{
	take_path(v, &t->exe);
}

static void take_uid(const struct value *v, struct suite_test *t)
{
	uint64_t uid = 0;
	bool good = v->node->plain && v->node->len > 0 && v->node->len <= 10;

	for (uint32_t i = 0; good && i < v->node->len; i++) {
		good = v->node->text[i] >= '0' && v->node->text[i] <= '9';
		uid = uid * 10 + (uint64_t)(v->node->text[i] - '0');
	}
	if (!good || uid > UINT32_MAX - 1U)
		policy_text_error(&v->reader->text, v->node->at, "the number of a user", "`%s` is not a user id",
				  quote_text(v->node->text, v->node->len).text);
	t->uid = (uint32_t)uid;
}

static void take_from_image(const struct value *v, struct suite_test *t)
{
	t->from_image = strcmp(v->node->text, "true") == 0;
	if (!v->node->plain || (!t->from_image && strcmp(v->node->text, "false") != 0))
		policy_text_error(&v->reader->text, v->node->at, "true or false", "`%s` is neither",
				  quote_text(v->node->text, v->node->len).text);
}

static const struct {
	const char *word;
	uint8_t verdict;
} verdicts[] = {
	{"allow", HT_VERDICT_ALLOW}, {"audit", HT_VERDICT_AUDIT}, {"would-deny", HT_VERDICT_WOULD_DENY},
	{"deny", HT_VERDICT_DENY},   {"kill", HT_VERDICT_KILL},
};

static void take_expect(const struct value *v, struct suite_test *t)
{
	const char *words[ARRAY_LEN(verdicts)], *suggestion;

	for (size_t i = 0; i < ARRAY_LEN(verdicts); i++) {
		words[i] = verdicts[i].word;
		if (strcmp(v->node->text, verdicts[i].word) != 0)
			continue;
		t->expect = verdicts[i].verdict;
		return;
	}
	suggestion = word_suggest(v->node->text, v->node->len, words, ARRAY_LEN(words));
	policy_text_error(&v->reader->text, v->node->at, "`allow`, `audit`, `would-deny`, `deny` or `kill`",
			  "unknown verdict `%s`%s%s%s", quote_text(v->node->text, v->node->len).text,
			  suggestion ? "; did you mean `" : "", suggestion ? suggestion : "",
			  suggestion ? "`?" : "");
}

static void take_rule(const struct value *v, struct suite_test *t)
{
	take_text(v, &t->rule);
}

/* ---- keys ---- */

static const struct {
	const char *name;
	void (*take)(const struct value *v, struct suite_test *t);
} keys[] = {
	{"name", take_name}, {"container", take_container},   {"cgroup", take_cgroup}, {"exec", take_exec},
	{"op", take_op},     {"path", take_object},	      {"exe", take_exe},       {"uid", take_uid},
	{"rule", take_rule}, {"from_image", take_from_image}, {"expect", take_expect},
};

static void read_pair(struct reader *r, const struct node *key, const struct node *node, struct suite_test *t)
{
	const struct value v = {.reader = r, .node = node};
	const char *names[ARRAY_LEN(keys)], *suggestion;

	for (size_t i = 0; i < ARRAY_LEN(keys); i++) {
		names[i] = keys[i].name;
		if (strcmp(key->text, keys[i].name) != 0)
			continue;
		if (node->kind == NODE_SCALAR && node->len > 0)
			keys[i].take(&v, t);
		else if (node->kind != NODE_BAD)
			policy_text_error(&r->text, node->at, "one text", "`%s` is %s", keys[i].name,
					  node->kind == NODE_SCALAR ? "empty" : node_describe(node));
		return;
	}
	suggestion = word_suggest(key->text, key->len, names, ARRAY_LEN(names));
	policy_text_error(&r->text, key->at,
			  "`name`, `container`, `cgroup`, `exec`, `op`, `path`, `exe`, `uid`, `from_image`, `expect` or "
			  "`rule`", "unknown key `%s`%s%s%s", quote_text(key->text, key->len).text,
			  suggestion ? "; did you mean `" : "", suggestion ? suggestion : "",
			  suggestion ? "`?" : "");
}

static void check_test(struct reader *r, const struct node *at, const struct suite_test *t, bool expects)
{
	uint32_t bits = 0;
	bool kernel = t->op && policy_op_from_string(t->op, &bits) == 0 && (bits & HT_OPS_KERNEL);

	if (!t->op)
		policy_text_error(&r->text, at->at, "`exec`, or `op` and `path`", "the test tries nothing");
	else if (!t->path && !kernel)
		policy_text_error(&r->text, at->at, "`path`", "`op: %s` on nothing", t->op);
	if (!expects)
		policy_text_error(&r->text, at->at, "`expect`", "the test expects nothing");
	if (t->container && t->cgroup)
		policy_text_error(&r->text, at->at, NULL, "`cgroup` beside `container`: one of them");
}

static int read_test(struct reader *r, const struct node *node)
{
	struct suite_test t = {.location = policy_text_locate(&r->text, node->at.start)}, *grown;
	size_t errors = r->text.diags->n_errors;
	bool expects = false;

	if (node->kind != NODE_MAPPING) {
		if (node->kind != NODE_BAD)
			policy_text_error(&r->text, node->at, "a mapping with `exec` or `op`, and `expect`",
					  "a test is %s", node_describe(node));
		return 0;
	}
	for (const struct node *key = node->first; key && key->next; key = key->next->next) {
		if (key->bad || key->kind != NODE_SCALAR)
			continue;
		expects = expects || strcmp(key->text, "expect") == 0;
		read_pair(r, key, key->next, &t);
	}
	if (r->text.diags->n_errors == errors)
		check_test(r, node, &t, expects);
	if (r->suite.n == r->size) {
		size_t size = r->size ? 2 * r->size : 32;

		grown = reallocarray(r->suite.tests, size, sizeof(*grown));
		if (!grown) {
			test_deinit(&t);
			return -ENOMEM;
		}
		r->suite.tests = grown;
		r->size = size;
	}
	r->suite.tests[r->suite.n++] = t;
	return 0;
}

static int read_root(struct reader *r, const struct node *root)
{
	int result = 0;

	if (!root || root->kind == NODE_BAD)
		return 0;
	if (root->kind != NODE_LIST) {
		policy_text_error(&r->text, root->at, "a list of tests", "a suite is %s", node_describe(root));
		return 0;
	}
	for (const struct node *n = root->first; n && result == 0; n = n->next) {
		if (r->suite.n == SUITE_TESTS_MAX) {
			policy_text_error(&r->text, n->at, NULL, "more than %u tests", SUITE_TESTS_MAX);
			return 0;
		}
		result = read_test(r, n);
	}
	return result;
}

static int read_documents(struct reader *r)
{
	_cleanup_(arena_freep) struct arena *arena = arena_new();
	_cleanup_(yaml_stream_freep) struct yaml_stream *stream = NULL;
	int result = arena ? yaml_stream_new(&r->text, &stream) : -ENOMEM;

	while (result >= 0) {
		struct node *root = NULL;
		bool partial = false;

		result = yaml_stream_next(stream, arena, &root, &partial);
		if (result <= 0)
			break;
		result = read_root(r, root);
	}
	return result;
}

int suite_parse(const char *path, const void *text, size_t len, struct diag_list *diags, struct suite *ret)
{
	_cleanup_(reader_deinit) struct reader r = {};
	size_t errors = diags->n_errors, first = diags->n;
	int result = policy_text_init(&r.text, path, text, len, diags);

	if (result == 0)
		result = read_documents(&r);
	diag_list_sort(diags, first);
	if (result == 0)
		result = r.text.error;
	if (result < 0)
		return result;
	if (result == 0 && r.suite.n == 0 && diags->n_errors == errors &&
	    diag_add_file(diags, DIAG_ERROR, path, "a list of tests", "no test in this file") < 0)
		return -ENOMEM;
	if (diags->n_errors > errors)
		return POLICY_E_INVALID;
	*ret = r.suite;
	r.suite = (struct suite){};
	return 0;
}
