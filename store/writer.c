/* SPDX-License-Identifier: Apache-2.0 */

/*
 * The writer thread: waits for a batch, commits it, keeps it until that succeeded.
 *
 * Every failure closes the connection; the next attempt opens a new one. Opening is what finds out
 * whether the medium is writable again, whether the file is still there and whether it is damaged,
 * so one path recovers from all of them. Attempts are BACKOFF_MIN_MS apart at first, BACKOFF_MAX_MS
 * at last.
 */

#include "store/writer.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "store/sqlite.h"
#include "util/cleanup.h"

#define BACKOFF_MIN_MS 50U
#define BACKOFF_MAX_MS 5000U
#define BACKOFF_STOP_MS 100U /* while store_close() waits */
/* Nodes of settled events that are kept for the next ones. */
#define SPARE_MAX 256U
/* Between two settings-aside: a disk that damages everything must not fill itself with copies. */
#define ASIDE_INTERVAL_NS (60ULL * 1000000000U)

/* ---- outcomes, under the lock ---- */

/* Keep the end, which tells more, of what is too long. */
static void text_set(char *to, size_t size, const char *text)
{
	size_t len = strlen(text), skip = len >= size ? len - size + 1 : 0;

	memcpy(to, text + skip, len - skip + 1);
}

static void failed(struct store *store, const char *text)
{
	(void)pthread_mutex_lock(&store->lock);
	store->stats.failures++;
	store->stats.degraded = true;
	(void)strncpy(store->stats.last_error, text ? text : "out of memory",
		      sizeof(store->stats.last_error) - 1);
	(void)pthread_cond_broadcast(&store->done);
	(void)pthread_mutex_unlock(&store->lock);
}

/* What becomes of a batch, gathered before the lock is taken. */
struct settling {
	uint64_t committed, dropped;
	uint64_t verdicts[2][HT_VERDICT_MAX]; /* committed, dropped */
	int64_t last_id;
};

static void settling_add(struct settling *s, const struct sink_node *node)
{
	const struct event *event = &node->event;

	if (node->refused)
		s->dropped++;
	else
		s->committed++;
	if (event->id > s->last_id)
		s->last_id = event->id;
	if (event->kind == EVENT_VERDICT && event->verdict < HT_VERDICT_MAX)
		s->verdicts[node->refused][event->verdict]++;
}

static void stats_settle(struct store_stats *stats, const struct settling *s, uint64_t removed)
{
	stats->pending -= s->committed + s->dropped;
	stats->committed += s->committed;
	stats->dropped += s->dropped;
	for (size_t i = 0; i < HT_VERDICT_MAX; i++) {
		stats->pending_verdicts[i] -= s->verdicts[0][i] + s->verdicts[1][i];
		stats->committed_verdicts[i] += s->verdicts[0][i];
		stats->dropped_verdicts[i] += s->verdicts[1][i];
	}
	if (s->last_id > stats->last_id)
		stats->last_id = s->last_id;
	stats->removed += removed;
	stats->degraded = false;
	if (s->dropped > 0)
		text_set(stats->last_error, sizeof(stats->last_error),
			 "an event with an unknown code was dropped");
}

/* The batch is on disk: count it, let go of it. Its nodes, or some of them, are there for the next. */
static void settled(struct store *store, uint64_t removed)
{
	struct sink_node *node = steal_ptr(store->batch), *spare = NULL, *superfluous;
	struct settling settling = {};
	size_t n = 0;

	while (node) {
		struct sink_node *next = node->next;

		settling_add(&settling, node);
		event_deinit(&node->event);
		if (n < SPARE_MAX) {
			node->next = spare;
			spare = node;
			n++;
		} else {
			free(node);
		}
		node = next;
	}
	(void)pthread_mutex_lock(&store->lock);
	stats_settle(&store->stats, &settling, removed);
	superfluous = spare;
	if (n > store->n_spare) {
		superfluous = store->spare;
		store->spare = spare;
		store->n_spare = n;
	}
	(void)pthread_cond_broadcast(&store->done);
	(void)pthread_mutex_unlock(&store->lock);
	sink_nodes_free(superfluous);
	store->attempted = false;
	store->backoff_ms = 0;
}

static void opened(struct store *store)
{
	(void)pthread_mutex_lock(&store->lock);
	/* with a batch to be tried again, only its commit shows that all is well */
	if (!store->batch) {
		store->stats.degraded = false;
		store->backoff_ms = 0;
	}
	if (store->sink.next_id - 1 > store->stats.last_id)
		store->stats.last_id = store->sink.next_id - 1;
	(void)pthread_cond_broadcast(&store->done);
	(void)pthread_mutex_unlock(&store->lock);
}

static void set_aside(struct store *store, const char *path)
{
	(void)pthread_mutex_lock(&store->lock);
	store->stats.set_aside++;
	text_set(store->stats.set_aside_path, sizeof(store->stats.set_aside_path), path);
	(void)pthread_mutex_unlock(&store->lock);
	store->aside_at = monotonic_ns();
	store->sink.checked = false;
}

/* ---- failing ---- */

static void backoff(struct store *store)
{
	unsigned ms = store->backoff_ms ? 2 * store->backoff_ms : BACKOFF_MIN_MS, max;

	(void)pthread_mutex_lock(&store->lock);
	max = store->stop ? BACKOFF_STOP_MS : BACKOFF_MAX_MS;
	store->backoff_ms = ms < max ? ms : max;
	store->retry_at = monotonic_ns() + store->backoff_ms * NSEC_PER_MSEC;
	(void)pthread_mutex_unlock(&store->lock);
}

/* A file that will never do. Return: true if it is out of the way and the next open can be at once.
 */
static bool replace(struct store *store, const char *reason)
{
	_cleanup_free_ char *path = NULL;
	uint64_t now = monotonic_ns();

	if (store->aside_at != 0 && now - store->aside_at < ASIDE_INTERVAL_NS)
		return false;
	if (sink_set_aside(&store->sink, reason, &path) < 0)
		return false;
	set_aside(store, path);
	return true;
}

static void handle_failure(struct store *store, int r, const char *text)
{
	bool at_once = false;

	sink_close(&store->sink);
	failed(store, text);
	if (r == DB_E_NEWER)
		at_once = replace(store, "newer");
	else if (r == DB_E_DAMAGED || r == -EBADMSG)
		at_once = replace(store, "damaged");
	if (at_once)
		store->retry_at = 0;
	else
		backoff(store);
}

/* ---- one turn ---- */

static struct sink_node *nodes_merge(struct sink_node *a, struct sink_node *b)
{
	struct sink_node *head = NULL, **end = &head;

	while (a && b) {
		struct sink_node **first = b->event.boottime_ns < a->event.boottime_ns ? &b : &a;

		*end = *first;
		end = &(*end)->next;
		*first = *end;
	}
	*end = a ? a : b;
	return head;
}

/* Two rings feed the queue, each in order; the rows of a batch are in the order of time. Stable. */
static struct sink_node *nodes_sort(struct sink_node *list, size_t n)
{
	struct sink_node *middle, **cut = &list;

	if (n < 2)
		return list;
	for (size_t i = 0; i < n / 2; i++)
		cut = &(*cut)->next;
	middle = *cut;
	*cut = NULL;
	return nodes_merge(nodes_sort(list, n / 2), nodes_sort(middle, n - n / 2));
}

/* Mostly they are in order. */
static bool nodes_are_sorted(const struct sink_node *list)
{
	for (; list && list->next; list = list->next)
		if (list->next->event.boottime_ns < list->event.boottime_ns)
			return false;
	return true;
}

static void batch_take(struct store *store)
{
	struct sink_node **end = &store->head;
	size_t n = 0;

	(void)pthread_mutex_lock(&store->lock);
	while (*end && n < store->config.batch_max) {
		end = &(*end)->next;
		n++;
	}
	store->batch = n > 0 ? store->head : NULL;
	if (n > 0) {
		store->head = *end;
		*end = NULL;
		store->n_queue -= n;
		if (!store->head)
			store->tail = &store->head;
	}
	(void)pthread_mutex_unlock(&store->lock);
	if (!nodes_are_sorted(store->batch))
		store->batch = nodes_sort(store->batch, n);
}

/* What was committed and not forced to the disk is, once it is time. */
static int sync_turn(struct store *store, char **reterr_text)
{
	int r = 0;

	if (!store->sink.unsynced) {
		store->sync_at = 0;
	} else if (store->sync_at == 0) {
		store->sync_at = monotonic_ns() + store->config.sync_ms * NSEC_PER_MSEC;
	} else if (monotonic_ns() >= store->sync_at) {
		store->sync_at = 0;
		r = sink_sync(&store->sink);
		if (r < 0)
			*reterr_text = strdup("cannot force the write-ahead log to the disk");
	}
	return r;
}

/* Return: 0, or what handle_failure() takes. */
static int turn(struct store *store, char **reterr_text)
{
	uint64_t removed = 0;
	int r;

	if (!store->sink.db) {
		r = sink_open(&store->sink, reterr_text);
		if (r != 0)
			return r;
		opened(store);
	}
	if (!store->batch)
		batch_take(store);
	if (!store->batch)
		return sync_turn(store, reterr_text);
	if (store->attempted) {
		r = sink_has_batch(&store->sink, store->batch);
		if (r < 0)
			return r;
		if (r > 0) {
			settled(store, 0);
			return 0;
		}
	}
	store->attempted = true;
	r = sink_commit(&store->sink, store->batch, &removed, reterr_text);
	if (r != 0)
		return r;
	settled(store, removed);
	return sync_turn(store, reterr_text);
}

/* ---- waiting ---- */

/* Under the lock. Return: when to go on without being woken, 0: now, UINT64_MAX: never. */
static uint64_t wait_until(const struct store *store)
{
	if (store->retry_at != 0) {
		if (store->stop && store->backoff_ms > BACKOFF_STOP_MS)
			return 0;
		return store->retry_at;
	}
	if (!store->sink.db || store->batch)
		return 0;
	if (store->n_queue == 0) {
		if (store->stop)
			return 0;
		return store->sync_at ? store->sync_at : UINT64_MAX;
	}
	if (store->stop || store->flushing > 0 || store->n_queue >= store->config.batch_max)
		return 0;
	return store->sync_at && store->sync_at < store->commit_at ? store->sync_at : store->commit_at;
}

/* Return: false if it is time to end. */
static bool wait_for_work(struct store *store)
{
	bool work;

	(void)pthread_mutex_lock(&store->lock);
	for (;;) {
		uint64_t until = wait_until(store), now = monotonic_ns();
		struct timespec ts = {.tv_sec = (time_t)(until / 1000000000U),
				      .tv_nsec = (long)(until % 1000000000U)};

		work = !store->stop || (store->stats.pending > 0 && now < store->stop_at);
		if (!work || until <= now)
			break;
		if (until == UINT64_MAX)
			(void)pthread_cond_wait(&store->wake, &store->lock);
		else
			(void)pthread_cond_timedwait(&store->wake, &store->lock, &ts);
	}
	store->retry_at = 0;
	(void)pthread_mutex_unlock(&store->lock);
	return work;
}

void *writer_main(void *userdata)
{
	struct store *store = userdata;
	bool abandoned;

	/* the first turn opens, whatever comes: a store that was opened and closed exists */
	do {
		_cleanup_free_ char *text = NULL;
		int r = turn(store, &text);

		if (r != 0)
			handle_failure(store, r, text);
	} while (wait_for_work(store));
	sink_close(&store->sink);
	(void)pthread_mutex_lock(&store->lock);
	store->finished = true;
	abandoned = store->abandoned;
	(void)pthread_cond_broadcast(&store->done);
	(void)pthread_mutex_unlock(&store->lock);
	if (abandoned)
		store_free(store);
	return NULL;
}
