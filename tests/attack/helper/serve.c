/* SPDX-License-Identifier: Apache-2.0 */

/* A filesystem that a process serves (FUSE): what files are, under which numbers, and what is in them is the server's to say. */

#include "try.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/fuse.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

enum { NODE_ROOT = 1, NODE_SECRET, NODE_OPEN, NODE_TOOL, NODE_YES, NODE_NO, NODE_PLACED, NODE_FILE };

/* Two names of one file, and a directory that is found in two places, as if somebody else moved it back and forth. */
static const struct {
	unsigned parent;
	const char *name;
	unsigned node;
} names[] = {
	{NODE_ROOT, "secret", NODE_SECRET}, {NODE_ROOT, "again", NODE_SECRET}, {NODE_ROOT, "open", NODE_OPEN},
	{NODE_ROOT, "tool", NODE_TOOL},	    {NODE_ROOT, "yes", NODE_YES},      {NODE_ROOT, "no", NODE_NO},
	{NODE_YES, "placed", NODE_PLACED},  {NODE_NO, "placed", NODE_PLACED},  {NODE_PLACED, "file", NODE_FILE},
};

static bool node_is_directory(unsigned long node)
{
	return node == NODE_ROOT || (node >= NODE_YES && node <= NODE_PLACED);
}

struct server {
	int fd;
	int program; /* what "tool" has in it */
	off_t program_size;
	union {
		struct fuse_in_header head;
		char room[256 * 1024];
	} request;
};

static struct fuse_attr attributes(const struct server *s, unsigned long node)
{
	bool is_directory = node_is_directory(node);

	return (struct fuse_attr){
		.ino = node,
		.size = is_directory ? 0 : node == NODE_TOOL ? (unsigned long)s->program_size : 7,
		.mode = is_directory ? S_IFDIR | 0755 : S_IFREG | 0755,
		.nlink = 1,
		.blksize = 4096,
	};
}

static void reply(struct server *s, int error, const void *data, size_t len)
{
	struct fuse_out_header head = {.len = (unsigned)(sizeof(head) + len),
				       .error = -error,
				       .unique = s->request.head.unique};
	struct iovec parts[2] = {{&head, sizeof(head)}, {(void *)(unsigned long)data, len}};

	(void)!writev(s->fd, parts, 2);
}

static void serve_lookup(struct server *s)
{
	const char *name = s->request.room + sizeof(struct fuse_in_header);

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (names[i].parent == s->request.head.nodeid && strcmp(names[i].name, name) == 0) {
			struct fuse_entry_out out = {.nodeid = names[i].node,
						     .attr = attributes(s, names[i].node)};

			reply(s, 0, &out, sizeof(out));
			return;
		}
	reply(s, ENOENT, NULL, 0);
}

static void serve_read(struct server *s)
{
	const struct fuse_read_in *in = (void *)(s->request.room + sizeof(struct fuse_in_header));
	static const char text[] = "served\n";
	static char data[128 * 1024];
	size_t want = in->size < sizeof(data) ? in->size : sizeof(data);
	ssize_t n;

	if (s->request.head.nodeid != NODE_TOOL) {
		reply(s, 0, text, in->offset ? 0 : sizeof(text) - 1);
		return;
	}
	n = pread(s->program, data, want, (off_t)in->offset);
	reply(s, n < 0 ? errno : 0, data, n < 0 ? 0 : (size_t)n);
}

static void serve_one(struct server *s)
{
	struct fuse_init_out init = {.major = FUSE_KERNEL_VERSION, .minor = 31, .max_write = 4096};
	struct fuse_attr_out attr = {.attr = attributes(s, s->request.head.nodeid)};
	struct fuse_open_out opened = {};
	struct fuse_write_out written = {.size = 1};

	switch (s->request.head.opcode) {
	case FUSE_INIT:
		reply(s, 0, &init, sizeof(init));
		break;
	case FUSE_LOOKUP:
		serve_lookup(s);
		break;
	case FUSE_GETATTR:
	case FUSE_SETATTR:
		reply(s, 0, &attr, sizeof(attr));
		break;
	case FUSE_OPEN:
	case FUSE_OPENDIR:
		reply(s, 0, &opened, sizeof(opened));
		break;
	case FUSE_READ:
		serve_read(s);
		break;
	case FUSE_WRITE:
		reply(s, 0, &written, sizeof(written));
		break;
	case FUSE_READDIR:
	case FUSE_FLUSH:
	case FUSE_RELEASE:
	case FUSE_RELEASEDIR:
		reply(s, 0, NULL, 0);
		break;
	case FUSE_FORGET:
	case FUSE_BATCH_FORGET:
	case FUSE_INTERRUPT:
		break;
	default:
		reply(s, ENOSYS, NULL, 0);
	}
}

/* serve MOUNTPOINT PROGRAM: a filesystem of a few names, until it is unmounted */
static int act_serve(char **args)
{
	static struct server s;
	char options[128];
	struct stat st;

	s.fd = open("/dev/fuse", O_RDWR | O_CLOEXEC);
	s.program = open(args[1], O_RDONLY | O_CLOEXEC);
	if (s.fd < 0 || s.program < 0 || fstat(s.program, &st) < 0)
		return try_setup_failed("/dev/fuse");
	s.program_size = st.st_size;
	(void)snprintf(options, sizeof(options), "fd=%d,rootmode=40000,user_id=0,group_id=0,allow_other", s.fd);
	if (mount("served", args[0], "fuse", 0, options) < 0)
		return try_setup_failed(args[0]);
	while (read(s.fd, &s.request, sizeof(s.request)) > 0)
		serve_one(&s);
	return 0;
}

const struct verb serve_verbs[] = {
	{"serve", 2, act_serve},
	{NULL, 0, NULL},
};
