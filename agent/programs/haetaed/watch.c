/* SPDX-License-Identifier: Apache-2.0 */

/* Changed policy directories publish by themselves, a moment after the last change so that an editor or a
 * package manager is done. A directory that does not exist yet is waited for in its parent. */

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/inotify.h>
#include <time.h>
#include <unistd.h>

#include "programs/haetaed/agent.h"
#include "programs/haetaed/log.h"

#define WATCH_SETTLE_US 250000ULL
#define WATCH_MASK                                                                           \
	(IN_CLOSE_WRITE | IN_MOVED_TO | IN_MOVED_FROM | IN_DELETE | IN_CREATE | IN_ATTRIB | \
	 IN_DELETE_SELF | IN_MOVE_SELF)

/* Watch a directory, or the nearest one above it that exists. Adding a watch twice is one watch. */
static int watch_dir(struct agent *a, const char *dir)
{
	_cleanup_free_ char *path = strdup(dir);
	char *slash;

	if (!path)
		return -ENOMEM;
	while (inotify_add_watch(a->watch_fd, path, WATCH_MASK | IN_ONLYDIR) < 0) {
		if (errno != ENOENT && errno != ENOTDIR)
			return -errno;
		slash = strrchr(path, '/');
		if (!slash || slash == path)
			return -ENOENT;
		*slash = '\0';
	}
	return 0;
}

static int watch_dirs(struct agent *a)
{
	for (size_t i = 0; i < a->options.n_policy_dirs; i++) {
		int r = watch_dir(a, a->options.policy_dirs[i]);

		if (r < 0)
			return log_error(r, "Failed to watch '%s'", a->options.policy_dirs[i]);
	}
	return 0;
}

static int on_settled(sd_event_source *source, uint64_t usec, void *userdata)
{
	_cleanup_free_ char *text = NULL;
	struct agent *a = userdata;

	(void)watch_dirs(a);
	(void)agent_reload(a, &text);
	return 0;
}

static int on_change(sd_event_source *source, int fd, uint32_t revents, void *userdata)
{
	struct agent *a = userdata;
	char buf[4096];
	uint64_t now;

	while (read(fd, buf, sizeof(buf)) > 0)
		;
	(void)sd_event_now(a->event, CLOCK_MONOTONIC, &now);
	(void)sd_event_source_set_time(a->watch_timer, now + WATCH_SETTLE_US);
	return sd_event_source_set_enabled(a->watch_timer, SD_EVENT_ONESHOT);
}

int agent_watch(struct agent *a)
{
	int r;

	a->watch_fd = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
	if (a->watch_fd < 0)
		return -errno;
	r = watch_dirs(a);
	if (r < 0)
		return r;
	r = sd_event_add_time(a->event, &a->watch_timer, CLOCK_MONOTONIC, 0, 0, on_settled, a);
	if (r >= 0)
		r = sd_event_source_set_enabled(a->watch_timer, SD_EVENT_OFF);
	if (r >= 0)
		r = sd_event_add_io(a->event, &a->watch, a->watch_fd, EPOLLIN, on_change, a);
	return r;
}

void agent_unwatch(struct agent *a)
{
	a->watch = sd_event_source_disable_unref(a->watch);
	a->watch_timer = sd_event_source_disable_unref(a->watch_timer);
	if (a->watch_fd >= 0)
		(void)close(a->watch_fd);
	a->watch_fd = -EBADF;
}
