/* SPDX-License-Identifier: Apache-2.0 */

/* Walk a mapping along a table of keys (schema.h). */

#include "policy/schema.h"

#include <errno.h>
#include <string.h>

#include "util/strbuf.h"

/* What is allowed here, for a message: "`a`, `b` or `c`". */
static void list_words(struct strbuf *b, const char *const *words, size_t n)
{
	for (size_t i = 0; i < n; i++)
		strbuf_printf(b, "%s`%s`", i == 0 ? "" : i + 1 == n ? " or " : ", ", words[i]);
}

static bool key_fits(const struct key_spec *key, unsigned context)
{
	return (key->where & context) == key->where;
}

#define SCHEMA_KEYS_MAX 32U

static size_t schema_names(const struct schema *schema, unsigned context, bool available,
			   const char *names[SCHEMA_KEYS_MAX])
{
	size_t n = 0;

	for (size_t i = 0; i < schema->n_keys && n < SCHEMA_KEYS_MAX; i++) {
		const struct key_spec *key = &schema->keys[i];

		if (!key_fits(key, context) || (available && key->type == KEY_UNAVAILABLE))
			continue;
		names[n++] = key->name;
	}
	return n;
}

static void report_unknown(struct parse *p, const struct schema *schema, unsigned context,
			   const struct node *key)
{
	_cleanup_strbuf_ struct strbuf expected = {};
	const char *names[SCHEMA_KEYS_MAX], *suggestion;
	size_t n = schema_names(schema, context, true, names);

	list_words(&expected, names, n);
	suggestion = word_suggest(key->text, key->len, names, n);
	if (strbuf_error(&expected) < 0)
		p->text->error = -ENOMEM;
	if (key->len == 0)
		policy_text_error(p->text, key->at, strbuf_str(&expected), "empty key");
	else if (suggestion)
		policy_text_error(p->text, key->at, strbuf_str(&expected),
				  "unknown key `%s`; did you mean `%s`?",
				  quote_text(key->text, key->len).text, suggestion);
	else
		policy_text_error(p->text, key->at, strbuf_str(&expected), "unknown key `%s`",
				  quote_text(key->text, key->len).text);
}

static bool span_is_empty(struct span at)
{
	return at.start == at.end;
}

static bool spans_lines(const struct parse *p, struct span at)
{
	return memchr(p->text->data + at.start, '\n', at.end - at.start) != NULL;
}

/* Control characters come in through "\n" or "\e" of a double-quoted scalar, or a block scalar. */
static bool check_characters(struct parse *p, const struct node *value, const char *what,
			     bool one_line)
{
	const char *s = value->text;

	for (size_t i = 0; i < value->len; i++) {
		unsigned char c = (unsigned char)s[i];

		if (!one_line && (c == '\n' || c == '\t'))
			continue;
		if (c >= 0x20 && c != 0x7f &&
		    !(c == 0xc2 && (unsigned char)s[i + 1] < 0xa0)) /* C1 in UTF-8 */
			continue;
		policy_text_error(p->text, node_span(p, value, i, 1), NULL,
				  "control character 0x%02x in %s",
				  c == 0xc2 ? (unsigned char)s[i + 1] : c, what);
		return false;
	}
	return true;
}

static bool check_text(struct parse *p, const struct node *key, const struct node *value,
		       const char *what, const char *expected, bool one_line)
{
	const char *mistaken;

	if (value->kind == NODE_BAD)
		return false;
	if (value->kind != NODE_SCALAR || value->len == 0) {
		policy_text_error(p->text, key && span_is_empty(value->at) ? key->at : value->at,
				  expected, "%s is %s", what,
				  value->kind == NODE_SCALAR ? "empty" : node_describe(value));
		return false;
	}
	mistaken = value->plain ? scalar_mistaken_for(value->text, value->len) : NULL;
	if (mistaken) {
		policy_text_error(p->text, value->at, "quotes around it if the text is meant",
				  "`%s` is %s in YAML", quote_text(value->text, value->len).text,
				  mistaken);
		return false;
	}
	if (one_line && spans_lines(p, value->at)) {
		policy_text_error(p->text, value->at, "it in one line",
				  "%s goes over several lines", what);
		return false;
	}
	return check_characters(p, value, what, one_line);
}

bool schema_check_line(struct parse *p, const struct node *value, const char *what,
		       const char *expected)
{
	return check_text(p, NULL, value, what, expected, true);
}

static bool check_kind(struct parse *p, const struct key_spec *spec, const struct node *key,
		       const struct node *value, enum node_kind kind)
{
	if (value->kind == NODE_BAD)
		return false;
	if (value->kind == kind && !(kind == NODE_SCALAR && value->len == 0))
		return true;
	policy_text_error(p->text, span_is_empty(value->at) ? key->at : value->at, spec->expected,
			  "`%s` is %s", spec->name,
			  kind == NODE_SCALAR && value->kind == NODE_SCALAR ? "empty"
									    : node_describe(value));
	return false;
}

static bool check_value(struct parse *p, const struct key_spec *spec, const struct node *key,
			const struct node *value)
{
	char what[SCHEMA_KEYS_MAX + 2];

	switch (spec->type) {
	case KEY_LINE:
	case KEY_TEXT:
		(void)snprintf(what, sizeof(what), "`%s`", spec->name);
		return check_text(p, key, value, what, spec->expected, spec->type == KEY_LINE);
	case KEY_WORD:
		return check_kind(p, spec, key, value, NODE_SCALAR);
	case KEY_LIST:
		return check_kind(p, spec, key, value, NODE_LIST);
	case KEY_MAPPING:
		return check_kind(p, spec, key, value, NODE_MAPPING);
	case KEY_ANY:
		return value->kind != NODE_BAD;
	case KEY_UNAVAILABLE:
	case _KEY_TYPE_MAX:
		break;
	}
	return false;
}

static void parse_pair(struct parse *p, const struct schema *schema, unsigned context,
		       const struct node *key, const struct node *value, void *object)
{
	for (size_t i = 0; i < schema->n_keys; i++) {
		const struct key_spec *spec = &schema->keys[i];

		if (strlen(spec->name) != key->len || memcmp(spec->name, key->text, key->len) != 0)
			continue;
		if (spec->type == KEY_UNAVAILABLE)
			policy_text_error(p->text, key->at, NULL,
					  "`%s` is not available in this version", spec->name);
		else if (!key_fits(spec, context))
			policy_text_error(p->text, key->at, NULL, "`%s` is not allowed here; %s",
					  spec->name, spec->elsewhere);
		else if (value && check_value(p, spec, key, value))
			spec->parse(p, key, value, object);
		return;
	}
	report_unknown(p, schema, context, key);
}

void schema_parse(struct parse *p, const struct schema *schema, unsigned context,
		  const struct node *mapping, void *object)
{
	for (const struct node *key = mapping->first; key; key = key->next ? key->next->next : NULL)
		if (!key->bad)
			parse_pair(p, schema, context, key, key->next, object);
}

struct span node_span(const struct parse *p, const struct node *n, size_t offset, size_t len)
{
	const char *source = p->text->data + n->at.start;
	size_t width = n->at.end - n->at.start;
	size_t quote = !n->plain && width >= 2 && (source[0] == '"' || source[0] == '\'');

	/* written with escapes or folded: no byte of the text has a place of its own */
	if (len == 0 || width != n->len + 2 * quote || memcmp(source + quote, n->text, n->len) != 0)
		return n->at;
	return (struct span){
		.start = (uint32_t)(n->at.start + quote + offset),
		.end = (uint32_t)(n->at.start + quote + offset + len),
	};
}

int schema_find_word(struct parse *p, const struct node *value, const char *what,
		     const char *const *words, size_t n_words)
{
	_cleanup_strbuf_ struct strbuf expected = {};
	const char *suggestion;

	for (size_t i = 0; i < n_words; i++)
		if (strlen(words[i]) == value->len &&
		    memcmp(words[i], value->text, value->len) == 0)
			return (int)i;
	list_words(&expected, words, n_words);
	if (strbuf_error(&expected) < 0)
		p->text->error = -ENOMEM;
	suggestion = word_suggest(value->text, value->len, words, n_words);
	if (suggestion)
		policy_text_error(p->text, value->at, strbuf_str(&expected),
				  "unknown %s `%s`; did you mean `%s`?", what,
				  quote_text(value->text, value->len).text, suggestion);
	else
		policy_text_error(p->text, value->at, strbuf_str(&expected), "unknown %s `%s`",
				  what, quote_text(value->text, value->len).text);
	return -1;
}

char *node_copy(struct parse *p, const struct node *n)
{
	char *copy = strndup(n->text, n->len);

	if (!copy)
		p->text->error = -ENOMEM;
	return copy;
}

bool array_reserve(struct parse *p, void **array, size_t *size, size_t n, size_t element)
{
	size_t more = *size ? 2 * *size : 8;
	void *grown;

	if (n < *size)
		return true;
	grown = reallocarray(*array, more, element);
	if (!grown) {
		p->text->error = -ENOMEM;
		return false;
	}
	*array = grown;
	*size = more;
	return true;
}
