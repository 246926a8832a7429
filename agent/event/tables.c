/* SPDX-License-Identifier: Apache-2.0 */

/* The words of events: one table for each enum, read in both directions. */

#include "event/event.h"

#include <errno.h>
#include <string.h>

#include "util/cleanup.h"

static const char *const event_kinds[_EVENT_KIND_MAX] = {
	[EVENT_VERDICT] = "verdict",   [EVENT_AGGREGATE] = "aggregate", [EVENT_EXIT] = "exit",
	[EVENT_GOVERNED] = "governed", [EVENT_RELEASED] = "released",	[EVENT_LOSS] = "loss",
	[EVENT_AGENT] = "agent",
};

static const char *const event_notices[_EVENT_NOTICE_MAX] = {
	[EVENT_NOTICE_NONE] = "none",	    [EVENT_NOTICE_READY] = "ready",
	[EVENT_NOTICE_STOPPED] = "stopped", [EVENT_NOTICE_PUBLISHED] = "published",
	[EVENT_NOTICE_STALE] = "stale",	    [EVENT_NOTICE_STORE] = "store",
	[EVENT_NOTICE_TAMPERED] = "tampered",
	[EVENT_NOTICE_TRIAL] = "trial",	    [EVENT_NOTICE_CONFIRMED] = "confirmed",
	[EVENT_NOTICE_ROLLED_BACK] = "rolled-back", [EVENT_NOTICE_DISARMED] = "disarmed",
	[EVENT_NOTICE_ARMED] = "armed",
};

static const char *const event_verdicts[HT_VERDICT_MAX] = {
	[HT_VERDICT_ALLOW] = "allow",
	[HT_VERDICT_DENY] = "deny",
	[HT_VERDICT_WOULD_DENY] = "would-deny",
	[HT_VERDICT_AUDIT] = "audit",
	[HT_VERDICT_KILL] = "kill",
	[HT_VERDICT_SELF_TEST] = "self-test",
};

static const char *const event_reasons[HT_REASON_MAX] = {
	[HT_REASON_NONE] = "none",
	[HT_REASON_POLICY] = "policy",
	[HT_REASON_FOREIGN] = "foreign-mount",
	[HT_REASON_DEPTH] = "depth",
	[HT_REASON_MOVING] = "moving",
	[HT_REASON_UNRESOLVED] = "unresolved",
	[HT_REASON_ANONYMOUS] = "anonymous",
	[HT_REASON_LABEL] = "label",
	[HT_REASON_PROFILE] = "profile",
	[HT_REASON_WRITABLE] = "writable",
	[HT_REASON_ORIGIN] = "origin",
	[HT_REASON_FROZEN] = "frozen",
	[HT_REASON_KERNEL] = "kernel",
	[HT_REASON_GUARD] = "guard",
	[HT_REASON_AMBIGUOUS] = "ambiguous",
};

static const struct {
	uint32_t flag;
	const char *word;
} event_flags[] = {
	{HT_RECORD_PATH_TRUNCATED, "path-truncated"},
	{HT_RECORD_EXE_TRUNCATED, "exe-truncated"},
	{HT_RECORD_ARGV_TRUNCATED, "argv-truncated"},
	{HT_RECORD_DELETED, "deleted"},
	{HT_RECORD_STRAIGHT, "straight"},
	{HT_RECORD_FIRST_EXEC, "first-exec"},
	{HT_RECORD_IDENTITY, "identity"},
};

static const char *table_to_string(const char *const *table, size_t n, size_t code)
{
	return code < n ? table[code] : "unknown";
}

static int table_from_string(const char *const *table, size_t n, const char *s, size_t *ret)
{
	for (size_t i = 0; i < n; i++) {
		if (strcmp(table[i], s) == 0) {
			*ret = i;
			return 0;
		}
	}
	return -EINVAL;
}

const char *event_kind_to_string(enum event_kind kind)
{
	return table_to_string(event_kinds, ARRAY_LEN(event_kinds), (size_t)kind);
}

int event_kind_from_string(const char *s, enum event_kind *ret)
{
	size_t code;
	int r = table_from_string(event_kinds, ARRAY_LEN(event_kinds), s, &code);

	if (r == 0)
		*ret = (enum event_kind)code;
	return r;
}

const char *event_notice_to_string(enum event_notice notice)
{
	return table_to_string(event_notices, ARRAY_LEN(event_notices), (size_t)notice);
}

const char *event_verdict_to_string(uint8_t verdict)
{
	return table_to_string(event_verdicts, ARRAY_LEN(event_verdicts), verdict);
}

int event_verdict_from_string(const char *s, uint8_t *ret)
{
	size_t code;
	int r = table_from_string(event_verdicts, ARRAY_LEN(event_verdicts), s, &code);

	if (r == 0)
		*ret = (uint8_t)code;
	return r;
}

const char *event_reason_to_string(uint8_t reason)
{
	return table_to_string(event_reasons, ARRAY_LEN(event_reasons), reason);
}

const char *event_flag_to_string(uint32_t flag)
{
	for (size_t i = 0; i < ARRAY_LEN(event_flags); i++)
		if (event_flags[i].flag == flag)
			return event_flags[i].word;
	return "unknown";
}
