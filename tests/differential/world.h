/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * A random tree of real files below one directory: names with every byte, long names, deep trees,
 * hard and symbolic links, other filesystems, and directories that are bound to a second place. And
 * what of it decides which names an object has: the mounts.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "dice.h"

#define WORLD_ROOT "/w"
#define WORLD_NAMES 28U
#define WORLD_MOUNTS 6U
#define WORLD_PATH 3072U /* bytes of a path, at most */

/* Places of one filesystem shown at one place of the tree. Number 0 is the root's. */
struct mount {
	char *at;   /* path in the tree; "" for the root */
	char *root; /* path in its filesystem; "" where it shows the whole */
	uint32_t fs;
};

enum node_kind { NODE_FILE, NODE_DIRECTORY, NODE_LINK, NODE_FIFO };

/* A name in the tree. An object that is shown at several places has several. */
struct node {
	char *path;
	enum node_kind kind;
	dev_t dev;
	ino_t ino;
	nlink_t nlink;
	bool mountpoint;
};

struct world {
	char names[WORLD_NAMES][256]; /* that files and directories are given */
	struct mount mounts[WORLD_MOUNTS];
	size_t n_mounts;
	struct node *nodes; /* by path */
	size_t n_nodes;
};

/* The object of a path that has no symbolic link in it: where it lies. */
struct place {
	const struct mount *mount;
	char in_fs[WORLD_PATH];	   /* path in its filesystem, "" the root */
	char plain[WORLD_PATH];	   /* its path through the mount that shows the whole filesystem */
	char straight[WORLD_PATH]; /* its name straight up the filesystems, past bind mounts; "" if
				      it has none */
};

/* Make what the dice say. Ends the program if the system refuses. */
void world_make(struct world *w, struct dice *d, unsigned round);
/* Unmount and remove all of it. */
void world_remove(struct world *w);
/* The nodes as they are now, in place of those that were known. */
void world_scan(struct world *w);
/* NULL: none of that path. */
const struct node *world_find(const struct world *w, const char *path);
/* A file that has several names. NULL: none was met. */
const struct node *world_linked(const struct world *w, struct dice *d);
/* Same objects under the same names? Says what is not. */
bool world_same(const struct world *w, const struct node *was, size_t n_was);
void nodes_free(struct node *nodes, size_t n);

void world_place(const struct world *w, const char *path, struct place *ret);
/* The path of an object through another mount. Return: false: that mount does not show it. */
bool world_seen_through(const struct place *place, const struct mount *mount, char ret[WORLD_PATH]);

/* The content of every file: a program that ends at once. */
void world_write_program(int fd);
