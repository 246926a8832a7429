/* SPDX-License-Identifier: Apache-2.0 */

/* Kernel records -> events -> store and journal. */

#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <time.h>

#include "programs/haetaed/agent.h"
#include "programs/haetaed/log.h"
#include "util/strbuf.h"

/* Records of one turn of the loop: a few milliseconds of work, so that a flood in one ring leaves time for
 * everything else. */
#define INGEST_BATCH 2048U
/* The first record after a quiet time is taken at once, and then nothing for this long: the kernel wakes a reader that has
 * caught up for each record, and one that has not for none. The rings hold what can come meanwhile. */
#define NOTICES_REST_US 50000U
#define REFUSALS_REST_US 5000U
/* Records of one turn from which on there is no rest. */
#define INGEST_BUSY 512U
#define USEC_PER_MSEC 1000U

static uint64_t now_us(clockid_t clock)
{
	struct timespec ts;

	(void)clock_gettime(clock, &ts);
	return (uint64_t)ts.tv_sec * 1000000ULL + (uint64_t)ts.tv_nsec / 1000ULL;
}

void agent_record(struct agent *a, struct event *event)
{
	enum event_kind kind = event->kind;
	uint8_t verdict = event->verdict;
	uint64_t count = event->count;

	if (alerts_worthy(event))
		alerts_add(a->alerts, event, now_us(CLOCK_MONOTONIC));
	if (!store_add(a->store, event) || verdict >= HT_VERDICT_MAX)
		return; /* dropped: counted by the store, told by the ledger when it has room again */
	if (kind == EVENT_VERDICT)
		a->account.stored[verdict]++;
	else if (kind == EVENT_AGGREGATE)
		a->account.aggregated[verdict] += count;
	else if (kind == EVENT_LOSS)
		a->account.lost[verdict] += count;
}

void agent_notice(struct agent *a, enum event_notice notice, enum policy_severity severity,
		  const char *format, ...)
{
	struct event event = {
		.kind = EVENT_AGENT,
		.notice = notice,
		.severity = severity,
		.count = 1,
		.boottime_ns = now_us(CLOCK_BOOTTIME) * 1000ULL,
		.realtime_us = now_us(CLOCK_REALTIME),
	};
	_cleanup_strbuf_ struct strbuf text = {};
	va_list ap;

	va_start(ap, format);
	strbuf_vprintf(&text, format, ap);
	va_end(ap);
	/* the alert goes to the journal: tell it here as well, unless this is the journal, or where alerts go */
	if (!a->alerts_here && !log_is_journal())
		log_write(severity > POLICY_SEVERITY_INFO ? LOG_ERR : LOG_NOTICE, "%s",
			  strbuf_str(&text));
	memcpy(event.boot_id, a->clock.boot_id, sizeof(event.boot_id));
	event.message = strbuf_steal(&text);
	agent_record(a, &event);
}

static void drain_notices(struct agent *a);

/* A refusal can be met before the notice of its cgroup, which then lies in the other ring. */
static int record_container(struct agent *a, struct event *event, bool notices_first)
{
	int r = containers_enrich(&a->containers, event);
	char *path;

	if (r == -ENOENT && notices_first) {
		drain_notices(a);
		r = containers_enrich(&a->containers, event);
	}
	if (r != -ENOENT || event->cgroup_id == 0)
		return r;
	path = kernel_cgroup_path(a->kernel, event->cgroup_id);
	if (!path)
		return 0;
	r = containers_add(&a->containers, event->cgroup_id, path);
	free(path);
	return r < 0 ? r : containers_enrich(&a->containers, event);
}

/* What rules name is looked for in a container that starts, and let go of when it is gone. */
static void record_identities(struct agent *a, const struct event *event)
{
	bool started = event->kind == EVENT_GOVERNED ||
		       (event->kind == EVENT_VERDICT && (event->flags & HT_RECORD_FIRST_EXEC));

	if (!a->image)
		return;
	if (started && event->cgroup)
		identities_started(&a->identities, a->image, event->cgroup);
	else if (event->kind == EVENT_RELEASED)
		identities_released(&a->identities, a->image, event->cgroup_id);
}

static void ingest_one(struct agent *a, const void *record, size_t size, bool notices_first)
{
	struct event event = {};
	int r = event_decode(record, size, &a->clock, &event);

	if (r != 0) {
		a->undecodable++;
		return;
	}
	if (event.verdict == HT_VERDICT_SELF_TEST) {
		a->account.stored[HT_VERDICT_SELF_TEST]++;
		event_deinit(&event);
		return;
	}
	if (event.kind == EVENT_GOVERNED && event.cgroup)
		(void)containers_add(&a->containers, event.cgroup_id, event.cgroup);
	if (record_container(a, &event, notices_first) == -ENOMEM ||
	    rules_enrich(&a->rules, &event) == -ENOMEM)
		log_warning("Out of memory, an event stays without names");
	record_identities(a, &event);
	if (event.kind == EVENT_RELEASED) {
		containers_release(&a->containers, event.cgroup_id);
		agent_bind_release(a, event.cgroup_id);
	}
	if ((event.kind == EVENT_GOVERNED || event.kind == EVENT_RELEASED) && event.policy &&
	    strcmp(event.policy, KERNEL_CANARY_POLICY) == 0) {
		event_deinit(&event);
		return;
	}
	agent_record(a, &event);
}

static void notice_record(const void *record, size_t size, void *userdata)
{
	ingest_one(userdata, record, size, /* notices_first= */ false);
}

static void refusal_record(const void *record, size_t size, void *userdata)
{
	ingest_one(userdata, record, size, /* notices_first= */ true);
}

static void drain_notices(struct agent *a)
{
	(void)kernel_drain(a->kernel, KERNEL_RING_NOTICES, INGEST_BATCH, notice_record, a);
}

/* Once, however long it lasts. What finds no room meanwhile the kernel counts as lost. */
static void intake_fails(struct intake *in, int r)
{
	if (r < 0 && !in->failed)
		(void)log_error(r, "Failed to read what the kernel reports, trying again and again");
	in->failed = r < 0;
}

/* Take what is there, then rest; after a rest in which nothing came, wait to be woken. Where much comes there is no rest. A ring that
 * cannot be read wakes all the same: it is rested then, too. */
static int intake_take(struct intake *in)
{
	struct agent *a = in->agent;
	bool is_refusals = in->ring == KERNEL_RING_REFUSALS, rest;
	int n, r;

	n = kernel_drain(a->kernel, in->ring, INGEST_BATCH, is_refusals ? refusal_record : notice_record, a);
	intake_fails(in, n);
	rest = n != 0 && n < (int)INGEST_BUSY;
	r = sd_event_source_set_enabled(in->source, rest ? SD_EVENT_OFF : SD_EVENT_ON);
	if (r >= 0 && rest)
		r = sd_event_source_set_time_relative(in->rest, is_refusals ? REFUSALS_REST_US : NOTICES_REST_US);
	if (r >= 0)
		r = sd_event_source_set_enabled(in->rest, rest ? SD_EVENT_ONESHOT : SD_EVENT_OFF);
	return r;
}

static int on_intake(sd_event_source *source, int fd, uint32_t revents, void *userdata)
{
	return intake_take(userdata);
}

static int on_rested(sd_event_source *source, uint64_t usec, void *userdata)
{
	return intake_take(userdata);
}

void agent_drain(struct agent *a)
{
	while (kernel_drain(a->kernel, KERNEL_RING_NOTICES, INGEST_BATCH, notice_record, a) ==
	       (int)INGEST_BATCH)
		;
	while (kernel_drain(a->kernel, KERNEL_RING_REFUSALS, INGEST_BATCH, refusal_record, a) ==
	       (int)INGEST_BATCH)
		;
}

static int intake_begin(struct intake *in, struct agent *a, enum kernel_ring ring)
{
	int r;

	in->agent = a;
	in->ring = ring;
	r = sd_event_add_io(a->event, &in->source, kernel_ring_fd(a->kernel, ring), EPOLLIN, on_intake, in);
	if (r >= 0)
		r = sd_event_add_time_relative(a->event, &in->rest, CLOCK_MONOTONIC, NOTICES_REST_US, USEC_PER_MSEC,
					       on_rested, in);
	return r < 0 ? r : sd_event_source_set_enabled(in->rest, SD_EVENT_OFF);
}

int agent_ingest(struct agent *a)
{
	int r = intake_begin(&a->intakes[KERNEL_RING_NOTICES], a, KERNEL_RING_NOTICES);

	return r < 0 ? r : intake_begin(&a->intakes[KERNEL_RING_REFUSALS], a, KERNEL_RING_REFUSALS);
}
