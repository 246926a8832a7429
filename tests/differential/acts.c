/* SPDX-License-Identifier: Apache-2.0 */

/* Acts drawn at random, and what they changed put back. */

#include "acts.h"

#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "util/cleanup.h"

static const char *const act_names[_ACT_MAX] = {
	[ACT_READ] = "read",
	[ACT_WRITE] = "write",
	[ACT_READ_WRITE] = "read-write",
	[ACT_OPEN_CUT] = "open-cut",
	[ACT_TRUNCATE] = "truncate",
	[ACT_CREATE] = "create",
	[ACT_CREATE_READ] = "create-read",
	[ACT_MKDIR] = "mkdir",
	[ACT_SYMLINK] = "symlink",
	[ACT_MKFIFO] = "mkfifo",
	[ACT_UNLINK] = "unlink",
	[ACT_RMDIR] = "rmdir",
	[ACT_RENAME] = "rename",
	[ACT_EXCHANGE] = "exchange",
	[ACT_WHITEOUT] = "whiteout",
	[ACT_HARD_LINK] = "link",
	[ACT_CHMOD] = "chmod",
	[ACT_TIMES] = "times",
	[ACT_XATTR] = "xattr",
	[ACT_EXEC] = "exec",
	[ACT_MAP] = "map",
	[ACT_EXEC_MEMORY] = "exec-memory",
};

const char *act_name(enum act_kind kind)
{
	return act_names[kind];
}

/* ---- drawing ---- */

static const struct node *any_node(const struct world *w, struct dice *d)
{
	return &w->nodes[dice_below(d, (uint32_t)w->n_nodes)];
}

/* Can what is changed there be put back, through the mount that shows the whole filesystem? */
static bool path_is_plain(const struct world *w, const char *path)
{
	struct place place, again;

	world_place(w, path, &place);
	world_place(w, place.plain, &again);
	return again.mount->fs == place.mount->fs && strcmp(again.in_fs, place.in_fs) == 0;
}

/* A name that there is not. */
static bool draw_new(const struct world *w, struct dice *d, char ret[WORLD_PATH])
{
	const struct node *n = any_node(w, d);
	struct stat st;

	if (n->kind != NODE_DIRECTORY || strlen(n->path) > WORLD_PATH - 600)
		return false;
	stpcpy(stpcpy(stpcpy(ret, n->path), "/"), w->names[dice_below(d, WORLD_NAMES)]);
	return lstat(ret, &st) < 0 && path_is_plain(w, ret);
}

static bool act_makes(enum act_kind kind)
{
	return kind == ACT_CREATE || kind == ACT_CREATE_READ || kind == ACT_MKDIR ||
	       kind == ACT_SYMLINK || kind == ACT_MKFIFO;
}

static bool act_moves(enum act_kind kind)
{
	return kind == ACT_RENAME || kind == ACT_EXCHANGE || kind == ACT_WHITEOUT;
}

static bool act_follows(enum act_kind kind)
{
	return kind <= ACT_TRUNCATE || kind == ACT_CHMOD || kind == ACT_EXEC || kind == ACT_MAP;
}

/* Is that a thing one does to such an object, so that the kernel asks before it finds out that it
 * cannot be done? */
static bool act_fits(enum act_kind kind, enum node_kind of, bool mountpoint)
{
	switch ((int)kind) {
	case ACT_READ:
	case ACT_CHMOD:
	case ACT_TIMES:
	case ACT_XATTR:
		return true;
	case ACT_WRITE:
	case ACT_READ_WRITE:
		return of != NODE_DIRECTORY;
	case ACT_OPEN_CUT:
	case ACT_TRUNCATE:
	case ACT_EXEC:
	case ACT_MAP:
		return of == NODE_FILE;
	case ACT_UNLINK:
	case ACT_HARD_LINK:
		return of != NODE_DIRECTORY;
	case ACT_RMDIR:
		return of == NODE_DIRECTORY && !mountpoint;
	default:
		return !mountpoint;
	}
}

static bool is_within(const char *path, const char *top)
{
	size_t len = strlen(top);

	return strncmp(path, top, len) == 0 && (path[len] == '/' || path[len] == '\0');
}

static bool draw_other(struct act *act, const struct world *w, struct dice *d)
{
	struct place place, other;
	struct stat st;

	if (act->kind == ACT_EXCHANGE || (act->kind != ACT_HARD_LINK && dice_chance(d, 40))) {
		const struct node *n = any_node(w, d);

		if (n->mountpoint || !path_is_plain(w, n->path))
			return false;
		strcpy(act->other, n->path);
	} else if (!draw_new(w, d, act->other)) {
		return false;
	}
	if (is_within(act->other, act->path) || is_within(act->path, act->other))
		return false;
	world_place(w, act->path, &place);
	world_place(w, act->other, &other);
	if (place.mount != other.mount)
		return false;
	act->other_exists = lstat(act->other, &st) == 0;
	if (act->other_exists) {
		act->other_dev = st.st_dev;
		act->other_ino = st.st_ino;
	}
	return true;
}

/* Follow what the act follows, and see what is there. */
static bool draw_object(struct act *act, enum node_kind kind)
{
	_cleanup_free_ char *real = act_follows(act->kind) && kind == NODE_LINK
					    ? realpath(act->path, NULL)
					    : strdup(act->path);
	struct stat st;

	if (!real || strlen(real) >= WORLD_PATH || !is_within(real, WORLD_ROOT) ||
	    lstat(real, &st) < 0)
		return false;
	strcpy(act->object, real);
	act->dev = st.st_dev;
	act->ino = st.st_ino;
	act->directory = S_ISDIR(st.st_mode);
	kind = S_ISDIR(st.st_mode)    ? NODE_DIRECTORY
	       : S_ISLNK(st.st_mode)  ? NODE_LINK
	       : S_ISFIFO(st.st_mode) ? NODE_FIFO
				      : NODE_FILE;
	return act_fits(act->kind, kind, false);
}

static bool draw_paths(struct act *act, const struct world *w, struct dice *d)
{
	const struct node *n;

	if (act_makes(act->kind)) {
		if (!draw_new(w, d, act->path))
			return false;
		strcpy(act->object, act->path);
		return true;
	}
	n = dice_chance(d, 15) ? world_linked(w, d) : any_node(w, d);
	if (!n)
		return false;
	if (strcmp(n->path, WORLD_ROOT) == 0 && act->kind != ACT_READ && act->kind != ACT_CHMOD)
		return false;
	strcpy(act->path, n->path);
	if (!act_fits(act->kind,
		      n->kind == NODE_LINK && act_follows(act->kind) ? NODE_FILE : n->kind,
		      n->mountpoint) ||
	    !draw_object(act, n->kind))
		return false;
	if (act->kind != ACT_READ && !path_is_plain(w, act->object))
		return false;
	return (!act_moves(act->kind) && act->kind != ACT_HARD_LINK) || draw_other(act, w, d);
}

bool act_draw(struct act *act, const struct world *w, struct dice *d)
{
	enum act_kind kind = (enum act_kind)dice_below(d, _ACT_MAX);

	for (unsigned tries = 0; tries < 40; tries++) {
		*act = (struct act){.kind = kind, .subject = dice_below(d, SUBJECTS)};
		if (kind == ACT_EXEC_MEMORY || draw_paths(act, w, d))
			return true;
	}
	return false;
}

/* ---- putting back ---- */

static void undo_look(struct undo *u, unsigned which, const char *path, const struct world *w)
{
	const struct node *n = world_find(w, path);
	ssize_t len;

	u->target[which][0] = u->twin[which][0] = '\0';
	if (!n)
		return;
	u->kinds[which] = n->kind;
	if (n->kind == NODE_LINK) {
		len = readlink(path, u->target[which], WORLD_PATH - 1);
		u->target[which][len > 0 ? len : 0] = '\0';
	}
	for (size_t i = 0; i < w->n_nodes && n->kind == NODE_FILE && n->nlink > 1; i++) {
		const struct node *twin = &w->nodes[i];
		struct place place, own;
		struct stat st;

		world_place(w, path, &own);
		world_place(w, twin->path, &place);
		if (lstat(path, &st) == 0 && twin->dev == st.st_dev && twin->ino == st.st_ino &&
		    strcmp(place.in_fs, own.in_fs) != 0)
			strcpy(u->twin[which], place.plain);
	}
}

void undo_prepare(struct undo *u, const struct act *act, const struct world *w)
{
	undo_look(u, 0, act->path, w);
	undo_look(u, 1, act->other, w);
}

static void make_again(const struct undo *u, unsigned which, const char *path,
		       const struct world *w)
{
	struct place place;
	int r = 0, fd;

	world_place(w, path, &place);
	switch (u->kinds[which]) {
	case NODE_DIRECTORY:
		r = mkdir(path, 0777);
		break;
	case NODE_LINK:
		r = symlink(u->target[which], path);
		break;
	case NODE_FIFO:
		r = mkfifo(path, 0777);
		break;
	case NODE_FILE:
		if (u->twin[which][0]) {
			r = link(u->twin[which], place.plain);
			break;
		}
		fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0777);
		if (fd < 0)
			err(3, "%s", path);
		world_write_program(fd);
		r = close(fd);
		break;
	}
	if (r < 0)
		err(3, "make %s again", path);
}

/* What an act made, or had made before it was refused. */
static void undo_make(const struct act *act, struct outcome *o)
{
	struct stat st;
	bool there = lstat(act->path, &st) == 0;

	if (there && remove(act->path) < 0)
		err(3, "remove %s", act->path);
	if (o->answer != ANSWER_ALLOWED)
		o->step = there;
}

static void undo_move(const struct undo *u, const struct act *act, const struct world *w)
{
	if (act->other_exists && act->dev == act->other_dev && act->ino == act->other_ino)
		return; /* two names of one object: nothing happened */
	if (act->kind == ACT_EXCHANGE) {
		if (syscall(SYS_renameat2, AT_FDCWD, act->other, AT_FDCWD, act->path,
			    RENAME_EXCHANGE) < 0)
			err(3, "exchange");
		return;
	}
	if (act->kind == ACT_WHITEOUT && unlink(act->path) < 0)
		err(3, "unlink %s", act->path);
	if (rename(act->other, act->path) < 0)
		err(3, "rename %s", act->other);
	if (act->other_exists)
		make_again(u, 1, act->other, w);
}

static void undo_cut(const struct act *act)
{
	_cleanup_close_ int fd = open(act->object, O_WRONLY | O_CLOEXEC);

	if (fd < 0)
		err(3, "%s", act->object);
	world_write_program(fd);
}

void undo_act(const struct undo *u, const struct act *act, const struct world *w, struct outcome *o)
{
	if (act_makes(act->kind))
		undo_make(act, o);
	if (o->answer != ANSWER_ALLOWED || o->error != 0)
		return;
	if (act->kind == ACT_OPEN_CUT || act->kind == ACT_TRUNCATE)
		undo_cut(act);
	else if (act->kind == ACT_UNLINK || act->kind == ACT_RMDIR)
		make_again(u, 0, act->path, w);
	else if (act_moves(act->kind))
		undo_move(u, act, w);
	else if (act->kind == ACT_HARD_LINK && unlink(act->other) < 0)
		err(3, "unlink %s", act->other);
}
