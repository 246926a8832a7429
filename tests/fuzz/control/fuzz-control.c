/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Any bytes as a request to the agent's server and as an answer to agentctl's client, over real
 * sockets: agent/control/server.c, client.c, diagnostics.c, text.c and, for what agentctl prints,
 * agent/policy/diag.c. Whatever a peer sends, the server gives one answer that the protocol knows
 * and ends the connection; the client returns, with an object or an outcome it documents.
 */

#include <errno.h>
#include <pthread.h>
#include <semaphore.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <systemd/sd-event.h>
#include <unistd.h>

#include "control/control.h"
#include "policy/diag.h"
#include "util/cleanup.h"
#include "util/strbuf.h"

int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Not assert(): it must hold whatever NDEBUG says. */
#define MUST(condition)                                                                            \
	do {                                                                                       \
		if (!(condition)) {                                                                \
			fprintf(stderr, "%s:%d: %s\n", __FILE__, __LINE__, #condition);            \
			abort();                                                                   \
		}                                                                                  \
	} while (0)

/* More than any request and its answer need. */
#define TURNS_MAX 100000U

static char server_dir[] = "/tmp/haetae-fuzz-server-XXXXXX";
static char client_dir[] = "/tmp/haetae-fuzz-client-XXXXXX";
static sd_event *event;
static struct control_server *server;
static int listener = -EBADF; /* of the false server */
static const uint8_t *answer_data;
static size_t answer_size;
static sem_t answered; /* the false server needs the bytes no more */

/* ---- a request ---- */

/* Gives the request back, as what a call returns or as the details of its failure. */
static json_t *echo(const char *call, json_t *params, void *userdata, char **reterr_text,
		    json_t **reterr_details)
{
	if (strcmp(call, "status") == 0)
		return json_incref(params);
	*reterr_text = strdup(call);
	*reterr_details = json_incref(params);
	return NULL;
}

static int address_connect(const char *dir, bool listens)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	MUST(fd >= 0);
	(void)snprintf(address.sun_path, sizeof(address.sun_path), "%s/%s", dir,
		       CONTROL_SOCKET_NAME);
	if (listens)
		MUST(bind(fd, (const struct sockaddr *)&address, sizeof(address)) == 0 &&
		     listen(fd, 8) == 0);
	else
		MUST(connect(fd, (const struct sockaddr *)&address, sizeof(address)) == 0);
	return fd;
}

static void check_answer(const struct strbuf *b)
{
	json_auto_t *answer = NULL;

	/* one line, and nothing that a terminal would act upon */
	MUST(b->len > 0 && memchr(b->data, '\n', b->len) == b->data + b->len - 1);
	for (size_t i = 0; i + 1 < b->len; i++)
		MUST((unsigned char)b->data[i] >= 0x20);
	answer = json_loadb(b->data, b->len, JSON_REJECT_DUPLICATES, NULL);
	MUST(json_is_object(answer));
	MUST(json_integer_value(json_object_get(answer, "haetae")) == CONTROL_VERSION);
	MUST(json_is_boolean(json_object_get(answer, "ok")));
	if (json_is_false(json_object_get(answer, "ok")))
		MUST(json_is_string(json_object_get(answer, "error")));
}

/* Send it, then take turns with the server until it has closed the connection. */
static void request_try(const uint8_t *data, size_t size)
{
	_cleanup_close_ int fd = address_connect(server_dir, /* listens= */ false);
	_cleanup_strbuf_ struct strbuf b = {};
	unsigned turns = 0;
	size_t sent = 0;

	for (;;) {
		char chunk[65536];
		ssize_t n;

		MUST(turns++ < TURNS_MAX);
		if (sent < size) {
			n = send(fd, data + sent, size - sent, MSG_NOSIGNAL | MSG_DONTWAIT);
			/* refused before the whole was taken */
			sent = n < 0 && errno != EAGAIN ? size : sent + (size_t)(n < 0 ? 0 : n);
		}
		if (sent == size)
			(void)shutdown(fd, SHUT_WR);
		MUST(sd_event_run(event, 0) >= 0);
		n = recv(fd, chunk, sizeof(chunk), MSG_DONTWAIT);
		if (n > 0)
			strbuf_append(&b, chunk, (size_t)n);
		else if (n == 0 || errno != EAGAIN)
			break;
	}
	/* who says nothing gets no answer; who says too much may not be able to read it */
	if (size > 0 && (b.len > 0 || size < CONTROL_REQUEST_MAX))
		check_answer(&b);
}

/* ---- an answer ---- */

static void *server_false(void *userdata)
{
	for (;;) {
		_cleanup_close_ int fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
		char chunk[4096];
		size_t sent = 0;
		ssize_t n;

		MUST(fd >= 0);
		do {
			n = recv(fd, chunk, sizeof(chunk), 0);
		} while (n > 0 && !memchr(chunk, '\n', (size_t)n));
		while (sent < answer_size) {
			n = send(fd, answer_data + sent, answer_size - sent, MSG_NOSIGNAL);
			if (n < 0)
				break;
			sent += (size_t)n;
		}
		MUST(sem_post(&answered) == 0);
	}
	return NULL;
}

static void check_print(const struct diag_list *diags)
{
	_cleanup_free_ char *text = NULL;
	size_t len = 0;
	FILE *out = open_memstream(&text, &len);

	MUST(out);
	diag_list_print(diags, out, false);
	MUST(fclose(out) == 0);
	for (size_t i = 0; i < len; i++)
		MUST(text[i] == '\n' || ((unsigned char)text[i] >= 0x20 && text[i] != 0x7f));
}

/* What was understood is understood again, and can be printed. */
static void diags_try(const json_t *array)
{
	struct diag_list diags = {}, again = {};
	int r = control_diags_from_json(array, &diags);

	MUST(r == 0 || r == -EPROTO);
	check_print(&diags);
	if (r == 0) {
		json_auto_t *written = control_diags_to_json(&diags);

		MUST(written);
		MUST(control_diags_from_json(written, &again) == 0);
		MUST(again.n == diags.n);
		for (size_t i = 0; i < diags.n; i++) {
			MUST(strcmp(again.items[i].text, diags.items[i].text) == 0);
			MUST(again.items[i].line == diags.items[i].line);
			MUST(again.items[i].severity == diags.items[i].severity);
		}
	}
	diag_list_deinit(&again);
	diag_list_deinit(&diags);
}

static void answer_try(const uint8_t *data, size_t size)
{
	json_auto_t *answer = NULL;
	int r;

	answer_data = data;
	answer_size = size;
	r = control_call(client_dir, "status", NULL, 0, &answer);
	while (sem_wait(&answered) < 0)
		MUST(errno == EINTR);
	MUST(r == 0 || r == CONTROL_E_REFUSED || r == -EPROTO || r == -EPROTONOSUPPORT ||
	     r == -ECONNRESET);
	MUST((r >= 0) == json_is_object(answer));
	MUST(r != -ECONNRESET || !memchr(data, '\n', size));
	diags_try(json_object_get(answer, "diagnostics"));
}

/* ---- both ---- */

static void clean_up(void)
{
	char path[128];

	(void)control_server_free(server);
	sd_event_unref(event);
	(void)snprintf(path, sizeof(path), "%s/%s", client_dir, CONTROL_SOCKET_NAME);
	(void)unlink(path);
	(void)rmdir(client_dir);
	(void)rmdir(server_dir);
}

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	pthread_t t;

	MUST(mkdtemp(server_dir) && mkdtemp(client_dir));
	MUST(sd_event_new(&event) >= 0);
	MUST(control_server_new(event, server_dir, echo, NULL, &server) == 0);
	listener = address_connect(client_dir, /* listens= */ true);
	MUST(sem_init(&answered, 0, 0) == 0);
	MUST(pthread_create(&t, NULL, server_false, NULL) == 0);
	MUST(pthread_detach(t) == 0);
	return atexit(clean_up);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	json_auto_t *array = NULL;

	request_try(data, size);
	answer_try(data, size);
	array = json_loadb((const char *)data, size, JSON_REJECT_DUPLICATES, NULL);
	diags_try(array);
	return 0;
}
