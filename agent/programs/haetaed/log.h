/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* The program's own log: stderr, with the priority prefix that systemd understands when it reads there. */

#include <stdbool.h>
#include <stddef.h>
#include <syslog.h>

#include "util/cleanup.h"

void log_open(bool plain);
/* Does systemd hand what is written here to the journal? */
bool log_is_journal(void);
/* A text that has its escapes already. */
void log_escaped(int priority, const char *text, size_t len);
_printf_(2, 3) void log_write(int priority, const char *format, ...);
/* "TEXT: strerror". Return: r, for `return log_error(r, ...)`. */
_printf_(2, 3) int log_error(int r, const char *format, ...);

#define log_info(...) log_write(LOG_INFO, __VA_ARGS__)
#define log_notice(...) log_write(LOG_NOTICE, __VA_ARGS__)
#define log_warning(...) log_write(LOG_WARNING, __VA_ARGS__)
