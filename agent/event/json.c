/* SPDX-License-Identifier: Apache-2.0 */

/*
 * struct event -> one JSON object in one line (documented in agentctl(1)).
 *
 * Every name stands in every object, in one order; what an event does not have is null, so a reader
 * needs no test for presence. Identifiers that use all 64 bits are strings (rule and exec ids
 * hexadecimal, inode numbers decimal, which a file system of the container's own may choose): a
 * number beyond 2^63 would make a strict reader refuse the whole line.
 */

#include "event/event.h"

#include <inttypes.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>

#include "event/words.h"
#include "util/escape.h"
#include "util/strbuf.h"

/* "name": with the comma that is due. */
static void key(struct strbuf *b, const char *name)
{
	if (b->len > 0 && b->data[b->len - 1] != '{')
		strbuf_putc(b, ',');
	strbuf_putc(b, '"');
	strbuf_puts(b, name);
	strbuf_append(b, "\":", 2);
}

static void key_number(struct strbuf *b, const char *name, uint64_t number)
{
	char digits[20];
	size_t at = sizeof(digits);

	/* a row has two dozen of them, and a format is slow */
	do
		digits[--at] = (char)('0' + number % 10);
	while (number /= 10);
	key(b, name);
	strbuf_append(b, digits + at, sizeof(digits) - at);
}

static void key_hex(struct strbuf *b, const char *name, uint64_t number)
{
	key(b, name);
	strbuf_printf(b, "\"%016" PRIx64 "\"", number);
}

static void key_null(struct strbuf *b, const char *name)
{
	key(b, name);
	strbuf_puts(b, "null");
}

static void key_text(struct strbuf *b, const char *name, const char *text)
{
	key(b, name);
	if (text)
		escape_json(b, text, strlen(text));
	else
		strbuf_puts(b, "null");
}

static void key_bytes(struct strbuf *b, const char *name, const struct event_bytes *bytes)
{
	key(b, name);
	if (bytes->len > 0)
		escape_json(b, bytes->data, bytes->len);
	else
		strbuf_puts(b, "null");
}

static void key_open(struct strbuf *b, const char *name)
{
	key(b, name);
	strbuf_putc(b, '{');
}

static void time_put(const struct event *event, struct strbuf *b)
{
	time_t seconds = (time_t)(event->realtime_us / 1000000);
	struct tm tm = {};

	/* RFC 3339 has four digits for the year */
	if (!gmtime_r(&seconds, &tm) || tm.tm_year > 9999 - 1900) {
		key_null(b, "time");
		return;
	}
	key(b, "time");
	strbuf_printf(b, "\"%04d-%02d-%02dT%02d:%02d:%02d.%06uZ\"", tm.tm_year + 1900,
		      tm.tm_mon + 1, tm.tm_mday, tm.tm_hour, tm.tm_min, tm.tm_sec,
		      (unsigned)(event->realtime_us % 1000000));
}

static void boot_put(const struct event *event, struct strbuf *b)
{
	static const char digits[] = "0123456789abcdef";

	key(b, "boot_id");
	strbuf_putc(b, '"');
	for (size_t i = 0; i < sizeof(event->boot_id); i++) {
		strbuf_putc(b, digits[event->boot_id[i] >> 4]);
		strbuf_putc(b, digits[event->boot_id[i] & 15]);
	}
	strbuf_putc(b, '"');
}

static void rule_put(const struct event *event, struct strbuf *b)
{
	if (event->rule_id == 0 && !event->rule_file && !event->rule_text) {
		key_null(b, "rule");
		return;
	}
	key_open(b, "rule");
	key_hex(b, "id", event->rule_id);
	key_text(b, "file", event->rule_file);
	if (event->rule_line > 0)
		key_number(b, "line", event->rule_line);
	else
		key_null(b, "line");
	key_text(b, "text", event->rule_text);
	key_text(b, "severity", policy_severity_to_string(event->severity));
	key_text(b, "message", event->kind == EVENT_AGENT ? NULL : event->message);
	strbuf_putc(b, '}');
}

static void profiles_put(const struct event *event, struct strbuf *b)
{
	if (event->kind != EVENT_GOVERNED) {
		key_null(b, "profiles");
		return;
	}
	key(b, "profiles");
	strbuf_putc(b, '[');
	for (uint32_t i = 0; i < event->n_profiles && i < HT_PROFILES_MAX; i++)
		strbuf_printf(b, "%s%" PRIu32, i > 0 ? "," : "", event->profiles[i]);
	strbuf_putc(b, ']');
}

static void container_put(const struct event *event, struct strbuf *b)
{
	if (!event->container && !event->container_id && !event->runtime && !event->cgroup &&
	    event->cgroup_id == 0) {
		key_null(b, "container");
		return;
	}
	key_open(b, "container");
	key_text(b, "name", event->container);
	key_text(b, "id", event->container_id);
	key_text(b, "runtime", event->runtime);
	key_text(b, "cgroup", event->cgroup);
	key_number(b, "cgroup_id", event->cgroup_id);
	strbuf_putc(b, '}');
}

/* The last argument has its terminator, or was cut before it. */
static void argv_put(const struct event *event, struct strbuf *b)
{
	const uint8_t *p = event->argv.data;
	size_t len = event->argv.len;

	if (len == 0) {
		key_null(b, "argv");
		return;
	}
	key(b, "argv");
	strbuf_putc(b, '[');
	while (len > 0) {
		const uint8_t *end = memchr(p, '\0', len);
		size_t n = end ? (size_t)(end - p) : len;

		if (p != event->argv.data)
			strbuf_putc(b, ',');
		escape_json(b, p, n);
		n += end ? 1 : 0;
		p += n;
		len -= n;
	}
	strbuf_putc(b, ']');
}

static void exit_put(const struct event *event, struct strbuf *b)
{
	int status = event->exit_code;
	bool ended = event->kind == EVENT_EXIT;

	if (ended && !WIFSIGNALED(status))
		key_number(b, "exit_status", (unsigned)WEXITSTATUS(status));
	else
		key_null(b, "exit_status");
	if (ended && WIFSIGNALED(status))
		key_number(b, "exit_signal", (unsigned)WTERMSIG(status));
	else
		key_null(b, "exit_signal");
}

static void process_put(const struct event *event, struct strbuf *b)
{
	if (!event_has_process(event)) {
		key_null(b, "process");
		return;
	}
	key_open(b, "process");
	key_number(b, "pid", event->pid);
	key_number(b, "tid", event->tid);
	key_number(b, "ppid", event->ppid);
	key_number(b, "uid", event->uid);
	key_number(b, "gid", event->gid);
	key_number(b, "start_ns", event->start_ns);
	key_number(b, "parent_start_ns", event->parent_start_ns);
	key_text(b, "comm", event->comm[0] ? event->comm : NULL);
	key_bytes(b, "exe", &event->exe);
	argv_put(event, b);
	key_number(b, "argc", event->argc);
	key_hex(b, "exec_id", event->exec_id);
	exit_put(event, b);
	strbuf_putc(b, '}');
}

static void object_put(const struct event *event, struct strbuf *b)
{
	if (!event_has_object(event)) {
		key_null(b, "object");
		return;
	}
	key_open(b, "object");
	key_bytes(b, "path", &event->path);
	key(b, "dev");
	strbuf_printf(b, "\"%u:%u\"", WORDS_MAJOR(event->dev), WORDS_MINOR(event->dev));
	key(b, "ino");
	strbuf_printf(b, "\"%" PRIu64 "\"", event->ino);
	key_number(b, "generation", event->inode_generation);
	key(b, "mode");
	strbuf_printf(b, "\"%04" PRIo32 "\"", event->mode);
	key_number(b, "nlink", event->nlink);
	strbuf_putc(b, '}');
}

static void flags_put(const struct event *event, struct strbuf *b)
{
	const char *comma = "";

	key(b, "flags");
	strbuf_putc(b, '[');
	for (uint32_t bit = 1; bit != 0; bit <<= 1) {
		if (!(event->flags & EVENT_FLAGS & bit))
			continue;
		strbuf_printf(b, "%s\"%s\"", comma, event_flag_to_string(bit));
		comma = ",";
	}
	strbuf_putc(b, ']');
}

static void sentence_put(const struct event *event, struct strbuf *b)
{
	_cleanup_strbuf_ struct strbuf sentence = {};

	event_render_sentence(event, &sentence);
	if (strbuf_error(&sentence) < 0)
		b->failed = true;
	key_text(b, "message", strbuf_str(&sentence));
}

void event_render_json(const struct event *event, struct strbuf *b)
{
	/* built apart: whatever the caller's buffer ends with must not look like an open object */
	_cleanup_strbuf_ struct strbuf o = {};
	bool judged = event_has_object(event) || event->kind == EVENT_LOSS;

	strbuf_putc(&o, '{');
	if (event->id > 0)
		key_number(&o, "id", (uint64_t)event->id);
	else
		key_null(&o, "id");
	time_put(event, &o);
	boot_put(event, &o);
	key_number(&o, "boottime_ns", event->boottime_ns);
	key_number(&o, "cpu", event->cpu);
	key_number(&o, "seq", event->seq);
	key_text(&o, "kind", event_kind_to_string(event->kind));
	key_text(&o, "notice",
		 event->kind == EVENT_AGENT ? event_notice_to_string(event->notice) : NULL);
	key_text(&o, "verdict", judged ? event_verdict_to_string(event->verdict) : NULL);
	key_text(&o, "reason",
		 event_has_object(event) ? event_reason_to_string(event->reason) : NULL);
	key_text(&o, "op", event->op ? words_op(event) : NULL);
	key_number(&o, "count", event->count);
	key_number(&o, "first_ns", event->first_ns);
	key_number(&o, "last_ns", event->last_ns);
	key_text(&o, "severity", policy_severity_to_string(event->severity));
	key_text(&o, "policy", event->policy);
	rule_put(event, &o);
	key_number(&o, "generation", event->generation);
	key_number(&o, "profile", event->profile);
	profiles_put(event, &o);
	container_put(event, &o);
	process_put(event, &o);
	object_put(event, &o);
	flags_put(event, &o);
	sentence_put(event, &o);
	strbuf_putc(&o, '}');
	if (strbuf_error(&o) < 0)
		b->failed = true;
	strbuf_append(b, o.data, o.failed ? 0 : o.len);
}
