/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Server and client in one process: the server in a thread with its own event loop, the test as the
 * client; and peers that do everything a client should not.
 */

#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <poll.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <systemd/sd-event.h>
#include <time.h>

#include "control/control.h"
#include "tests/unit/control/serve.h"
#include "tests/unit/runner.h"
#include "util/cleanup.h"

static void setup(void)
{
	(void)strcpy(dir, "/tmp/haetae-control-XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(dir));
	calls = 0;
}

static void teardown(void)
{
	char command[128];

	(void)snprintf(command, sizeof(command), "rm -rf '%s'", dir);
	ck_assert_int_eq(system(command), 0);
}

/* ---- a peer that speaks bytes ---- */

static int peer_connect(void)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	ck_assert_int_ge(fd, 0);
	(void)snprintf(address.sun_path, sizeof(address.sun_path), "%s/control", dir);
	ck_assert_int_eq(connect(fd, (const struct sockaddr *)&address, sizeof(address)), 0);
	return fd;
}

/* The answer, NULL: the connection ended without one. */
static json_t *peer_answer(int fd)
{
	char data[65536];
	size_t len = 0;
	json_t *answer;

	for (;;) {
		ssize_t n = recv(fd, data + len, sizeof(data) - len, 0);

		if (n <= 0)
			break;
		len += (size_t)n;
		ck_assert_uint_lt(len, sizeof(data));
	}
	if (len == 0)
		return NULL;
	ck_assert_int_eq(data[len - 1], '\n');
	answer = json_loadb(data, len, 0, NULL);
	ck_assert_ptr_nonnull(answer);
	return answer;
}

static const char *text_of(const json_t *object, const char *key)
{
	return json_string_value(json_object_get(object, key));
}

/* ---- calls ---- */

START_TEST(test_call)
{
	json_t *answer = NULL;

	start();
	ck_assert_int_eq(
		control_call(dir, "echo", json_pack("{s:[i, s]}", "give", 7, "x"), 0, &answer), 0);
	ck_assert_int_eq(json_integer_value(json_object_get(answer, "haetae")), CONTROL_VERSION);
	ck_assert(json_is_true(json_object_get(answer, "ok")));
	ck_assert_int_eq(json_array_size(json_object_get(answer, "got")), 2);
	json_decref(answer);
	ck_assert_int_eq(control_call(dir, "lie", NULL, 0, &answer), 0);
	ck_assert_int_eq(json_integer_value(json_object_get(answer, "haetae")), CONTROL_VERSION);
	ck_assert_int_eq(json_integer_value(json_object_get(answer, "real")), 1);
	json_decref(answer);
	for (int i = 0; i < 200; i++) {
		ck_assert_int_eq(
			control_call(dir, "echo", json_pack("{s:i}", "give", i), 0, &answer), 0);
		ck_assert_int_eq(json_integer_value(json_object_get(answer, "got")), i);
		json_decref(answer);
	}
	stop();
	ck_assert_int_eq(calls, 202);
}
END_TEST

START_TEST(test_refused_by_handler)
{
	json_t *answer = NULL;

	start();
	ck_assert_int_eq(control_call(dir, "details", NULL, 0, &answer), CONTROL_E_REFUSED);
	ck_assert_str_eq(text_of(answer, "error"), "two files are broken\\x0a\\xff");
	ck_assert_ptr_null(json_object_get(answer, "reason"));
	ck_assert_uint_eq(json_array_size(json_object_get(answer, "diagnostics")), 2);
	json_decref(answer);
	ck_assert_int_eq(control_call(dir, "silent", NULL, 0, &answer), CONTROL_E_REFUSED);
	ck_assert_ptr_nonnull(text_of(answer, "error"));
	json_decref(answer);
	ck_assert_int_eq(control_call(dir, "nonsense", NULL, 0, &answer), CONTROL_E_REFUSED);
	ck_assert_str_eq(text_of(answer, "error"), "unknown call");
	json_decref(answer);
	stop();
}
END_TEST

/* Far more than the socket holds at once, so that it goes out in many parts. */
START_TEST(test_large_answer)
{
	static const size_t sizes[] = {1, 65535, 65536, 1000000, 20000000};
	json_t *answer = NULL;

	start();
	for (size_t i = 0; i < ARRAY_LEN(sizes); i++) {
		ck_assert_int_eq(control_call(dir, "large",
					      json_pack("{s:I}", "bytes", (json_int_t)sizes[i]),
					      60000, &answer),
				 0);
		ck_assert_uint_eq(json_string_length(json_object_get(answer, "text")), sizes[i]);
		json_decref(answer);
	}
	stop();
}
END_TEST

START_TEST(test_answer_too_large)
{
	json_t *answer = NULL;

	start();
	ck_assert_int_eq(control_call(dir, "large",
				      json_pack("{s:I}", "bytes", (json_int_t)CONTROL_ANSWER_MAX),
				      60000, &answer),
			 CONTROL_E_REFUSED);
	ck_assert_str_eq(text_of(answer, "reason"), "size");
	json_decref(answer);
	stop();
}
END_TEST

START_TEST(test_no_agent)
{
	json_t *answer = NULL;
	char path[128], longer[256];
	int fd;

	ck_assert_int_eq(control_call(dir, "echo", NULL, 0, &answer), -ENOENT);
	start();
	stop();
	ck_assert_int_eq(control_call(dir, "echo", NULL, 0, &answer), -ENOENT);
	/* a socket that nobody listens on */
	(void)snprintf(path, sizeof(path), "%s/control", dir);
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	{
		struct sockaddr_un address = {.sun_family = AF_UNIX};

		(void)strcpy(address.sun_path, path);
		ck_assert_int_eq(bind(fd, (const struct sockaddr *)&address, sizeof(address)), 0);
	}
	(void)close(fd);
	ck_assert_int_eq(control_call(dir, "echo", NULL, 0, &answer), -ECONNREFUSED);
	memset(longer, 'x', sizeof(longer) - 1);
	longer[sizeof(longer) - 1] = '\0';
	ck_assert_int_eq(control_call(longer, "echo", NULL, 0, &answer), -ENAMETOOLONG);
	ck_assert_int_eq(control_call(dir, "echo", json_array(), 0, &answer), -EINVAL);
	ck_assert_ptr_null(answer);
}
END_TEST

START_TEST(test_request_too_large)
{
	char *text = calloc(1, CONTROL_REQUEST_MAX + 1);
	json_t *answer = NULL;

	ck_assert_ptr_nonnull(text);
	memset(text, 'x', CONTROL_REQUEST_MAX);
	start();
	ck_assert_int_eq(control_call(dir, "echo", json_pack("{s:s}", "give", text), 0, &answer),
			 -EMSGSIZE);
	/* the largest that fits: {"give":"...","haetae":1,"call":"echo"} and its line end */
	text[CONTROL_REQUEST_MAX - strlen("{\"give\":\"\",\"haetae\":1,\"call\":\"echo\"}\n")] =
		'\0';
	ck_assert_int_eq(control_call(dir, "echo", json_pack("{s:s}", "give", text), 0, &answer),
			 0);
	json_decref(answer);
	stop();
	free(text);
}
END_TEST

/* ---- the socket ---- */

START_TEST(test_socket)
{
	struct control_server *server = NULL, *second = NULL;
	sd_event *event = NULL;
	char path[128], longer[256];
	struct stat st;
	mode_t old = umask(0);
	int fd;

	(void)snprintf(path, sizeof(path), "%s/control", dir);
	ck_assert_int_eq(sd_event_new(&event), 0);
	ck_assert_int_eq(control_server_new(event, dir, handler, NULL, &server), 0);
	(void)umask(old);
	ck_assert_int_eq(lstat(path, &st), 0);
	ck_assert(S_ISSOCK(st.st_mode));
	ck_assert_uint_eq(st.st_mode & 07777, 0600);
	/* a second server replaces it, and the first leaves it alone when it ends */
	ck_assert_int_eq(control_server_new(event, dir, handler, NULL, &second), 0);
	server = control_server_free(server);
	ck_assert_int_eq(lstat(path, &st), 0);
	second = control_server_free(second);
	ck_assert_int_eq(lstat(path, &st), -1);
	/* what is no socket is not removed */
	fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
	ck_assert_int_ge(fd, 0);
	(void)close(fd);
	ck_assert_int_eq(control_server_new(event, dir, handler, NULL, &server), -EEXIST);
	ck_assert_int_eq(lstat(path, &st), 0);
	memset(longer, 'x', sizeof(longer) - 1);
	longer[sizeof(longer) - 1] = '\0';
	ck_assert_int_eq(control_server_new(event, longer, handler, NULL, &server), -ENAMETOOLONG);
	ck_assert_int_eq(control_server_new(event, "/nonexistent", handler, NULL, &server),
			 -ENOENT);
	ck_assert_ptr_null(server);
	sd_event_unref(event);
}
END_TEST

/* A stranger cannot connect by the socket's mode; one who could (here: mode widened) is told. */
START_TEST(test_permission)
{
	json_t *answer = NULL;
	char path[128];
	int status;
	pid_t pid;

	if (geteuid() != 0)
		return; /* nobody else to be */
	start();
	(void)snprintf(path, sizeof(path), "%s/control", dir);
	ck_assert_int_eq(chmod(dir, 0755), 0);
	for (int widened = 0; widened < 2; widened++) {
		ck_assert_int_eq(chmod(path, widened ? 0666 : 0600), 0);
		pid = fork();
		ck_assert_int_ge(pid, 0);
		if (pid == 0) {
			int r;

			if (setresgid(65534, 65534, 65534) < 0 ||
			    setresuid(65534, 65534, 65534) < 0)
				_exit(9);
			r = control_call(dir, "echo", NULL, 0, &answer);
			if (!widened)
				_exit(r == -EACCES ? 0 : 1);
			if (r != CONTROL_E_REFUSED || !text_of(answer, "reason"))
				_exit(2);
			_exit(strcmp(text_of(answer, "reason"), "permission") == 0 ? 0 : 3);
		}
		ck_assert_int_eq(waitpid(pid, &status, 0), pid);
		ck_assert_int_eq(status, 0);
	}
	stop();
	ck_assert_int_eq(calls, 0);
}
END_TEST

/* Members of the readers' group get what readers may ask, whichever of their groups it is; nobody else gets more. */
static const struct {
	gid_t gid, other; /* of the peer */
	const char *call;
	int result;
} readers[] = {
	{4242, 65534, "large", 0},
	{65534, 4242, "large", 0},
	{4242, 65534, "echo", CONTROL_E_REFUSED},
	{65534, 4242, "echo", CONTROL_E_REFUSED},
	{65534, 65533, "large", -EACCES},
	{65534, 65533, "echo", -EACCES},
};

START_TEST(test_readers)
{
	json_t *answer = NULL;
	char path[128];
	struct stat st;
	int status;
	pid_t pid;

	if (geteuid() != 0)
		return; /* nobody else to be */
	with_readers = 4242;
	start();
	with_readers = (gid_t)-1;
	(void)snprintf(path, sizeof(path), "%s/control", dir);
	ck_assert_int_eq(chmod(dir, 0755), 0);
	ck_assert_int_eq(lstat(path, &st), 0);
	ck_assert_uint_eq(st.st_mode & 07777, 0660);
	ck_assert_uint_eq(st.st_gid, 4242);
	pid = fork();
	ck_assert_int_ge(pid, 0);
	if (pid == 0) {
		int r;

		if (setgroups(1, &readers[_i].other) < 0 ||
		    setresgid(readers[_i].gid, readers[_i].gid, readers[_i].gid) < 0 ||
		    setresuid(65534, 65534, 65534) < 0)
			_exit(9);
		r = control_call(dir, readers[_i].call, NULL, 0, &answer);
		if (r != readers[_i].result)
			_exit(1);
		if (r == CONTROL_E_REFUSED && strcmp(text_of(answer, "reason"), "permission") != 0)
			_exit(2);
		_exit(0);
	}
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	ck_assert_int_eq(status, 0);
	stop();
	ck_assert_int_eq(calls, readers[_i].result == 0);
}
END_TEST

/* ---- abuse ---- */

#define LINE(s) s "\n", sizeof(s)

static const struct {
	const char *data;
	size_t len;
	bool shut;	    /* then no more is sent */
	const char *reason; /* NULL: no answer at all */
} abuses[] = {
	{LINE(""), false, "syntax"},
	{LINE("nonsense"), false, "syntax"},
	{LINE("7"), false, "syntax"},
	{LINE("[]"), false, "syntax"},
	{LINE("{}"), false, "syntax"},
	{LINE("{\"haetae\": 1}"), false, "syntax"},
	{LINE("{\"haetae\": 1, \"call\": 7}"), false, "syntax"},
	{LINE("{\"haetae\": 1, \"call\": null}"), false, "syntax"},
	{LINE("{\"haetae\": \"1\", \"call\": \"echo\"}"), false, "syntax"},
	{LINE("{\"haetae\": 1.0, \"call\": \"echo\"}"), false, "syntax"},
	{LINE("{\"haetae\": 2, \"call\": \"echo\"}"), false, "version"},
	{LINE("{\"haetae\": -9223372036854775808, \"call\": \"echo\"}"), false, "version"},
	{LINE("{\"haetae\": 9223372036854775808, \"call\": \"echo\"}"), false, "syntax"},
	{LINE("{\"haetae\": 1, \"haetae\": 1, \"call\": \"echo\"}"), false, "syntax"},
	{LINE("{\"haetae\": 1, \"call\": \"ec\\u0000ho\"}"), false, "syntax"},
	{LINE("{\"haetae\": 1, \"call\": \"\xff\"}"), false, "syntax"},
	{LINE("{\"haetae\": 1, \"call\": \"echo\"} {}"), false, "syntax"},
	{LINE("\0\0\0\0"), false, "syntax"},
	{LINE("{\"haetae\": 1, \"call\": \"echo\"}\n{\"haetae\": 1, \"call\": \"echo\"}"), false,
	 "syntax"},
	{"{\"haetae\": 1", 12, true, "syntax"},
	{"", 0, true, NULL},
};

START_TEST(test_abuse)
{
	json_t *answer;
	int fd;

	start();
	fd = peer_connect();
	ck_assert_int_eq(send(fd, abuses[_i].data, abuses[_i].len, MSG_NOSIGNAL),
			 (ssize_t)abuses[_i].len);
	if (abuses[_i].shut)
		ck_assert_int_eq(shutdown(fd, SHUT_WR), 0);
	answer = peer_answer(fd);
	if (abuses[_i].reason) {
		ck_assert_ptr_nonnull(answer);
		ck_assert(json_is_false(json_object_get(answer, "ok")));
		ck_assert_str_eq(text_of(answer, "reason"), abuses[_i].reason);
		ck_assert_ptr_nonnull(text_of(answer, "error"));
	} else {
		ck_assert_ptr_null(answer);
	}
	json_decref(answer);
	(void)close(fd);
	/* and it goes on serving others */
	ck_assert_int_eq(control_call(dir, "echo", json_pack("{s:i}", "give", 1), 0, &answer), 0);
	json_decref(answer);
	stop();
	ck_assert_int_eq(calls, 1);
}
END_TEST

/* Nesting, and more bytes than a request may have without a line end. */
START_TEST(test_huge)
{
	char *data = malloc(4 * CONTROL_REQUEST_MAX);
	json_t *answer;
	size_t sent = 0;
	int fd;

	ck_assert_ptr_nonnull(data);
	memset(data, '[', 4 * CONTROL_REQUEST_MAX);
	start();
	fd = peer_connect();
	while (sent < 4 * CONTROL_REQUEST_MAX) {
		ssize_t n = send(fd, data + sent, 4 * CONTROL_REQUEST_MAX - sent, MSG_NOSIGNAL);

		if (n < 0)
			break; /* it has answered and closed */
		sent += (size_t)n;
	}
	answer = peer_answer(fd);
	ck_assert_str_eq(text_of(answer, "reason"), "size");
	json_decref(answer);
	(void)close(fd);

	data[CONTROL_REQUEST_MAX - 1] = '\n';
	fd = peer_connect();
	ck_assert_int_eq(send(fd, data, CONTROL_REQUEST_MAX, MSG_NOSIGNAL), CONTROL_REQUEST_MAX);
	answer = peer_answer(fd);
	ck_assert_str_eq(text_of(answer, "reason"), "syntax");
	json_decref(answer);
	(void)close(fd);
	stop();
	free(data);
}
END_TEST

/* A byte at a time is a request like any other. */
START_TEST(test_byte_by_byte)
{
	static const char request[] = "{\"haetae\": 1, \"call\": \"echo\", \"give\": 5}\n";
	json_t *answer;
	int fd;

	start();
	fd = peer_connect();
	for (size_t i = 0; i < sizeof(request) - 1; i++)
		ck_assert_int_eq(send(fd, request + i, 1, MSG_NOSIGNAL), 1);
	answer = peer_answer(fd);
	ck_assert_int_eq(json_integer_value(json_object_get(answer, "got")), 5);
	json_decref(answer);
	(void)close(fd);
	stop();
}
END_TEST

/* Slow-loris: bytes keep coming, the deadline stands. */
START_TEST(test_slow_request)
{
	struct timespec begin, now, pause = {.tv_nsec = 20000000};
	json_t *answer = NULL;
	int fd;

	start_limited(300, 4);
	fd = peer_connect();
	(void)clock_gettime(CLOCK_MONOTONIC, &begin);
	for (;;) {
		struct pollfd p = {.fd = fd, .events = POLLIN};

		if (poll(&p, 1, 20) > 0)
			break;
		(void)send(fd, "{", 1, MSG_NOSIGNAL);
		(void)nanosleep(&pause, NULL);
		(void)clock_gettime(CLOCK_MONOTONIC, &now);
		ck_assert_int_lt(now.tv_sec - begin.tv_sec, 10);
	}
	answer = peer_answer(fd);
	ck_assert_str_eq(text_of(answer, "reason"), "timeout");
	json_decref(answer);
	(void)close(fd);
	stop();
}
END_TEST

/* A peer that asks for much and reads nothing is dropped, and others are served meanwhile. */
START_TEST(test_slow_reader)
{
	static const char request[] = "{\"haetae\": 1, \"call\": \"large\", \"bytes\": 8000000}\n";
	char chunk[65536];
	size_t got = 0;
	json_t *answer;
	ssize_t n;
	int fd;

	start_limited(400, 4);
	fd = peer_connect();
	ck_assert_int_eq(send(fd, request, sizeof(request) - 1, MSG_NOSIGNAL), sizeof(request) - 1);
	ck_assert_int_eq(control_call(dir, "echo", json_pack("{s:i}", "give", 1), 0, &answer), 0);
	json_decref(answer);
	{
		/* hangs up once the time is over; what the socket held can still be read */
		struct pollfd p = {.fd = fd, .events = POLLRDHUP};

		ck_assert_int_eq(poll(&p, 1, 10000), 1);
	}
	while ((n = recv(fd, chunk, sizeof(chunk), 0)) > 0)
		got += (size_t)n;
	ck_assert_uint_lt(got, 8000000);
	(void)close(fd);
	stop();
}
END_TEST

/* One connection too many is told so; those that were there first are not disturbed. */
START_TEST(test_busy)
{
	static const char request[] = "{\"haetae\": 1, \"call\": \"echo\", \"give\": 5}\n";
	json_t *answer = NULL;
	int fds[3];

	start_limited(20000, ARRAY_LEN(fds));
	for (size_t i = 0; i < ARRAY_LEN(fds); i++)
		fds[i] = peer_connect();
	/* the listener takes them in order: once this one is refused, the three are in */
	ck_assert_int_eq(control_call(dir, "echo", NULL, 0, &answer), CONTROL_E_REFUSED);
	ck_assert_str_eq(text_of(answer, "reason"), "busy");
	json_decref(answer);
	for (size_t i = 0; i < ARRAY_LEN(fds); i++) {
		ck_assert_int_eq(send(fds[i], request, sizeof(request) - 1, MSG_NOSIGNAL),
				 sizeof(request) - 1);
		answer = peer_answer(fds[i]);
		ck_assert_int_eq(json_integer_value(json_object_get(answer, "got")), 5);
		json_decref(answer);
		(void)close(fds[i]);
	}
	ck_assert_int_eq(control_call(dir, "echo", json_pack("{s:i}", "give", 1), 0, &answer), 0);
	json_decref(answer);
	stop();
}
END_TEST

/* Peers that come and go without a word. */
START_TEST(test_hang_ups)
{
	static const char request[] = "{\"haetae\": 1, \"call\": \"large\", \"bytes\": 300000}\n";
	json_t *answer;

	start();
	for (int i = 0; i < 500; i++) {
		int fd = peer_connect();

		if (i % 3 == 0)
			(void)send(fd, request, sizeof(request) - 1, MSG_NOSIGNAL);
		else if (i % 3 == 1)
			(void)send(fd, "{", 1, MSG_NOSIGNAL);
		(void)close(fd);
	}
	ck_assert_int_eq(control_call(dir, "echo", json_pack("{s:i}", "give", 1), 0, &answer), 0);
	json_decref(answer);
	stop();
}
END_TEST

/* Out of descriptors: the server pauses and recovers by itself. */
START_TEST(test_out_of_descriptors)
{
	struct rlimit old, low;
	json_t *answer = NULL;
	int fd, top, hold;

	start();
	ck_assert_int_eq(getrlimit(RLIMIT_NOFILE, &old), 0);
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	top = dup(fd);
	hold = top;
	(void)close(top);
	/* nothing beyond the socket that is open already: accept4() gets EMFILE */
	low = (struct rlimit){.rlim_cur = (rlim_t)hold, .rlim_max = old.rlim_max};
	ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &low), 0);
	{
		struct sockaddr_un address = {.sun_family = AF_UNIX};
		struct pollfd p = {.fd = fd, .events = POLLIN};

		(void)snprintf(address.sun_path, sizeof(address.sun_path), "%s/control", dir);
		ck_assert_int_eq(connect(fd, (const struct sockaddr *)&address, sizeof(address)),
				 0);
		ck_assert_int_eq(send(fd, "{}\n", 3, MSG_NOSIGNAL), 3);
		ck_assert_int_eq(poll(&p, 1, 300), 0);
		ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &old), 0);
		ck_assert_int_eq(poll(&p, 1, 10000), 1);
	}
	answer = peer_answer(fd);
	ck_assert_str_eq(text_of(answer, "reason"), "syntax");
	json_decref(answer);
	(void)close(fd);
	stop();
}
END_TEST

int main(void)
{
	TCase *tc = tcase_create("control");

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_set_timeout(tc, 120);
	tcase_add_test(tc, test_call);
	tcase_add_test(tc, test_refused_by_handler);
	tcase_add_test(tc, test_large_answer);
	tcase_add_test(tc, test_answer_too_large);
	tcase_add_test(tc, test_no_agent);
	tcase_add_test(tc, test_request_too_large);
	tcase_add_test(tc, test_socket);
	tcase_add_test(tc, test_permission);
	tcase_add_loop_test(tc, test_readers, 0, (int)ARRAY_LEN(readers));
	tcase_add_loop_test(tc, test_abuse, 0, (int)ARRAY_LEN(abuses));
	tcase_add_test(tc, test_huge);
	tcase_add_test(tc, test_byte_by_byte);
	tcase_add_test(tc, test_slow_request);
	tcase_add_test(tc, test_slow_reader);
	tcase_add_test(tc, test_busy);
	tcase_add_test(tc, test_hang_ups);
	tcase_add_test(tc, test_out_of_descriptors);
	return tcase_run(tc);
}
