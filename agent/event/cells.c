/* SPDX-License-Identifier: Apache-2.0 */

/* Display cells. wcwidth(3) answers by the locale, and in the C locale not at all; a table of logs
 * must not change its form with LANG, so the two classes that matter are here. */

#include "event/cells.h"

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "util/cleanup.h"
#include "util/escape.h"

struct code_range {
	uint32_t first, last;
};

/* Combining marks, variation selectors, conjoining vowels: drawn over what stands before. */
static const struct code_range narrow[] = {
	{0x0300, 0x036f}, {0x0483, 0x0489}, {0x0591, 0x05bd}, {0x0610, 0x061a}, {0x064b, 0x065f},
	{0x06d6, 0x06dc}, {0x0711, 0x0711}, {0x0730, 0x074a}, {0x0900, 0x0902}, {0x093c, 0x093c},
	{0x0941, 0x0948}, {0x094d, 0x094d}, {0x0e31, 0x0e31}, {0x0e34, 0x0e3a}, {0x0e47, 0x0e4e},
	{0x1160, 0x11ff}, {0x1ab0, 0x1aff}, {0x1dc0, 0x1dff}, {0x20d0, 0x20ff}, {0x302a, 0x302d},
	{0x3099, 0x309a}, {0xd7b0, 0xd7ff}, {0xfe00, 0xfe0f}, {0xfe20, 0xfe2f}, {0x1f3fb, 0x1f3ff},
};

/* East Asian wide and fullwidth, and pictures. */
static const struct code_range wide[] = {
	{0x1100, 0x115f},   {0x231a, 0x231b},	{0x2329, 0x232a},   {0x23e9, 0x23ec},
	{0x2e80, 0x303e},   {0x3041, 0xa4cf},	{0xa960, 0xa97f},   {0xac00, 0xd7a3},
	{0xf900, 0xfaff},   {0xfe30, 0xfe6f},	{0xff00, 0xff60},   {0xffe0, 0xffe6},
	{0x16fe0, 0x18cff}, {0x1b000, 0x1b2ff}, {0x1f300, 0x1f64f}, {0x1f680, 0x1f6ff},
	{0x1f900, 0x1faff}, {0x20000, 0x3fffd},
};

static bool code_is_in(const struct code_range *ranges, size_t n, uint32_t code)
{
	for (size_t i = 0; i < n; i++)
		if (code >= ranges[i].first && code <= ranges[i].last)
			return true;
	return false;
}

static size_t code_cells(uint32_t code)
{
	if (code < 0x300)
		return 1;
	if (code_is_in(narrow, ARRAY_LEN(narrow), code))
		return 0;
	return code_is_in(wide, ARRAY_LEN(wide), code) ? 2 : 1;
}

/* What must not be cut: an escape (\xNN, \\), or one character. Return: its bytes. */
static size_t unit_next(const char *text, size_t len, size_t *ret_cells)
{
	unsigned code = 0;
	size_t n;

	if (text[0] == '\\' && len >= 4 && text[1] == 'x') {
		*ret_cells = 4;
		return 4;
	}
	if (text[0] == '\\' && len >= 2) {
		*ret_cells = 2;
		return 2;
	}
	n = utf8_sequence((const unsigned char *)text, len, &code);
	*ret_cells = n > 0 ? code_cells(code) : 1;
	return n > 0 ? n : 1;
}

size_t cells_width(const char *text, size_t len)
{
	size_t cells = 0;

	for (size_t at = 0, unit; at < len;) {
		at += unit_next(text + at, len - at, &unit);
		cells += unit;
	}
	return cells;
}

/* The longest beginning of at most `max` cells. Return: its bytes. */
static size_t head_length(const char *text, size_t len, size_t max, size_t *ret_cells)
{
	size_t at = 0, cells = 0;

	while (at < len) {
		size_t unit, n = unit_next(text + at, len - at, &unit);

		if (cells + unit > max)
			break;
		cells += unit;
		at += n;
	}
	*ret_cells = cells;
	return at;
}

size_t cells_shorten(struct strbuf *b, const char *text, size_t len, size_t max)
{
	size_t width = cells_width(text, len), head_cells, head, tail, skipped = 0;

	if (max == 0 || width <= max) {
		strbuf_append(b, text, len);
		return width;
	}
	/* the end tells more than the beginning: it gets the odd cell */
	head = head_length(text, len, (max - 1) / 2, &head_cells);
	tail = head;
	/* leave out units until the rest fits; what combines with a unit left out goes with it */
	for (size_t rest = width - head_cells; tail < len;) {
		size_t unit, n = unit_next(text + tail, len - tail, &unit);

		if (rest - skipped <= max - 1 - head_cells && unit > 0)
			break;
		skipped += unit;
		tail += n;
	}
	strbuf_append(b, text, head);
	strbuf_puts(b, "…");
	strbuf_append(b, text + tail, len - tail);
	return width - skipped + 1;
}

void cells_pad(struct strbuf *b, size_t width, size_t to)
{
	for (; width < to; width++)
		strbuf_putc(b, ' ');
}
