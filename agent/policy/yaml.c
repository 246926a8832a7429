/* SPDX-License-Identifier: Apache-2.0 */

/*
 * YAML as a bounded stream of documents: libyaml's events in, small trees out (node.h).
 *
 * The document loader of libyaml is never used: it resolves aliases and recurses. Aliases, anchors,
 * tags, merge keys, complex and duplicate keys are reported here and passed over, so that the
 * schema above sees the rest of the document. Depth and number of events end the reading when
 * exceeded.
 */

#include <errno.h>
#include <string.h>
#include <yaml.h>

#include "policy/node.h"

struct yaml_stream {
	struct policy_text *text;
	yaml_parser_t parser;
	bool open;  /* the parser is initialised */
	bool ended; /* nothing more comes */
	unsigned n_events;
	/* where the last mark was: libyaml counts characters, we bytes */
	size_t index, offset;
};

int yaml_stream_new(struct policy_text *text, struct yaml_stream **ret)
{
	_cleanup_(yaml_stream_freep) struct yaml_stream *s = calloc(1, sizeof(*s));

	if (!s || !yaml_parser_initialize(&s->parser))
		return -ENOMEM;
	s->open = true;
	s->text = text;
	yaml_parser_set_encoding(&s->parser, YAML_UTF8_ENCODING);
	yaml_parser_set_input_string(&s->parser, (const unsigned char *)text->data, text->len);
	*ret = steal_ptr(s);
	return 0;
}

struct yaml_stream *yaml_stream_free(struct yaml_stream *s)
{
	if (!s)
		return NULL;
	if (s->open)
		yaml_parser_delete(&s->parser);
	free(s);
	return NULL;
}

static bool is_continuation(char c)
{
	return ((unsigned char)c & 0xc0) == 0x80;
}

/* Marks come nearly in order, so this steps a few bytes from the last one. */
static uint32_t mark_offset(struct yaml_stream *s, const yaml_mark_t *mark)
{
	const char *data = s->text->data;
	size_t len = s->text->len;

	while (s->index < mark->index && s->offset < len) {
		s->index++;
		do {
			s->offset++;
		} while (s->offset < len && is_continuation(data[s->offset]));
	}
	while (s->index > mark->index && s->offset > 0) {
		s->index--;
		do {
			s->offset--;
		} while (s->offset > 0 && is_continuation(data[s->offset]));
	}
	return (uint32_t)s->offset;
}

static struct span event_span(struct yaml_stream *s, const yaml_event_t *event)
{
	struct span at;

	at.start = mark_offset(s, &event->start_mark);
	at.end = mark_offset(s, &event->end_mark);
	return at;
}

static void report_syntax(struct yaml_stream *s)
{
	const yaml_parser_t *p = &s->parser;
	const char *problem = p->problem ? p->problem : "unreadable", *context = p->context;
	const char *data = s->text->data;
	uint32_t start = mark_offset(s, &p->problem_mark);
	struct span at = {start, start};

	if (at.end < s->text->len)
		do {
			at.end++;
		} while (at.end < s->text->len && is_continuation(data[at.end]));
	if (start < s->text->len && data[start] == '\t') {
		policy_text_error(s->text, at, "spaces", "a tab cannot indent YAML");
		return;
	}
	policy_text_error(s->text, at, NULL, "not YAML: %s%s%s", problem, context ? " " : "",
			  context ? context : "");
}

/* From a property (`&name`, `!tag`) at the start of a node to the blank behind it. */
static struct span property_span(struct yaml_stream *s, struct span at, char sign)
{
	const char *data = s->text->data;
	uint32_t end;

	while (at.start < at.end && data[at.start] != sign)
		at.start++;
	end = at.start;
	while (end < s->text->len && !strchr(" \t\r\n,[]{}", data[end]))
		end++;
	at.end = end;
	return at;
}

static void check_properties(struct yaml_stream *s, struct span at, const yaml_char_t *anchor,
			     const yaml_char_t *tag)
{
	if (anchor)
		policy_text_error(s->text, property_span(s, at, '&'), NULL,
				  "anchors are not allowed in a policy");
	if (tag)
		policy_text_error(s->text, property_span(s, at, '!'), NULL,
				  "tags are not allowed in a policy");
}

static struct node *node_new(struct arena *arena, enum node_kind kind, struct span at)
{
	struct node *n = arena_take(arena, sizeof(*n));

	if (!n)
		return NULL;
	n->kind = kind;
	n->at = at;
	return n;
}

static struct node *scalar_new(struct yaml_stream *s, struct arena *arena,
			       const yaml_event_t *event, struct span at)
{
	struct node *n = node_new(arena, NODE_SCALAR, at);
	char *copy = arena_take(arena, event->data.scalar.length + 1);

	if (!n || !copy)
		return NULL;
	check_properties(s, at, event->data.scalar.anchor, event->data.scalar.tag);
	memcpy(copy, event->data.scalar.value, event->data.scalar.length);
	n->text = copy;
	n->len = (uint32_t)event->data.scalar.length;
	n->plain = event->data.scalar.style == YAML_PLAIN_SCALAR_STYLE;
	return n;
}

/* A node for the event, NULL without memory. Alias: reported, a bad node stands for it. */
static struct node *event_node(struct yaml_stream *s, struct arena *arena,
			       const yaml_event_t *event, struct span at)
{
	if (event->type == YAML_SCALAR_EVENT)
		return scalar_new(s, arena, event, at);
	if (event->type == YAML_SEQUENCE_START_EVENT) {
		check_properties(s, at, event->data.sequence_start.anchor,
				 event->data.sequence_start.tag);
		return node_new(arena, NODE_LIST, at);
	}
	if (event->type == YAML_MAPPING_START_EVENT) {
		check_properties(s, at, event->data.mapping_start.anchor,
				 event->data.mapping_start.tag);
		return node_new(arena, NODE_MAPPING, at);
	}
	policy_text_error(s->text, at, NULL, "aliases are not allowed in a policy");
	return node_new(arena, NODE_BAD, at);
}

static void check_key(struct yaml_stream *s, const struct node *mapping, struct node *key)
{
	if (key->kind == NODE_BAD) {
		key->bad = true;
		return;
	}
	if (key->kind != NODE_SCALAR) {
		policy_text_error(s->text, key->at, "a word", "the key of a mapping is %s",
				  node_describe(key));
		key->bad = true;
		return;
	}
	if (key->plain && strcmp(key->text, "<<") == 0) {
		policy_text_error(s->text, key->at, NULL, "merge keys are not allowed in a policy");
		key->bad = true;
		return;
	}
	for (const struct node *k = mapping->first; k; k = k->next ? k->next->next : NULL) {
		if (k->kind != NODE_SCALAR || k->len != key->len ||
		    memcmp(k->text, key->text, k->len) != 0)
			continue;
		policy_text_error(s->text, key->at, NULL,
				  "duplicate key `%s`, first written in line %u",
				  quote_text(key->text, key->len).text,
				  policy_text_locate(s->text, k->at.start).line);
		key->bad = true;
		return;
	}
}

static void node_append(struct yaml_stream *s, struct node *parent, struct node *child)
{
	bool is_key = parent->kind == NODE_MAPPING && parent->n % 2 == 0;

	if (is_key && !parent->full && parent->n / 2 >= POLICY_KEYS_MAX) {
		policy_text_error(s->text, child->at, NULL, "more than %u keys in one mapping",
				  POLICY_KEYS_MAX);
		parent->full = true;
	}
	parent->n++;
	if (parent->full)
		return;
	if (is_key)
		check_key(s, parent, child);
	if (parent->last)
		parent->last->next = child;
	else
		parent->first = child;
	parent->last = child;
}

static void check_directives(struct yaml_stream *s, const yaml_event_t *event, struct span at)
{
	if (event->data.document_start.tag_directives.start !=
	    event->data.document_start.tag_directives.end)
		policy_text_error(s->text, at, NULL, "tag directives are not allowed in a policy");
}

/* The next event, counted. Return: 1; 0 when reading ends here (reported); -ENOMEM. */
static int next_event(struct yaml_stream *s, yaml_event_t *event)
{
	if (!yaml_parser_parse(&s->parser, event)) {
		s->ended = true;
		if (s->parser.error == YAML_MEMORY_ERROR)
			return -ENOMEM;
		report_syntax(s);
		return 0;
	}
	if (++s->n_events > POLICY_EVENTS_MAX) {
		policy_text_error(s->text, event_span(s, event), NULL,
				  "more than %u YAML events in the file; it is not read further",
				  POLICY_EVENTS_MAX);
		yaml_event_delete(event);
		s->ended = true;
		return 0;
	}
	return 1;
}

struct builder {
	struct arena *arena;
	struct node *root;
	struct span start; /* of the document: its marker */
	struct node *stack[POLICY_DEPTH_MAX];
	size_t depth;
};

/* Return: 1 to go on, 0 when reading ends here (reported), -ENOMEM. */
static int add_node(struct yaml_stream *s, struct builder *b, const yaml_event_t *event)
{
	struct span at = event_span(s, event);
	struct node *n;

	n = event_node(s, b->arena, event, at);
	if (!n)
		return -ENOMEM;
	if (b->depth > 0)
		node_append(s, b->stack[b->depth - 1], n);
	else
		b->root = n;
	if (n->kind != NODE_LIST && n->kind != NODE_MAPPING)
		return 1;
	if (b->depth == POLICY_DEPTH_MAX) {
		policy_text_error(s->text, at, NULL,
				  "nested deeper than %u levels; the file is not read further",
				  POLICY_DEPTH_MAX);
		s->ended = true;
		return 0;
	}
	b->stack[b->depth++] = n;
	return 1;
}

static void end_node(struct yaml_stream *s, struct builder *b, const yaml_event_t *event)
{
	struct node *n = b->stack[--b->depth];
	uint32_t end = mark_offset(s, &event->end_mark);

	/* the end of a block is where the next token stands: its last line is enough */
	n->at.end = end > n->at.end ? end : n->at.end;
}

/* Return: 1 to go on, 0 when the document or the reading ends, -ENOMEM. */
static int handle_event(struct yaml_stream *s, struct builder *b, const yaml_event_t *event,
			bool *ret_whole)
{
	switch (event->type) {
	case YAML_NO_EVENT:
	case YAML_STREAM_START_EVENT:
		return 1;
	case YAML_STREAM_END_EVENT:
		s->ended = true;
		return 0;
	case YAML_DOCUMENT_START_EVENT:
		b->start = event_span(s, event);
		check_directives(s, event, b->start);
		return 1;
	case YAML_DOCUMENT_END_EVENT:
		*ret_whole = true;
		return 0;
	case YAML_ALIAS_EVENT:
	case YAML_SCALAR_EVENT:
	case YAML_SEQUENCE_START_EVENT:
	case YAML_MAPPING_START_EVENT:
		return add_node(s, b, event);
	case YAML_SEQUENCE_END_EVENT:
	case YAML_MAPPING_END_EVENT:
		end_node(s, b, event);
		return 1;
	}
	return 1;
}

int yaml_stream_next(struct yaml_stream *s, struct arena *arena, struct node **ret_root,
		     bool *ret_partial)
{
	struct builder b = {.arena = arena};
	bool whole = false;
	int r = 1;

	if (s->ended)
		return 0;
	while (r == 1) {
		yaml_event_t event;

		r = next_event(s, &event);
		if (r != 1)
			break;
		r = handle_event(s, &b, &event, &whole);
		yaml_event_delete(&event);
	}
	if (r < 0)
		return r;
	if (!whole && !b.root)
		return 0;
	/* nothing between the markers: then the first of them is what can be pointed at */
	if (b.root && b.root->at.start == b.root->at.end)
		b.root->at = b.start;
	*ret_root = b.root;
	*ret_partial = !whole;
	return 1;
}
