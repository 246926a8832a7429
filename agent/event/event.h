/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * One thing that happened, as plain values: what the kernel told (ring record or aggregate) plus what
 * userspace knows about it (policy, rule, container). Names are raw bytes everywhere; they are escaped
 * where they leave (util/escape.h).
 *
 * An event borrows nothing: event_deinit() frees every text in it, or gives up its share of it.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "abi.h"
#include "policy/policy.h"

struct event_bytes {
	uint8_t *data; /* NULL when len is 0; not terminated */
	size_t len;
};

/* Names that many events have, and each a share of: of a rule (policy, rule_file, rule_text, message), or of a place (cgroup,
 * container, container_id, runtime). Nothing of them changes; the last share, given up in whichever thread, frees them. */
#define EVENT_NAMES 4
struct event_names {
	unsigned shares;
	char *texts[EVENT_NAMES]; /* in the order above; NULL: unknown */
	char room[];
};

/* A terminated copy. Return: NULL if there is nothing, a NUL in it, or no memory. */
char *event_bytes_text(const struct event_bytes *bytes);

enum event_kind {
	EVENT_VERDICT,	  /* one verdict of one task */
	EVENT_AGGREGATE,  /* `count` verdicts of one kind, beyond a container's rate */
	EVENT_EXIT,	  /* a governed process ended */
	EVENT_GOVERNED,	  /* a cgroup came under a policy */
	EVENT_RELEASED,	  /* a governed cgroup is gone */
	EVENT_LOSS,	  /* `count` verdicts could not be recorded; verdict tells their kind */
	EVENT_AGENT,	  /* the agent itself: start, stop, reload, failed reload; message tells */
	_EVENT_KIND_MAX,
};

/* What an EVENT_AGENT is about; every other kind carries EVENT_NOTICE_NONE. */
enum event_notice {
	EVENT_NOTICE_NONE,
	EVENT_NOTICE_READY,	/* enforcement was seen to work */
	EVENT_NOTICE_STOPPED,	/* the agent ends; what it published stays in force */
	EVENT_NOTICE_PUBLISHED, /* a policy set came into force */
	EVENT_NOTICE_STALE,	/* a policy file is broken, its last good version stays */
	EVENT_NOTICE_STORE,	/* the verdict store failed, was set aside, or works again */
	EVENT_NOTICE_TAMPERED,	/* somebody took away what keeps the enforcement in place */
	EVENT_NOTICE_TRIAL,	/* a policy file is in force until it is confirmed or its time is over */
	EVENT_NOTICE_CONFIRMED, /* ... was confirmed */
	EVENT_NOTICE_ROLLED_BACK, /* ... was taken back */
	EVENT_NOTICE_DISARMED,	/* a container, or everything, is only audited for a time */
	EVENT_NOTICE_ARMED,	/* ... refuses again */
	_EVENT_NOTICE_MAX,
};

struct event {
	int64_t id; /* row in the store; 0 before it is stored */
	enum event_kind kind;
	enum event_notice notice;
	uint8_t verdict; /* HT_VERDICT_* */
	uint8_t reason;	 /* HT_REASON_* */
	uint32_t op;	 /* one HT_OP_* bit, 0: none */
	uint32_t flags;	 /* HT_RECORD_* */
	enum policy_severity severity;

	/* when and in which order: (boot_id, boottime, cpu, seq) orders all events for good */
	uint64_t boottime_ns;
	uint64_t realtime_us; /* wall clock, from boottime at decode time */
	uint32_t cpu;
	uint64_t seq;

	uint64_t count; /* 1 for a single verdict */
	uint64_t first_ns, last_ns; /* boottime span of an aggregate */

	uint32_t profile;
	uint32_t generation;
	uint32_t n_profiles; /* EVENT_GOVERNED: all profiles that bind the cgroup; `profile` is the first */
	uint32_t profiles[HT_PROFILES_MAX];
	char *message;	   /* the rule's message; text of EVENT_AGENT */

	uint32_t pid, tid, ppid, uid, gid, argc;
	uint64_t start_ns, parent_start_ns; /* boottime: pid + start is unique in a boot */
	uint64_t exec_id;
	int32_t exit_code;
	char comm[17]; /* terminated */
	struct event_bytes exe;
	struct event_bytes argv; /* NUL-separated */

	struct event_bytes path;
	uint32_t dev;
	uint64_t ino;
	uint32_t inode_generation;
	uint32_t mode;
	uint32_t nlink;

	/* From here on: what many events have in common, told apart from the rest (store/row.c). */
	uint8_t boot_id[16];

	uint64_t rule_id; /* 0: no single rule decided */
	char *policy;	   /* NULL: unknown */
	char *rule_file;   /* where the rule stands; NULL: none */
	char *rule_text;   /* "exec.deny /usr/bin/curl" */
	uint32_t rule_line;

	uint64_t cgroup_id;
	char *cgroup;	    /* path in the hierarchy; NULL: unknown */
	char *container;    /* name for people ("web", "nginx.service"); NULL: unknown */
	char *container_id; /* the runtime's id; NULL: none */
	char *runtime;	    /* "podman", "docker", "systemd", ...; NULL: unknown */

	/* whose texts these are; NULL: each is the event's own */
	struct event_names *of_rule;  /* policy, rule_file, rule_text, message */
	struct event_names *of_place; /* cgroup, container, container_id, runtime */
	uint8_t *of_record;	      /* exe, argv, path: one allocation for all three */
};

void event_deinit(struct event *event); /* zeroes it */
/* Deep copy, names in common aside. Return: 0 or -ENOMEM (then *ret is zeroed). */
int event_copy(const struct event *event, struct event *ret);

/* Names with one share, the caller's. Return: NULL: no memory. */
struct event_names *event_names_new(const char *const texts[EVENT_NAMES]);
struct event_names *event_names_unref(struct event_names *names); /* NULL is fine; returns NULL */
/* Give an event a share of these names, in the place of what it has. */
void event_set_rule(struct event *event, struct event_names *names);
void event_set_place(struct event *event, struct event_names *names);

/* Words <-> codes, one table each; unknown codes say "unknown", unknown words -EINVAL. */
const char *event_kind_to_string(enum event_kind kind); /* "verdict", "aggregate", "exit", ... */
int event_kind_from_string(const char *s, enum event_kind *ret);
const char *event_verdict_to_string(uint8_t verdict); /* "deny", "would-deny", "audit", "kill", "allow" */
int event_verdict_from_string(const char *s, uint8_t *ret);
const char *event_reason_to_string(uint8_t reason); /* "policy", "foreign-mount", "depth", ... */
const char *event_notice_to_string(enum event_notice notice); /* "ready", "stale", ... */
/* One HT_RECORD_* bit -> "path-truncated", ...; every bit of EVENT_FLAGS has a word. */
const char *event_flag_to_string(uint32_t flag);
#define EVENT_FLAGS                                                                          \
	(HT_RECORD_PATH_TRUNCATED | HT_RECORD_EXE_TRUNCATED | HT_RECORD_ARGV_TRUNCATED |     \
	 HT_RECORD_DELETED | HT_RECORD_STRAIGHT | HT_RECORD_FIRST_EXEC |       \
	 HT_RECORD_IDENTITY)

/* Does the event tell of a process (pid, uid, exe)? Of an object (path, device, inode)? */
bool event_has_process(const struct event *event);
bool event_has_object(const struct event *event);

/* ---- decode.c: untrusted bytes of a ring -> event ---- */

/* What decode cannot know from the record alone. */
struct event_clock {
	uint8_t boot_id[16];
	int64_t realtime_offset_ns; /* CLOCK_REALTIME - CLOCK_BOOTTIME */
};
int event_clock_read(struct event_clock *ret);

/* Decode one record as it lies in the ring (only what the kernel wrote; every offset is checked).
 * Return: 0, the caller enriches and deinits; EVENT_E_DECODE: not a record this version knows (counted by
 * the caller, never ignored); -ENOMEM. */
#define EVENT_E_DECODE 1
int event_decode(const void *record, size_t size, const struct event_clock *clock,
		 struct event *ret);
int event_from_aggregate(const struct ht_aggregate_key *key, const struct ht_aggregate *value,
			 const struct event_clock *clock, struct event *ret);

/* ---- render.c: event -> text ---- */

enum event_render_flags {
	EVENT_RENDER_COLOR = 1 << 0,
	EVENT_RENDER_UTC = 1 << 1,
	EVENT_RENDER_FULL = 1 << 2, /* do not shorten columns */
};

struct strbuf;
/* One line of the table, without a line end: TIME VERDICT CONTAINER OP OBJECT BY POLICY RULE. Local time, or
 * UTC. width: cells of the terminal (below 80 counts as 80); columns adapt to it and what is too long
 * is shortened in the middle. FULL, or width 0: nothing is shortened. */
void event_render_header(struct strbuf *b, unsigned flags, unsigned width);
void event_render_line(const struct event *event, struct strbuf *b, unsigned flags,
		       unsigned width);
/* One JSON object in one line, without a line end: every field, stable names in one order (documented in
 * agentctl(1)), null where the event has nothing to say. Byte strings are escaped as util/escape.h says. */
void event_render_json(const struct event *event, struct strbuf *b);
/* One sentence for people and the journal: "Refused read of '/etc/shadow' by ...". */
void event_render_sentence(const struct event *event, struct strbuf *b);

/* ---- alert.c: event -> fields of a journal entry ---- */

/* 128-bit message ids, documented in the journal catalog. */
#define EVENT_MESSAGE_REFUSED "7d1f6d3a4b6e4d4c9c0e0f2a5b8c1e01"
#define EVENT_MESSAGE_WOULD_REFUSE "7d1f6d3a4b6e4d4c9c0e0f2a5b8c1e02"
#define EVENT_MESSAGE_FLOOD "7d1f6d3a4b6e4d4c9c0e0f2a5b8c1e03"
#define EVENT_MESSAGE_LOSS "7d1f6d3a4b6e4d4c9c0e0f2a5b8c1e04"
#define EVENT_MESSAGE_POLICY_STALE "7d1f6d3a4b6e4d4c9c0e0f2a5b8c1e05"
#define EVENT_MESSAGE_POLICY_PUBLISHED "7d1f6d3a4b6e4d4c9c0e0f2a5b8c1e06"
#define EVENT_MESSAGE_READY "7d1f6d3a4b6e4d4c9c0e0f2a5b8c1e07"
#define EVENT_MESSAGE_STORE "7d1f6d3a4b6e4d4c9c0e0f2a5b8c1e08"
#define EVENT_MESSAGE_STOPPED "7d1f6d3a4b6e4d4c9c0e0f2a5b8c1e09"
#define EVENT_MESSAGE_POLICY_TRIAL "7d1f6d3a4b6e4d4c9c0e0f2a5b8c1e0a"
#define EVENT_MESSAGE_POLICY_CONFIRMED "7d1f6d3a4b6e4d4c9c0e0f2a5b8c1e0b"
#define EVENT_MESSAGE_POLICY_ROLLED_BACK "7d1f6d3a4b6e4d4c9c0e0f2a5b8c1e0c"
#define EVENT_MESSAGE_DISARMED "7d1f6d3a4b6e4d4c9c0e0f2a5b8c1e0d"
#define EVENT_MESSAGE_ARMED "7d1f6d3a4b6e4d4c9c0e0f2a5b8c1e0e"
#define EVENT_MESSAGE_TAMPERED "7d1f6d3a4b6e4d4c9c0e0f2a5b8c1e0f"

/* The id for an event; NULL: it belongs in the store, not in the journal (allowed, audited, process and
 * cgroup life). */
const char *event_message_id(const struct event *event);
/* PRIORITY for an event: critical 2 (crit), high 4 (warning), medium 5 (notice), low and info 6 (info).
 * A refusal is the system working, so even a severe one is not among the errors of `journalctl -p err`,
 * unless its rule says critical. Lost evidence and what the agent says of itself are about the system:
 * critical 2, high 3 (err), medium 4 (warning), low 5 (notice), info 6. */
int event_priority(const struct event *event);

/* The fields of a journal entry, ready for sd_journal_sendv(): MESSAGE, MESSAGE_ID (if the event has one),
 * PRIORITY, HAETAE_KIND, _NOTICE, _VERDICT, _REASON, _OP, _SEVERITY, _POLICY, _RULE (its text), _RULE_ID, _RULE_FILE,
 * _RULE_LINE, _RULE_MESSAGE, _CONTAINER, _CONTAINER_ID, _RUNTIME, _CGROUP, _CGROUP_ID, _PATH, _DEV, _INODE, _EXE, _COMM, _ARGV (with
 * spaces for NULs), _PID, _PPID, _UID, _GID, _START_NS, _COUNT, _GENERATION, _BOOTTIME_NS, _CPU, _SEQ (the last three find the row in the store).
 * A field whose value is unknown is left out. Raw bytes in values, except MESSAGE, which is escaped.
 * Return: 0 or -ENOMEM. */
struct event_alert;
int event_alert_new(const struct event *event, struct event_alert **ret);
struct event_alert *event_alert_free(struct event_alert *alert);
struct iovec;
const struct iovec *event_alert_fields(const struct event_alert *alert, size_t *ret_n);
