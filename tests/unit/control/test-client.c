/* SPDX-License-Identifier: Apache-2.0 */

/* The client against servers that are none: each ends, hangs or answers in a way ours does not. */

#include <check.h>
#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "control/control.h"
#include "tests/unit/runner.h"
#include "util/cleanup.h"

static char dir[64];

static void setup(void)
{
	(void)strcpy(dir, "/tmp/haetae-control-XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(dir));
}

static void teardown(void)
{
	char path[96];

	(void)snprintf(path, sizeof(path), "%s/control", dir);
	ck_assert_int_eq(unlink(path), 0);
	ck_assert_int_eq(rmdir(dir), 0);
}

static const struct {
	const char *answer; /* "" ends at once; NULL: never answers */
	int result;
} servers[] = {
	{"", -ECONNRESET},
	{"{\"haetae\": 1, \"ok\": true}", -ECONNRESET}, /* no line end */
	{"nonsense\n", -EPROTO},
	{"[]\n", -EPROTO},
	{"{}\n", -EPROTO},
	{"{\"haetae\": 1}\n", -EPROTO},
	{"{\"haetae\": 1, \"ok\": 1}\n", -EPROTO},
	{"{\"haetae\": 2, \"ok\": true}\n", -EPROTONOSUPPORT},
	{"{\"haetae\": 1, \"ok\": true}\n", 0},
	{"{\"haetae\": 1, \"ok\": false}\n", CONTROL_E_REFUSED},
	{NULL, -ETIMEDOUT},
};

struct fake {
	int listener;
	const char *answer;
};

static void *fake_serve(void *arg)
{
	const struct fake *fake = arg;
	int fd = accept4(fake->listener, NULL, NULL, SOCK_CLOEXEC);
	char data[4096];

	if (fd < 0)
		return NULL;
	(void)!recv(fd, data, sizeof(data), 0);
	if (fake->answer)
		(void)!send(fd, fake->answer, strlen(fake->answer), MSG_NOSIGNAL);
	else
		(void)!recv(fd, data, sizeof(data), 0); /* until the client gives up */
	(void)close(fd);
	return NULL;
}

START_TEST(test_client)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	struct fake fake = {.answer = servers[_i].answer};
	json_t *answer = NULL;
	pthread_t t;

	(void)snprintf(address.sun_path, sizeof(address.sun_path), "%s/control", dir);
	fake.listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	ck_assert_int_eq(bind(fake.listener, (const struct sockaddr *)&address, sizeof(address)),
			 0);
	ck_assert_int_eq(listen(fake.listener, 1), 0);
	ck_assert_int_eq(pthread_create(&t, NULL, fake_serve, &fake), 0);
	ck_assert_int_eq(control_call(dir, "echo", NULL, servers[_i].answer ? 10000 : 200, &answer),
			 servers[_i].result);
	ck_assert_int_eq(answer != NULL, servers[_i].result >= 0);
	json_decref(answer);
	ck_assert_int_eq(pthread_join(t, NULL), 0);
	(void)close(fake.listener);
}
END_TEST

int main(void)
{
	TCase *tc = tcase_create("client");

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_set_timeout(tc, 120);
	tcase_add_loop_test(tc, test_client, 0, (int)ARRAY_LEN(servers));
	return tcase_run(tc);
}
