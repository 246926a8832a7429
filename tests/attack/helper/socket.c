/* SPDX-License-Identifier: Apache-2.0 */

/* Acts on sockets that have a name in a filesystem. */

#include "try.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

static int address_of(const char *path, struct sockaddr_un *ret)
{
	*ret = (struct sockaddr_un){.sun_family = AF_UNIX};
	if (strlen(path) >= sizeof(ret->sun_path))
		return -1;
	(void)strcpy(ret->sun_path, path);
	return 0;
}

/* listen STREAM DATAGRAM: makes two sockets of these names, and waits to be killed */
static int act_listen(char **args)
{
	static const int types[] = {SOCK_STREAM, SOCK_DGRAM};

	for (int i = 0; i < 2; i++) {
		struct sockaddr_un address;
		int fd = socket(AF_UNIX, types[i] | SOCK_CLOEXEC, 0);

		if (fd < 0 || address_of(args[i], &address) < 0 ||
		    bind(fd, (struct sockaddr *)&address, sizeof(address)) < 0 ||
		    (types[i] == SOCK_STREAM && listen(fd, 100) < 0))
			return try_setup_failed(args[i]);
	}
	(void)pause();
	return 0;
}

/* connect PATH */
static int act_connect(char **args)
{
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	struct sockaddr_un address;

	if (fd < 0 || address_of(args[0], &address) < 0)
		return try_setup_failed(args[0]);
	return connect(fd, (struct sockaddr *)&address, sizeof(address)) < 0 ? errno : 0;
}

/* connect-datagrams PATH */
static int act_connect_datagrams(char **args)
{
	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	struct sockaddr_un address;

	if (fd < 0 || address_of(args[0], &address) < 0)
		return try_setup_failed(args[0]);
	return connect(fd, (struct sockaddr *)&address, sizeof(address)) < 0 ? errno : 0;
}

/* send PATH: a datagram */
static int act_send(char **args)
{
	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	struct sockaddr_un address;

	if (fd < 0 || address_of(args[0], &address) < 0)
		return try_setup_failed(args[0]);
	return sendto(fd, "x", 1, MSG_DONTWAIT, (struct sockaddr *)&address, sizeof(address)) < 0 ? errno : 0;
}

const struct verb socket_verbs[] = {
	{"listen", 2, act_listen},
	{"connect", 1, act_connect},
	{"connect-datagrams", 1, act_connect_datagrams},
	{"send", 1, act_send},
	{},
};
