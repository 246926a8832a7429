/* SPDX-License-Identifier: Apache-2.0 */

#include "util/strbuf.h"

#include <errno.h>
#include <string.h>

static bool strbuf_reserve(struct strbuf *b, size_t more)
{
	size_t need, size;
	char *data;

	if (b->failed)
		return false;
	if (__builtin_add_overflow(b->len, more, &need) ||
	    __builtin_add_overflow(need, (size_t)1, &need))
		goto failed;
	if (need <= b->size)
		return true;
	size = b->size ? b->size : 64;
	while (size < need)
		if (__builtin_mul_overflow(size, (size_t)2, &size))
			goto failed;
	data = realloc(b->data, size);
	if (!data)
		goto failed;
	b->data = data;
	b->size = size;
	return true;
failed:
	b->failed = true;
	return false;
}

void *strbuf_room(struct strbuf *b, size_t len)
{
	return strbuf_reserve(b, len) ? b->data + b->len : NULL;
}

void strbuf_filled(struct strbuf *b, size_t len)
{
	b->len += len;
	b->data[b->len] = '\0';
}

void strbuf_append(struct strbuf *b, const void *data, size_t len)
{
	if (!strbuf_reserve(b, len))
		return;
	if (len > 0)
		memcpy(b->data + b->len, data, len);
	b->len += len;
	b->data[b->len] = '\0';
}

void strbuf_puts(struct strbuf *b, const char *s)
{
	strbuf_append(b, s, strlen(s));
}

void strbuf_putc(struct strbuf *b, char c)
{
	strbuf_append(b, &c, 1);
}

void strbuf_vprintf(struct strbuf *b, const char *format, va_list ap)
{
	size_t room;
	va_list again;
	int n;

	/* usually there is room; if not, it says how much it takes */
	if (!strbuf_reserve(b, 32))
		return;
	room = b->size - b->len;
	va_copy(again, ap);
	n = vsnprintf(b->data + b->len, room, format, again);
	va_end(again);
	if (n >= 0 && (size_t)n < room) {
		b->len += (size_t)n;
		return;
	}
	b->data[b->len] = '\0';
	if (n < 0) {
		b->failed = true;
		return;
	}
	if (!strbuf_reserve(b, (size_t)n))
		return;
	(void)vsnprintf(b->data + b->len, (size_t)n + 1, format, ap);
	b->len += (size_t)n;
}

void strbuf_printf(struct strbuf *b, const char *format, ...)
{
	va_list ap;

	va_start(ap, format);
	strbuf_vprintf(b, format, ap);
	va_end(ap);
}

void strbuf_reset(struct strbuf *b)
{
	b->len = 0;
	b->failed = false;
	if (b->data)
		b->data[0] = '\0';
}

int strbuf_error(const struct strbuf *b)
{
	return b->failed ? -ENOMEM : 0;
}

const char *strbuf_str(const struct strbuf *b)
{
	return b->data ? b->data : "";
}

char *strbuf_steal(struct strbuf *b)
{
	char *data = NULL;

	if (!b->failed)
		data = b->data ? steal_ptr(b->data) : strdup("");
	strbuf_deinit(b);
	return data;
}

void strbuf_deinit(struct strbuf *b)
{
	free(b->data);
	*b = (struct strbuf){};
}
