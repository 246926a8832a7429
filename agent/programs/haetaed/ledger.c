/* SPDX-License-Identifier: Apache-2.0 */

/*
 * The agent's side of the promise that nothing is lost uncounted.
 *
 * The kernel counts every verdict before it tries to tell it, and its counts outlive the agent. The store
 * knows what is on disk for this boot. Whatever the kernel counted and neither is on disk nor on its way
 * (in a ring, in an aggregate, in the store's queue) is lost, and becomes a loss row with the exact number:
 * what found no room in the kernel, what a full disk turned away, and what a killed agent had in memory.
 */

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "programs/haetaed/agent.h"
#include "programs/haetaed/log.h"
#include "programs/haetaed/pace.h"

#define TICK_US 1000000ULL

void agent_ledger_load(struct agent *a, struct ht_ledger *ret)
{
	struct store_reader *reader = NULL;
	struct store_totals totals = {};
	char path[PATH_MAX], *text = NULL;

	if (snprintf(path, sizeof(path), "%s/events.db", a->options.state_dir) >= (int)sizeof(path))
		return;
	if (store_reader_open(path, &reader, &text) == 0 &&
	    store_totals(reader, a->clock.boot_id, &totals) == 0) {
		memcpy(a->account.stored, totals.verdicts, sizeof(a->account.stored));
		memcpy(a->account.aggregated, totals.aggregated, sizeof(a->account.aggregated));
		memcpy(a->account.lost, totals.lost, sizeof(a->account.lost));
	}
	free(text);
	(void)store_reader_close(reader);
	*ret = (struct ht_ledger){};
	for (unsigned v = 0; v < HT_VERDICT_MAX; v++) {
		ret->counted[v] = a->account.stored[v] + a->account.aggregated[v] +
				  a->account.lost[v];
		ret->emitted[v] = a->account.stored[v];
		ret->aggregated[v] = a->account.aggregated[v];
		ret->lost[v] = a->account.lost[v];
	}
}

static void on_aggregate(const struct ht_aggregate_key *key, const struct ht_aggregate *value,
			 void *userdata)
{
	struct agent *a = userdata;
	struct event event = {};

	if (event_from_aggregate(key, value, &a->clock, &event) != 0) {
		a->undecodable++;
		return;
	}
	if (event.verdict == HT_VERDICT_SELF_TEST) {
		a->account.aggregated[HT_VERDICT_SELF_TEST] += event.count;
		event_deinit(&event);
		return;
	}
	(void)containers_enrich(&a->containers, &event);
	(void)rules_enrich(&a->rules, &event);
	agent_record(a, &event);
}

static void tell_loss(struct agent *a, uint8_t verdict, uint64_t count, const char *why)
{
	struct timespec ts;
	struct event event = {
		.kind = EVENT_LOSS,
		.verdict = verdict,
		.count = count,
		.severity = POLICY_SEVERITY_HIGH,
	};

	(void)clock_gettime(CLOCK_BOOTTIME, &ts);
	event.boottime_ns = (uint64_t)ts.tv_sec * 1000000000ULL + (uint64_t)ts.tv_nsec;
	event.realtime_us =
		(uint64_t)((int64_t)event.boottime_ns + a->clock.realtime_offset_ns) / 1000ULL;
	memcpy(event.boot_id, a->clock.boot_id, sizeof(event.boot_id));
	event.message = strdup(why);
	agent_record(a, &event);
}

static uint64_t account_sum(const struct agent *a, unsigned v)
{
	return a->account.stored[v] + a->account.aggregated[v] + a->account.lost[v];
}

/* Tell what is missing, once nothing can be under way: the kernel's count did not move over a tick, and
 * the rings and aggregates were emptied after it was read. */
static void account_settle(struct agent *a, const struct ht_ledger *ledger)
{
	for (uint8_t v = 0; v < HT_VERDICT_MAX; v++) {
		uint64_t counted = ledger->counted[v], known = account_sum(a, v);
		bool still = counted == a->account.counted_before[v];

		a->account.counted_before[v] = counted;
		if (!still || counted <= known)
			continue;
		if (v == HT_VERDICT_SELF_TEST) {
			a->account.lost[v] += counted - known;
			continue;
		}
		tell_loss(a, v, counted - known,
			  "Counted by the kernel, but not recorded: no room in the rings or the "
			  "store, or the agent was killed before the record reached the disk");
	}
}

static void store_tell(struct agent *a)
{
	struct store_stats stats;

	store_stats_read(a->store, &stats);
	/* one that was not opened yet has not failed */
	if (stats.degraded == a->store_degraded || (stats.degraded && stats.failures == 0))
		return;
	a->store_degraded = stats.degraded;
	if (stats.degraded) {
		agent_notice(a, EVENT_NOTICE_STORE, POLICY_SEVERITY_HIGH,
			     "The verdict store cannot be written: %s", stats.last_error);
	} else {
		agent_notice(a, EVENT_NOTICE_STORE, POLICY_SEVERITY_INFO,
			     "The verdict store can be written again");
	}
}

/* The store falls behind, or has caught up: the kernel tells less, or more, one by one. */
static void store_pace(struct agent *a)
{
	uint32_t rate = a->rate ? a->rate : KERNEL_RATE_MAX;
	struct store_stats stats;
	int r;

	store_stats_read(a->store, &stats);
	a->rate = pace_next(rate, KERNEL_RATE_MAX, stats.pending,
			    a->options.queue_max ? a->options.queue_max : STORE_QUEUE_MAX);
	if (a->rate == rate)
		return;
	r = kernel_rate_set(a->kernel, a->rate);
	if (r < 0) {
		(void)log_error(r, "Failed to say how much is to be told, ignoring");
		a->rate = rate;
	}
}

/* The kernel found no room for a new cgroup: make up for it, and say so when it cannot be done. */
static void rebind(struct agent *a, const struct ht_ledger *ledger)
{
	_cleanup_free_ char *text = NULL;

	if (ledger->binds_failed == a->binds_failed || !a->image)
		return;
	if (kernel_rebind(a->kernel, a->image, &text) < 0)
		log_write(LOG_ERR, "%s; the kernel matches at every exec",
			  text ? text : "Failed to bind cgroups");
	a->binds_failed = ledger->binds_failed;
}

void agent_ledger_tick(struct agent *a)
{
	struct ht_ledger ledger;
	struct timespec ts;
	int r;

	r = kernel_ledger_read(a->kernel, &ledger);
	if (r < 0) {
		(void)log_error(r, "Failed to read the ledger");
		return;
	}
	agent_drain(a);
	r = kernel_aggregates_take(a->kernel, on_aggregate, a);
	if (r < 0)
		(void)log_error(r, "Failed to read the aggregates");
	else
		account_settle(a, &ledger);
	/* the kernel has let go of these counts: to the disk with them, waiting no more than a moment */
	if (r > 0)
		(void)store_flush(a->store, 20);
	rebind(a, &ledger);
	(void)kernel_overlay_learn(a->kernel); /* the module may have come since */
	r = a->image ? identities_tick(&a->identities, a->image) : 0;
	if (r < 0)
		(void)log_error(r, "Failed to bind what rules name, ignoring");
	store_tell(a);
	store_pace(a);
	agent_guard_tick(a);
	(void)clock_gettime(CLOCK_MONOTONIC, &ts);
	alerts_tick(a->alerts, (uint64_t)ts.tv_sec * 1000000ULL + (uint64_t)ts.tv_nsec / 1000ULL);
}

static int on_tick(sd_event_source *source, uint64_t usec, void *userdata)
{
	struct agent *a = userdata;
	uint64_t now;

	agent_ledger_tick(a);
	agent_bind_tick(a);
	agent_respell(a);
	(void)sd_event_now(a->event, CLOCK_MONOTONIC, &now);
	(void)sd_event_source_set_time(source, now + TICK_US);
	return sd_event_source_set_enabled(source, SD_EVENT_ONESHOT);
}

int agent_ledger_start(struct agent *a)
{
	struct ht_ledger ledger;
	uint64_t now;
	int r;

	/* refusals of the canary are not stored: what former agents' canaries met is settled */
	r = kernel_ledger_read(a->kernel, &ledger);
	if (r < 0)
		return log_error(r, "Failed to read the ledger");
	a->account.stored[HT_VERDICT_SELF_TEST] = ledger.counted[HT_VERDICT_SELF_TEST];
	r = sd_event_now(a->event, CLOCK_MONOTONIC, &now);
	if (r < 0)
		return r;
	return sd_event_add_time(a->event, &a->tick, CLOCK_MONOTONIC, now + TICK_US, TICK_US / 10,
				 on_tick, a);
}
