/* SPDX-License-Identifier: Apache-2.0 */

/* The entries of `match:`: which cgroups and containers a policy governs. */

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "abi.h"
#include "policy/path.h"
#include "policy/schema.h"

#define FIELDS_EXPECTED "`cgroup`, `unit` or `container`"
#define CONTAINER_EXPECTED "a mapping with `runtime`, `name`, `image` or `labels`"
#define LABELS_EXPECTED "a mapping of labels to values"

static void match_cgroup(struct parse *p, const struct node *key, const struct node *value,
			 void *object)
{
	struct policy_match *m = object;
	struct policy_path *path = &m->cgroup;

	if (!parse_path(p, value, "the cgroup", HT_CGROUP_DEPTH_MAX, path))
		return;
	if (strcmp(path->text, "/") == 0) {
		policy_text_error(p->text, value->at, "the cgroup of a container or a service",
				  "`/%s` selects the whole system", path->subtree ? "**" : "");
		free(path->text);
		*path = (struct policy_path){};
	}
}

static bool has_unit_suffix(const char *name, size_t len)
{
	static const char *const suffixes[] = {".service", ".scope", ".slice",
					       ".socket",  ".mount", ".swap"};

	for (size_t i = 0; i < ARRAY_LEN(suffixes); i++) {
		size_t n = strlen(suffixes[i]);

		if (len > n && memcmp(name + len - n, suffixes[i], n) == 0)
			return true;
	}
	return policy_component_has_wildcard(name, len);
}

static void match_unit(struct parse *p, const struct node *key, const struct node *value,
		       void *object)
{
	struct policy_match *m = object;
	struct path_problem problem = {};

	if (policy_component_check(value->text, value->len, &problem) != 0) {
		policy_text_error(p->text, node_span(p, value, problem.offset, problem.len),
				  problem.expected, "%s", problem.text);
		return;
	}
	if (!has_unit_suffix(value->text, value->len))
		policy_text_warn(p->text, value->at,
				 "a name like `nginx.service`, or a pattern like `web-*.scope`",
				 "no systemd unit has the name `%s`",
				 quote_text(value->text, value->len).text);
	m->unit = node_copy(p, value);
}

/* ---- container ---- */

static void container_runtime(struct parse *p, const struct node *key, const struct node *value,
			      void *object)
{
	static const char *const words[] = {"podman",	  "docker", "containerd", "crio",
					    "kubernetes", "nspawn", "libvirt",	  "lxc"};
	struct policy_container_match *c = object;

	if (schema_find_word(p, value, "runtime", words, ARRAY_LEN(words)) >= 0)
		c->runtime = node_copy(p, value);
}

static void container_text(struct parse *p, const struct node *key, const struct node *value,
			   char **ret)
{
	if (value->len > POLICY_FIELD_MAX)
		policy_text_error(p->text, value->at, NULL, "`%s` of %u bytes; %u are allowed",
				  key->text, value->len, POLICY_FIELD_MAX);
	else
		*ret = node_copy(p, value);
}

static void container_name(struct parse *p, const struct node *key, const struct node *value,
			   void *object)
{
	struct policy_container_match *c = object;

	container_text(p, key, value, &c->name);
}

static void container_image(struct parse *p, const struct node *key, const struct node *value,
			    void *object)
{
	struct policy_container_match *c = object;

	container_text(p, key, value, &c->image);
}

static int label_compare(const void *a, const void *b)
{
	const struct policy_label *x = a, *y = b;

	return strcmp(x->key, y->key);
}

static bool add_label(struct parse *p, struct policy_container_match *c, const struct node *key,
		      const struct node *value)
{
	struct policy_label *label = &c->labels[c->n_labels];

	if (!value || !schema_check_line(p, key, "the label", "the name of a label") ||
	    !schema_check_line(p, value, "the value", "text, or a pattern with `*`"))
		return false;
	container_text(p, key, key, &label->key);
	container_text(p, key, value, &label->value);
	c->n_labels++;
	return label->key && label->value;
}

/* Names of labels are free; the keys of a mapping are told apart by the reader. */
static void container_labels(struct parse *p, const struct node *key, const struct node *value,
			     void *object)
{
	struct policy_container_match *c = object;
	bool good = true;

	if (!value->first) {
		policy_text_error(p->text, value->at, LABELS_EXPECTED,
				  "`labels` is an empty mapping");
		return;
	}
	c->labels = calloc(value->n / 2 + 1, sizeof(*c->labels));
	if (!c->labels) {
		p->text->error = -ENOMEM;
		return;
	}
	for (const struct node *k = value->first; k; k = k->next ? k->next->next : NULL)
		if (!k->bad)
			good &= add_label(p, c, k, k->next);
	if (good)
		qsort(c->labels, c->n_labels, sizeof(*c->labels), label_compare);
}

static const struct key_spec container_keys[] = {
	{"runtime", KEY_WORD, "the name of a runtime, like `podman`", container_runtime},
	{"name", KEY_LINE, "the name of a container, or a pattern", container_name},
	{"image", KEY_LINE, "the name of an image, or a pattern", container_image},
	{"labels", KEY_MAPPING, LABELS_EXPECTED, container_labels},
};

static const struct schema container_schema = {container_keys, ARRAY_LEN(container_keys)};

static void match_container(struct parse *p, const struct node *key, const struct node *value,
			    void *object)
{
	struct policy_match *m = object;

	if (!value->first)
		policy_text_error(p->text, value->at, CONTAINER_EXPECTED,
				  "`container` is an empty mapping");
	schema_parse(p, &container_schema, 0, value, &m->container);
}

/* ---- one entry ---- */

static const struct key_spec match_keys[] = {
	{"cgroup", KEY_LINE, "an absolute path", match_cgroup},
	{"unit", KEY_LINE, "the name of a unit", match_unit},
	{"container", KEY_MAPPING, CONTAINER_EXPECTED, match_container},
};

static const struct schema match_schema = {match_keys, ARRAY_LEN(match_keys)};

/* Does the entry select every cgroup there is? Only `unit` alone can: cgroup refused it already. */
static bool match_is_all(const struct policy_match *m)
{
	return !m->cgroup.text && !policy_match_has_container(m) && m->unit &&
	       strspn(m->unit, "*") == strlen(m->unit);
}

static bool path_equal(const struct policy_path *a, const struct policy_path *b)
{
	if (!a->text || !b->text)
		return a->text == b->text;
	return a->subtree == b->subtree && strcmp(a->text, b->text) == 0;
}

static bool text_equal(const char *a, const char *b)
{
	return a && b ? strcmp(a, b) == 0 : a == b;
}

static bool container_equal(const struct policy_container_match *a,
			    const struct policy_container_match *b)
{
	if (a->n_labels != b->n_labels || !text_equal(a->runtime, b->runtime) ||
	    !text_equal(a->name, b->name) || !text_equal(a->image, b->image))
		return false;
	for (size_t i = 0; i < a->n_labels; i++)
		if (!text_equal(a->labels[i].key, b->labels[i].key) ||
		    !text_equal(a->labels[i].value, b->labels[i].value))
			return false;
	return true;
}

static bool match_equal(const struct policy_match *a, const struct policy_match *b)
{
	return path_equal(&a->cgroup, &b->cgroup) && text_equal(a->unit, b->unit) &&
	       container_equal(&a->container, &b->container);
}

static bool match_is_empty(const struct policy_match *m)
{
	return !m->cgroup.text && !m->unit && !policy_match_has_container(m);
}

static void check_duplicate(struct parse *p, const struct policy_match *m, struct span at)
{
	for (size_t i = 0; i < p->policy->n_matches; i++)
		if (match_equal(m, &p->policy->matches[i]))
			policy_text_error(p->text, at, NULL,
					  "duplicate entry, first written in line %u",
					  p->policy->matches[i].location.line);
}

void parse_match_entry(struct parse *p, const struct node *item)
{
	struct policy_match m = {.location = policy_text_locate(p->text, item->at.start)};
	size_t errors = p->text->diags->n_errors;
	void *matches = p->policy->matches;

	if (item->kind == NODE_BAD)
		return;
	if (item->kind != NODE_MAPPING) {
		policy_text_error(p->text, item->at, "a mapping with " FIELDS_EXPECTED,
				  "the entry is %s", node_describe(item));
		return;
	}
	schema_parse(p, &match_schema, 0, item, &m);
	if (match_is_empty(&m) && p->text->diags->n_errors == errors && !p->partial)
		policy_text_error(p->text, item->at, FIELDS_EXPECTED,
				  "an empty entry would select everything");
	if (match_is_all(&m))
		policy_text_error(p->text, item->at, "the name of a unit",
				  "the entry selects the whole system");
	if (!match_is_empty(&m))
		check_duplicate(p, &m, item->at);
	if (match_is_empty(&m) || p->text->diags->n_errors > errors ||
	    !array_reserve(p, &matches, &p->matches_size, p->policy->n_matches, sizeof(m))) {
		policy_match_deinit(&m);
		return;
	}
	p->policy->matches = matches;
	p->policy->matches[p->policy->n_matches++] = m;
}
