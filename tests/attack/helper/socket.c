/* SPDX-License-Identifier: Apache-2.0 */

/* Acts on sockets that have a name in a filesystem. */

#include "try.h"

#include <errno.h>
#include <fcntl.h>
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

union control {
	struct cmsghdr head;
	char room[CMSG_SPACE(sizeof(int))];
};

/* give SOCKET FLAGS PATH: makes a socket of this name and sends a descriptor of PATH to each one who connects */
static int act_give(char **args)
{
	int flags = try_open_flags(args[1]), fd = -1, listener, one;
	struct sockaddr_un address;

	listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (flags >= 0)
		fd = open(args[2], flags & ~O_CLOEXEC);
	if (fd < 0 || listener < 0 || address_of(args[0], &address) < 0 ||
	    bind(listener, (struct sockaddr *)&address, sizeof(address)) < 0 || listen(listener, 100) < 0)
		return try_setup_failed(args[0]);
	while ((one = accept(listener, NULL, NULL)) >= 0) {
		union control control = {.head = {.cmsg_len = CMSG_LEN(sizeof(int)),
						  .cmsg_level = SOL_SOCKET,
						  .cmsg_type = SCM_RIGHTS}};
		char text = 0;
		struct iovec byte = {.iov_base = &text, .iov_len = 1};
		struct msghdr message = {.msg_iov = &byte,
					 .msg_iovlen = 1,
					 .msg_control = &control,
					 .msg_controllen = sizeof(control.room)};

		(void)memcpy(CMSG_DATA(&control.head), &fd, sizeof(fd));
		(void)sendmsg(one, &message, MSG_NOSIGNAL);
		(void)close(one);
	}
	return try_setup_failed("accept");
}

#define RECEIVED 9

/* What came with a message: at RECEIVED. Return: 0, EPERM: the message came without it. */
static int take(struct msghdr *message)
{
	struct cmsghdr *head = CMSG_FIRSTHDR(message);
	int fd;

	if (!head || head->cmsg_len < CMSG_LEN(sizeof(int)))
		return message->msg_flags & MSG_CTRUNC ? EPERM : STATUS_WRONG;
	(void)memcpy(&fd, CMSG_DATA(head), sizeof(fd));
	return dup2(fd, RECEIVED) < 0 ? try_setup_failed("dup2") : 0;
}

/* receive HOW SOCKET ...: gets a descriptor from who listens there, by a call or by io_uring (here, worker), and goes on with
 * it as number 9 */
static int wrap_receive(char **args)
{
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0), error;
	union control control = {};
	struct sockaddr_un address;
	char byte;
	struct iovec room = {.iov_base = &byte, .iov_len = 1};
	struct msghdr message = {.msg_iov = &room,
				 .msg_iovlen = 1,
				 .msg_control = &control,
				 .msg_controllen = sizeof(control.room)};

	if (fd < 0 || address_of(args[1], &address) < 0 ||
	    connect(fd, (struct sockaddr *)&address, sizeof(address)) < 0)
		return try_setup_failed(args[1]);
	if (strcmp(args[0], "call") == 0)
		error = recvmsg(fd, &message, 0) < 0 ? errno : 0;
	else
		error = try_uring_receive(args[0], fd, &message);
	if (error == 0)
		error = take(&message);
	return error ? error : try_run(args + 2);
}

const struct verb socket_verbs[] = {
	{"give", 3, act_give},
	{"receive", 3, wrap_receive},
	{"listen", 2, act_listen},
	{"connect", 1, act_connect},
	{"connect-datagrams", 1, act_connect_datagrams},
	{"send", 1, act_send},
	{},
};
