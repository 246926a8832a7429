/* SPDX-License-Identifier: Apache-2.0 */

#include "programs/haetaed/log.h"

#include <stdarg.h>
#include <string.h>

#include "util/escape.h"
#include "util/strbuf.h"

static bool log_plain;

void log_open(bool plain)
{
	log_plain = plain;
}

static void log_emit(int priority, const struct strbuf *text)
{
	_cleanup_strbuf_ struct strbuf line = {};

	if (!log_plain)
		strbuf_printf(&line, "<%d>", priority);
	escape_text(&line, strbuf_str(text), text->len);
	(void)fprintf(stderr, "%s\n", strbuf_str(&line));
}

void log_write(int priority, const char *format, ...)
{
	_cleanup_strbuf_ struct strbuf text = {};
	va_list ap;

	va_start(ap, format);
	strbuf_vprintf(&text, format, ap);
	va_end(ap);
	log_emit(priority, &text);
}

int log_error(int r, const char *format, ...)
{
	_cleanup_strbuf_ struct strbuf text = {};
	va_list ap;

	va_start(ap, format);
	strbuf_vprintf(&text, format, ap);
	va_end(ap);
	strbuf_printf(&text, ": %s", strerror(-r));
	log_emit(LOG_ERR, &text);
	return r;
}
