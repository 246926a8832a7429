/* SPDX-License-Identifier: Apache-2.0 */

/*
 * The text of a policy file (text.h). Everything that could make a line mean one thing to YAML and
 * another to the person at the editor is refused here, before YAML sees it: then a line is what
 * ends in \n, for both.
 */

#include "policy/text.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "util/escape.h"
#include "util/strbuf.h"

_printf_(5, 0) static void report(struct policy_text *t, enum diag_severity severity,
				  struct span at, const char *expected, const char *format,
				  va_list ap)
{
	_cleanup_strbuf_ struct strbuf text = {};
	_cleanup_strbuf_ struct strbuf line = {};
	struct diag diag = { .severity = severity };
	struct policy_location where;
	size_t start, end;
	const char *stop;

	/* first of all: a file can have half a million errors */
	if (diag_list_skip(t->diags, severity))
		return;
	where = policy_text_locate(t, at.start);
	diag.line = where.line;
	diag.column = where.column;
	start = at.start - (where.column - 1);
	stop = memchr(t->data + start, '\n', t->len - start);
	end = stop ? (size_t)(stop - t->data) : t->len;
	if (end > start && t->data[end - 1] == '\r')
		end--;
	if (at.end > end)
		at.end = (uint32_t)end;
	while (at.end > at.start && (t->data[at.end - 1] == ' ' || t->data[at.end - 1] == '\t'))
		at.end--;
	diag.width = at.end > at.start ? at.end - at.start : 0;

	strbuf_vprintf(&text, format, ap);
	/* a line with a NUL cannot be carried as a string: such files are told without it */
	if (end - start <= DIAG_SOURCE_MAX && !memchr(t->data + start, '\0', end - start))
		strbuf_append(&line, t->data + start, end - start);
	diag.source = line.data;
	diag.text = text.data;
	diag.expected = (char *)(uintptr_t)expected; /* diag_add() copies */
	diag.file = (char *)(uintptr_t)t->path;
	if (strbuf_error(&text) < 0 || strbuf_error(&line) < 0) {
		if (severity == DIAG_ERROR)
			t->diags->n_errors++;
		t->error = -ENOMEM;
		return;
	}
	if (diag_add(t->diags, &diag) < 0)
		t->error = -ENOMEM;
}

void policy_text_error(struct policy_text *t, struct span at, const char *expected,
		       const char *format, ...)
{
	va_list ap;

	va_start(ap, format);
	report(t, DIAG_ERROR, at, expected, format, ap);
	va_end(ap);
}

void policy_text_warn(struct policy_text *t, struct span at, const char *expected,
		      const char *format, ...)
{
	va_list ap;

	va_start(ap, format);
	report(t, DIAG_WARNING, at, expected, format, ap);
	va_end(ap);
}

struct policy_location policy_text_locate(const struct policy_text *t, size_t offset)
{
	size_t low = 0, high = t->n_lines;

	if (t->n_lines == 0)
		return (struct policy_location){.line = 1, .column = (uint32_t)offset + 1};
	while (high - low > 1) {
		size_t middle = low + (high - low) / 2;

		if (t->lines[middle] <= offset)
			low = middle;
		else
			high = middle;
	}
	return (struct policy_location){
		.line = (uint32_t)low + 1,
		.column = (uint32_t)(offset - t->lines[low]) + 1,
	};
}

static int find_lines(struct policy_text *t)
{
	const char *p = t->data, *end = t->data + t->len;
	size_t n = 1;

	for (const char *q = p; (q = memchr(q, '\n', (size_t)(end - q))) != NULL; q++)
		n++;
	t->lines = calloc(n, sizeof(*t->lines));
	if (!t->lines)
		return -ENOMEM;
	t->n_lines = 1;
	for (const char *q = p; (q = memchr(q, '\n', (size_t)(end - q))) != NULL; q++)
		t->lines[t->n_lines++] = (uint32_t)(q + 1 - p);
	return 0;
}

/* What is wrong with a character of the file; NULL: nothing. */
static const char *character_problem(unsigned code, bool before_newline)
{
	if (code == '\t' || code == '\n' || (code >= 0x20 && code < 0x7f))
		return NULL;
	if (code == '\r')
		return before_newline ? NULL : "carriage return without a line feed";
	if (code == 0)
		return "NUL byte";
	if (code < 0x20 || (code >= 0x7f && code < 0xa0))
		return "control character";
	if (code == 0x2028 || code == 0x2029)
		return "line separator that editors do not show";
	if (code == 0xfeff)
		return "byte order mark";
	if ((code & 0xfffe) == 0xfffe)
		return "code point that is no character";
	return NULL;
}

/* One report for each line with bad bytes; a file in UTF-16 gets a single one. */
static int check_bytes(struct policy_text *t)
{
	const unsigned char *s = (const unsigned char *)t->data;
	size_t before = t->diags->n_errors;

	if (t->len >= 2 && ((s[0] == 0xff && s[1] == 0xfe) || (s[0] == 0xfe && s[1] == 0xff))) {
		policy_text_error(t, (struct span){0, 2}, "UTF-8 without a byte order mark",
				  "the file is UTF-16");
		return POLICY_E_INVALID;
	}
	for (size_t i = 0; i < t->len;) {
		unsigned code = 0;
		size_t n = utf8_sequence(s + i, t->len - i, &code);
		struct span at = {(uint32_t)i, (uint32_t)(i + (n ? n : 1))};
		const char *what = NULL, *stop;

		if (n == 0) {
			policy_text_error(t, at, "UTF-8", "byte 0x%02x is not UTF-8", s[i]);
		} else {
			what = character_problem(code, i + 1 < t->len && s[i + 1] == '\n');
			if (!what) {
				i += n;
				continue;
			}
			policy_text_error(t, at, NULL, "U+%04X: %s", code, what);
		}
		stop = memchr(t->data + i, '\n', t->len - i);
		i = stop ? (size_t)(stop - t->data) : t->len;
	}
	return t->diags->n_errors == before ? 0 : POLICY_E_INVALID;
}

int policy_text_init(struct policy_text *t, const char *path, const void *data, size_t len,
		     struct diag_list *diags)
{
	int r;

	*t = (struct policy_text){.path = path, .data = data, .len = len, .diags = diags};
	if (len > POLICY_FILE_MAX) {
		r = diag_add_file(diags, DIAG_ERROR, path, NULL,
				  "the file has %zu bytes; more than %u are not read", len,
				  POLICY_FILE_MAX);
		return r < 0 ? r : POLICY_E_INVALID;
	}
	r = find_lines(t);
	if (r < 0)
		return r;
	r = check_bytes(t);
	return t->error < 0 ? t->error : r;
}

void policy_text_deinit(struct policy_text *t)
{
	free(t->lines);
	t->lines = NULL;
	t->n_lines = 0;
}

struct quote quote_text(const char *s, size_t len)
{
	struct quote q = {};
	size_t out = 0;

	for (size_t i = 0; i < len;) {
		unsigned code = 0;
		size_t n = utf8_sequence((const unsigned char *)s + i, len - i, &code);
		const char *from = s + i;
		size_t from_len = n ? n : 1;

		if (n == 1 && code == 0) {
			from = "\u2400";
			from_len = 3;
		}
		if (out + from_len > 64) {
			memcpy(q.text + out, "...", 3);
			break;
		}
		memcpy(q.text + out, from, from_len);
		out += from_len;
		i += n ? n : 1;
	}
	return q;
}

/* Edits (insert, delete, replace, swap of neighbours) from a to b, both shorter than 32. */
static unsigned edit_distance(const char *a, size_t a_len, const char *b, size_t b_len)
{
	unsigned d[33][33];

	for (unsigned i = 0; i <= a_len; i++)
		d[i][0] = i;
	for (unsigned j = 0; j <= b_len; j++)
		d[0][j] = j;
	for (size_t i = 1; i <= a_len; i++) {
		for (size_t j = 1; j <= b_len; j++) {
			unsigned best = d[i - 1][j - 1] + (a[i - 1] != b[j - 1]);

			if (d[i - 1][j] + 1 < best)
				best = d[i - 1][j] + 1;
			if (d[i][j - 1] + 1 < best)
				best = d[i][j - 1] + 1;
			if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] &&
			    d[i - 2][j - 2] + 1 < best)
				best = d[i - 2][j - 2] + 1;
			d[i][j] = best;
		}
	}
	return d[a_len][b_len];
}

const char *word_suggest(const char *s, size_t len, const char *const *words, size_t n_words)
{
	const char *found = NULL;
	unsigned best = 3;

	if (len == 0 || len > 32)
		return NULL;
	for (size_t i = 0; i < n_words; i++) {
		size_t n = strlen(words[i]);
		unsigned d;

		if (n > 32)
			continue;
		d = edit_distance(s, len, words[i], n);
		/* a slip leaves most of the word standing */
		if (d < best && d * 2 < n) {
			best = d;
			found = words[i];
		}
	}
	return found;
}
