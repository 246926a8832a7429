/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * A table of text: columns as wide as their widest cell, the last one as long as it is. Cells are
 * raw bytes and are escaped here, so no caller can forget it.
 */

#include <stdbool.h>
#include <stddef.h>

#include "programs/agentctl/color.h"
#include "util/strbuf.h"

struct table;

/* headers: NULL-terminated list of column titles (borrowed, static). right: mask of the columns
 * that are numbers, aligned right. Return: the table, NULL without memory. */
struct table *table_new(const char *const *headers, unsigned right);
struct table *table_free(struct table *table); /* NULL is fine; returns NULL */
/* The next cell, row by row; NULL is shown as "-". Errors stick and show in table_render(). */
void table_add(struct table *table, const char *text);
void table_add_color(struct table *table, const char *text, enum color color);
_printf_(2, 3) void table_addf(struct table *table, const char *format, ...);
size_t table_rows(const struct table *table);
/* Append the table, each line after `indent` spaces. Rows must be complete.
 * Return: 0 or -ENOMEM. */
int table_render(const struct table *table, struct strbuf *b, unsigned indent, bool color);

/* Columns a UTF-8 text takes on a terminal: combining marks none, East Asian wide characters two.
 */
unsigned text_width(const char *text);
