/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Writing a policy file in its canonical form.
 *
 * The tree of a document is written node by node; before each line the comments that stand before it in the
 * source are written, behind it the one that stands behind it. Whether all of that came out right is not
 * believed but seen: the outcome is read again and compared with the source.
 */

#include "policy/format.h"

#include <errno.h>
#include <string.h>

#include "policy/comments.h"
#include "policy/node.h"
#include "policy/text.h"
#include "util/strbuf.h"

#define FORMAT_WIDTH 100U

/* A file as trees and comments. */
struct source {
	struct policy_text text;
	struct arena *arena;
	struct node **roots;
	size_t n_roots;
	struct comments comments;
};

struct writer {
	const struct source *source;
	struct strbuf out;
	size_t next; /* comment */
	bool started; /* something was written of this document */
	size_t line; /* where the line that is written began */
};

static void source_deinit(struct source *s)
{
	comments_deinit(&s->comments);
	free(s->roots);
	(void)arena_free(s->arena);
	policy_text_deinit(&s->text);
}

static int source_documents(struct source *s)
{
	_cleanup_(yaml_stream_freep) struct yaml_stream *stream = NULL;
	int r = yaml_stream_new(&s->text, &stream);

	while (r >= 0) {
		struct node *root = NULL, **roots;
		bool partial = false;

		r = yaml_stream_next(stream, s->arena, &root, &partial);
		if (r <= 0)
			break;
		roots = reallocarray(s->roots, s->n_roots + 1, sizeof(*roots));
		if (!roots)
			return -ENOMEM;
		s->roots = roots;
		s->roots[s->n_roots++] = root;
		if (root)
			r = comments_note(&s->comments, root);
	}
	return r;
}

/* Return: 0, POLICY_E_INVALID (reported), -ENOMEM. deinit in every case. */
static int source_read(struct source *s, const char *path, const void *data, size_t len,
		       struct diag_list *diags)
{
	size_t errors = diags->n_errors;
	int r;

	*s = (struct source){.arena = arena_new()};
	r = policy_text_init(&s->text, path, data, len, diags);
	if (!s->arena)
		return -ENOMEM;
	if (r == 0)
		r = source_documents(s);
	if (r < 0)
		return r;
	if (r > 0 || diags->n_errors > errors)
		return POLICY_E_INVALID;
	r = comments_find(&s->comments, &s->text);
	return r < 0 ? r : s->text.error;
}

/* ---- scalars ---- */

/* Text that means itself without quotes, wherever it stands. */
static bool scalar_is_safe(const struct node *n)
{
	static const char safe[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
				   "/._-*?@+";

	return n->len > 0 && strspn(n->text, safe) == n->len && !strchr("-?*@", n->text[0]) &&
	       !scalar_mistaken_for(n->text, n->len);
}

static bool scalar_has_lines(const struct node *n)
{
	return memchr(n->text, '\n', n->len) != NULL;
}

/* Can it be written as a block of lines? Blanks at the ends of the whole would be taken for indentation. */
static bool scalar_is_block(const struct node *n)
{
	if (!scalar_has_lines(n) || strchr(" \n\t", n->text[0]))
		return false;
	for (const char *p = n->text; *p; p++)
		if (((unsigned char)*p < ' ' && *p != '\n') || (*p == '\n' && p[1] == '\n' && !p[2]))
			return false;
	return true;
}

static void scalar_write_quoted(struct strbuf *b, const struct node *n)
{
	strbuf_putc(b, '"');
	for (uint32_t i = 0; i < n->len; i++) {
		unsigned char c = (unsigned char)n->text[i];

		if (c == '"' || c == '\\')
			strbuf_printf(b, "\\%c", c);
		else if (c == '\n')
			strbuf_puts(b, "\\n");
		else if (c < ' ' || c == 0x7f)
			strbuf_printf(b, "\\x%02x", c);
		else
			strbuf_putc(b, (char)c);
	}
	strbuf_putc(b, '"');
}

/* In one line. */
static void scalar_write(struct strbuf *b, const struct node *n)
{
	if (scalar_is_safe(n) || (n->plain && n->len > 0 && !scalar_has_lines(n)))
		strbuf_append(b, n->text, n->len);
	else if (n->plain && n->len == 0)
		return; /* `key:` with nothing behind it */
	else
		scalar_write_quoted(b, n);
}

/* ---- comments and lines ---- */

static void line_begin(struct writer *w, unsigned indent)
{
	w->line = w->out.len;
	for (unsigned i = 0; i < indent; i++)
		strbuf_putc(&w->out, ' ');
}

/* One blank line is kept where the source has some before this line. */
static void line_space(struct writer *w, uint32_t line)
{
	const struct policy_text *t = &w->source->text;
	uint32_t at, end;

	if (!w->started || line < 2)
		return;
	at = t->lines[line - 2];
	end = t->lines[line - 1];
	while (at < end && strchr(" \t\r\n", t->data[at]))
		at++;
	if (at == end)
		strbuf_putc(&w->out, '\n');
}

static const struct comment *comment_next(const struct writer *w)
{
	const struct comments *c = &w->source->comments;

	return w->next < c->n ? &c->items[w->next] : NULL;
}

static void comment_write(struct writer *w, const struct comment *c)
{
	strbuf_append(&w->out, w->source->text.data + c->at, c->len);
	w->next++;
}

/* The comments before an offset, each on a line of its own; only those at this column or further right. */
static void comments_write(struct writer *w, uint32_t before, unsigned indent, uint32_t column)
{
	const struct comment *c;

	while ((c = comment_next(w)) && c->at < before && (column == 0 || c->column >= column)) {
		line_space(w, c->line);
		line_begin(w, indent);
		comment_write(w, c);
		strbuf_putc(&w->out, '\n');
		w->started = true;
	}
}

/* The end of a line, with the comment behind what ends at `end` in the source, if it stands before `next`. */
static void line_end(struct writer *w, uint32_t end, uint32_t next)
{
	const struct comment *c = comment_next(w);
	uint32_t line;

	/* the end of a block scalar is the start of the line behind it */
	line = policy_text_locate(&w->source->text, end > 0 ? end - 1 : 0).line;
	if (c && !c->own_line && c->line <= line && c->at < next) {
		strbuf_puts(&w->out, w->out.len > w->line ? "  " : "");
		comment_write(w, c);
	}
	strbuf_putc(&w->out, '\n');
	w->started = true;
}

/* What stands before an item of a list or a pair of a mapping. */
static void item_begin(struct writer *w, const struct node *n, unsigned indent)
{
	comments_write(w, n->at.start, indent, 0);
	line_space(w, policy_text_locate(&w->source->text, n->at.start).line);
}

/* ---- in one line ---- */

static void flow_write(struct strbuf *b, const struct node *n)
{
	const char *separator = "";

	if (n->kind == NODE_SCALAR) {
		scalar_write(b, n);
		return;
	}
	strbuf_putc(b, n->kind == NODE_LIST ? '[' : '{');
	for (const struct node *c = n->first; c; c = c->next) {
		strbuf_puts(b, separator);
		separator = ", ";
		flow_write(b, c);
		if (n->kind != NODE_MAPPING)
			continue;
		c = c->next;
		strbuf_putc(b, ':');
		if (c->kind != NODE_SCALAR || !c->plain || c->len > 0)
			strbuf_putc(b, ' ');
		flow_write(b, c);
	}
	strbuf_putc(b, n->kind == NODE_LIST ? ']' : '}');
}

static bool node_is_flow(const struct writer *w, const struct node *n)
{
	return n->kind == NODE_SCALAR || n->n == 0 || w->source->text.data[n->at.start] == '[' ||
	       w->source->text.data[n->at.start] == '{';
}

/* Written in one line, it fits, and no comment stands inside? */
static bool node_fits(struct writer *w, const struct node *n, unsigned column)
{
	_cleanup_strbuf_ struct strbuf b = {};
	const struct comment *c = comment_next(w);

	if (!node_is_flow(w, n) || (n->kind == NODE_SCALAR && scalar_has_lines(n)))
		return false;
	if (n->kind == NODE_SCALAR)
		return true;
	if (c && c->at < n->at.end)
		return false;
	flow_write(&b, n);
	return n->n == 0 || column + b.len <= FORMAT_WIDTH;
}

/* ---- blocks ---- */

static void node_write(struct writer *w, const struct node *n, unsigned indent);

/* `|` and the lines, indented. */
static void scalar_write_block(struct writer *w, const struct node *n, unsigned indent)
{
	const char *p = n->text;
	bool ends = n->text[n->len - 1] == '\n';

	strbuf_puts(&w->out, ends ? " |" : " |-");
	line_end(w, n->at.start + 1, UINT32_MAX);
	while (*p) {
		size_t len = strcspn(p, "\n");

		if (len > 0)
			line_begin(w, indent);
		strbuf_append(&w->out, p, len);
		strbuf_putc(&w->out, '\n');
		p += len + (p[len] == '\n');
	}
}

/* The value of a key, behind its colon. indent: of what stands below the key. */
static void value_write(struct writer *w, const struct node *key, const struct node *n,
			unsigned indent)
{
	if (n->kind == NODE_SCALAR && scalar_is_block(n)) {
		scalar_write_block(w, n, indent);
		return;
	}
	if (n->kind == NODE_SCALAR || node_fits(w, n, (unsigned)(w->out.len - w->line) + 1)) {
		if (n->kind != NODE_SCALAR || !n->plain || n->len > 0)
			strbuf_putc(&w->out, ' ');
		flow_write(&w->out, n);
		line_end(w, n->at.end > key->at.end ? n->at.end : key->at.end, UINT32_MAX);
		return;
	}
	line_end(w, node_is_flow(w, n) ? n->at.start + 1 : key->at.end, n->first->at.start);
	node_write(w, n, indent);
}

/* first: the line is begun already (behind the dash of a list). */
static void mapping_write(struct writer *w, const struct node *n, unsigned indent, bool first)
{
	for (const struct node *key = n->first; key; key = key->next->next) {
		if (!first) {
			item_begin(w, key, indent);
			line_begin(w, indent);
		}
		first = false;
		scalar_write(&w->out, key);
		strbuf_putc(&w->out, ':');
		value_write(w, key, key->next, indent + 2);
	}
}

static void item_write(struct writer *w, const struct node *n, unsigned indent)
{
	item_begin(w, n, indent);
	line_begin(w, indent);
	strbuf_putc(&w->out, '-');
	if (n->kind == NODE_SCALAR && scalar_is_block(n)) {
		scalar_write_block(w, n, indent + 2);
	} else if (n->kind == NODE_SCALAR || node_fits(w, n, indent + 2)) {
		strbuf_putc(&w->out, ' ');
		flow_write(&w->out, n);
		line_end(w, n->at.end, UINT32_MAX);
	} else if (n->kind == NODE_MAPPING &&
		   !(comment_next(w) && comment_next(w)->at < n->first->at.start)) {
		strbuf_putc(&w->out, ' ');
		mapping_write(w, n, indent + 2, /* first= */ true);
	} else {
		line_end(w, n->at.start + 1, n->first->at.start);
		node_write(w, n, indent + 2);
	}
}

/* On lines of its own. */
static void node_write(struct writer *w, const struct node *n, unsigned indent)
{
	uint32_t column = n->first ? policy_text_locate(&w->source->text, n->first->at.start).column : 1;

	if (n->kind == NODE_MAPPING) {
		mapping_write(w, n, indent, /* first= */ false);
	} else if (n->kind == NODE_LIST) {
		for (const struct node *c = n->first; c; c = c->next)
			item_write(w, c, indent);
	}
	/* what is commented out at the end of a block belongs to it, not to what follows */
	if (!node_is_flow(w, n) && column > 1)
		comments_write(w, n->at.end, indent, n->kind == NODE_LIST ? column - 2 : column);
	else if (node_is_flow(w, n))
		comments_write(w, n->at.end, indent, 0);
}

/* Where document number i begins: its marker, or the start of the text. */
static uint32_t document_start(const struct source *s, size_t i)
{
	size_t first = s->comments.n_markers >= s->n_roots ? s->comments.n_markers - s->n_roots : 0;

	if (s->comments.n_markers >= s->n_roots)
		return s->comments.markers[first + i];
	/* fewer markers than documents cannot be; if they are, what was written is found to differ */
	return i == 0 ? 0 : i <= s->comments.n_markers ? s->comments.markers[i - 1] : (uint32_t)s->text.len;
}

static void document_write(struct writer *w, size_t i)
{
	const struct source *s = w->source;
	const struct node *root = s->roots[i];

	if (!root || (root->kind == NODE_SCALAR && root->plain && root->len == 0))
		return; /* nothing between two markers */
	if (root->kind == NODE_SCALAR || root->n == 0) {
		flow_write(&w->out, root);
		line_end(w, root->at.end, UINT32_MAX);
	} else {
		node_write(w, root, 0);
	}
}

#define DOCUMENT_ALL SIZE_MAX

/* The number of the document that holds a line. Return: DOCUMENT_ALL if none does. */
static size_t document_find(const struct source *s, uint32_t line)
{
	size_t i = s->n_roots;

	if (line > s->text.n_lines)
		return DOCUMENT_ALL;
	while (i > 0 && policy_text_locate(&s->text, document_start(s, i - 1)).line > line)
		i--;
	return i > 0 ? i - 1 : DOCUMENT_ALL;
}

static int source_write(const struct source *s, size_t document, char **ret)
{
	struct writer w = {.source = s};

	for (size_t i = 0; i < s->n_roots; i++) {
		uint32_t end = i + 1 < s->n_roots ? document_start(s, i + 1) : UINT32_MAX;

		if (document != DOCUMENT_ALL && i != document) {
			while (comment_next(&w) && comment_next(&w)->at < end)
				w.next++;
			continue;
		}
		if (i > 0 && document == DOCUMENT_ALL) {
			strbuf_puts(&w.out, "---\n");
			w.started = false;
		}
		document_write(&w, i);
		comments_write(&w, end, 0, 0);
	}
	if (s->n_roots == 0)
		comments_write(&w, UINT32_MAX, 0, 0);
	if (strbuf_error(&w.out) < 0) {
		strbuf_deinit(&w.out);
		return -ENOMEM;
	}
	*ret = strbuf_steal(&w.out);
	if (!*ret)
		*ret = strdup("");
	return *ret ? 0 : -ENOMEM;
}

/* ---- seeing that it is the same ---- */

static bool nodes_equal(const struct node *a, const struct node *b)
{
	const struct node *x, *y;

	if (!a || !b)
		return a == b;
	if (a->kind != b->kind || a->len != b->len || a->n != b->n ||
	    (a->kind == NODE_SCALAR && memcmp(a->text, b->text, a->len) != 0))
		return false;
	for (x = a->first, y = b->first; x && y; x = x->next, y = y->next)
		if (!nodes_equal(x, y))
			return false;
	return !x && !y;
}

static bool comments_equal(const struct source *a, const struct source *b)
{
	if (a->comments.n != b->comments.n)
		return false;
	for (size_t i = 0; i < a->comments.n; i++) {
		const struct comment *x = &a->comments.items[i], *y = &b->comments.items[i];

		if (x->len != y->len ||
		    memcmp(a->text.data + x->at, b->text.data + y->at, x->len) != 0)
			return false;
	}
	return true;
}

/* Return: 0 the same, POLICY_E_UNFORMATTED, -ENOMEM. */
static int source_verify(const struct source *s, const char *formatted)
{
	_cleanup_(source_deinit) struct source again = {};
	struct diag_list diags = {};
	int r = source_read(&again, "(formatted)", formatted, strlen(formatted), &diags);

	diag_list_deinit(&diags);
	if (r < 0)
		return r;
	if (r > 0 || again.n_roots != s->n_roots || !comments_equal(s, &again))
		return POLICY_E_UNFORMATTED;
	for (size_t i = 0; i < s->n_roots; i++)
		if (!nodes_equal(s->roots[i], again.roots[i]))
			return POLICY_E_UNFORMATTED;
	return 0;
}

int policy_format(const char *path, const void *text, size_t len, uint32_t line,
		  struct diag_list *diags, char **ret_text)
{
	_cleanup_(source_deinit) struct source s = {};
	_cleanup_free_ char *whole = NULL;
	size_t document = DOCUMENT_ALL;
	int r = source_read(&s, path, text, len, diags);

	if (r != 0)
		return r;
	if (line != POLICY_FORMAT_ALL) {
		document = document_find(&s, line);
		if (document == DOCUMENT_ALL)
			return -ENOENT;
	}
	r = source_write(&s, DOCUMENT_ALL, &whole);
	if (r == 0)
		r = source_verify(&s, whole);
	if (r != 0)
		return r;
	if (document != DOCUMENT_ALL)
		return source_write(&s, document, ret_text);
	*ret_text = steal_ptr(whole);
	return 0;
}
