/* SPDX-License-Identifier: Apache-2.0 */

/*
 * The caller's side of the writing store: the queue and the numbers. Nothing here waits for the
 * disk; the lock is held for a few instructions by either side.
 */

#include "store/store.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "store/bundle.h"
#include "store/writer.h"
#include "util/cleanup.h"

#define BATCH_MAX 4096U
#define BATCH_MS 100U
#define CALM_FACTOR 5U
#define SYNC_MS 5000U
#define ROWS_MAX 5000000U
#define WAL_MAX (256U << 20)

uint64_t monotonic_ns(void)
{
	struct timespec ts;

	(void)clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000000000U + (uint64_t)ts.tv_nsec;
}

static int cond_init(pthread_cond_t *cond)
{
	pthread_condattr_t attr;
	int r = pthread_condattr_init(&attr);

	if (r != 0)
		return -r;
	r = pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	if (r == 0)
		r = pthread_cond_init(cond, &attr);
	(void)pthread_condattr_destroy(&attr);
	return -r;
}

void store_free(struct store *store)
{
	sink_nodes_free(store->head);
	sink_nodes_free(store->batch);
	sink_nodes_free(store->spare);
	(void)pthread_cond_destroy(&store->wake);
	(void)pthread_cond_destroy(&store->done);
	(void)pthread_mutex_destroy(&store->lock);
	free((char *)store->config.path);
	free(store);
}

static int config_copy(const struct store_config *from, struct store_config *ret)
{
	struct store_config config = *from;

	config.path = strdup(from->path);
	if (!config.path)
		return -ENOMEM;
	config.queue_max = from->queue_max ? from->queue_max : STORE_QUEUE_MAX;
	config.batch_max = from->batch_max ? from->batch_max : BATCH_MAX;
	config.batch_ms = from->batch_ms ? from->batch_ms : BATCH_MS;
	config.calm_ms = from->calm_ms ? from->calm_ms : CALM_FACTOR * config.batch_ms;
	config.sync_ms = from->sync_ms ? from->sync_ms : SYNC_MS;
	config.rows_max = from->rows_max ? from->rows_max : ROWS_MAX;
	config.wal_max = from->wal_max ? from->wal_max : WAL_MAX;
	*ret = config;
	return 0;
}

/* Signals are for the event loop: the writer takes none. */
static int thread_start(struct store *store)
{
	sigset_t all, before;
	int r;

	(void)sigfillset(&all);
	r = pthread_sigmask(SIG_SETMASK, &all, &before);
	if (r != 0)
		return -r;
	r = pthread_create(&store->thread, NULL, writer_main, store);
	(void)pthread_sigmask(SIG_SETMASK, &before, NULL);
	if (r == 0)
		(void)pthread_setname_np(store->thread, "haetae-store");
	return -r;
}

int store_open(const struct store_config *config, struct store **ret)
{
	struct store *store = calloc(1, sizeof(*store));
	int r;

	if (!store)
		return -ENOMEM;
	store->tail = &store->head;
	store->stats.degraded = true;
	store->sink.config = &store->config;
	r = pthread_mutex_init(&store->lock, NULL);
	if (r != 0)
		goto failed_lock;
	r = -cond_init(&store->wake);
	if (r != 0)
		goto failed_wake;
	r = -cond_init(&store->done);
	if (r != 0)
		goto failed_done;
	r = -config_copy(config, &store->config);
	if (r == 0)
		r = -thread_start(store);
	if (r != 0) {
		store_free(store);
		return -r;
	}
	*ret = store;
	return 0;

failed_done:
	(void)pthread_cond_destroy(&store->wake);
failed_wake:
	(void)pthread_mutex_destroy(&store->lock);
failed_lock:
	free(store);
	return -r;
}

/* Moves one of the arrays by verdict; other kinds of events are not in them. */
static void verdict_count(uint64_t counts[HT_VERDICT_MAX], const struct event *event)
{
	if (event->kind == EVENT_VERDICT && event->verdict < HT_VERDICT_MAX)
		counts[event->verdict]++;
}

/* One more is in the queue. Under the lock. */
static void queue_note(struct store *store, bool calm)
{
	unsigned ms = calm ? store->config.calm_ms : store->config.batch_ms;
	bool sooner = store->n_queue++ == 0;
	uint64_t at;

	if (sooner || !calm) {
		at = monotonic_ns() + ms * NSEC_PER_MSEC;
		sooner = sooner || at < store->commit_at;
		if (sooner)
			store->commit_at = at;
	}
	if (sooner || store->n_queue == store->config.batch_max)
		(void)pthread_cond_signal(&store->wake);
}

/* Under the lock. Return: NULL: no memory. */
static struct sink_node *node_take(struct store *store)
{
	struct sink_node *node = store->spare;

	if (!node)
		return malloc(sizeof(*node));
	store->spare = node->next;
	store->n_spare--;
	return node;
}

bool store_add(struct store *store, struct event *event)
{
	struct sink_node *node = NULL;

	(void)pthread_mutex_lock(&store->lock);
	store->stats.offered++;
	verdict_count(store->stats.offered_verdicts, event);
	if (store->stats.pending < store->config.queue_max)
		node = node_take(store);
	if (node) {
		node->next = NULL;
		node->refused = false;
		node->event = *event;
		store->stats.queued++;
		store->stats.pending++;
		verdict_count(store->stats.pending_verdicts, event);
		*store->tail = node;
		store->tail = &node->next;
		queue_note(store, bundle_takes(event));
	} else {
		store->stats.dropped++;
		verdict_count(store->stats.dropped_verdicts, event);
	}
	(void)pthread_mutex_unlock(&store->lock);
	if (node)
		*event = (struct event){};
	else
		event_deinit(event);
	return node != NULL;
}

void store_stats_read(struct store *store, struct store_stats *ret)
{
	(void)pthread_mutex_lock(&store->lock);
	*ret = store->stats;
	(void)pthread_mutex_unlock(&store->lock);
}

static struct timespec timespec_at(uint64_t ns)
{
	return (struct timespec){.tv_sec = (time_t)(ns / 1000000000U),
				 .tv_nsec = (long)(ns % 1000000000U)};
}

int store_flush(struct store *store, unsigned timeout_ms)
{
	struct timespec end = timespec_at(monotonic_ns() + (uint64_t)timeout_ms * 1000000U);
	uint64_t until;
	int r = 0;

	(void)pthread_mutex_lock(&store->lock);
	/* events are settled in their order: when so many are, all that were queued by now are */
	until = store->stats.queued;
	store->flushing++;
	(void)pthread_cond_signal(&store->wake);
	while (store->stats.queued - store->stats.pending < until && r == 0)
		r = pthread_cond_timedwait(&store->done, &store->lock, &end);
	store->flushing--;
	r = store->stats.queued - store->stats.pending < until ? -ETIMEDOUT : 0;
	(void)pthread_mutex_unlock(&store->lock);
	return r;
}

/* After its deadline the thread only has to notice: it is waited for so much longer. */
#define CLOSE_GRACE_NS 500000000U

struct store *store_close(struct store *store, unsigned timeout_ms)
{
	struct timespec end;
	bool finished;
	int r = 0;

	if (!store)
		return NULL;
	(void)pthread_mutex_lock(&store->lock);
	store->stop = true;
	store->stop_at = monotonic_ns() + (uint64_t)timeout_ms * 1000000U;
	end = timespec_at(store->stop_at + CLOSE_GRACE_NS);
	(void)pthread_cond_signal(&store->wake);
	while (!store->finished && r == 0)
		r = pthread_cond_timedwait(&store->done, &store->lock, &end);
	finished = store->finished;
	/* stuck in the disk, where nothing reaches it: it frees the store when the disk lets it go
	 */
	store->abandoned = !finished;
	if (!finished)
		(void)pthread_detach(store->thread);
	(void)pthread_mutex_unlock(&store->lock);
	if (finished) {
		(void)pthread_join(store->thread, NULL);
		store_free(store);
	}
	return NULL;
}
