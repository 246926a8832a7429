/* SPDX-License-Identifier: Apache-2.0 */

#include "programs/haetaed/log.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "util/escape.h"
#include "util/strbuf.h"

static bool log_plain;

void log_open(bool plain)
{
	log_plain = plain;
}

bool log_is_journal(void)
{
	const char *stream = getenv("JOURNAL_STREAM");
	unsigned long long dev, ino;
	struct stat st;

	if (!stream || sscanf(stream, "%llu:%llu", &dev, &ino) != 2 || fstat(STDERR_FILENO, &st) < 0)
		return false;
	return st.st_dev == dev && st.st_ino == ino;
}

void log_escaped(int priority, const char *text, size_t len)
{
	_cleanup_strbuf_ struct strbuf line = {};

	if (!log_plain)
		strbuf_printf(&line, "<%d>", priority);
	strbuf_append(&line, text, len);
	(void)fprintf(stderr, "%s\n", strbuf_str(&line));
}

static void log_emit(int priority, const struct strbuf *text)
{
	_cleanup_strbuf_ struct strbuf line = {};

	escape_text(&line, strbuf_str(text), text->len);
	log_escaped(priority, strbuf_str(&line), line.len);
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
