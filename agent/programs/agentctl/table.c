/* SPDX-License-Identifier: Apache-2.0 */

#include "programs/agentctl/table.h"

#include <errno.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "util/escape.h"

#define COLUMNS_MAX 16U
#define GAP 2U

struct cell {
	char *text; /* escaped */
	enum color color;
};

struct table {
	const char *const *headers;
	size_t n_columns;
	unsigned right;
	struct cell *cells;
	size_t n_cells;
	size_t size;
	bool failed;
};

static bool code_in(unsigned code, const unsigned (*ranges)[2], size_t n)
{
	for (size_t i = 0; i < n; i++) {
		if (code >= ranges[i][0] && code <= ranges[i][1])
			return true;
	}
	return false;
}

unsigned text_width(const char *text)
{
	static const unsigned none[][2] = {{0x300, 0x36f},   {0x1ab0, 0x1aff}, {0x1dc0, 0x1dff},
					   {0x20d0, 0x20ff}, {0xfe00, 0xfe0f}, {0xfe20, 0xfe2f}};
	static const unsigned wide[][2] = {
		{0x1100, 0x115f},   {0x2e80, 0x303e},	{0x3041, 0xa4cf},   {0xac00, 0xd7a3},
		{0xf900, 0xfaff},   {0xfe30, 0xfe6f},	{0xff00, 0xff60},   {0xffe0, 0xffe6},
		{0x1f300, 0x1f64f}, {0x1f680, 0x1f6ff}, {0x1f900, 0x1f9ff}, {0x20000, 0x3fffd}};
	const unsigned char *p = (const unsigned char *)text;
	size_t len = strlen(text);
	unsigned width = 0;

	while (len > 0) {
		unsigned code = 0;
		size_t n = utf8_sequence(p, len, &code);

		if (n == 0)
			n = 1;
		if (code_in(code, wide, ARRAY_LEN(wide)))
			width += 2;
		else if (!code_in(code, none, ARRAY_LEN(none)))
			width++;
		p += n;
		len -= n;
	}
	return width;
}

struct table *table_new(const char *const *headers, unsigned right)
{
	struct table *table = calloc(1, sizeof(*table));

	if (!table)
		return NULL;
	table->headers = headers;
	table->right = right;
	while (headers[table->n_columns] && table->n_columns < COLUMNS_MAX)
		table->n_columns++;
	return table;
}

struct table *table_free(struct table *table)
{
	if (!table)
		return NULL;
	for (size_t i = 0; i < table->n_cells; i++)
		free(table->cells[i].text);
	free(table->cells);
	free(table);
	return NULL;
}

static struct cell *table_next(struct table *table)
{
	if (table->failed)
		return NULL;
	if (table->n_cells == table->size) {
		size_t size = table->size ? 2 * table->size : 64;
		struct cell *cells = reallocarray(table->cells, size, sizeof(*cells));

		if (!cells) {
			table->failed = true;
			return NULL;
		}
		table->cells = cells;
		table->size = size;
	}
	return &table->cells[table->n_cells];
}

void table_add_color(struct table *table, const char *text, enum color color)
{
	_cleanup_strbuf_ struct strbuf b = {};
	struct cell *cell = table_next(table);

	if (!cell)
		return;
	if (!text || !*text)
		text = "-";
	escape_text(&b, text, strlen(text));
	*cell = (struct cell){.text = strbuf_steal(&b), .color = color};
	if (cell->text)
		table->n_cells++;
	else
		table->failed = true;
}

void table_add(struct table *table, const char *text)
{
	table_add_color(table, text, COLOR_NONE);
}

void table_addf(struct table *table, const char *format, ...)
{
	_cleanup_strbuf_ struct strbuf b = {};
	va_list ap;

	va_start(ap, format);
	strbuf_vprintf(&b, format, ap);
	va_end(ap);
	if (strbuf_error(&b) < 0)
		table->failed = true;
	else
		table_add(table, strbuf_str(&b));
}

size_t table_rows(const struct table *table)
{
	return table->n_cells / table->n_columns;
}

static void pad(struct strbuf *b, unsigned n)
{
	strbuf_printf(b, "%*s", (int)n, "");
}

static void cell_render(const struct table *table, struct strbuf *b, size_t column,
			const unsigned *widths, const struct cell *cell, bool color)
{
	unsigned fill = widths[column] - text_width(cell->text);
	bool right = table->right & (1U << column);

	if (right)
		pad(b, fill);
	strbuf_puts(b, color_begin(cell->color, color));
	strbuf_puts(b, cell->text);
	strbuf_puts(b, color_end(cell->color, color));
	if (column + 1 < table->n_columns)
		pad(b, (right ? 0 : fill) + GAP);
}

int table_render(const struct table *table, struct strbuf *b, unsigned indent, bool color)
{
	unsigned widths[COLUMNS_MAX] = {};

	if (table->failed)
		return -ENOMEM;
	for (size_t i = 0; i < table->n_columns; i++)
		widths[i] = text_width(table->headers[i]);
	for (size_t i = 0; i < table->n_cells; i++) {
		unsigned width = text_width(table->cells[i].text);
		size_t column = i % table->n_columns;

		if (width > widths[column])
			widths[column] = width;
	}
	pad(b, indent);
	for (size_t i = 0; i < table->n_columns; i++) {
		/* the same way as the column's cells, so that a title stands over its numbers */
		struct cell title = {.text = (char *)(uintptr_t)table->headers[i],
				     .color = COLOR_BOLD};

		cell_render(table, b, i, widths, &title, color);
	}
	strbuf_putc(b, '\n');
	for (size_t i = 0; i < table->n_cells; i++) {
		size_t column = i % table->n_columns;

		if (column == 0)
			pad(b, indent);
		cell_render(table, b, column, widths, &table->cells[i], color);
		if (column + 1 == table->n_columns)
			strbuf_putc(b, '\n');
	}
	return strbuf_error(b);
}
