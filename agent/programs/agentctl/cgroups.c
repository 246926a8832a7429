/* SPDX-License-Identifier: Apache-2.0 */

#include "programs/agentctl/cgroups.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "compile/judge.h"
#include "container/record.h"
#include "util/fd.h"

#define CGROUP_PROCS_MAX (16U << 20)
#define CGROUP_LEVELS_MAX 512U

struct walk {
	struct cgroups *cgroups;
	const char *root_dir; /* "" but in tests */
	struct strbuf path;
};

void cgroups_deinit(struct cgroups *cgroups)
{
	for (size_t i = 0; i < cgroups->n; i++) {
		free(cgroups->items[i].path);
		container_deinit(&cgroups->items[i].container);
	}
	free(cgroups->items);
	*cgroups = (struct cgroups){};
}

/* The name is looked for where the runtime keeps it, only once for the cgroups of one container. */
static int container_name(struct walk *w, struct cgroup *c)
{
	_cleanup_free_ char *proc = NULL;
	int r;

	for (size_t i = 0; c->container.id && i < w->cgroups->n; i++) {
		const struct container *known = &w->cgroups->items[i].container;

		if (!known->id || strcmp(known->id, c->container.id) != 0 ||
		    strcmp(known->runtime, c->container.runtime) != 0)
			continue;
		free(c->container.name);
		c->container.name = strdup(known->name);
		return c->container.name ? 0 : -ENOMEM;
	}
	if (asprintf(&proc, "%s/proc", w->root_dir) < 0) {
		proc = NULL;
		return -ENOMEM;
	}
	r = container_resolve_name(&c->container, proc, w->root_dir);
	return r == -ENOMEM ? r : 0;
}

static int walk_add(struct walk *w, int fd)
{
	_cleanup_free_ char *procs = NULL;
	struct cgroup *grown, *c;
	size_t len = 0;
	int r;

	grown = reallocarray(w->cgroups->items, w->cgroups->n + 1, sizeof(*grown));
	if (!grown)
		return -ENOMEM;
	w->cgroups->items = grown;
	c = &grown[w->cgroups->n];
	*c = (struct cgroup){.path = strdup(w->path.len > 0 ? strbuf_str(&w->path) : "/")};
	if (!c->path)
		return -ENOMEM;
	r = container_from_cgroup(c->path, &c->container);
	if (r >= 0)
		r = container_name(w, c);
	if (r < 0) {
		free(c->path);
		container_deinit(&c->container);
		return r;
	}
	/* a threaded cgroup cannot be read: it has processes */
	r = file_read_all(fd, "cgroup.procs", CGROUP_PROCS_MAX, &procs, &len);
	c->populated = r == -EOPNOTSUPP || (r >= 0 && len > 0);
	w->cgroups->n++;
	return 0;
}

static int walk_dir(struct walk *w, int parent_fd, const char *name, unsigned depth)
{
	_cleanup_closedir_ DIR *dir = NULL;
	const struct dirent *d;
	size_t len = w->path.len;
	int fd, r;

	fd = openat(parent_fd, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
	if (fd < 0)
		return depth > 0 ? 0 : -errno; /* gone meanwhile */
	dir = fdopendir(fd);
	if (!dir) {
		(void)close(fd);
		return -ENOMEM;
	}
	r = walk_add(w, dirfd(dir));
	while (r >= 0 && depth < CGROUP_LEVELS_MAX && (d = readdir(dir))) {
		if (d->d_type != DT_DIR || strcmp(d->d_name, ".") == 0 || strcmp(d->d_name, "..") == 0)
			continue;
		strbuf_putc(&w->path, '/');
		strbuf_puts(&w->path, d->d_name);
		r = strbuf_error(&w->path) < 0 ? -ENOMEM : walk_dir(w, dirfd(dir), d->d_name, depth + 1);
		w->path.len = len;
		w->path.data[len] = '\0';
	}
	return r;
}

int cgroups_read(struct cgroups *cgroups, const struct agentctl *ctl)
{
	static const char *const places[] = {"/sys/fs/cgroup/unified", "/sys/fs/cgroup"};
	struct walk w = {.cgroups = cgroups, .root_dir = ctl->root_dir};
	int r = -ENOENT;

	for (size_t i = 0; r == -ENOENT && i < ARRAY_LEN(places); i++) {
		_cleanup_free_ char *top = NULL;

		if (asprintf(&top, "%s%s", ctl->root_dir, places[i]) < 0) {
			top = NULL;
			return -ENOMEM;
		}
		r = walk_dir(&w, AT_FDCWD, top, 0);
	}
	strbuf_deinit(&w.path);
	return r;
}

static bool cgroup_is(const struct cgroup *c, const char *wanted)
{
	size_t n = strlen(wanted);

	if (wanted[0] == '/')
		return strcmp(c->path, wanted) == 0;
	return strcmp(c->container.name, wanted) == 0 ||
	       (c->container.id && n >= 8 && strncmp(c->container.id, wanted, n) == 0);
}

static bool is_same(const struct container *a, const struct container *b)
{
	if (strcmp(a->runtime, b->runtime) != 0 || strcmp(a->name, b->name) != 0)
		return false;
	return a->id && b->id ? strcmp(a->id, b->id) == 0 : a->id == b->id;
}

int cgroups_find(const struct cgroups *cgroups, const char *wanted, const struct cgroup **ret)
{
	const struct cgroup *first = NULL, *best = NULL;

	for (size_t i = 0; i < cgroups->n; i++) {
		const struct cgroup *c = &cgroups->items[i];

		if (!cgroup_is(c, wanted))
			continue;
		if (first && !is_same(&first->container, &c->container)) {
			*ret = first;
			return -EEXIST;
		}
		first = first ? first : c;
		if (!best || (c->populated && !best->populated))
			best = c;
	}
	if (!best)
		return -ENOENT;
	*ret = best;
	return 0;
}

/* Looking for what a container is called is dear, and few policies ask for it. */
static bool policy_asks_for_container(const struct policy *policy)
{
	for (size_t i = 0; i < policy->n_matches; i++)
		if (policy_match_has_container(&policy->matches[i]))
			return true;
	return false;
}

/* What is known of the container whose own cgroup that is. Return: 0; -ENOENT: it is nobody's; other negative errno. */
static int cgroup_facts(const struct agentctl *ctl, const char *path, struct container_facts *ret)
{
	_cleanup_record_ struct container_record record = {};
	const struct container_place place = {.root_dir = ctl ? ctl->root_dir : ""};
	struct container c = {};
	char full[PATH_MAX];
	struct stat st;
	int r;

	if (snprintf(full, sizeof(full), "%s/sys/fs/cgroup%s", place.root_dir, path) < (int)sizeof(full) &&
	    stat(full, &st) == 0 &&
	    container_record_load(ctl ? ctl->runtime_dir : "/run/haetae", st.st_ino, &record) == 0) {
		*ret = record.facts;
		record.facts = (struct container_facts){};
		return 0;
	}
	r = container_from_cgroup(path, &c);
	if (r >= 0)
		r = !container_is_container(&c) || c.cgroup_len != strlen(path) ?
			    -ENOENT :
			    container_facts_gather(c.runtime, c.id ? c.id : c.name, &place, ret);
	container_deinit(&c);
	return r;
}

bool policies_governs(const struct policies *policies, size_t index, const char *path)
{
	return policy_governs(policies->items[index], policies->ctl, path);
}

bool policy_governs(const struct policy *policy, const struct agentctl *ctl, const char *path)
{
	_cleanup_free_ char *copy = strdup(path);
	bool asks = policy_asks_for_container(policy);
	size_t len = strlen(path);

	if (!copy)
		return false;
	/* from the whole path up, the root last */
	for (;;) {
		_cleanup_facts_ struct container_facts facts = {};
		struct policy_container about = {};
		bool known = asks && cgroup_facts(ctl, copy, &facts) == 0;
		bool matches;

		if (known)
			about = container_facts_view(&facts);
		matches = policy_matches_cgroup(policy, copy, known ? &about : NULL);
		if (matches || len <= 1)
			return matches;
		while (len > 0 && copy[len - 1] != '/')
			len--;
		len = len > 1 ? len - 1 : 1;
		copy[len] = '\0';
	}
}

int cgroup_root_open(const struct cgroup *cgroup, const struct agentctl *ctl)
{
	_cleanup_free_ char *procs = NULL, *text = NULL, *root = NULL;
	unsigned long pid;
	size_t len = 0;
	int fd, r;

	if (asprintf(&procs, "%s/sys/fs/cgroup%s/cgroup.procs", ctl->root_dir, cgroup->path) < 0) {
		procs = NULL;
		return -ENOMEM;
	}
	r = file_read_all(AT_FDCWD, procs, CGROUP_PROCS_MAX, &text, &len);
	if (r < 0)
		return r == -ENOENT ? -ESRCH : r;
	pid = strtoul(text, NULL, 10);
	if (pid == 0) /* also a process of another PID namespace */
		return -ESRCH;
	if (asprintf(&root, "%s/proc/%lu/root", ctl->root_dir, pid) < 0) {
		root = NULL;
		return -ENOMEM;
	}
	fd = open(root, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return errno == ENOENT ? -ESRCH : -errno;
	return fd;
}
