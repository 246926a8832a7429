/* SPDX-License-Identifier: Apache-2.0 */

/* struct event -> one sentence, for `agentctl explain` and MESSAGE= of the journal. Names are
 * escaped and in ticks. */

#include "event/event.h"

#include <inttypes.h>
#include <string.h>

#include "event/words.h"
#include "util/escape.h"
#include "util/strbuf.h"

static void quote(struct strbuf *b, const char *s)
{
	strbuf_putc(b, '\'');
	escape_text(b, s, strlen(s));
	strbuf_putc(b, '\'');
}

static const char *verdict_verb(uint8_t verdict)
{
	static const char *const verbs[HT_VERDICT_MAX] = {
		[HT_VERDICT_ALLOW] = "Allowed",
		[HT_VERDICT_DENY] = "Refused",
		[HT_VERDICT_WOULD_DENY] = "Would have refused",
		[HT_VERDICT_AUDIT] = "Recorded",
		[HT_VERDICT_KILL] = "Refused, and killed the process for it,",
		[HT_VERDICT_SELF_TEST] = "Refused, as the agent's own test,",
	};

	return verdict < HT_VERDICT_MAX ? verbs[verdict] : "Recorded";
}

static const char *op_noun(uint32_t op)
{
	switch (op) {
	case HT_OP_READ:
		return "read of";
	case HT_OP_WRITE:
		return "write to";
	case HT_OP_CREATE:
		return "creation of";
	case HT_OP_DELETE:
		return "deletion of";
	case HT_OP_RENAME:
		return "renaming of";
	case HT_OP_LINK:
		return "linking of";
	case HT_OP_ATTR:
		return "attribute change of";
	case HT_OP_MAP:
	case HT_OP_MAP_LIBRARY:
		return "executable mapping of";
	case HT_OP_EXEC:
		return "execution of";
	default:
		return "access to";
	}
}

/* An act on the kernel: most have no object, few one with a name. */
static bool kernel_say(const struct event *event, struct strbuf *b)
{
	static const char *const acts[HT_KERNEL_MAX] = {
		[HT_KERNEL_MOUNT] = "a change of mounts",
		[HT_KERNEL_PTRACE] = "reach into another process",
		[HT_KERNEL_MODULE] = "loading of a module",
		[HT_KERNEL_KEXEC] = "another kernel or a restart",
		[HT_KERNEL_BPF] = "bpf()",
		[HT_KERNEL_PERF] = "perf_event_open()",
		[HT_KERNEL_DEVICE] = "a device",
		[HT_KERNEL_SYSCTL] = "writing to the kernel's controls",
		[HT_KERNEL_CLOCK] = "setting of the clock",
		[HT_KERNEL_NAMESPACES] = "a change of namespaces",
		[HT_KERNEL_IO_URING_SQPOLL] = "work of io_uring in another's place",
	};

	for (uint32_t line = 0; line < HT_KERNEL_MAX; line++) {
		if (event->op != HT_KERNEL_OP(line))
			continue;
		strbuf_puts(b, acts[line]);
		if (event->path.len > 0) {
			strbuf_puts(b, " ('");
			(void)words_object(event, b);
			strbuf_puts(b, "')");
		}
		return true;
	}
	return false;
}

static void object_say(const struct event *event, struct strbuf *b)
{
	if (event->path.len > 0) {
		strbuf_putc(b, '\'');
		(void)words_object(event, b);
		strbuf_putc(b, '\'');
	} else if (event->ino != 0) {
		strbuf_puts(b, "the object at ");
		words_identity(event, b);
	} else {
		strbuf_puts(b, "an object without a name");
	}
	if (event->flags & HT_RECORD_DELETED)
		strbuf_puts(b, " (deleted)");
	if (event->flags & HT_RECORD_IDENTITY)
		strbuf_puts(b, " (another name of what the rule names)");
}

static void subject_say(const struct event *event, struct strbuf *b)
{
	size_t start = b->len;

	strbuf_putc(b, '\'');
	if (words_subject(event, b)) {
		strbuf_puts(b, "' (pid ");
	} else {
		/* nothing but the tick was said */
		if (!b->failed)
			b->data[b->len = start] = '\0';
		strbuf_puts(b, "a process (pid ");
	}
	strbuf_printf(b, "%" PRIu32 ", uid %" PRIu32 ")", event->pid, event->uid);
}

/* "container 'web'", "cgroup '/a/b'", "cgroup 17". Return: false if nothing is known. */
static bool place_say(const struct event *event, struct strbuf *b, const char *before)
{
	if (!event->container && !event->cgroup && event->cgroup_id == 0)
		return false;
	strbuf_puts(b, before);
	if (event->container) {
		strbuf_puts(b, "container ");
		quote(b, event->container);
	} else if (event->cgroup) {
		strbuf_puts(b, "cgroup ");
		quote(b, event->cgroup);
	} else {
		strbuf_printf(b, "cgroup %" PRIu64, event->cgroup_id);
	}
	return true;
}

/* What decided: the reason, if it is not the policy's rule; the policy; the rule; its message. */
static void cause_say(const struct event *event, struct strbuf *b)
{
	const char *reason = words_reason(event->reason), *between = ": ";

	if (reason) {
		strbuf_printf(b, ": %s", reason);
		between = "; ";
	}
	if (event->policy) {
		strbuf_printf(b, "%spolicy ", between);
		quote(b, event->policy);
		between = ", ";
	}
	if (event->rule_text) {
		strbuf_printf(b, "%srule ", between);
		escape_text(b, event->rule_text, strlen(event->rule_text));
	}
	if (event->rule_file) {
		strbuf_puts(b, " (");
		words_rule_place(event, b);
		strbuf_putc(b, ')');
	}
	if (event->message) {
		strbuf_puts(b, "; ");
		escape_text(b, event->message, strlen(event->message));
	}
}

static void verdict_say(const struct event *event, struct strbuf *b)
{
	strbuf_puts(b, verdict_verb(event->verdict));
	if (event->kind == EVENT_AGGREGATE)
		strbuf_printf(b, " %" PRIu64 " times in %.3f s", event->count,
			      (double)(event->last_ns - event->first_ns) / 1e9);
	strbuf_putc(b, ' ');
	if (!kernel_say(event, b)) {
		strbuf_printf(b, "%s ", op_noun(event->op));
		object_say(event, b);
	}
	strbuf_puts(b, event->kind == EVENT_AGGREGATE ? ", last by " : " by ");
	subject_say(event, b);
	(void)place_say(event, b, " in ");
	cause_say(event, b);
}

static void loss_say(const struct event *event, struct strbuf *b)
{
	strbuf_printf(b, "Could not record %" PRIu64 " verdict%s of '%s'", event->count,
		      event->count == 1 ? "" : "s", event_verdict_to_string(event->verdict));
	(void)place_say(event, b, " in ");
	strbuf_puts(b, "; what was decided held all the same");
}

static void governed_say(const struct event *event, struct strbuf *b)
{
	if (!place_say(event, b, ""))
		strbuf_puts(b, "A cgroup");
	strbuf_puts(b, " came under ");
	if (event->policy) {
		strbuf_puts(b, "policy ");
		quote(b, event->policy);
	} else {
		strbuf_puts(b, event->n_profiles > 1 ? "policies" : "a policy");
	}
}

void event_render_sentence(const struct event *event, struct strbuf *b)
{
	switch (event->kind) {
	case EVENT_VERDICT:
	case EVENT_AGGREGATE:
		verdict_say(event, b);
		return;
	case EVENT_EXIT:
		subject_say(event, b);
		(void)place_say(event, b, " in ");
		strbuf_putc(b, ' ');
		words_exit(event, b);
		return;
	case EVENT_GOVERNED:
		governed_say(event, b);
		return;
	case EVENT_RELEASED:
		if (!place_say(event, b, ""))
			strbuf_puts(b, "A cgroup");
		strbuf_puts(b, " is gone");
		return;
	case EVENT_LOSS:
		loss_say(event, b);
		return;
	case EVENT_AGENT:
		if (event->message)
			escape_text(b, event->message, strlen(event->message));
		else
			strbuf_printf(b, "Agent: %s", event_notice_to_string(event->notice));
		return;
	case _EVENT_KIND_MAX:
		break;
	}
	strbuf_puts(b, "Unknown event");
}
