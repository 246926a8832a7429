/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Alerts to the journal. Sending can block on a stuck journald, so a thread of its own does it, from a
 * bounded queue. Refusals of one kind (container, rule, operation, verdict) are told one by one up to
 * ALERTS_BURST in ALERTS_WINDOW_US; the rest of the window becomes one alert with the number.
 */

#include <stdint.h>

#include "event/event.h"

#define ALERTS_BURST 10U
#define ALERTS_WINDOW_US (10ULL * 1000000ULL)
#define ALERTS_QUEUE_MAX 1024U

struct alerts;

/* Return: 0; negative errno if the thread could not start. to_stderr: print sentences instead (no
 * journal here). */
int alerts_new(bool to_stderr, struct alerts **ret);
struct alerts *alerts_free(struct alerts *alerts); /* waits for what is queued, two seconds at most */
/* May an event be worth an alert? */
bool alerts_worthy(const struct event *event);
/* An event that may be worth an alert (borrowed). now_us: monotonic. */
void alerts_add(struct alerts *alerts, const struct event *event, uint64_t now_us);
/* Tell of finished windows. */
void alerts_tick(struct alerts *alerts, uint64_t now_us);
/* Alerts that the full queue refused. */
uint64_t alerts_dropped(struct alerts *alerts);
