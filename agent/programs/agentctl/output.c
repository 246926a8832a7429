/* SPDX-License-Identifier: Apache-2.0 */

/* What leaves the program: complaints, text, JSON. A reader that went away is no failure. */

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "programs/agentctl/agentctl.h"
#include "programs/agentctl/pager.h"
#include "util/escape.h"

void complain(const char *format, ...)
{
	va_list ap;

	(void)fputs("agentctl: ", stderr);
	va_start(ap, format);
	(void)vfprintf(stderr, format, ap);
	va_end(ap);
	(void)fputc('\n', stderr);
}

int out_of_memory(void)
{
	complain("Out of memory");
	return EXIT_CODE_FAILURE;
}

const char *escaped(const char *text)
{
	/* a few calls can stand in one complaint */
	static struct strbuf ring[4];
	static size_t next;
	struct strbuf *b = &ring[next++ % ARRAY_LEN(ring)];

	strbuf_reset(b);
	escape_text(b, text, strlen(text));
	return strbuf_error(b) < 0 ? "" : strbuf_str(b);
}

/* Flush and judge what happened to standard output. */
static int output_finish(void)
{
	if (fflush(stdout) == 0 && !ferror(stdout))
		return EXIT_CODE_OK;
	if (errno == EPIPE)
		return EXIT_CODE_OK;
	complain("Failed to write: %s", strerror(errno));
	return EXIT_CODE_FAILURE;
}

int output_write(const struct strbuf *b)
{
	if (strbuf_error(b) < 0)
		return out_of_memory();
	(void)fwrite(strbuf_str(b), 1, b->len, stdout);
	return output_finish();
}

int output_page(const struct agentctl *ctl, const struct strbuf *b)
{
	struct pager pager;
	int r;

	r = pager_open(&pager, ctl->no_pager);
	if (r < 0) {
		complain("Failed to start the pager: %s", strerror(-r));
		return EXIT_CODE_FAILURE;
	}
	r = output_write(b);
	pager_close(&pager);
	return r;
}

int output_json(const json_t *json)
{
	if (!json)
		return out_of_memory();
	if (json_dumpf(json, stdout, JSON_INDENT(2) | JSON_ENSURE_ASCII) < 0 && !ferror(stdout))
		return out_of_memory();
	(void)fputc('\n', stdout);
	return output_finish();
}
