/* SPDX-License-Identifier: Apache-2.0 */

#include "programs/haetaed/identities.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "programs/haetaed/identity-roots.h"
#include "programs/haetaed/log.h"
#include "util/cleanup.h"
#include "util/fd.h"

#define SECOND_US 1000000ULL
/* A child that has not answered by then hangs in somebody's filesystem. */
#define OPENING_US (3 * SECOND_US)
/* How long a publish waits for what runs already. */
#define PREPARE_US (2 * SECOND_US)
#define REFRESH_US (30 * SECOND_US)
/* and no more than this part of the time is spent with it */
#define REFRESH_PART 20U
/* Between two looks at the whole hierarchy because something started. */
#define LOOK_US (SECOND_US / 4)
/* Seconds that a start is looked after: its first program may be told late, or open its files late. */
#define START_TURNS 3U

static uint64_t now_us(void)
{
	struct timespec ts;

	(void)clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * SECOND_US + (uint64_t)ts.tv_nsec / 1000ULL;
}

int identities_open(struct identities *ids, struct kernel *kernel, const char *kept)
{
	int r;

	*ids = (struct identities){ .kernel = kernel };
	identity_queue_init(&ids->waiting);
	for (unsigned i = 0; i < IDENTITIES_OPENINGS; i++)
		ids->openings[i].pid_fd = -EBADF;
	ids->poll_fd = epoll_create1(EPOLL_CLOEXEC);
	if (ids->poll_fd < 0)
		return -errno;
	ids->kept = strdup(kept);
	if (!ids->kept)
		return -ENOMEM;
	r = identity_book_recall(&ids->book, kept);
	/* no such file, or not a whole one: what is in its place is found again */
	return r == -ENOMEM ? r : 0;
}

int identities_fd(const struct identities *ids)
{
	return ids->poll_fd;
}

/* ---- asking ---- */

static const struct image_profile *profile_by_id(const struct image *image, uint32_t id)
{
	for (size_t i = 0; i < image->n_profiles; i++)
		if (image->profiles[i].id == id)
			return &image->profiles[i];
	return NULL;
}

struct look {
	struct identities *ids;
	const struct image *image;
	bool all;
};

/* Did something start in the cgroup or below it? */
static bool start_is_below(const struct identities *ids, const char *path)
{
	size_t len = strlen(path);

	for (size_t i = 0; i < ids->n_starts; i++) {
		const char *start = ids->starts[i].path;

		if (strcmp(path, "/") == 0 || (strncmp(start, path, len) == 0 &&
					       (start[len] == '\0' || start[len] == '/')))
			return true;
	}
	return false;
}

static bool names_any(const struct image *image, const uint32_t *profiles)
{
	for (unsigned i = 0; i < HT_PROFILES_MAX && profiles[i]; i++) {
		const struct image_profile *p = profile_by_id(image, profiles[i]);

		if (p && (p->n_identities > 0 || p->n_directories > 0))
			return true;
	}
	return false;
}

static int look_one(uint64_t id, const char *path, const uint32_t profiles[HT_PROFILES_MAX],
		    void *userdata)
{
	struct look *look = userdata;
	struct roots roots = {};
	int r;

	if (!names_any(look->image, profiles))
		return 0;
	spellings_see(&look->ids->spellings, id);
	r = identity_book_see(&look->ids->book, id, profiles);
	if (r < 0 || (!look->all && !start_is_below(look->ids, path)))
		return r;
	r = roots_find(look->ids->kernel, path, &roots);
	for (size_t i = 0; r >= 0 && i < roots.n; i++)
		r = identity_queue_add(&look->ids->waiting, id, path, roots.items[i].pid, profiles);
	return r;
}

/* all: every cgroup; else those where something started. */
static int identities_look(struct identities *ids, const struct image *image, bool all)
{
	struct look look = { .ids = ids, .image = image, .all = all };

	ids->looked_us = now_us();
	if (all) {
		ids->refreshed_us = ids->looked_us;
		ids->refreshing = true;
		ids->overdue = false;
	}
	return kernel_cgroups_match(ids->kernel, image, look_one, &look);
}

/* ---- the children ---- */

static int opening_watch(struct identities *ids, struct identity_opening *o)
{
	struct epoll_event event = { .events = EPOLLIN };

	o->pid_fd = (int)syscall(SYS_pidfd_open, o->opening.pid, 0);
	if (o->pid_fd < 0)
		return -errno;
	if (epoll_ctl(ids->poll_fd, EPOLL_CTL_ADD, o->opening.fd, &event) < 0 ||
	    epoll_ctl(ids->poll_fd, EPOLL_CTL_ADD, o->pid_fd, &event) < 0)
		return -errno;
	return 0;
}

/* The child is of no more use. It is reaped when it is gone. */
static void opening_stop(struct identities *ids, struct identity_opening *o)
{
	opening_kill(&o->opening);
	(void)epoll_ctl(ids->poll_fd, EPOLL_CTL_DEL, o->opening.fd, NULL);
	o->request = identity_request_free(o->request);
}

/* Return: false: nothing is left to begin with. */
static bool opening_begin(struct identities *ids, const struct image *image, struct identity_opening *o)
{
	struct identity_request *request = NULL;
	int r = identity_queue_next(&ids->waiting, image, &request);

	if (r == 0)
		return false;
	ids->unavailable = kernel_identities_available(ids->kernel);
	if (ids->unavailable < 0) { /* nobody could say what a child opened */
		(void)identity_request_free(request);
		identity_queue_deinit(&ids->waiting);
		return false;
	}
	if (r > 0)
		r = opening_start(&o->opening, request->pid, request->cgroup_path,
				  (const char *const *)request->paths, request->n);
	if (r < 0) {
		ids->failed++;
		(void)identity_request_free(request);
		return true;
	}
	o->used = true;
	o->request = request;
	o->deadline_us = now_us() + OPENING_US;
	if (opening_watch(ids, o) < 0) {
		ids->failed++;
		opening_stop(ids, o);
	}
	return true;
}

struct harvest {
	const struct identity_opening *opening;
	bool root; /* its root is that of its mount namespace */
	struct ht_identity found[OPENING_PATHS_MAX];
	bool is_found[OPENING_PATHS_MAX];
};

static void harvest_one(const struct ht_opened *opened, void *userdata)
{
	struct harvest *h = userdata;
	const struct opening *o = &h->opening->opening;

	if (opened->fd == (uint32_t)o->answers[0])
		h->root = opened->flags & HT_OPENED_ROOT;
	for (size_t i = 0; i < o->n; i++) {
		if (opened->fd != (uint32_t)o->answers[i + 1] ||
		    !(opened->flags & HT_OPENED_OBJECT))
			continue;
		h->found[i] = opened->identity;
		h->found[i].cgroup = h->opening->request->cgroup;
		h->is_found[i] = true;
	}
}

/* Where is the directory that the child has open? Its path goes from the root of the child's mount namespace, as those of rules
 * do: the agent's own root is in another one, or is that of the host. */
static int directory_harvest(struct identities *ids, const struct identity_opening *o, size_t i)
{
	const struct identity_request *request = o->request;
	char link[64], path[PATH_MAX];
	ssize_t n;
	int r;

	if (o->opening.answers[i + 1] < 0)
		return 0; /* there is none */
	(void)snprintf(link, sizeof(link), "/proc/%d/fd/%d", (int)o->opening.pid, o->opening.answers[i + 1]);
	n = readlink(link, path, sizeof(path));
	if (n <= 0 || n == (ssize_t)sizeof(path))
		return 0; /* too long for a rule */
	path[n] = '\0';
	r = spellings_add(&ids->spellings, request->cgroup, request->cgroup_path, request->policies[i],
			  request->paths[i], path);
	return r == -ENOSPC ? 0 : r;
}

static void note_unbound(const struct ht_opened *opened, void *userdata)
{
	bool *unbound = userdata;

	*unbound = !(opened->flags & HT_OPENED_BOUND);
}

/* Is the process whose root it is the container's, and not one of its runtime, that comes from outside and may still have the
 * host's root? Not if it has no label where others have, by what is open in it. (Whoever has nothing open is no runtime, and must not
 * get away with that.) Return: 0; -EXDEV; other negative errno. */
static int root_is_meant(struct identities *ids, const struct identity_request *request)
{
	bool unbound = false;
	int r = kernel_cgroup_is_settled(ids->kernel, request->cgroup);

	if (r <= 0)
		return r;
	r = kernel_opened_read(ids->kernel, request->pid, note_unbound, &unbound);
	return r < 0 ? r : unbound ? -EXDEV : 0;
}

/* The child has everything open: what is it? */
static int opening_harvest(struct identities *ids, const struct image *image,
			   const struct identity_opening *o, struct identity_list *add,
			   struct identity_list *remove)
{
	struct harvest h = { .opening = o };
	int r = root_is_meant(ids, o->request);

	if (r >= 0)
		r = kernel_opened_read(ids->kernel, o->opening.pid, harvest_one, &h);
	if (r < 0)
		return r;
	if (!h.root)
		return -EXDEV; /* a root of its own choice: rules do not begin there */
	for (size_t i = 0; i < o->opening.n && r >= 0; i++) {
		if (o->request->policies[i])
			r = directory_harvest(ids, o, i);
		else if (h.is_found[i])
			r = identity_book_add(&ids->book, image, o->request->paths[i], &h.found[i],
					      add, remove);
	}
	return r;
}

/* Everything that can be done now with one child. */
static void opening_turn(struct identities *ids, const struct image *image,
			 struct identity_opening *o, struct identity_list *add,
			 struct identity_list *remove)
{
	if (o->request) {
		int r = opening_receive(&o->opening);

		if (r > 0)
			r = opening_harvest(ids, image, o, add, remove);
		else if (r == 0 && now_us() < o->deadline_us)
			return;
		else if (r == 0)
			r = -ETIMEDOUT;
		/* a process that is gone or went elsewhere is no failure */
		ids->failed += r < 0 && r != -ESRCH && r != -ENOENT && r != -EXDEV;
		opening_stop(ids, o);
	}
	if (!opening_reap(&o->opening))
		return;
	if (o->pid_fd >= 0)
		(void)close(o->pid_fd);
	o->pid_fd = -EBADF;
	o->used = false;
}

static bool openings_busy(const struct identities *ids)
{
	for (unsigned i = 0; i < IDENTITIES_OPENINGS; i++)
		if (ids->openings[i].request)
			return true;
	return ids->waiting.n > 0;
}

bool identities_idle(const struct identities *ids)
{
	return !openings_busy(ids);
}

static void openings_turn(struct identities *ids, const struct image *image,
			  struct identity_list *add, struct identity_list *remove)
{
	for (unsigned i = 0; i < IDENTITIES_OPENINGS; i++) {
		struct identity_opening *o = &ids->openings[i];

		if (o->used)
			opening_turn(ids, image, o, add, remove);
		while (!o->used && opening_begin(ids, image, o))
			;
	}
	if (ids->refreshing && !openings_busy(ids)) {
		ids->refreshing = false;
		ids->took_us = now_us() - ids->refreshed_us;
	}
}

/* ---- binding ---- */

/* Maps that are full are replaced by larger ones. */
static int bind_grow(struct identities *ids, const struct image *image)
{
	_cleanup_(identity_list_deinit) struct identity_list known = {};
	_cleanup_free_ char *error = NULL;
	size_t without_room = 0;
	int r = identity_book_bind(&ids->book, image, &known);

	if (r >= 0)
		r = kernel_identities_grow(ids->kernel, image, known.items, known.n, &without_room, &error);
	if (r < 0)
		return error ? log_error(r, "%s", error) : r;
	ids->without_room = without_room;
	return 0;
}

static int bind_lists(struct identities *ids, const struct image *image,
		      const struct identity_list *add, const struct identity_list *remove)
{
	size_t without_room = 0;
	int r = 0;

	for (size_t i = 0; r >= 0 && i < remove->n; i++)
		r = kernel_identity_remove(ids->kernel, remove->items[i].profile,
					   &remove->items[i].identity);
	if (r >= 0)
		r = kernel_identities_put(ids->kernel, add->items, add->n, &without_room);
	ids->without_room += without_room;
	return r >= 0 && kernel_identities_crowded(ids->kernel) ? bind_grow(ids, image) : r;
}

int identities_turn(struct identities *ids, const struct image *image)
{
	_cleanup_(identity_list_deinit) struct identity_list add = {}, remove = {};

	openings_turn(ids, image, &add, &remove);
	return bind_lists(ids, image, &add, &remove);
}

int identities_prepare(struct identities *ids, const struct image *image)
{
	_cleanup_(identity_list_deinit) struct identity_list add = {}, remove = {};
	uint64_t end = now_us() + PREPARE_US;
	int r;

	r = identities_look(ids, image, /* all= */ true);
	if (r < 0 && r != -ENOBUFS)
		return r;
	while (openings_busy(ids)) {
		struct pollfd poll_fd = { .fd = ids->poll_fd, .events = POLLIN };
		uint64_t now = now_us();

		if (now >= end)
			break; /* the rest comes later; until then those rules hold by name */
		(void)poll(&poll_fd, 1, (int)((end - now) / 1000ULL) + 1);
		/* What is new is in the book; so is what gives way, and in the maps until they are replaced. */
		openings_turn(ids, image, &add, &remove);
	}
	return 0;
}

int identities_known(const struct identities *ids, const struct image *image, struct identity_list *ret)
{
	return identity_book_bind(&ids->book, image, ret);
}

void identities_published(struct identities *ids, const struct image *image, size_t without_room)
{
	identity_book_prune(&ids->book, image);
	ids->without_room = without_room;
}

/* ---- what comes and goes ---- */

static void starts_forget(struct identities *ids)
{
	size_t kept = 0;

	for (size_t i = 0; i < ids->n_starts; i++) {
		if (--ids->starts[i].turns > 0)
			ids->starts[kept++] = ids->starts[i];
		else
			free(ids->starts[i].path);
	}
	ids->n_starts = kept;
}

static int identities_refresh(struct identities *ids, const struct image *image)
{
	_cleanup_(identity_list_deinit) struct identity_list add = {}, remove = {};
	int r;

	identity_book_round(&ids->book);
	spellings_round(&ids->spellings);
	r = identities_look(ids, image, /* all= */ true);
	if (r >= 0) {
		spellings_sweep(&ids->spellings);
		r = identity_book_sweep(&ids->book, image, &remove);
	}
	/* what found no room may find it now: what is there already stays as it is */
	if (r >= 0 && ids->without_room > 0) {
		ids->without_room = 0;
		r = identity_book_bind(&ids->book, image, &add);
	}
	return r < 0 ? r : bind_lists(ids, image, &add, &remove);
}

static bool refresh_is_due(const struct identities *ids)
{
	uint64_t part = ids->took_us * REFRESH_PART;

	if (ids->refreshing)
		return false;
	return ids->overdue ||
	       now_us() - ids->refreshed_us >= (part > REFRESH_US ? part : REFRESH_US);
}

int identities_tick(struct identities *ids, const struct image *image)
{
	int r = 0;

	if (refresh_is_due(ids))
		r = identities_refresh(ids, image);
	else if (ids->n_starts > 0)
		r = identities_look(ids, image, /* all= */ false);
	starts_forget(ids);
	if (r >= 0)
		r = identities_turn(ids, image);
	return r < 0 ? r : identity_book_keep(&ids->book, ids->kept);
}

void identities_started(struct identities *ids, const struct image *image, const char *cgroup)
{
	size_t i = 0;

	while (i < ids->n_starts && strcmp(ids->starts[i].path, cgroup) != 0)
		i++;
	if (i == IDENTITIES_STARTS) {
		ids->overdue = true; /* many at once: all of them with the next tick */
		return;
	}
	if (i == ids->n_starts) {
		ids->starts[i].path = strdup(cgroup);
		if (!ids->starts[i].path)
			return; /* the refresh finds it */
		ids->n_starts++;
	}
	ids->starts[i].turns = START_TURNS;
	if (now_us() - ids->looked_us < LOOK_US || identities_look(ids, image, /* all= */ false) < 0)
		return; /* the tick looks again */
	(void)identities_turn(ids, image);
}

void identities_released(struct identities *ids, const struct image *image, uint64_t cgroup)
{
	_cleanup_(identity_list_deinit) struct identity_list add = {}, remove = {};

	spellings_release(&ids->spellings, cgroup);
	(void)identity_book_release(&ids->book, image, cgroup, &remove);
	(void)bind_lists(ids, image, &add, &remove);
}

void identities_close(struct identities *ids)
{
	if (!ids->waiting.last)
		return; /* never opened */
	identity_queue_deinit(&ids->waiting);
	for (unsigned i = 0; i < IDENTITIES_OPENINGS; i++) {
		struct identity_opening *o = &ids->openings[i];

		if (o->used && o->request)
			opening_stop(ids, o);
		if (o->pid_fd >= 0)
			(void)close(o->pid_fd);
		if (o->used)
			(void)opening_reap(&o->opening); /* or init does */
	}
	while (ids->n_starts > 0)
		free(ids->starts[--ids->n_starts].path);
	(void)identity_book_keep(&ids->book, ids->kept); /* as of the last tick, if this fails */
	identity_book_deinit(&ids->book);
	spellings_deinit(&ids->spellings);
	free(ids->kept);
	if (ids->poll_fd >= 0)
		(void)close(ids->poll_fd);
	*ids = (struct identities){ .poll_fd = -EBADF };
}
