/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* Text in columns of a terminal: how many cells it takes, shortened in the middle, padded. */

#include <stddef.h>

#include "util/strbuf.h"

/* Cells of escaped text (util/escape.h): 2 for wide characters, 0 for combining ones, else 1. Own
 * tables, so the answer does not depend on the locale. */
size_t cells_width(const char *text, size_t len);

/* Append escaped text, with its middle replaced by one "…" if it takes more than `max` cells (0:
 * whole, as always with SIZE_MAX). No escape sequence and no character is cut. Return: cells
 * appended. */
size_t cells_shorten(struct strbuf *b, const char *text, size_t len, size_t max);

/* Append spaces from `width` to `to`. */
void cells_pad(struct strbuf *b, size_t width, size_t to);
