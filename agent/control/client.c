/* SPDX-License-Identifier: Apache-2.0 */

/*
 * The client: one request, one answer, every wait bounded by one deadline.
 *
 * A server that refuses early (too many connections, no permission) answers and closes before it
 * has read the request, so a failing send is no result yet: what can be read decides.
 */

#include <errno.h>
#include <poll.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <time.h>

#include "control/control.h"
#include "util/cleanup.h"
#include "util/strbuf.h"

static int64_t now_ms(void)
{
	struct timespec ts;

	(void)clock_gettime(CLOCK_MONOTONIC, &ts);
	return (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

/* Return: 0 when one of events (or an error) is there, -ETIMEDOUT, negative errno. */
static int fd_wait(int fd, short events, int64_t deadline_ms)
{
	for (;;) {
		struct pollfd p = {.fd = fd, .events = events};
		int64_t left = deadline_ms - now_ms();
		int r;

		if (left <= 0)
			return -ETIMEDOUT;
		r = poll(&p, 1, left > INT32_MAX ? INT32_MAX : (int)left);
		if (r > 0)
			return 0;
		if (r < 0 && errno != EINTR)
			return -errno;
	}
}

static int control_connect(const char *runtime_dir, unsigned timeout_ms, int *ret_fd)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	struct timeval timeout = {
		.tv_sec = timeout_ms / 1000,
		.tv_usec = (suseconds_t)(timeout_ms % 1000) * 1000,
	};
	_cleanup_close_ int fd = -EBADF;
	int n;

	n = snprintf(address.sun_path, sizeof(address.sun_path), "%s/%s", runtime_dir,
		     CONTROL_SOCKET_NAME);
	if (n < 0 || (size_t)n >= sizeof(address.sun_path))
		return -ENAMETOOLONG;
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return -errno;
	/* connect(2) waits while the backlog is full; this bounds it (then it fails with EAGAIN) */
	if (setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &timeout, sizeof(timeout)) < 0)
		return -errno;
	if (connect(fd, (const struct sockaddr *)&address, sizeof(address)) < 0)
		return errno == EAGAIN ? -ETIMEDOUT : -errno;
	*ret_fd = steal_fd(&fd);
	return 0;
}

static int request_send(int fd, const char *data, size_t len, int64_t deadline_ms)
{
	while (len > 0) {
		ssize_t n = send(fd, data, len, MSG_NOSIGNAL | MSG_DONTWAIT);
		int r;

		if (n >= 0) {
			data += n;
			len -= (size_t)n;
			continue;
		}
		if (errno == EPIPE || errno == ECONNRESET)
			return 0; /* it answered already, or reading will tell */
		if (errno == EINTR)
			continue;
		if (errno != EAGAIN)
			return -errno;
		r = fd_wait(fd, POLLOUT, deadline_ms);
		if (r < 0)
			return r;
	}
	return 0;
}

/* Read up to the end of the line. */
static int answer_read(int fd, struct strbuf *b, int64_t deadline_ms)
{
	char chunk[65536];

	for (;;) {
		ssize_t n;
		int r = fd_wait(fd, POLLIN, deadline_ms);

		if (r < 0)
			return r;
		n = recv(fd, chunk, sizeof(chunk), MSG_DONTWAIT);
		if (n < 0) {
			if (errno == EINTR || errno == EAGAIN)
				continue;
			return -errno;
		}
		if (n == 0)
			return -ECONNRESET;
		if ((size_t)n > CONTROL_ANSWER_MAX - b->len)
			return -EMSGSIZE;
		strbuf_append(b, chunk, (size_t)n);
		if (strbuf_error(b) < 0)
			return -ENOMEM;
		if (memchr(chunk, '\n', (size_t)n))
			return 0;
	}
}

static int answer_parse(const struct strbuf *b, json_t **ret_answer)
{
	json_auto_t *answer = json_loadb(strbuf_str(b), b->len, JSON_REJECT_DUPLICATES, NULL);
	const json_t *version, *ok;

	if (!json_is_object(answer))
		return -EPROTO;
	version = json_object_get(answer, "haetae");
	ok = json_object_get(answer, "ok");
	if (!json_is_integer(version))
		return -EPROTO;
	if (json_integer_value(version) != CONTROL_VERSION)
		return -EPROTONOSUPPORT;
	if (!json_is_boolean(ok))
		return -EPROTO;
	*ret_answer = steal_ptr(answer);
	return json_is_true(ok) ? 0 : CONTROL_E_REFUSED;
}

int control_call(const char *runtime_dir, const char *call, json_t *params, unsigned timeout_ms,
		 json_t **ret_answer)
{
	json_auto_t *request = params ? params : json_object();
	unsigned timeout = timeout_ms > 0 ? timeout_ms : CONTROL_TIMEOUT_MS;
	int64_t deadline_ms = now_ms() + timeout;
	_cleanup_free_ char *text = NULL;
	_cleanup_strbuf_ struct strbuf b = {};
	_cleanup_close_ int fd = -EBADF;
	size_t len;
	int r;

	if (!request)
		return -ENOMEM;
	if (!json_is_object(request))
		return -EINVAL;
	if (json_object_set_new(request, "haetae", json_integer(CONTROL_VERSION)) < 0 ||
	    json_object_set_new(request, "call", control_text(call)) < 0)
		return -ENOMEM;
	text = json_dumps(request, JSON_COMPACT);
	if (!text)
		return -ENOMEM;
	len = strlen(text);
	if (len + 1 > CONTROL_REQUEST_MAX)
		return -EMSGSIZE;
	text[len] = '\n'; /* in place of the terminator: sent by length */

	r = control_connect(runtime_dir, timeout, &fd);
	if (r < 0)
		return r;
	r = request_send(fd, text, len + 1, deadline_ms);
	if (r < 0)
		return r;
	r = answer_read(fd, &b, deadline_ms);
	if (r < 0)
		return r;
	return answer_parse(&b, ret_answer);
}
