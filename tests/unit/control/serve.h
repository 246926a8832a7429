/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* A server in a thread with an event loop of its own, for one test file. */

#include <check.h>
#include <poll.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <systemd/sd-event.h>
#include <unistd.h>

#include "control/control.h"

static char dir[64];
static pthread_t thread;
static int ready_fd = -1, stop_fd = -1;
static unsigned limit_ms, limit_connections;
static gid_t with_readers = (gid_t)-1;
static const char *const reader_calls[] = {"large", NULL};
static int calls; /* of the handler, by the server's thread */

/* ---- the server ---- */

static json_t *handler(const char *call, json_t *params, void *userdata, char **reterr_text,
		       json_t **reterr_details)
{
	calls++;
	ck_assert_ptr_eq(userdata, &calls);
	if (strcmp(call, "echo") == 0)
		return json_pack("{s:O}", "got", json_object_get(params, "give"));
	if (strcmp(call, "large") == 0) {
		size_t n = (size_t)json_integer_value(json_object_get(params, "bytes"));
		char *text = malloc(n + 1);
		json_t *answer;

		ck_assert_ptr_nonnull(text);
		memset(text, 'x', n);
		text[n] = '\0';
		answer = json_pack("{s:s}", "text", text);
		free(text);
		return answer;
	}
	if (strcmp(call, "lie") == 0) /* a handler cannot change what the server says */
		return json_pack("{s:b, s:i, s:i}", "ok", 0, "haetae", 99, "real", 1);
	if (strcmp(call, "details") == 0) {
		*reterr_text = strdup("two files are broken\n\xff");
		*reterr_details = json_pack("{s:[i, i], s:b}", "diagnostics", 1, 2, "ok", 1);
		return NULL;
	}
	if (strcmp(call, "silent") == 0)
		return NULL;
	*reterr_text = strdup("unknown call");
	return NULL;
}

static int on_stop(sd_event_source *source, int fd, uint32_t revents, void *userdata)
{
	return sd_event_exit(sd_event_source_get_event(source), 0);
}

static void *serve(void *arg)
{
	struct control_server *server = NULL;
	sd_event *event = NULL;
	int r = sd_event_new(&event);

	if (r >= 0)
		r = control_server_new(event, dir, handler, &calls, &server);
	if (r >= 0)
		r = sd_event_add_io(event, NULL, stop_fd, POLLIN, on_stop, NULL);
	if (r >= 0 && limit_ms > 0)
		control_server_set_limits(server, limit_ms, limit_connections);
	if (r >= 0 && with_readers != (gid_t)-1)
		r = control_server_set_readers(server, with_readers, reader_calls);
	(void)eventfd_write(ready_fd, 1);
	if (r >= 0)
		r = sd_event_loop(event);
	server = control_server_free(server);
	sd_event_unref(event);
	return (void *)(intptr_t)r;
}

static void start_limited(unsigned timeout_ms, unsigned connections)
{
	eventfd_t value;

	limit_ms = timeout_ms;
	limit_connections = connections;
	ready_fd = eventfd(0, EFD_CLOEXEC);
	stop_fd = eventfd(0, EFD_CLOEXEC);
	ck_assert_int_eq(pthread_create(&thread, NULL, serve, NULL), 0);
	ck_assert_int_eq(eventfd_read(ready_fd, &value), 0);
}

static void start(void)
{
	start_limited(0, 0);
}

static void stop(void)
{
	void *result;

	ck_assert_int_eq(eventfd_write(stop_fd, 1), 0);
	ck_assert_int_eq(pthread_join(thread, &result), 0);
	ck_assert_int_eq((int)(intptr_t)result, 0);
	(void)close(ready_fd);
	(void)close(stop_fd);
}
