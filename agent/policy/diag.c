/* SPDX-License-Identifier: Apache-2.0 */

/*
 * The list of diagnostics and how it is shown to a human.
 *
 * Files, texts and source lines may hold any byte: everything is escaped on its way out, and the
 * caret counts terminal columns, not bytes.
 */

#include "policy/diag.h"

#include <errno.h>
#include <stdarg.h>
#include <string.h>

#include "util/escape.h"
#include "util/strbuf.h"

#define COLOR_BOLD "\033[1m"
#define COLOR_RED "\033[1;31m"
#define COLOR_MAGENTA "\033[1;35m"
#define COLOR_GREEN "\033[1;32m"
#define COLOR_OFF "\033[0m"

static void diag_deinit(struct diag *d)
{
	free(d->file);
	free(d->text);
	free(d->expected);
	free(d->source);
}

static int string_copy(const char *s, char **ret)
{
	char *copy = NULL;

	if (s) {
		copy = strdup(s);
		if (!copy)
			return -ENOMEM;
	}
	*ret = copy;
	return 0;
}

/* Make room for one error in a full list by dropping its last warning. */
static void list_drop_warning(struct diag_list *list)
{
	for (size_t i = list->n; i-- > 0;) {
		if (list->items[i].severity != DIAG_WARNING)
			continue;
		diag_deinit(&list->items[i]);
		memmove(&list->items[i], &list->items[i + 1],
			(list->n - i - 1) * sizeof(*list->items));
		list->n--;
		list->n_warnings--;
		return;
	}
}

bool diag_list_skip(struct diag_list *list, enum diag_severity severity)
{
	if (list->n < DIAG_MAX || (severity == DIAG_ERROR && list->n_warnings > 0))
		return false;
	list->overflow = true;
	if (severity == DIAG_ERROR)
		list->n_errors++;
	return true;
}

/* Takes over the texts of d, also on failure. */
static int list_append(struct diag_list *list, struct diag *d)
{
	struct diag *items;

	if (diag_list_skip(list, d->severity)) {
		diag_deinit(d);
		return 0;
	}
	if (d->severity == DIAG_ERROR)
		list->n_errors++;
	if (list->n >= DIAG_MAX) {
		list->overflow = true;
		list_drop_warning(list);
	}
	/* grown in powers of two: only when n is zero or one of them */
	if ((list->n & (list->n - 1)) == 0) {
		items = realloc(list->items, (list->n ? 2 * list->n : 1) * sizeof(*items));
		if (!items) {
			diag_deinit(d);
			return -ENOMEM;
		}
		list->items = items;
	}
	list->items[list->n++] = *d;
	list->n_warnings += d->severity == DIAG_WARNING;
	return 0;
}

int diag_add(struct diag_list *list, const struct diag *diag)
{
	struct diag copy;

	if (diag_list_skip(list, diag->severity))
		return 0;
	copy = (struct diag){
		.line = diag->line,
		.column = diag->column,
		.width = diag->width,
		.severity = diag->severity,
	};

	if (string_copy(diag->file, &copy.file) < 0 || string_copy(diag->text, &copy.text) < 0 ||
	    string_copy(diag->expected, &copy.expected) < 0 ||
	    string_copy(diag->source, &copy.source) < 0) {
		diag_deinit(&copy);
		if (diag->severity == DIAG_ERROR)
			list->n_errors++;
		return -ENOMEM;
	}
	return list_append(list, &copy);
}

int diag_add_file(struct diag_list *list, enum diag_severity severity, const char *file,
		  const char *expected, const char *format, ...)
{
	_cleanup_strbuf_ struct strbuf text = {};
	struct diag diag = {.severity = severity};
	va_list ap;
	int r;

	va_start(ap, format);
	strbuf_vprintf(&text, format, ap);
	va_end(ap);
	if (strbuf_error(&text) < 0) {
		if (severity == DIAG_ERROR)
			list->n_errors++;
		return -ENOMEM;
	}
	r = string_copy(file, &diag.file);
	if (r == 0)
		r = string_copy(expected, &diag.expected);
	diag.text = strbuf_steal(&text);
	if (r < 0 || !diag.text) {
		diag_deinit(&diag);
		if (severity == DIAG_ERROR)
			list->n_errors++;
		return -ENOMEM;
	}
	return list_append(list, &diag);
}

static bool diag_before(const struct diag *a, const struct diag *b)
{
	return a->line != b->line ? a->line < b->line : a->column < b->column;
}

void diag_list_sort(struct diag_list *list, size_t from)
{
	/* insertion: stable, and at most DIAG_MAX items that are nearly in order */
	for (size_t i = from + 1; i < list->n; i++) {
		struct diag d = list->items[i];
		size_t j = i;

		for (; j > from && diag_before(&d, &list->items[j - 1]); j--)
			list->items[j] = list->items[j - 1];
		list->items[j] = d;
	}
}

int diag_list_move(struct diag_list *list, struct diag_list *other)
{
	size_t errors = 0;
	int error = 0;

	for (size_t i = 0; i < other->n; i++) {
		int r;

		errors += other->items[i].severity == DIAG_ERROR;
		r = list_append(list, &other->items[i]);
		if (r < 0)
			error = r;
	}
	/* those that `other` counted without keeping */
	list->n_errors += other->n_errors - errors;
	list->overflow |= other->overflow;
	free(other->items);
	*other = (struct diag_list){};
	return error;
}

/* Terminal columns of one code point that escape_text() lets through. Coarse on purpose: the blocks
 * that terminals agree on. */
static unsigned code_width(unsigned code)
{
	static const struct {
		unsigned first, last, width;
	} blocks[] = {
		{0x0300, 0x036f, 0},   {0x1100, 0x115f, 2},   {0x1160, 0x11ff, 0},
		{0x20d0, 0x20ff, 0},   {0x2e80, 0x303e, 2},   {0x3041, 0xa4cf, 2},
		{0xac00, 0xd7a3, 2},   {0xf900, 0xfaff, 2},   {0xfe00, 0xfe0f, 0},
		{0xfe20, 0xfe2f, 0},   {0xfe30, 0xfe6f, 2},   {0xff00, 0xff60, 2},
		{0xffe0, 0xffe6, 2},   {0x1f300, 0x1f64f, 2}, {0x1f680, 0x1f6ff, 2},
		{0x1f900, 0x1f9ff, 2}, {0x20000, 0x3fffd, 2},
	};

	for (size_t i = 0; i < ARRAY_LEN(blocks); i++)
		if (code >= blocks[i].first && code <= blocks[i].last)
			return blocks[i].width;
	return 1;
}

/* Append a stretch of a source line as shown; *column is the terminal column, moved on. */
static void render_source(struct strbuf *b, const char *s, size_t len, size_t *column)
{
	const unsigned char *p = (const unsigned char *)s;

	while (len > 0) {
		unsigned code = 0;
		size_t n = utf8_sequence(p, len, &code);
		size_t before = b->len;

		if (n == 1 && code == '\t') {
			do {
				strbuf_putc(b, ' ');
			} while (++*column % 8 != 0);
		} else if (n == 1 && code == '\\') {
			/* a source line is shown as it is written */
			strbuf_putc(b, '\\');
			++*column;
		} else {
			n = n > 0 ? n : 1;
			escape_text(b, p, n);
			if (b->len - before == n && n > 1)
				*column += code_width(code);
			else
				*column += b->len - before;
		}
		p += n;
		len -= n;
	}
}

static void print_source(const struct diag *d, FILE *out, bool color)
{
	_cleanup_strbuf_ struct strbuf line = {};
	_cleanup_strbuf_ struct strbuf mark = {};
	size_t len = strlen(d->source), start = d->column - 1, end, column = 0, first;

	if (start > len)
		start = len;
	end = start + (d->width ? d->width : 1);
	if (end > len)
		end = len;
	render_source(&line, d->source, start, &column);
	first = column;
	render_source(&line, d->source + start, end - start, &column);
	for (size_t i = 0; i < first; i++)
		strbuf_putc(&mark, ' ');
	if (color)
		strbuf_puts(&mark, COLOR_GREEN);
	strbuf_putc(&mark, '^');
	for (size_t i = first + 1; i < column; i++)
		strbuf_putc(&mark, '~');
	if (color)
		strbuf_puts(&mark, COLOR_OFF);
	render_source(&line, d->source + end, len - end, &column);
	if (strbuf_error(&line) < 0 || strbuf_error(&mark) < 0)
		return;
	fprintf(out, "%6u | %s\n       | %s\n", d->line, strbuf_str(&line), strbuf_str(&mark));
}

void diag_print(const struct diag *diag, FILE *out, bool color)
{
	static const char *const words[_DIAG_SEVERITY_MAX] = {
		[DIAG_ERROR] = "error",
		[DIAG_WARNING] = "warning",
	};
	static const char *const colors[_DIAG_SEVERITY_MAX] = {
		[DIAG_ERROR] = COLOR_RED,
		[DIAG_WARNING] = COLOR_MAGENTA,
	};
	_cleanup_strbuf_ struct strbuf b = {};
	size_t len = strlen(diag->text);

	if (color)
		strbuf_puts(&b, COLOR_BOLD);
	if (diag->file) {
		escape_text(&b, diag->file, strlen(diag->file));
		strbuf_putc(&b, ':');
	}
	if (diag->line > 0)
		strbuf_printf(&b, "%u:", diag->line);
	if (diag->line > 0 && diag->column > 0)
		strbuf_printf(&b, "%u:", diag->column);
	if (b.len > 0)
		strbuf_putc(&b, ' ');
	strbuf_printf(&b, "%s%s:%s ", color ? colors[diag->severity] : "", words[diag->severity],
		      color ? COLOR_OFF : "");
	escape_text(&b, diag->text, len);
	if (diag->expected) {
		/* a text that ends in a question needs no semicolon */
		strbuf_puts(&b,
			    len > 0 && diag->text[len - 1] == '?' ? " expected " : "; expected ");
		escape_text(&b, diag->expected, strlen(diag->expected));
	}
	strbuf_putc(&b, '\n');
	if (strbuf_error(&b) < 0)
		return;
	fputs(strbuf_str(&b), out);
	if (diag->source && diag->line > 0 && diag->column > 0)
		print_source(diag, out, color);
}

void diag_list_print(const struct diag_list *list, FILE *out, bool color)
{
	size_t errors = 0;

	for (size_t i = 0; i < list->n; i++) {
		errors += list->items[i].severity == DIAG_ERROR;
		diag_print(&list->items[i], out, color);
	}
	if (list->n_errors > errors)
		fprintf(out, "... and %zu more errors\n", list->n_errors - errors);
	else if (list->overflow)
		fprintf(out, "... and more warnings\n");
}

void diag_list_deinit(struct diag_list *list)
{
	if (!list)
		return;
	for (size_t i = 0; i < list->n; i++)
		diag_deinit(&list->items[i]);
	free(list->items);
	*list = (struct diag_list){};
}
