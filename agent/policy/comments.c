/* SPDX-License-Identifier: Apache-2.0 */

#include "policy/comments.h"

#include <errno.h>
#include <string.h>

static int grow(void *items, size_t *size, size_t n, size_t element)
{
	void *grown;

	if (n < *size)
		return 0;
	grown = reallocarray(*(void **)items, *size ? 2 * *size : 64, element);
	if (!grown)
		return -ENOMEM;
	*(void **)items = grown;
	*size = *size ? 2 * *size : 64;
	return 0;
}

/* A block scalar begins with a line of its own, on which a comment can stand. */
static uint32_t scalar_start(const struct policy_text *text, const struct span *at)
{
	const char *end;

	if (at->start >= text->len || (text->data[at->start] != '|' && text->data[at->start] != '>'))
		return at->start;
	end = memchr(text->data + at->start, '\n', at->end - at->start);
	return end ? (uint32_t)(end - text->data) : at->end;
}

int comments_note(struct comments *c, const struct node *n)
{
	if (n->kind == NODE_SCALAR) {
		/* where nothing is written its place is that of what stands around it */
		if (n->plain && n->len == 0)
			return 0;
		if (grow(&c->scalars, &c->scalars_size, c->n_scalars, sizeof(*c->scalars)) < 0)
			return -ENOMEM;
		c->scalars[c->n_scalars++] = n->at;
		return 0;
	}
	/* not deeper than POLICY_DEPTH_MAX */
	for (const struct node *child = n->first; child; child = child->next)
		if (comments_note(c, child) < 0)
			return -ENOMEM;
	return 0;
}

static int comment_add(struct comments *c, uint32_t line_start, uint32_t at, uint32_t end)
{
	const char *data = c->text->data;
	struct policy_location where = policy_text_locate(c->text, at);
	uint32_t first = line_start;

	if (grow(&c->items, &c->size, c->n, sizeof(*c->items)) < 0)
		return -ENOMEM;
	while (first < at && (data[first] == ' ' || data[first] == '\t'))
		first++;
	while (end > at && strchr(" \t\r", data[end - 1]))
		end--;
	c->items[c->n++] = (struct comment){
		.at = at,
		.len = end - at,
		.line = where.line,
		.column = where.column,
		.own_line = first == at,
	};
	return 0;
}

static bool is_marker(const struct policy_text *text, uint32_t at)
{
	return text->len - at >= 3 && memcmp(text->data + at, "---", 3) == 0 &&
	       (text->len - at == 3 || strchr(" \t\r\n", text->data[at + 3]));
}

static int marker_add(struct comments *c, uint32_t at)
{
	if (grow(&c->markers, &c->markers_size, c->n_markers, sizeof(*c->markers)) < 0)
		return -ENOMEM;
	c->markers[c->n_markers++] = at;
	return 0;
}

int comments_find(struct comments *c, const struct policy_text *text)
{
	uint32_t at = 0, line = 0, len = (uint32_t)text->len;
	size_t next = 0;
	int r = 0;

	c->text = text;
	while (at < len && r == 0) {
		if (next < c->n_scalars && at >= scalar_start(text, &c->scalars[next]) &&
		    at < c->scalars[next].end) {
			at = c->scalars[next++].end;
			while (line < at && memchr(text->data + line, '\n', at - line))
				line = (uint32_t)((const char *)memchr(text->data + line, '\n',
								       at - line) -
						  text->data) + 1;
			continue;
		}
		if (next < c->n_scalars && at >= c->scalars[next].end) {
			next++; /* an empty one */
			continue;
		}
		if (at == line && is_marker(text, at))
			r = marker_add(c, at);
		if (text->data[at] == '#') {
			const char *end = memchr(text->data + at, '\n', len - at);
			uint32_t stop = end ? (uint32_t)(end - text->data) : len;

			r = comment_add(c, line, at, stop);
			at = stop;
			continue;
		}
		if (text->data[at++] == '\n')
			line = at;
	}
	return r;
}

void comments_deinit(struct comments *c)
{
	free(c->items);
	free(c->markers);
	free(c->scalars);
	*c = (struct comments){};
}
