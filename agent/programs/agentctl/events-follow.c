/* SPDX-License-Identifier: Apache-2.0 */

/*
 * agentctl events --follow: sleep until the database changes.
 *
 * inotify on the state directory tells of writes to events.db and events.db-wal, of a database that
 * is set aside or replaced, and of one that appears. Where the directory does not exist yet, its
 * nearest ancestor that does is watched until it comes.
 *
 * A write to the WAL is told before the commit is visible: the writer then forces it to the disk
 * and moves the shared index last, in mapped memory, which no descriptor tells of. So after each
 * change the query is repeated a few times at growing intervals, and only then the wait is without
 * end. Nothing runs while nothing is written.
 */

#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/stat.h>

#include "programs/agentctl/events.h"

#define FOLLOW_LINES 10U
#define WATCH_DIR                                                                                  \
	(IN_MODIFY | IN_CREATE | IN_DELETE | IN_MOVED_FROM | IN_MOVED_TO | IN_DELETE_SELF |        \
	 IN_MOVE_SELF)
#define WATCH_ANCESTOR (IN_CREATE | IN_MOVED_TO | IN_DELETE_SELF | IN_MOVE_SELF)

/* Milliseconds from one look to the next after a change; the last covers a disk under load. */
static const int looks[] = {5, 20, 80, 320, 1280, 5120};

struct follow {
	const struct events_options *options;
	struct events_printer *printer;
	const char *dir;
	char *path;		     /* of the database, owned */
	const char *name;	     /* its last component */
	int inotify;		     /* owned */
	int watch;		     /* of the directory itself, -1: not there */
	struct store_reader *reader; /* NULL: no database yet */
	dev_t dev;		     /* of the database the reader has open */
	ino_t ino;
	int64_t after; /* last row that was looked at */
	size_t look;   /* index into looks; beyond: wait for a change */
	bool first;    /* nothing was shown yet */
	int error;     /* why the database cannot be read, told once it lasts */
	char *error_text;
};

static void follow_deinit(struct follow *f)
{
	(void)store_reader_close(f->reader);
	free(f->path);
	free(f->error_text);
	if (f->inotify >= 0)
		(void)close(f->inotify);
}

/* Watch the nearest ancestor of dir that exists. */
static int watch_ancestor(struct follow *f)
{
	char path[PATH_MAX];
	size_t len = strlen(f->dir);

	if (len >= sizeof(path))
		return -ENAMETOOLONG;
	memcpy(path, f->dir, len + 1);
	for (;;) {
		char *slash;

		while (len > 1 && path[len - 1] == '/')
			path[--len] = '\0';
		slash = strrchr(path, '/');
		if (!slash)
			(void)strcpy(path, ".");
		else
			slash[slash == path] = '\0';
		len = strlen(path);
		if (inotify_add_watch(f->inotify, path, WATCH_ANCESTOR | IN_ONLYDIR) >= 0)
			return 0;
		if ((errno != ENOENT && errno != ENOTDIR) || !slash || slash == path)
			return -errno;
	}
}

/* See to it that a change of the directory, or its coming, wakes us. */
static int follow_watch(struct follow *f)
{
	for (unsigned round = 0; f->watch < 0; round++) {
		int r;

		f->watch = inotify_add_watch(f->inotify, f->dir, WATCH_DIR | IN_ONLYDIR);
		if (f->watch >= 0)
			return 0;
		if (errno != ENOENT)
			return -errno;
		/* it may have come between the two calls: once more, after the ancestor is watched
		 */
		if (round > 0)
			return 0;
		r = watch_ancestor(f);
		if (r < 0)
			return r;
	}
	return 0;
}

static bool change_matters(const struct follow *f, const struct inotify_event *event)
{
	const char *rest;
	size_t len = strlen(f->name);

	if (event->wd != f->watch || event->len == 0)
		return true; /* an ancestor, the directory itself, or an overflow: look */
	if (strncmp(event->name, f->name, len) != 0)
		return false;
	rest = event->name + len;
	return *rest == '\0' || strcmp(rest, "-wal") == 0;
}

/* Take what inotify has. Return: true if it is about the database. */
static bool changes_drain(struct follow *f)
{
	union {
		struct inotify_event event;
		char bytes[16384];
	} buffer;
	bool matters = false;
	ssize_t n;

	while ((n = read(f->inotify, &buffer, sizeof(buffer))) > 0) {
		const char *p = buffer.bytes;

		while (p < buffer.bytes + n) {
			const struct inotify_event *event = (const void *)p;

			matters = change_matters(f, event) || matters;
			if (event->wd == f->watch &&
			    (event->mask & (IN_IGNORED | IN_DELETE_SELF | IN_MOVE_SELF)))
				f->watch = -1;
			p += sizeof(*event) + event->len;
		}
	}
	return matters;
}

/* Wait for a change or the next look. Return: 0, EVENTS_STOP: nobody reads any more, negative
 * errno. */
static int follow_wait(struct follow *f)
{
	struct pollfd fds[2] = {{.fd = f->inotify, .events = POLLIN},
				{.fd = STDOUT_FILENO, .events = 0}};
	bool last = f->look >= ARRAY_LEN(looks);

	for (;;) {
		int r = poll(fds, 2, last ? -1 : looks[f->look]);

		if (r < 0) {
			if (errno == EINTR)
				continue;
			return -errno;
		}
		if (fds[1].revents & (POLLERR | POLLHUP | POLLNVAL))
			return EVENTS_STOP;
		if (r == 0) {
			f->look++;
			return 0;
		}
		if (changes_drain(f)) {
			f->look = 0;
			return 0;
		}
	}
}

static int last_id_keep(const struct event *event, void *userdata)
{
	*(int64_t *)userdata = event->id;
	return 0;
}

/* The id of the newest row of all. */
static int last_id_read(struct follow *f, int64_t *ret)
{
	const struct store_filter newest = {.limit = 1};

	*ret = 0;
	return store_query(f->reader, &newest, last_id_keep, ret);
}

/* Open the database if it is there, another one if it was replaced. Return: 0 (also without one),
 * negative errno. */
static int follow_open(struct follow *f)
{
	int64_t last = 0;
	struct stat st;
	int r;

	if (stat(f->path, &st) < 0)
		return errno == ENOENT || errno == ENOTDIR ? 0 : -errno;
	if (f->reader && st.st_dev == f->dev && st.st_ino == f->ino)
		return 0;
	f->reader = store_reader_close(f->reader);
	free(f->error_text);
	f->error_text = NULL;
	r = store_reader_open(f->path, &f->reader, &f->error_text);
	f->error = r;
	if (r == -ENOENT || r == -EINVAL || r == -EBADMSG)
		return 0; /* it may be in the making: the writer's next change tells */
	if (r < 0)
		return r;
	f->dev = st.st_dev;
	f->ino = st.st_ino;
	/* ids of a new database go on where the old one's ended, unless somebody removed that */
	r = last_id_read(f, &last);
	if (r >= 0 && last < f->after)
		f->after = 0;
	return r;
}

/* Show what is new. Return: 0, EVENTS_STOP, negative errno. */
static int follow_show(struct follow *f)
{
	struct store_filter filter = f->options->filter;
	int64_t newest = 0;
	int r;

	r = last_id_read(f, &newest);
	if (r < 0 || (!f->first && newest == f->after))
		return r;
	filter.after_id = f->after;
	if (f->first)
		filter.limit = f->options->lines_given ? f->options->lines : FOLLOW_LINES;
	f->printer->last_id = 0;
	if (!f->first || filter.limit > 0)
		r = store_query(f->reader, &filter, events_print, f->printer);
	if (r == 0 && fflush(stdout) != 0)
		r = errno == EPIPE ? EVENTS_STOP : -errno;
	f->first = false;
	/* a row that came between the two queries may be printed already */
	f->after = f->printer->last_id > newest ? f->printer->last_id : newest;
	return r;
}

static int follow_loop(struct follow *f)
{
	for (;;) {
		int r = follow_watch(f);

		if (r >= 0)
			r = follow_open(f);
		if (r >= 0 && f->reader)
			r = follow_show(f);
		if (r != 0)
			return r;
		if (f->look == ARRAY_LEN(looks) && f->error == -EINVAL && f->error_text) {
			complain("%s: %s; waiting for another", escaped(f->path),
				 escaped(f->error_text));
			f->error = 0;
		}
		r = follow_wait(f);
		if (r != 0)
			return r;
	}
}

int events_follow(const struct agentctl *ctl, const struct events_options *options,
		  struct events_printer *printer)
{
	_cleanup_(follow_deinit) struct follow f = {
		.options = options,
		.printer = printer,
		.dir = ctl->state_dir,
		.path = database_path(ctl),
		.inotify = -EBADF,
		.watch = -1,
		.first = true,
	};
	int r;

	if (!f.path)
		return out_of_memory();
	f.name = strrchr(f.path, '/') + 1;
	f.inotify = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
	if (f.inotify < 0) {
		complain("Failed to watch %s: %s", escaped(ctl->state_dir), strerror(errno));
		return EXIT_CODE_FAILURE;
	}
	r = follow_loop(&f);
	return r == EVENTS_STOP ? EXIT_CODE_OK : events_complain(f.path, r, f.error_text);
}
