/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * A growing byte buffer, always terminated. Errors stick: after an allocation failed every further
 * call is a no-op and strbuf_error() tells, so callers check once at the end.
 */

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>

#include "util/cleanup.h"

struct strbuf {
	char *data; /* terminated; NULL only while empty */
	size_t len;
	size_t size;
	bool failed;
};

/* Room for so many bytes behind the end, to be filled and told with strbuf_filled(). Return: NULL: no memory, which is noted. */
void *strbuf_room(struct strbuf *b, size_t len);
void strbuf_filled(struct strbuf *b, size_t len); /* of the room, at most all */
/* Add to the end, all of it or, on failure, nothing. data and s are not of the buffer itself. */
void strbuf_append(struct strbuf *b, const void *data, size_t len);
void strbuf_puts(struct strbuf *b, const char *s);
void strbuf_putc(struct strbuf *b, char c);
_printf_(2, 3) void strbuf_printf(struct strbuf *b, const char *format, ...);
_printf_(2, 0) void strbuf_vprintf(struct strbuf *b, const char *format, va_list ap);
void strbuf_reset(struct strbuf *b); /* empty, and without failure; keeps the memory */
/* Return: 0; -ENOMEM something was not added since the last reset. */
int strbuf_error(const struct strbuf *b);
/* Return: the text, never NULL; the buffer's, until the next call that changes it. */
const char *strbuf_str(const struct strbuf *b);
/* Hand over the text (free() it); NULL on a failed buffer. The buffer is empty afterwards. */
char *strbuf_steal(struct strbuf *b);
void strbuf_deinit(struct strbuf *b);

#define _cleanup_strbuf_ _cleanup_(strbuf_deinit)
