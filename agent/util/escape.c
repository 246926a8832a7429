/* SPDX-License-Identifier: Apache-2.0 */

#include "util/escape.h"

#include <stdbool.h>
#include <stdint.h>

size_t utf8_sequence(const unsigned char *p, size_t len, unsigned *ret_code)
{
	static const unsigned least[] = { 0, 0, 0x80, 0x800, 0x10000 };
	unsigned code;
	size_t n;

	if (len == 0)
		return 0;
	if (p[0] < 0x80) {
		*ret_code = p[0];
		return 1;
	}
	if ((p[0] & 0xe0) == 0xc0) {
		n = 2;
		code = p[0] & 0x1f;
	} else if ((p[0] & 0xf0) == 0xe0) {
		n = 3;
		code = p[0] & 0x0f;
	} else if ((p[0] & 0xf8) == 0xf0) {
		n = 4;
		code = p[0] & 0x07;
	} else {
		return 0;
	}
	if (len < n)
		return 0;
	for (size_t i = 1; i < n; i++) {
		if ((p[i] & 0xc0) != 0x80)
			return 0;
		code = code << 6 | (p[i] & 0x3f);
	}
	/* overlong forms, surrogates and what lies beyond Unicode are not UTF-8 (RFC 3629) */
	if (code < least[n] || (code >= 0xd800 && code <= 0xdfff) || code > 0x10ffff)
		return 0;
	*ret_code = code;
	return n;
}

/* Code points that act on a terminal or reorder a line instead of being seen. */
static bool code_is_unsafe(unsigned code)
{
	return code < 0x20 || (code >= 0x7f && code < 0xa0) || code == 0xad ||
	       (code >= 0x200b && code <= 0x200f) || (code >= 0x2028 && code <= 0x202e) ||
	       (code >= 0x2060 && code <= 0x206f) || code == 0xfeff ||
	       (code >= 0xfff9 && code <= 0xfffb) || (code >= 0xe0000 && code <= 0xe0fff);
}

/* How many bytes at the beginning need no look at: visible ASCII but for a quote and a backslash. */
static size_t plain_length(const unsigned char *p, size_t len)
{
	size_t n = 0;

	while (n < len && p[n] >= 0x20 && p[n] < 0x7f && p[n] != '"' && p[n] != '\\')
		n++;
	return n;
}

void escape_text(struct strbuf *b, const void *data, size_t len)
{
	const unsigned char *p = data;

	while (len > 0) {
		size_t plain = plain_length(p, len), n;
		unsigned code = 0;

		strbuf_append(b, p, plain);
		p += plain;
		len -= plain;
		if (len == 0)
			break;
		n = utf8_sequence(p, len, &code);

		if (n == 1 && code == '\\') {
			strbuf_puts(b, "\\\\");
		} else if (n > 0 && !code_is_unsafe(code)) {
			strbuf_append(b, p, n);
		} else {
			n = n > 0 ? n : 1;
			for (size_t i = 0; i < n; i++)
				strbuf_printf(b, "\\x%02x", p[i]);
		}
		p += n;
		len -= n;
	}
}

void escape_json(struct strbuf *b, const void *data, size_t len)
{
	const unsigned char *p = data;

	strbuf_putc(b, '"');
	while (len > 0) {
		size_t plain = plain_length(p, len), n;
		unsigned code = 0;

		strbuf_append(b, p, plain);
		p += plain;
		len -= plain;
		if (len == 0)
			break;
		n = utf8_sequence(p, len, &code);

		if (n == 0) {
			strbuf_printf(b, "\\udc%02x", p[0]);
			n = 1;
		} else if (code == '"' || code == '\\') {
			strbuf_printf(b, "\\%c", (int)code);
		} else if (code_is_unsafe(code)) {
			if (code > 0xffff)
				strbuf_printf(b, "\\u%04x\\u%04x",
					      0xd800 + ((code - 0x10000) >> 10),
					      0xdc00 + ((code - 0x10000) & 0x3ff));
			else
				strbuf_printf(b, "\\u%04x", code);
		} else {
			strbuf_append(b, p, n);
		}
		p += n;
		len -= n;
	}
	strbuf_putc(b, '"');
}
