/* SPDX-License-Identifier: Apache-2.0 */

#include "programs/haetaed/alerts.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/uio.h>
#include <systemd/sd-journal.h>
#include <time.h>
#include <uthash.h>

#include "programs/haetaed/log.h"
#include "util/cleanup.h"
#include "util/strbuf.h"

struct flow_key {
	uint64_t cgroup;
	uint64_t rule;
	uint32_t op;
	uint8_t verdict;
	uint8_t reason;
	uint8_t pad[2];
};

struct flow {
	struct flow_key key;
	uint64_t window_us;
	uint64_t told;
	uint64_t held; /* refusals not told one by one */
	struct event sample; /* the last held one */
	UT_hash_handle hh;
};

struct alerts {
	bool to_stderr;
	struct flow *flows;
	pthread_t thread;
	pthread_mutex_t lock; /* guards what follows */
	pthread_cond_t wake;
	struct event_alert *queue[ALERTS_QUEUE_MAX];
	size_t head, n;
	uint64_t dropped;
	bool stop;
};

static struct event_alert *queue_take(struct alerts *a)
{
	struct event_alert *alert = NULL;

	(void)pthread_mutex_lock(&a->lock);
	while (a->n == 0 && !a->stop)
		(void)pthread_cond_wait(&a->wake, &a->lock);
	if (a->n > 0) {
		alert = a->queue[a->head];
		a->head = (a->head + 1) % ALERTS_QUEUE_MAX;
		a->n--;
	}
	(void)pthread_mutex_unlock(&a->lock);
	return alert;
}

static void alert_send(struct alerts *a, const struct event_alert *alert)
{
	size_t n;
	const struct iovec *fields = event_alert_fields(alert, &n);

	if (!a->to_stderr) {
		(void)sd_journal_sendv(fields, (int)n);
		return;
	}
	for (size_t i = 0; i < n; i++)
		if (fields[i].iov_len > 8 && memcmp(fields[i].iov_base, "MESSAGE=", 8) == 0)
			log_escaped(LOG_WARNING, (const char *)fields[i].iov_base + 8,
				    fields[i].iov_len - 8);
}

static void *alerts_thread(void *userdata)
{
	struct alerts *a = userdata;
	struct event_alert *alert;

	while ((alert = queue_take(a))) {
		alert_send(a, alert);
		(void)event_alert_free(alert);
	}
	return NULL;
}

int alerts_new(bool to_stderr, struct alerts **ret)
{
	struct alerts *a = calloc(1, sizeof(*a));
	sigset_t all, old;
	int r;

	if (!a)
		return -ENOMEM;
	a->to_stderr = to_stderr;
	(void)pthread_mutex_init(&a->lock, NULL);
	(void)pthread_cond_init(&a->wake, NULL);
	(void)sigfillset(&all);
	(void)pthread_sigmask(SIG_SETMASK, &all, &old);
	r = pthread_create(&a->thread, NULL, alerts_thread, a);
	(void)pthread_sigmask(SIG_SETMASK, &old, NULL);
	if (r != 0) {
		free(a);
		return -r;
	}
	*ret = a;
	return 0;
}

static void alert_drop(struct alerts *a)
{
	(void)pthread_mutex_lock(&a->lock);
	a->dropped++;
	(void)pthread_mutex_unlock(&a->lock);
}

static void queue_put(struct alerts *a, const struct event *event)
{
	struct event_alert *alert = NULL;
	bool kept = false;

	if (event_alert_new(event, &alert) == 0) {
		(void)pthread_mutex_lock(&a->lock);
		if (a->n < ALERTS_QUEUE_MAX) {
			a->queue[(a->head + a->n++) % ALERTS_QUEUE_MAX] = alert;
			kept = true;
		}
		(void)pthread_cond_signal(&a->wake);
		(void)pthread_mutex_unlock(&a->lock);
	}
	if (kept)
		return;
	(void)event_alert_free(alert);
	alert_drop(a);
}

static void flow_flush(struct alerts *a, struct flow *f)
{
	if (f->held == 0)
		return;
	f->sample.kind = EVENT_AGGREGATE;
	f->sample.count = f->held;
	queue_put(a, &f->sample);
	event_deinit(&f->sample);
	f->held = 0;
}

static void flow_drop(struct alerts *a, struct flow *f)
{
	flow_flush(a, f);
	HASH_DEL(a->flows, f);
	event_deinit(&f->sample);
	free(f);
}

static struct flow *flow_get(struct alerts *a, const struct event *event, uint64_t now_us)
{
	struct flow_key key;
	struct flow *f = NULL;

	memset(&key, 0, sizeof(key));
	key.cgroup = event->cgroup_id;
	key.rule = event->rule_id;
	key.op = event->op;
	key.verdict = event->verdict;
	key.reason = event->reason;
	HASH_FIND(hh, a->flows, &key, sizeof(key), f);
	if (f)
		return f;
	f = calloc(1, sizeof(*f));
	if (!f)
		return NULL;
	f->key = key;
	f->window_us = now_us;
	HASH_ADD(hh, a->flows, key, sizeof(key), f);
	return f;
}

/* The sample is the last one, with the time span of all. */
static void flow_hold(struct alerts *a, struct flow *f, const struct event *event)
{
	struct event sample;

	if (event_copy(event, &sample) == 0) {
		if (f->held > 0 && f->sample.first_ns < sample.first_ns)
			sample.first_ns = f->sample.first_ns;
		if (f->held > 0 && f->sample.last_ns > sample.last_ns)
			sample.last_ns = f->sample.last_ns;
		event_deinit(&f->sample);
		f->sample = sample;
	} else if (f->held == 0) {
		alert_drop(a);
		return;
	}
	f->held += event->count;
}

bool alerts_worthy(const struct event *event)
{
	switch (event->kind) {
	case EVENT_VERDICT:
	case EVENT_AGGREGATE:
		return event->verdict == HT_VERDICT_DENY || event->verdict == HT_VERDICT_KILL ||
		       event->verdict == HT_VERDICT_WOULD_DENY;
	case EVENT_LOSS:
	case EVENT_AGENT:
		return true;
	case EVENT_EXIT:
	case EVENT_GOVERNED:
	case EVENT_RELEASED:
	case _EVENT_KIND_MAX:
		break;
	}
	return false;
}

void alerts_add(struct alerts *a, const struct event *event, uint64_t now_us)
{
	struct flow *f;

	if (!alerts_worthy(event))
		return;
	if (event->kind == EVENT_LOSS || event->kind == EVENT_AGENT) {
		queue_put(a, event);
		return;
	}
	f = flow_get(a, event, now_us);
	if (!f || (event->kind == EVENT_VERDICT && f->told < ALERTS_BURST)) {
		if (f)
			f->told++;
		queue_put(a, event);
		return;
	}
	flow_hold(a, f, event);
}

void alerts_tick(struct alerts *a, uint64_t now_us)
{
	struct flow *f, *next;

	HASH_ITER(hh, a->flows, f, next)
	{
		if (now_us - f->window_us >= ALERTS_WINDOW_US)
			flow_drop(a, f);
	}
}

uint64_t alerts_dropped(struct alerts *a)
{
	uint64_t n;

	(void)pthread_mutex_lock(&a->lock);
	n = a->dropped;
	(void)pthread_mutex_unlock(&a->lock);
	return n;
}

struct alerts *alerts_free(struct alerts *a)
{
	struct timespec until;
	struct flow *f, *next;

	if (!a)
		return NULL;
	HASH_ITER(hh, a->flows, f, next)
	{
		flow_drop(a, f);
	}
	(void)pthread_mutex_lock(&a->lock);
	a->stop = true;
	(void)pthread_cond_signal(&a->wake);
	(void)pthread_mutex_unlock(&a->lock);
	(void)clock_gettime(CLOCK_REALTIME, &until);
	until.tv_sec += 2;
	/* A journald that stays stuck keeps the thread; the process ends anyway and takes it along. */
	if (pthread_timedjoin_np(a->thread, NULL, &until) != 0)
		return NULL;
	while (a->n > 0)
		(void)event_alert_free(queue_take(a));
	(void)pthread_mutex_destroy(&a->lock);
	(void)pthread_cond_destroy(&a->wake);
	free(a);
	return NULL;
}
