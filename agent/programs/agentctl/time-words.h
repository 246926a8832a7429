/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Times in systemd's words (systemd.time(7)):
 *
 *   now | today | yesterday | tomorrow [HH:MM[:SS[.FRACTION]]]       midnight where no time follows
 *   [WEEKDAY] YYYY-MM-DD [HH:MM[:SS[.FRACTION]]] [UTC|Z]             "T" may stand between date and
 * time HH:MM[:SS[.FRACTION]]                                            today
 *   @SECONDS[.FRACTION]                                              since 1970-01-01 00:00 UTC
 *   -SPAN | +SPAN | SPAN ago                                         relative to now
 *
 * A span is numbers with units, added up: "1h 30min", "1.5d". Days are 24 hours, months 30.44 and
 * years 365.25 days, as systemd has it; "yesterday" and dates follow the calendar and the local
 * time zone.
 */

#include <stdbool.h>
#include <stdint.h>

#include "util/strbuf.h"

/* now_us: what "now" is, realtime microseconds. Return: 0 with *ret_us >= 0; -EINVAL with
 * *reterr_text (malloc'd) naming the bad word and what was expected; -ENOMEM. */
int time_parse(const char *text, int64_t now_us, int64_t *ret_us, char **reterr_text);

/* A span alone: "60s", "1h 30min". Return: as time_parse(). */
int time_span_parse(const char *text, int64_t *ret_us, char **reterr_text);

/* "Sat 2026-11-21 06:51:38 UTC" in the local zone or UTC. */
void time_format(struct strbuf *b, int64_t time_us, bool utc);
/* "5min 3s ago", "in 2h" for what is to come: at most the two largest units. */
void time_format_relative(struct strbuf *b, int64_t time_us, int64_t now_us);
int64_t time_now_us(void);
