/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* struct event <-> columns: the one place that names both, used to write and to read. */

#include <sqlite3.h>
#include <stddef.h>

#include "event/event.h"
#include "util/strbuf.h"

enum row_table {
	ROW_EVENT,
	ROW_RULE,
	ROW_PLACE,
	ROW_BOOT,
	_ROW_TABLE_MAX,
};

const char *row_table_name(enum row_table table);
size_t row_columns(enum row_table table);

/* Has the event anything to say in this table? (An event without policy refers to no rule.) */
bool row_is_empty(enum row_table table, const struct event *event);

/* Append "a, b, c", each with a prefix ("e." or ""). */
void row_names(enum row_table table, const char *prefix, struct strbuf *b);
/* Append "a IS ?1 AND b IS ?2 ...". */
void row_equals(enum row_table table, struct strbuf *b);
/* Append "SELECT every column FROM events, as e, and their companions", for row_read_event().
 * events: the table, or what stands for one (bundle.h). */
void row_select(const char *events, struct strbuf *b);

/* Bind the columns from parameter `first` on. The event must live until the statement is reset.
 * Return: SQLITE_OK; SQLITE_RANGE: a code that row_read_event() would refuse; another SQLite code.
 */
int row_bind(sqlite3_stmt *stmt, int first, enum row_table table, const struct event *event);

/* A column's value: a number, or bytes (data NULL: SQL's NULL). */
struct row_value {
	enum row_form { ROW_IS_NUMBER, ROW_IS_TEXT, ROW_IS_BLOB } form;
	int64_t number;
	const void *data; /* the event's own */
	size_t len;
};

/* One column, by its number. Return: false: it has a code that row_read_event() would refuse. */
bool row_value(enum row_table table, size_t column, const struct event *event, struct row_value *ret);
/* Pack what an event says in a column of the table `event` and the one before it does not, in the order of the columns, which are
 * the bits of *ret_columns (bundle.h has the format). before: NULL: one that says nothing, whose numbers are 0 and whose bytes are
 * NULL. It was looked at before: only what changed is checked. to: room for row_pack_max(). Return: false: a code that
 * row_read_event() would refuse. */
bool row_pack(const struct event *before, const struct event *event, uint8_t *to, size_t *ret_len,
	      uint64_t *ret_columns);
size_t row_pack_max(const struct event *event);
/* A number, seven bits a byte. Return: how many bytes. */
#define ROW_VARINT_MAX 10U
static inline size_t row_varint_write(uint8_t *to, uint64_t number)
{
	size_t n = 0;

	while (number >= 0x80) {
		to[n++] = (uint8_t)(number | 0x80);
		number >>= 7;
	}
	to[n++] = (uint8_t)number;
	return n;
}

/* The same of a difference, whose sign is its lowest bit. */
static inline size_t row_difference_write(uint8_t *to, int64_t number, int64_t before)
{
	uint64_t difference = (uint64_t)number - (uint64_t)before;

	return row_varint_write(to, difference << 1 ^ (uint64_t)((int64_t)difference >> 63));
}
/* Do two events have the same to say? */
bool row_equal(enum row_table table, const struct event *a, const struct event *b);
/* Have they the same to say in all tables but `event`, as can be seen without comparing texts: they share their names? */
bool row_names_are_shared(const struct event *a, const struct event *b);
/* What a column's values are, unless they are NULL. */
enum row_form row_form(enum row_table table, size_t column);

/* Append the columns as bytes: equal bytes if and only if the rows are equal. */
void row_content(enum row_table table, const struct event *event, struct strbuf *b);

/* The current row of a row_select() statement. What lies in the file is not believed: a value that
 * no writer can have written is -EBADMSG. Return: 0, the caller deinits; -EBADMSG; -ENOMEM. */
int row_read_event(sqlite3_stmt *stmt, struct event *ret);
