/* SPDX-License-Identifier: Apache-2.0 */

/* Bytes from outside as JSON text. */

#include <stdbool.h>
#include <string.h>

#include "control/control.h"
#include "util/escape.h"
#include "util/strbuf.h"

static bool text_is_utf8(const char *text)
{
	const unsigned char *p = (const unsigned char *)text;
	size_t len = strlen(text);

	while (len > 0) {
		unsigned code;
		size_t n = utf8_sequence(p, len, &code);

		if (n == 0)
			return false;
		p += n;
		len -= n;
	}
	return true;
}

json_t *control_text(const char *text)
{
	_cleanup_strbuf_ struct strbuf b = {};

	if (!text)
		return json_null();
	if (text_is_utf8(text))
		return json_string(text);
	escape_text(&b, text, strlen(text));
	if (strbuf_error(&b) < 0)
		return NULL;
	return json_string(strbuf_str(&b));
}
