/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Any bytes as a ring record, through event_decode() and everything that shows an event:
 * agent/event/decode.c, cells.c, words.c, render.c, sentence.c, json.c, alert.c. Beyond memory
 * errors it looks for control characters that reach a terminal and for JSON that a strict reader
 * refuses.
 */

#include <jansson.h>
#include <stdlib.h>
#include <string.h>
#include <sys/uio.h>

#include "event/cells.h"
#include "event/event.h"
#include "util/strbuf.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void expect(bool condition)
{
	if (!condition)
		abort();
}

static void check_terminal(const struct strbuf *b)
{
	expect(!b->failed);
	for (size_t i = 0; i < b->len; i++)
		expect((unsigned char)b->data[i] >= 0x20 && b->data[i] != 0x7f);
}

/* Lone surrogates stand for bytes that are no text; jansson knows only pairs. */
static void surrogates_replace(struct strbuf *b)
{
	for (char *p = b->data; (p = strstr(p, "\\udc")); p += 4) {
		size_t slashes = 0;

		while (p - slashes > b->data && p[-1 - (ptrdiff_t)slashes] == '\\')
			slashes++;
		if (slashes % 2 == 0)
			memcpy(p + 2, "e0", 2);
	}
}

static void check_json(const struct event *event)
{
	_cleanup_strbuf_ struct strbuf b = {};
	json_t *object;

	event_render_json(event, &b);
	expect(!b.failed && !memchr(b.data, '\n', b.len));
	surrogates_replace(&b);
	object = json_loadb(b.data, b.len, JSON_REJECT_DUPLICATES | JSON_ALLOW_NUL, NULL);
	expect(object != NULL);
	json_decref(object);
}

static void check_table(const struct event *event)
{
	static const unsigned widths[] = {0, 80, 121, 200};

	for (size_t i = 0; i < ARRAY_LEN(widths); i++) {
		_cleanup_strbuf_ struct strbuf b = {};

		event_render_line(event, &b, EVENT_RENDER_UTC, widths[i]);
		check_terminal(&b);
		expect(widths[i] == 0 || cells_width(b.data, b.len) <= widths[i] + 14);
	}
}

static void check_alert(const struct event *event)
{
	struct event_alert *alert;
	const struct iovec *fields;
	size_t n;

	expect(event_alert_new(event, &alert) == 0);
	fields = event_alert_fields(alert, &n);
	for (size_t i = 0; i < n; i++)
		expect(memchr(fields[i].iov_base, '=', fields[i].iov_len) != NULL);
	(void)event_alert_free(alert);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct event_clock clock = {.realtime_offset_ns = 1700000000000000000LL};
	_cleanup_strbuf_ struct strbuf sentence = {};
	struct event event, copy;

	if (event_decode(data, size, &clock, &event) != 0)
		return 0;
	expect(event_copy(&event, &copy) == 0);
	event_deinit(&event);
	event_render_sentence(&copy, &sentence);
	check_terminal(&sentence);
	check_table(&copy);
	check_json(&copy);
	check_alert(&copy);
	event_deinit(&copy);
	return 0;
}
