/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* What a subject does, and how that goes. */

#include <stdint.h>

#include "world.h"

enum act_kind {
	ACT_READ,  /* open to read; a directory too */
	ACT_WRITE, /* open to write */
	ACT_READ_WRITE,
	ACT_OPEN_CUT, /* open with O_TRUNC, to read */
	ACT_TRUNCATE,
	ACT_CREATE,	 /* open with O_CREAT, to write */
	ACT_CREATE_READ, /* likewise, to read */
	ACT_MKDIR,
	ACT_SYMLINK,
	ACT_MKFIFO,
	ACT_UNLINK,
	ACT_RMDIR,
	ACT_RENAME,
	ACT_EXCHANGE,
	ACT_WHITEOUT, /* rename, and a whiteout stays */
	ACT_HARD_LINK,
	ACT_CHMOD,
	ACT_TIMES,
	ACT_XATTR,
	ACT_EXEC,
	ACT_MAP,	 /* open to read, map executable */
	ACT_EXEC_MEMORY, /* a program that has no name */
	_ACT_MAX,
};

struct act {
	enum act_kind kind;
	uint32_t subject;	 /* number of the process that does it */
	char path[WORLD_PATH];	 /* "" where the act has none */
	char other[WORLD_PATH];	 /* the second name, "" if there is none */
	bool other_exists;	 /* there is something of that name */
	bool directory;		 /* the path is one's */
	char object[WORLD_PATH]; /* path with symbolic links followed, where the act follows them;
				    else path */
	dev_t dev, other_dev;
	ino_t ino, other_ino; /* 0: there is none of that name */
};

/* How an act goes: refused at one of its steps, or not. */
enum answer { ANSWER_ALLOWED, ANSWER_REFUSED, ANSWER_KILLED };

struct outcome {
	enum answer answer;
	uint32_t step; /* that was refused */
	int error;     /* errno of what failed otherwise; of a real act only */
};

/* Who acts. */
struct subject {
	const char *program;
	uint32_t uid;
};
#define SUBJECTS 5U
extern const struct subject subjects[SUBJECTS];

const char *act_name(enum act_kind kind);

/* Draw an act that can be asked: whatever it changes can be put back. Return: false: draw again. */
bool act_draw(struct act *act, const struct world *w, struct dice *d);

/* What an act would leave behind. */
struct undo {
	char target[2][WORLD_PATH]; /* of symbolic links that path and other are */
	enum node_kind kinds[2];
	char twin[2][WORLD_PATH]; /* another name of the same object, "" if there is none */
};

/* Before the act. */
void undo_prepare(struct undo *u, const struct act *act, const struct world *w);
/* After it: puts back what it changed; tells at which step a file was refused that is made by its
 * open. */
void undo_act(const struct undo *u, const struct act *act, const struct world *w,
	      struct outcome *outcome);

/* A subject: takes acts from its standard input, and tells how they went. Never returns. */
_Noreturn void subject_run(uint32_t uid);
