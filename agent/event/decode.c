/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Ring record or aggregate -> struct event.
 *
 * The bytes come from the kernel half, but nothing in them is believed: they are copied out once,
 * every code is checked against abi.h and every offset against the size. A record that does not fit
 * is refused as a whole (EVENT_E_DECODE) and counted by the caller, never half used.
 */

#include "event/event.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <time.h>

#include "util/cleanup.h"
#include "util/fd.h"

#define NSEC_PER_SEC 1000000000LL

static int boot_id_read(uint8_t ret_id[16])
{
	_cleanup_free_ char *text = NULL;
	uint8_t id[16] = {};
	size_t len, n = 0;
	int r;

	r = file_read_all(AT_FDCWD, "/proc/sys/kernel/random/boot_id", 64, &text, &len);
	if (r < 0)
		return r;
	for (size_t i = 0; i < len && text[i] != '\n'; i++) {
		static const char digits[] = "0123456789abcdef";
		const char *digit;

		if (text[i] == '-')
			continue;
		digit = text[i] ? strchr(digits, text[i]) : NULL;
		if (!digit || n >= 32)
			return -EBADMSG;
		id[n / 2] = (uint8_t)(id[n / 2] << 4 | (digit - digits));
		n++;
	}
	if (n != 32)
		return -EBADMSG;
	memcpy(ret_id, id, sizeof(id));
	return 0;
}

int event_clock_read(struct event_clock *ret)
{
	struct event_clock clock = {};
	struct timespec real, boot;
	int r;

	r = boot_id_read(clock.boot_id);
	if (r < 0)
		return r;
	if (clock_gettime(CLOCK_REALTIME, &real) < 0 || clock_gettime(CLOCK_BOOTTIME, &boot) < 0)
		return -errno;
	clock.realtime_offset_ns =
		((int64_t)real.tv_sec - boot.tv_sec) * NSEC_PER_SEC + (real.tv_nsec - boot.tv_nsec);
	*ret = clock;
	return 0;
}

/* Return: false if no clock could have shown it. */
static bool time_read(uint64_t boottime_ns, const struct event_clock *clock, int64_t *ret_real_ns)
{
	return boottime_ns <= INT64_MAX &&
	       !__builtin_add_overflow((int64_t)boottime_ns, clock->realtime_offset_ns, ret_real_ns);
}

static void time_set(struct event *event, uint64_t boottime_ns, int64_t real_ns,
		     const struct event_clock *clock)
{
	event->boottime_ns = boottime_ns;
	event->realtime_us = real_ns > 0 ? (uint64_t)real_ns / 1000 : 0;
	memcpy(event->boot_id, clock->boot_id, sizeof(event->boot_id));
}

static void comm_set(struct event *event, const char comm[16])
{
	size_t len = strnlen(comm, 16);

	memcpy(event->comm, comm, len);
	event->comm[len] = '\0';
}

static bool op_is_valid(uint32_t op)
{
	return (op & ~(HT_OP_ALL | HT_OPS_KERNEL)) == 0 && (op & (op - 1)) == 0;
}

/* Counters and clocks that pass 2^63 were never counted by anybody; identifiers use all bits. */
static bool record_is_known(const struct ht_record *r, size_t size)
{
	return r->abi == HT_ABI && r->kind >= HT_RECORD_VERDICT && r->kind < HT_RECORD_MAX &&
	       r->size >= sizeof(*r) && r->size <= size && r->size <= HT_RECORD_SIZE_MAX &&
	       (r->flags & ~EVENT_FLAGS) == 0 && r->verdict < HT_VERDICT_MAX &&
	       r->reason < HT_REASON_MAX && r->pad0 == 0 && op_is_valid(r->op) &&
	       r->nprofiles <= HT_PROFILES_MAX && r->seq <= INT64_MAX && r->start <= INT64_MAX &&
	       r->parent_start <= INT64_MAX && r->cgroup <= INT64_MAX;
}

/* A text lies behind the record's fixed part, and within it. */
static bool text_is_inside(const struct ht_record *r, struct ht_text text)
{
	return text.off <= r->size && text.len <= r->size - text.off &&
	       (text.len == 0 || text.off >= sizeof(*r));
}

static uint8_t *text_put(struct event_bytes *ret, uint8_t *room, const void *record, struct ht_text text)
{
	if (text.len == 0)
		return room;
	memcpy(room, (const uint8_t *)record + text.off, text.len);
	*ret = (struct event_bytes){.data = room, .len = text.len};
	return room + text.len;
}

/* All of them in one allocation. */
struct texts {
	uint8_t *room;	/* NULL: none has a byte */
	char *cgroup;	/* of BIND and UNBIND: their path is a cgroup's, which userspace carries as a C string */
};

/* Return: 0, EVENT_E_DECODE or -ENOMEM: nothing is allocated. */
static int texts_allocate(const void *record, const struct ht_record *r, struct texts *ret)
{
	size_t len = (size_t)r->path.len + r->exe.len + r->argv.len;
	struct texts texts = {};

	if (!text_is_inside(r, r->path) || !text_is_inside(r, r->exe) || !text_is_inside(r, r->argv))
		return EVENT_E_DECODE;
	if ((r->kind == HT_RECORD_BIND || r->kind == HT_RECORD_UNBIND) && r->path.len > 0) {
		texts.cgroup = strndup((const char *)record + r->path.off, r->path.len);
		if (!texts.cgroup)
			return -ENOMEM;
		if (strlen(texts.cgroup) != r->path.len) {
			free(texts.cgroup);
			return EVENT_E_DECODE;
		}
	}
	if (len > 0) {
		texts.room = malloc(len);
		if (!texts.room) {
			free(texts.cgroup);
			return -ENOMEM;
		}
	}
	*ret = texts;
	return 0;
}

static void texts_set(struct event *event, const void *record, const struct ht_record *r,
		      const struct texts *texts)
{
	uint8_t *room = texts->room;

	event->of_record = room;
	event->cgroup = texts->cgroup;
	if (!texts->cgroup)
		room = text_put(&event->path, room, record, r->path);
	room = text_put(&event->exe, room, record, r->exe);
	(void)text_put(&event->argv, room, record, r->argv);
}

static void record_copy(struct event *event, const struct ht_record *r)
{
	static const enum event_kind kinds[HT_RECORD_MAX] = {
		[HT_RECORD_VERDICT] = EVENT_VERDICT,
		[HT_RECORD_EXIT] = EVENT_EXIT,
		[HT_RECORD_BIND] = EVENT_GOVERNED,
		[HT_RECORD_UNBIND] = EVENT_RELEASED,
	};

	event->kind = kinds[r->kind];
	event->verdict = r->verdict;
	event->reason = r->reason;
	event->op = r->op;
	event->flags = r->flags;
	event->cpu = r->cpu;
	event->seq = r->seq;
	event->count = 1;
	event->first_ns = event->last_ns = r->time;
	event->rule_id = r->rule;
	event->profile = r->profile;
	event->generation = r->generation;
	event->cgroup_id = r->cgroup;
	event->pid = r->pid;
	event->tid = r->tid;
	event->ppid = r->ppid;
	event->uid = r->uid;
	event->gid = r->gid;
	event->argc = r->argc;
	event->start_ns = r->start;
	event->parent_start_ns = r->parent_start;
	event->exec_id = r->exec_id;
	event->exit_code = r->kind == HT_RECORD_EXIT ? r->exit_code : 0;
	event->dev = r->dev;
	event->ino = r->ino;
	event->inode_generation = r->inode_generation;
	event->mode = r->mode;
	event->nlink = r->nlink;
	comm_set(event, r->comm);
	if (r->kind == HT_RECORD_BIND) {
		event->n_profiles = r->nprofiles;
		memcpy(event->profiles, r->profiles, r->nprofiles * sizeof(r->profiles[0]));
		event->profile = event->n_profiles > 0 ? event->profiles[0] : 0;
	}
}

int event_decode(const void *record, size_t size, const struct event_clock *clock,
		 struct event *ret)
{
	struct texts texts;
	struct ht_record r;
	int64_t real;
	int rc;

	if (size < sizeof(r))
		return EVENT_E_DECODE;
	memcpy(&r, record, sizeof(r)); /* checked and used in one copy, at any alignment */
	if (!record_is_known(&r, size) || !time_read(r.time, clock, &real))
		return EVENT_E_DECODE;
	rc = texts_allocate(record, &r, &texts);
	if (rc != 0)
		return rc;
	*ret = (struct event){};
	time_set(ret, r.time, real, clock);
	record_copy(ret, &r);
	texts_set(ret, record, &r, &texts);
	return 0;
}

int event_from_aggregate(const struct ht_aggregate_key *key, const struct ht_aggregate *value,
			 const struct event_clock *clock, struct event *ret)
{
	struct event event = {};
	int64_t real;

	if (key->op >= 32 || !op_is_valid(1U << key->op) || key->verdict >= HT_VERDICT_MAX ||
	    key->reason >= HT_REASON_MAX || value->count == 0 || value->first > value->last ||
	    value->pad != 0 || value->count > INT64_MAX || key->cgroup > INT64_MAX)
		return EVENT_E_DECODE;
	if (!time_read(value->last, clock, &real))
		return EVENT_E_DECODE;
	time_set(&event, value->last, real, clock);
	event.kind = EVENT_AGGREGATE;
	event.verdict = key->verdict;
	event.reason = key->reason;
	event.op = 1U << key->op;
	event.count = value->count;
	event.first_ns = value->first;
	event.last_ns = value->last;
	event.rule_id = key->rule;
	event.profile = key->profile;
	event.cgroup_id = key->cgroup;
	event.pid = value->pid;
	event.uid = value->uid;
	event.exec_id = value->exec_id;
	event.dev = value->dev;
	event.ino = value->ino;
	comm_set(&event, value->comm);
	*ret = event;
	return 0;
}
