/* SPDX-License-Identifier: Apache-2.0 */

/*
 * The server: owned by the agent, run by its event loop, never blocking in it.
 *
 * A connection is a small state machine: READ (until one whole line is there), WRITE (until the
 * answer is out), then it is closed. Each phase has one absolute deadline, so a peer that sends or
 * takes a byte at a time gains nothing. A peer that is not allowed, or one too many, is answered in
 * its own connection and never parsed; a reader (control_server_set_readers()) is parsed, and answered what readers
 * may ask. Running out of descriptors or memory pauses accepting for a
 * moment instead of spinning on a listener that stays readable.
 */

#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <systemd/sd-event.h>

#include "control/control.h"
#include "util/cleanup.h"

/* That of the rings, so the loop takes turns: during a flood they are never empty, and a reload must not wait for its
 * end. */
#define CONTROL_PRIORITY SD_EVENT_PRIORITY_NORMAL
/* Long enough for another connection to end, short enough not to be felt. */
#define ACCEPT_PAUSE_US 200000U
#define BACKLOG 64

struct connection {
	struct control_server *server;
	struct connection *prev, *next;
	int fd; /* owned */
	bool reader; /* may make the calls of server->reader_calls alone */
	sd_event_source *io;
	sd_event_source *timer;
	char *request; /* CONTROL_REQUEST_MAX bytes, NULL once answered */
	size_t request_len;
	char *answer; /* NULL while reading */
	size_t answer_len;
	size_t answer_sent;
};

struct control_server {
	sd_event *event;
	int fd; /* the listener, owned */
	char *path;
	dev_t dev; /* of the socket at path, to remove only our own */
	ino_t ino;
	sd_event_source *io;
	sd_event_source *pause;
	control_handler handler;
	void *userdata;
	struct connection *connections;
	unsigned n_connections;
	unsigned connections_max;
	unsigned timeout_ms;
	gid_t readers; /* (gid_t)-1: there are none */
	const char *const *reader_calls; /* NULL-terminated, borrowed */
};

static void connection_free(struct connection *c)
{
	if (!c)
		return;
	if (c->prev)
		c->prev->next = c->next;
	else if (c->server->connections == c)
		c->server->connections = c->next;
	if (c->next)
		c->next->prev = c->prev;
	sd_event_source_disable_unref(c->io);
	sd_event_source_disable_unref(c->timer);
	if (c->fd >= 0)
		(void)close(c->fd);
	free(c->request);
	free(c->answer);
	c->server->n_connections--;
	free(c);
}

static int connection_set_deadline(struct connection *c)
{
	uint64_t now;
	int r;

	r = sd_event_now(c->server->event, CLOCK_MONOTONIC, &now);
	if (r < 0)
		return r;
	r = sd_event_source_set_time(c->timer, now + (uint64_t)c->server->timeout_ms * 1000);
	if (r < 0)
		return r;
	return sd_event_source_set_enabled(c->timer, SD_EVENT_ONESHOT);
}

/* Send what the socket takes. Return: 0 more to send, 1 all sent, negative errno. */
static int connection_send(struct connection *c)
{
	while (c->answer_sent < c->answer_len) {
		ssize_t n = send(c->fd, c->answer + c->answer_sent, c->answer_len - c->answer_sent,
				 MSG_NOSIGNAL | MSG_DONTWAIT);

		if (n < 0) {
			if (errno == EINTR)
				continue;
			return errno == EAGAIN ? 0 : -errno;
		}
		c->answer_sent += (size_t)n;
	}
	return 1;
}

static char *answer_dump(const json_t *answer)
{
	char *text = json_dumps(answer, JSON_COMPACT);
	size_t len, size;
	char *line;

	if (!text)
		return NULL;
	len = strlen(text);
	size = len + 2;
	line = realloc(text, size);
	if (!line) {
		free(text);
		return NULL;
	}
	memcpy(line + len, "\n", 2);
	return line;
}

/* The answer of a refusal; details may be NULL (borrowed). */
static char *answer_refusal(const char *error, const char *reason, json_t *details)
{
	json_auto_t *answer = json_object();

	if (!answer || json_object_set_new(answer, "haetae", json_integer(CONTROL_VERSION)) < 0 ||
	    json_object_set_new(answer, "ok", json_false()) < 0 ||
	    json_object_set_new(answer, "error", control_text(error)) < 0)
		return NULL;
	if (reason && json_object_set_new(answer, "reason", json_string(reason)) < 0)
		return NULL;
	if (details && json_object_update_missing(answer, details) < 0)
		return NULL;
	return answer_dump(answer);
}

/* Go over to writing; takes the answer. Whatever fails here ends the connection. */
static void connection_answer(struct connection *c, char *answer)
{
	int r;

	free(c->request);
	c->request = NULL;
	c->answer = answer;
	if (!answer) { /* no memory even for a refusal: the peer sees the connection close */
		connection_free(c);
		return;
	}
	c->answer_len = strlen(answer);
	r = connection_send(c);
	if (r != 0 || connection_set_deadline(c) < 0 ||
	    sd_event_source_set_io_events(c->io, EPOLLOUT) < 0)
		connection_free(c);
}

static void connection_refuse(struct connection *c, const char *reason, const char *error)
{
	connection_answer(c, answer_refusal(error, reason, NULL));
}

static char *call_run(struct control_server *server, const char *call, json_t *request)
{
	json_auto_t *answer = NULL;
	json_auto_t *members = NULL;
	json_auto_t *details = NULL;
	_cleanup_free_ char *text = NULL;

	members = server->handler(call, request, server->userdata, &text, &details);
	if (!members)
		return answer_refusal(text ? text : "The call failed", NULL, details);
	answer = json_object();
	if (!answer || json_object_set_new(answer, "haetae", json_integer(CONTROL_VERSION)) < 0 ||
	    json_object_set_new(answer, "ok", json_true()) < 0 ||
	    json_object_update_missing(answer, members) < 0)
		return NULL;
	return answer_dump(answer);
}

static bool call_is_for_readers(const struct control_server *server, const char *call)
{
	for (const char *const *i = server->reader_calls; i && *i; i++)
		if (strcmp(*i, call) == 0)
			return true;
	return false;
}

/* One whole line is in c->request. */
static void connection_handle(struct connection *c)
{
	json_auto_t *request = NULL;
	const json_t *version, *call;
	json_error_t error;
	char text[256];
	char *answer;

	request = json_loadb(c->request, c->request_len, JSON_REJECT_DUPLICATES, &error);
	if (!request) {
		(void)snprintf(text, sizeof(text), "Not a JSON object: %s", error.text);
		connection_refuse(c, "syntax", text);
		return;
	}
	version = json_object_get(request, "haetae");
	if (!json_is_object(request) || !json_is_integer(version)) {
		connection_refuse(c, "syntax", "A request is {\"haetae\": 1, \"call\": \"NAME\"}");
		return;
	}
	if (json_integer_value(version) != CONTROL_VERSION) {
		(void)snprintf(text, sizeof(text),
			       "Version %" JSON_INTEGER_FORMAT
			       " of the protocol is not spoken here, only %d",
			       json_integer_value(version), CONTROL_VERSION);
		connection_refuse(c, "version", text);
		return;
	}
	call = json_object_get(request, "call");
	if (!json_is_string(call)) {
		connection_refuse(c, "syntax", "The request has no call");
		return;
	}
	if (c->reader && !call_is_for_readers(c->server, json_string_value(call))) {
		connection_refuse(c, "permission", "Only root may ask for that");
		return;
	}
	answer = call_run(c->server, json_string_value(call), request);
	if (answer && strlen(answer) > CONTROL_ANSWER_MAX) {
		free(answer);
		connection_refuse(c, "size", "The answer is larger than the protocol allows");
		return;
	}
	connection_answer(c, answer);
}

static void connection_read(struct connection *c)
{
	size_t seen = c->request_len;
	const char *end;
	ssize_t n;

	n = recv(c->fd, c->request + c->request_len, CONTROL_REQUEST_MAX - c->request_len,
		 MSG_DONTWAIT);
	if (n < 0) {
		if (errno != EAGAIN && errno != EINTR)
			connection_free(c);
		return;
	}
	if (n == 0) {
		if (c->request_len == 0)
			connection_free(c);
		else
			connection_refuse(c, "syntax", "The request ends before its line does");
		return;
	}
	c->request_len += (size_t)n;
	end = memchr(c->request + seen, '\n', (size_t)n);
	if (!end && c->request_len == CONTROL_REQUEST_MAX)
		connection_refuse(c, "size", "The request is larger than the protocol allows");
	else if (end && end + 1 != c->request + c->request_len)
		connection_refuse(c, "syntax", "More than one request in a connection");
	else if (end)
		connection_handle(c);
}

static int connection_on_io(sd_event_source *source, int fd, uint32_t revents, void *userdata)
{
	struct connection *c = userdata;

	if (!c->answer) {
		connection_read(c);
		return 0;
	}
	/* a peer that closed its end does not want the rest; half-closed is fine (no EPOLLHUP) */
	if ((revents & (EPOLLHUP | EPOLLERR)) || connection_send(c) != 0)
		connection_free(c);
	return 0;
}

static int connection_on_deadline(sd_event_source *source, uint64_t usec, void *userdata)
{
	struct connection *c = userdata;

	if (c->answer)
		connection_free(c); /* it does not take its answer */
	else
		connection_refuse(c, "timeout", "The request did not arrive in time");
	return 0;
}

/* Takes fd. Return: 0 with the connection in READ, or negative errno (fd is closed). */
static int connection_new(struct control_server *server, int accepted, struct connection **ret)
{
	_cleanup_close_ int fd = accepted;
	struct connection *c;
	int r;

	c = calloc(1, sizeof(*c));
	if (!c)
		return -ENOMEM;
	c->server = server;
	c->fd = steal_fd(&fd);
	c->next = server->connections;
	if (c->next)
		c->next->prev = c;
	server->connections = c;
	server->n_connections++;

	c->request = malloc(CONTROL_REQUEST_MAX);
	r = c->request ? 0 : -ENOMEM;
	if (r >= 0)
		r = sd_event_add_io(server->event, &c->io, c->fd, EPOLLIN, connection_on_io, c);
	if (r >= 0)
		r = sd_event_source_set_priority(c->io, CONTROL_PRIORITY);
	if (r >= 0)
		r = sd_event_add_time_relative(server->event, &c->timer, CLOCK_MONOTONIC,
					       (uint64_t)server->timeout_ms * 1000, 0,
					       connection_on_deadline, c);
	if (r >= 0)
		r = sd_event_source_set_priority(c->timer, CONTROL_PRIORITY);
	if (r < 0) {
		connection_free(c);
		return r;
	}
	*ret = c;
	return 0;
}

enum peer {
	PEER_STRANGER,
	PEER_READER,
	PEER_ROOT,
};

/* Was the peer a member of the group when it connected? */
static bool peer_has_group(int fd, const struct ucred *peer, gid_t group)
{
	_cleanup_free_ gid_t *groups = NULL;
	socklen_t size = 0;

	if (group == (gid_t)-1)
		return false;
	if (peer->gid == group)
		return true;
	/* without room it tells how much it takes */
	if (getsockopt(fd, SOL_SOCKET, SO_PEERGROUPS, NULL, &size) == 0 || errno != ERANGE)
		return false;
	groups = malloc(size);
	if (!groups || getsockopt(fd, SOL_SOCKET, SO_PEERGROUPS, groups, &size) < 0)
		return false;
	for (size_t i = 0; i < size / sizeof(*groups); i++)
		if (groups[i] == group)
			return true;
	return false;
}

static enum peer peer_of(const struct control_server *server, int fd)
{
	struct ucred peer;
	socklen_t len = sizeof(peer);

	if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &len) < 0 || len != sizeof(peer))
		return PEER_STRANGER;
	if (peer.uid == 0 || peer.uid == geteuid())
		return PEER_ROOT;
	return peer_has_group(fd, &peer, server->readers) ? PEER_READER : PEER_STRANGER;
}

static int server_on_pause_over(sd_event_source *source, uint64_t usec, void *userdata)
{
	struct control_server *server = userdata;

	return sd_event_source_set_enabled(server->io, SD_EVENT_ON);
}

static int server_pause(struct control_server *server)
{
	uint64_t now;
	int r;

	r = sd_event_now(server->event, CLOCK_MONOTONIC, &now);
	if (r < 0)
		return r;
	r = sd_event_source_set_time(server->pause, now + ACCEPT_PAUSE_US);
	if (r < 0)
		return r;
	r = sd_event_source_set_enabled(server->pause, SD_EVENT_ONESHOT);
	if (r < 0)
		return r;
	return sd_event_source_set_enabled(server->io, SD_EVENT_OFF);
}

static int server_on_connect(sd_event_source *source, int fd, uint32_t revents, void *userdata)
{
	struct control_server *server = userdata;
	unsigned others = server->n_connections;
	struct connection *c = NULL;
	enum peer peer;
	int accepted;

	accepted = accept4(fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
	if (accepted < 0) {
		if (errno == EMFILE || errno == ENFILE || errno == ENOMEM || errno == ENOBUFS)
			return server_pause(server);
		return 0; /* the peer is gone again */
	}
	/* twice the limit: even refusals that their peers do not read are bounded */
	if (server->n_connections >= 2 * server->connections_max) {
		(void)close(accepted);
		return 0;
	}
	if (connection_new(server, accepted, &c) < 0)
		return 0; /* no memory: the peer sees the connection close */
	peer = peer_of(server, c->fd);
	c->reader = peer == PEER_READER;
	/* readers leave half of the connections to root */
	if (peer == PEER_STRANGER)
		connection_refuse(c, "permission", "Only root may talk to the agent");
	else if (others >= server->connections_max / (c->reader ? 2 : 1))
		connection_refuse(c, "busy", "Too many connections, try again");
	return 0;
}

/* Replace what is left of an earlier agent; anything but a socket is somebody else's. */
static int socket_clear(const char *path)
{
	struct stat st;

	if (lstat(path, &st) < 0)
		return errno == ENOENT ? 0 : -errno;
	if (!S_ISSOCK(st.st_mode))
		return -EEXIST;
	return unlink(path) < 0 ? -errno : 0;
}

static int server_listen(struct control_server *server, const char *runtime_dir)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	struct stat st;
	int n, r;

	n = snprintf(address.sun_path, sizeof(address.sun_path), "%s/%s", runtime_dir,
		     CONTROL_SOCKET_NAME);
	if (n < 0 || (size_t)n >= sizeof(address.sun_path))
		return -ENAMETOOLONG;
	server->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (server->fd < 0)
		return -errno;
	r = socket_clear(address.sun_path);
	if (r < 0)
		return r;
	/* Linux gives the name the mode of the socket: there is no instant with a wider one */
	if (fchmod(server->fd, 0600) < 0)
		return -errno;
	if (bind(server->fd, (const struct sockaddr *)&address, sizeof(address)) < 0)
		return -errno;
	server->path = strdup(address.sun_path);
	if (!server->path) {
		(void)unlink(address.sun_path);
		return -ENOMEM;
	}
	if (lstat(server->path, &st) < 0)
		return -errno;
	server->dev = st.st_dev;
	server->ino = st.st_ino;
	return listen(server->fd, BACKLOG) < 0 ? -errno : 0;
}

static int server_add_sources(struct control_server *server)
{
	int r;

	r = sd_event_add_io(server->event, &server->io, server->fd, EPOLLIN, server_on_connect,
			    server);
	if (r < 0)
		return r;
	r = sd_event_source_set_priority(server->io, CONTROL_PRIORITY);
	if (r < 0)
		return r;
	r = sd_event_add_time(server->event, &server->pause, CLOCK_MONOTONIC, UINT64_MAX, 0,
			      server_on_pause_over, server);
	if (r < 0)
		return r;
	return sd_event_source_set_enabled(server->pause, SD_EVENT_OFF);
}

int control_server_new(sd_event *event, const char *runtime_dir, control_handler handler,
		       void *userdata, struct control_server **ret)
{
	struct control_server *server;
	int r;

	server = calloc(1, sizeof(*server));
	if (!server)
		return -ENOMEM;
	server->event = sd_event_ref(event);
	server->fd = -EBADF;
	server->handler = handler;
	server->userdata = userdata;
	server->connections_max = CONTROL_CONNECTIONS_MAX;
	server->timeout_ms = CONTROL_TIMEOUT_MS;
	server->readers = (gid_t)-1;
	r = server_listen(server, runtime_dir);
	if (r >= 0)
		r = server_add_sources(server);
	if (r < 0) {
		(void)control_server_free(server);
		return r;
	}
	*ret = server;
	return 0;
}

void control_server_set_limits(struct control_server *server, unsigned timeout_ms,
			       unsigned connections_max)
{
	server->timeout_ms = timeout_ms;
	server->connections_max = connections_max;
}

int control_server_set_readers(struct control_server *server, gid_t group,
			       const char *const *calls)
{
	server->readers = group;
	server->reader_calls = calls;
	if (chmod(server->path, 0660) < 0)
		return -errno;
	/* Without CAP_CHOWN somebody else has to: until then the group cannot connect. */
	if (lchown(server->path, (uid_t)-1, group) < 0 && errno != EPERM)
		return -errno;
	return 0;
}

struct control_server *control_server_free(struct control_server *server)
{
	struct stat st;

	if (!server)
		return NULL;
	while (server->connections)
		connection_free(server->connections);
	sd_event_source_disable_unref(server->io);
	sd_event_source_disable_unref(server->pause);
	if (server->fd >= 0)
		(void)close(server->fd);
	if (server->path && lstat(server->path, &st) == 0 && st.st_dev == server->dev &&
	    st.st_ino == server->ino)
		(void)unlink(server->path);
	free(server->path);
	sd_event_unref(server->event);
	free(server);
	return NULL;
}
