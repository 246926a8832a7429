/* SPDX-License-Identifier: Apache-2.0 */

/* Changed policy directories publish by themselves, a moment after the last change so that an editor or a
 * package manager is done. A directory that does not exist yet is waited for in the nearest one above it,
 * where only the next name on the way counts. */

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

static void watch_set(struct agent_watch *w, int wd, const char *waits_for)
{
	w->wd = wd;
	free(w->waits_for);
	w->waits_for = waits_for ? strndup(waits_for, strcspn(waits_for, "/")) : NULL;
}

/* Watch a directory, or the nearest one above it that exists. */
static int watch_dir(struct agent *a, size_t i)
{
	_cleanup_free_ char *path = strdup(a->options.policy_dirs[i]);
	const char *rest = NULL;
	char *slash;
	int wd;

	if (!path)
		return -ENOMEM;
	while ((wd = inotify_add_watch(a->watch_fd, path, WATCH_MASK | IN_ONLYDIR)) < 0) {
		if (errno != ENOENT && errno != ENOTDIR)
			return -errno;
		slash = strrchr(path, '/');
		if (!slash || slash == path)
			return -ENOENT;
		*slash = '\0';
		rest = a->options.policy_dirs[i] + (slash - path) + 1;
	}
	watch_set(&a->watches[i], wd, rest);
	return 0;
}

static int watch_dirs(struct agent *a)
{
	for (size_t i = 0; i < a->options.n_policy_dirs; i++) {
		int r = watch_dir(a, i);

		if (r < 0)
			return log_error(r, "Failed to watch '%s'", a->options.policy_dirs[i]);
	}
	return 0;
}

static int on_settled(sd_event_source *source, uint64_t usec, void *userdata)
{
	_cleanup_free_ char *text = NULL;
	struct agent *a = userdata;

	(void)agent_guard(a);
	(void)agent_reload(a, &text);
	return 0;
}

static bool watch_concerns(const struct agent *a, const struct inotify_event *e)
{
	if (e->mask & IN_Q_OVERFLOW)
		return true;
	for (size_t i = 0; i < a->options.n_policy_dirs; i++) {
		const struct agent_watch *w = &a->watches[i];

		if (w->wd != e->wd)
			continue;
		if (!w->waits_for || (e->len > 0 && strcmp(w->waits_for, e->name) == 0))
			return true;
	}
	return false;
}

/* Take what the kernel has to tell. Return: true if a policy directory changed. */
static bool watch_take(struct agent *a)
{
	_Alignas(struct inotify_event) char buf[4096];
	bool concerns = false;
	ssize_t n;

	while ((n = read(a->watch_fd, buf, sizeof(buf))) > 0) {
		const struct inotify_event *e;

		for (char *p = buf; p < buf + n; p += sizeof(*e) + e->len) {
			e = (const struct inotify_event *)p;
			concerns = concerns || watch_concerns(a, e);
		}
	}
	return concerns;
}

void agent_watch_seen(struct agent *a)
{
	if (a->watch_fd < 0)
		return;
	(void)watch_take(a);
	(void)watch_dirs(a);
	(void)sd_event_source_set_enabled(a->watch_timer, SD_EVENT_OFF);
}

static int on_change(sd_event_source *source, int fd, uint32_t revents, void *userdata)
{
	struct agent *a = userdata;
	uint64_t now;

	if (!watch_take(a))
		return 0;
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
	for (size_t i = 0; i < AGENT_POLICY_DIRS_MAX; i++)
		watch_set(&a->watches[i], -1, NULL);
	if (a->watch_fd >= 0)
		(void)close(a->watch_fd);
	a->watch_fd = -EBADF;
}
