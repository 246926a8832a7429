/* SPDX-License-Identifier: Apache-2.0 */

/* struct event -> fields of a journal entry. The journal takes any bytes in a value, so names go
 * there raw; only MESSAGE, which programs print without looking, is escaped text. */

#include "event/event.h"

#include <assert.h>
#include <errno.h>
#include <inttypes.h>
#include <string.h>
#include <sys/uio.h>

#include "event/words.h"
#include "util/strbuf.h"

#define FIELDS_MAX 48

struct event_alert {
	struct strbuf text; /* all fields, one behind the other */
	size_t ends[FIELDS_MAX];
	struct iovec fields[FIELDS_MAX];
	size_t n;
};

const char *event_message_id(const struct event *event)
{
	static const char *const notices[_EVENT_NOTICE_MAX] = {
		[EVENT_NOTICE_READY] = EVENT_MESSAGE_READY,
		[EVENT_NOTICE_STOPPED] = EVENT_MESSAGE_STOPPED,
		[EVENT_NOTICE_PUBLISHED] = EVENT_MESSAGE_POLICY_PUBLISHED,
		[EVENT_NOTICE_STALE] = EVENT_MESSAGE_POLICY_STALE,
		[EVENT_NOTICE_STORE] = EVENT_MESSAGE_STORE,
		[EVENT_NOTICE_TAMPERED] = EVENT_MESSAGE_TAMPERED,
		[EVENT_NOTICE_TRIAL] = EVENT_MESSAGE_POLICY_TRIAL,
		[EVENT_NOTICE_CONFIRMED] = EVENT_MESSAGE_POLICY_CONFIRMED,
		[EVENT_NOTICE_ROLLED_BACK] = EVENT_MESSAGE_POLICY_ROLLED_BACK,
		[EVENT_NOTICE_DISARMED] = EVENT_MESSAGE_DISARMED,
		[EVENT_NOTICE_ARMED] = EVENT_MESSAGE_ARMED,
	};

	if (event->kind == EVENT_LOSS)
		return EVENT_MESSAGE_LOSS;
	if (event->kind == EVENT_AGENT)
		return (size_t)event->notice < _EVENT_NOTICE_MAX ? notices[event->notice] : NULL;
	if (!event_has_object(event))
		return NULL;
	if (event->verdict != HT_VERDICT_DENY && event->verdict != HT_VERDICT_KILL &&
	    event->verdict != HT_VERDICT_WOULD_DENY)
		return NULL;
	if (event->kind == EVENT_AGGREGATE)
		return EVENT_MESSAGE_FLOOD;
	return event->verdict == HT_VERDICT_WOULD_DENY ? EVENT_MESSAGE_WOULD_REFUSE
						       : EVENT_MESSAGE_REFUSED;
}

int event_priority(const struct event *event)
{
	static const int of_verdicts[_POLICY_SEVERITY_MAX] = {6, 6, 5, 4, 2};
	static const int of_system[_POLICY_SEVERITY_MAX] = {6, 5, 4, 3, 2};
	size_t severity = (size_t)event->severity;

	if (severity >= _POLICY_SEVERITY_MAX)
		severity = POLICY_SEVERITY_HIGH;
	/* evidence that is missing is an error, whoever reports it with whatever severity */
	if (event->kind == EVENT_LOSS && severity < POLICY_SEVERITY_HIGH)
		severity = POLICY_SEVERITY_HIGH;
	return event->kind == EVENT_LOSS || event->kind == EVENT_AGENT ? of_system[severity]
								       : of_verdicts[severity];
}

static void end(struct event_alert *alert)
{
	assert(alert->n < FIELDS_MAX);
	alert->ends[alert->n++] = alert->text.len;
}

static void field_bytes(struct event_alert *alert, const char *name, const void *data, size_t len)
{
	if (len == 0)
		return;
	strbuf_puts(&alert->text, name);
	strbuf_putc(&alert->text, '=');
	strbuf_append(&alert->text, data, len);
	end(alert);
}

static void field_text(struct event_alert *alert, const char *name, const char *text)
{
	field_bytes(alert, name, text, text ? strlen(text) : 0);
}

static void field_number(struct event_alert *alert, const char *name, uint64_t number)
{
	strbuf_printf(&alert->text, "%s=%" PRIu64, name, number);
	end(alert);
}

static void fields_message(struct event_alert *alert, const struct event *event)
{
	strbuf_puts(&alert->text, "MESSAGE=");
	event_render_sentence(event, &alert->text);
	end(alert);
	field_text(alert, "MESSAGE_ID", event_message_id(event));
	field_number(alert, "PRIORITY", (uint64_t)event_priority(event));
	field_text(alert, "HAETAE_KIND", event_kind_to_string(event->kind));
	if (event->kind == EVENT_AGENT)
		field_text(alert, "HAETAE_NOTICE", event_notice_to_string(event->notice));
	field_text(alert, "HAETAE_SEVERITY", policy_severity_to_string(event->severity));
	field_number(alert, "HAETAE_COUNT", event->count);
	field_number(alert, "HAETAE_GENERATION", event->generation);
	field_number(alert, "HAETAE_BOOTTIME_NS", event->boottime_ns);
	field_number(alert, "HAETAE_CPU", event->cpu);
	field_number(alert, "HAETAE_SEQ", event->seq);
}

static void fields_rule(struct event_alert *alert, const struct event *event)
{
	field_text(alert, "HAETAE_POLICY", event->policy);
	field_text(alert, "HAETAE_RULE", event->rule_text);
	if (event->rule_id != 0) {
		strbuf_printf(&alert->text, "HAETAE_RULE_ID=%016" PRIx64, event->rule_id);
		end(alert);
	}
	field_text(alert, "HAETAE_RULE_FILE", event->rule_file);
	if (event->rule_line != 0)
		field_number(alert, "HAETAE_RULE_LINE", event->rule_line);
	if (event->kind != EVENT_AGENT)
		field_text(alert, "HAETAE_RULE_MESSAGE", event->message);
}

static void fields_place(struct event_alert *alert, const struct event *event)
{
	field_text(alert, "HAETAE_CONTAINER", event->container);
	field_text(alert, "HAETAE_CONTAINER_ID", event->container_id);
	field_text(alert, "HAETAE_RUNTIME", event->runtime);
	field_text(alert, "HAETAE_CGROUP", event->cgroup);
	if (event->cgroup_id != 0)
		field_number(alert, "HAETAE_CGROUP_ID", event->cgroup_id);
}

static void fields_object(struct event_alert *alert, const struct event *event)
{
	field_text(alert, "HAETAE_VERDICT", event_verdict_to_string(event->verdict));
	if (event->kind == EVENT_LOSS)
		return;
	field_text(alert, "HAETAE_REASON", event_reason_to_string(event->reason));
	if (event->op != 0)
		field_text(alert, "HAETAE_OP", words_op(event));
	field_bytes(alert, "HAETAE_PATH", event->path.data, event->path.len);
	strbuf_printf(&alert->text, "HAETAE_DEV=%u:%u", WORDS_MAJOR(event->dev),
		      WORDS_MINOR(event->dev));
	end(alert);
	field_number(alert, "HAETAE_INODE", event->ino);
}

static void fields_process(struct event_alert *alert, const struct event *event)
{
	field_bytes(alert, "HAETAE_EXE", event->exe.data, event->exe.len);
	field_text(alert, "HAETAE_COMM", event->comm);
	field_number(alert, "HAETAE_PID", event->pid);
	field_number(alert, "HAETAE_PPID", event->ppid);
	field_number(alert, "HAETAE_UID", event->uid);
	field_number(alert, "HAETAE_GID", event->gid);
	field_number(alert, "HAETAE_START_NS", event->start_ns);
	if (event->argv.len > 0) {
		size_t start = alert->text.len + strlen("HAETAE_ARGV=");
		size_t len = event->argv.len;

		if (event->argv.data[len - 1] == '\0')
			len--;
		field_bytes(alert, "HAETAE_ARGV", event->argv.data, len);
		for (size_t i = start; !alert->text.failed && i < alert->text.len; i++)
			if (alert->text.data[i] == '\0')
				alert->text.data[i] = ' ';
	}
}

int event_alert_new(const struct event *event, struct event_alert **ret)
{
	struct event_alert *alert = calloc(1, sizeof(*alert));
	size_t start = 0;

	if (!alert)
		return -ENOMEM;
	fields_message(alert, event);
	fields_rule(alert, event);
	fields_place(alert, event);
	if (event_has_object(event) || event->kind == EVENT_LOSS)
		fields_object(alert, event);
	if (event_has_process(event))
		fields_process(alert, event);
	if (strbuf_error(&alert->text) < 0) {
		(void)event_alert_free(alert);
		return -ENOMEM;
	}
	/* the buffer moves no more: its parts have addresses now */
	for (size_t i = 0; i < alert->n; i++) {
		alert->fields[i] = (struct iovec){.iov_base = alert->text.data + start,
						  .iov_len = alert->ends[i] - start};
		start = alert->ends[i];
	}
	*ret = alert;
	return 0;
}

struct event_alert *event_alert_free(struct event_alert *alert)
{
	if (alert)
		strbuf_deinit(&alert->text);
	free(alert);
	return NULL;
}

const struct iovec *event_alert_fields(const struct event_alert *alert, size_t *ret_n)
{
	*ret_n = alert->n;
	return alert->fields;
}
