/* SPDX-License-Identifier: Apache-2.0 */

/* The tree: made from dice, looked at, and removed. */

#include "world.h"

#include <dirent.h>
#include <elf.h>
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include "util/cleanup.h"

static char *text(const char *s)
{
	char *copy = strdup(s);

	if (!copy)
		err(3, "strdup");
	return copy;
}

/* ---- names ---- */

static unsigned char name_byte(struct dice *d)
{
	unsigned char c;

	do
		c = (unsigned char)(1 + dice_below(d, 255));
	while (c == '/');
	return c;
}

/* Bytes in a row, so that sixteen rounds have used every byte there is. */
static void name_of_all_bytes(unsigned round, char *ret)
{
	for (unsigned i = 0; i < 16; i++) {
		unsigned char c = (unsigned char)(round % 16 * 16 + i);

		if (c != 0 && c != '/')
			*ret++ = (char)c;
	}
	*ret = '\0';
}

static void name_draw(struct dice *d, char *ret)
{
	static const char alphabet[] = "aaabb.";
	static const char *const words[] = {
		"a.so",
		"b.so.1",
		"lib.so",
		"*",
		"a*",
		"?",
		"[ab]",
		"\"q\"",
		"a\\b",
		" ",
		"a b",
		"-",
		"~",
		"#x",
		"a: b",
		"\xc3\xa4",
		"\xe6\x97\xa5\xe6\x9c\xac",
		"\xc3\xa4"
		"b",
		"{x}",
		"'",
		"...",
		"..a",
		"a.",
		"%s",
	};
	uint32_t kind = dice_below(d, 20), len = 1 + dice_below(d, 3);

	if (kind < 6) {
		strcpy(ret, words[dice_below(d, ARRAY_LEN(words))]);
		return;
	}
	if (kind == 6)
		len = 200 + dice_below(d, 56);
	for (uint32_t i = 0; i < len; i++)
		ret[i] = (char)(kind < 9 ? name_byte(d)
					 : (unsigned char)
						   alphabet[dice_below(d, sizeof(alphabet) - 1)]);
	ret[len] = '\0';
	if (strcmp(ret, ".") == 0 || strcmp(ret, "..") == 0)
		strcpy(ret, "b");
}

static const char *name_any(const struct world *w, struct dice *d)
{
	return w->names[dice_below(d, WORLD_NAMES)];
}

/* ---- files ---- */

#define PROGRAM_AT 0x400000U

void world_write_program(int fd)
{
	static const unsigned char code[] = {0x31, 0xff, 0xb8, 60,  0,
					     0,	   0,	 0x0f, 0x05}; /* exit(0) */
	struct {
		Elf64_Ehdr header;
		Elf64_Phdr segments[2];
		unsigned char code[sizeof(code)];
	} p = {
		.header =
			{
				.e_ident = {ELFMAG0, ELFMAG1, ELFMAG2, ELFMAG3, ELFCLASS64,
					    ELFDATA2LSB, EV_CURRENT},
				.e_type = ET_EXEC,
				.e_machine = EM_X86_64,
				.e_version = EV_CURRENT,
				.e_entry = PROGRAM_AT + sizeof(p.header) + sizeof(p.segments),
				.e_phoff = sizeof(p.header),
				.e_ehsize = sizeof(p.header),
				.e_phentsize = sizeof(p.segments[0]),
				.e_phnum = 2,
			},
		.segments =
			{
				{.p_type = PT_LOAD,
				 .p_flags = PF_R | PF_X,
				 .p_vaddr = PROGRAM_AT,
				 .p_filesz = sizeof(p),
				 .p_memsz = sizeof(p),
				 .p_align = 4096},
				{.p_type = PT_GNU_STACK, .p_flags = PF_R | PF_W},
			},
	};

	memcpy(p.code, code, sizeof(code));
	if (ftruncate(fd, 0) < 0 || pwrite(fd, &p, sizeof(p), 0) != sizeof(p))
		err(3, "write a program");
}

static void make_file(const char *path)
{
	_cleanup_close_ int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0777);

	if (fd < 0)
		err(3, "%s", path);
	world_write_program(fd);
}

/* A path below a directory; false: too long, or there is something already. */
static bool path_below(const char *directory, const char *name, char ret[WORLD_PATH])
{
	struct stat st;

	if (strlen(directory) + 1 + strlen(name) >= WORLD_PATH - 600)
		return false;
	stpcpy(stpcpy(stpcpy(ret, directory), "/"), name);
	return lstat(ret, &st) < 0;
}

/* Can the object be reached through the mount of its whole filesystem, too? */
static bool is_plain(const struct world *w, const char *path)
{
	struct place place, again;

	world_place(w, path, &place);
	world_place(w, place.plain, &again);
	return again.mount->fs == place.mount->fs && strcmp(again.in_fs, place.in_fs) == 0;
}

static const struct node *any_node(const struct world *w, struct dice *d, enum node_kind kind)
{
	for (unsigned i = 0; i < 1000; i++) {
		const struct node *n = &w->nodes[dice_below(d, (uint32_t)w->n_nodes)];

		if (n->kind == kind)
			return n;
	}
	errx(3, "no node of kind %d", kind);
}

static void make_directories(struct world *w, struct dice *d, uint32_t n)
{
	char path[WORLD_PATH];

	for (uint32_t i = 0; i < n; i++) {
		world_scan(w);
		if (path_below(any_node(w, d, NODE_DIRECTORY)->path, name_any(w, d), path) &&
		    is_plain(w, path) && mkdir(path, 0777) < 0)
			err(3, "mkdir");
	}
}

/* More directories below each other than a rule can have components. */
static void make_deep(struct world *w, struct dice *d)
{
	char path[WORLD_PATH];
	uint32_t depth = 3 + dice_below(d, dice_chance(d, 30) ? 90 : 20);

	world_scan(w);
	strcpy(path, any_node(w, d, NODE_DIRECTORY)->path);
	for (uint32_t i = 0; i < depth; i++) {
		size_t len = strlen(path);

		if (len > WORLD_PATH - 900)
			break;
		strcat(path, dice_below(d, 2) ? "/a" : "/b");
		if (is_plain(w, path) && mkdir(path, 0777) == 0)
			continue;
		path[len] = '\0';
		break;
	}
	strcat(path, "/a.so");
	if (is_plain(w, path) && access(path, F_OK) < 0)
		make_file(path);
}

static void make_others(struct world *w, struct dice *d)
{
	char path[WORLD_PATH], target[WORLD_PATH];

	for (uint32_t i = 0; i < 46; i++) {
		if (i % 16 == 0)
			world_scan(w);
		if (!path_below(any_node(w, d, NODE_DIRECTORY)->path, name_any(w, d), path) ||
		    !is_plain(w, path))
			continue;
		if (i < 26)
			make_file(path);
		else if (i < 28 && mkfifo(path, 0777) < 0)
			err(3, "mkfifo");
		else if (i >= 28 && i < 33)
			(void)symlink(
				any_node(w, d, dice_below(d, 4) ? NODE_FILE : NODE_DIRECTORY)->path,
				path);
		else if (i >= 33) {
			struct place place;

			/* by the mounts of the whole filesystems: a link cannot go from one mount
			 * to another */
			world_place(w, any_node(w, d, NODE_FILE)->path, &place);
			strcpy(target, place.plain);
			world_place(w, path, &place);
			(void)link(target, place.plain);
		}
	}
}

/* ---- mounts ---- */

static void mount_add(struct world *w, const char *at, const char *root, uint32_t fs)
{
	w->mounts[w->n_mounts++] = (struct mount){.at = text(at), .root = text(root), .fs = fs};
}

static bool is_empty(const char *path)
{
	_cleanup_closedir_ DIR *dir = opendir(path);
	const struct dirent *e;

	while (dir && (e = readdir(dir)))
		if (strcmp(e->d_name, ".") != 0 && strcmp(e->d_name, "..") != 0)
			return false;
	return dir;
}

/* An empty directory for something to be mounted on. Return: NULL: none was found. */
static const struct node *any_mountpoint(struct world *w, struct dice *d)
{
	world_scan(w);
	for (unsigned i = 0; i < 40; i++) {
		const struct node *n = any_node(w, d, NODE_DIRECTORY);

		if (!n->mountpoint && strcmp(n->path, WORLD_ROOT) != 0 && is_empty(n->path) &&
		    is_plain(w, n->path))
			return n;
	}
	return NULL;
}

static void make_tmpfs(struct world *w, struct dice *d)
{
	const struct node *n = any_mountpoint(w, d);
	char path[WORLD_PATH];

	if (!n)
		return;
	if (mount("tmpfs", n->path, "tmpfs", 0, "mode=777") < 0)
		err(3, "mount a tmpfs");
	mount_add(w, n->path, "", (uint32_t)w->n_mounts);
	if (path_below(n->path, "b", path) && mkdir(path, 0777) < 0)
		err(3, "mkdir");
}

static void make_bind(struct world *w, struct dice *d)
{
	const struct node *n = any_mountpoint(w, d),
			  *of = n ? any_node(w, d, NODE_DIRECTORY) : NULL;
	char path[WORLD_PATH];
	struct place place;

	if (!n || n == of || !is_plain(w, of->path))
		return;
	/* a place that is bound stays: it is never empty */
	if (path_below(of->path, "kept", path)) {
		if (mkdir(path, 0777) < 0)
			err(3, "mkdir");
		strcat(path, "/b");
		make_file(path);
	}
	if (mount(of->path, n->path, NULL, MS_BIND, NULL) < 0)
		err(3, "bind");
	world_place(w, of->path, &place);
	mount_add(w, n->path, place.in_fs, place.mount->fs);
}

static bool is_below(const char *path, const char *top)
{
	size_t len = strlen(top);

	return strncmp(path, top, len) == 0 && (path[len] == '/' || path[len] == '\0');
}

static const struct mount *mount_of(const struct world *w, const char *path)
{
	const struct mount *found = &w->mounts[0];

	for (size_t i = 1; i < w->n_mounts; i++)
		if (is_below(path, w->mounts[i].at) && strlen(w->mounts[i].at) >= strlen(found->at))
			found = &w->mounts[i];
	return found;
}

/* Up the filesystem; at its root on to where the mount is, if that mount shows the whole. */
static void find_straight(const struct world *w, const struct place *place, char ret[WORLD_PATH])
{
	const struct mount *m = place->mount;
	char below[WORLD_PATH], joined[2 * WORLD_PATH];

	strcpy(ret, place->in_fs);
	while (m->fs != 0) {
		const struct mount *above;
		char at[WORLD_PATH];

		if (m->root[0] != '\0') {
			ret[0] = '\0';
			return;
		}
		strcpy(at, m->at);
		*strrchr(at, '/') = '\0'; /* the mountpoint is a name in the mount above */
		above = mount_of(w, at);
		strcpy(below, ret);
		(void)snprintf(joined, sizeof(joined), "%s%s%s", above->root,
			       m->at + strlen(above->at), below);
		joined[WORLD_PATH - 1] = '\0';
		strcpy(ret, joined);
		m = above;
	}
}

void world_place(const struct world *w, const char *path, struct place *ret)
{
	const struct mount *m = mount_of(w, path);
	const char *whole = "";

	ret->mount = m;
	(void)snprintf(ret->in_fs, sizeof(ret->in_fs), "%s%s", m->root, path + strlen(m->at));
	for (size_t i = 0; i < w->n_mounts; i++)
		if (w->mounts[i].fs == m->fs && w->mounts[i].root[0] == '\0')
			whole = w->mounts[i].at;
	(void)snprintf(ret->plain, sizeof(ret->plain), "%s%s", whole, ret->in_fs);
	find_straight(w, ret, ret->straight);
}

bool world_seen_through(const struct place *place, const struct mount *mount, char ret[WORLD_PATH])
{
	if (mount->fs != place->mount->fs || !is_below(place->in_fs, mount->root))
		return false;
	(void)snprintf(ret, WORLD_PATH, "%s%s", mount->at, place->in_fs + strlen(mount->root));
	return true;
}

/* ---- all of it ---- */

void world_make(struct world *w, struct dice *d, unsigned round)
{
	*w = (struct world){};
	(void)umask(0);
	mount_add(w, "", "", 0);
	name_of_all_bytes(round, w->names[0]);
	for (uint32_t i = 1; i < WORLD_NAMES; i++)
		name_draw(d, w->names[i]);
	if (mkdir(WORLD_ROOT, 0777) < 0 || mkdir(WORLD_ROOT "/a", 0777) < 0)
		err(3, WORLD_ROOT);
	make_directories(w, d, 6 + dice_below(d, 8));
	for (uint32_t n = dice_below(d, WORLD_MOUNTS - 1); n > 0; n--) {
		if (dice_below(d, 5) < 2)
			make_tmpfs(w, d);
		else
			make_bind(w, d);
		make_directories(w, d, 3);
	}
	make_deep(w, d);
	make_file(WORLD_ROOT "/a/first");
	make_others(w, d);
	world_scan(w);
}

static void remove_below(const char *path)
{
	_cleanup_closedir_ DIR *dir = opendir(path);
	const struct dirent *e;

	while (dir && (e = readdir(dir))) {
		char below[PATH_MAX];

		if (strcmp(e->d_name, ".") == 0 || strcmp(e->d_name, "..") == 0)
			continue;
		(void)snprintf(below, sizeof(below), "%s/%s", path, e->d_name);
		if (e->d_type == DT_DIR)
			remove_below(below);
		else if (unlink(below) < 0)
			err(3, "unlink");
	}
	if (rmdir(path) < 0)
		err(3, "rmdir %s", path);
}

void world_remove(struct world *w)
{
	while (w->n_mounts > 0) {
		struct mount *m = &w->mounts[--w->n_mounts];

		if (m->at[0] && umount2(m->at, MNT_DETACH) < 0)
			err(3, "umount %s", m->at);
		free(m->at);
		free(m->root);
	}
	nodes_free(w->nodes, w->n_nodes);
	w->nodes = NULL;
	w->n_nodes = 0;
	remove_below(WORLD_ROOT);
}

/* ---- looking ---- */

void nodes_free(struct node *nodes, size_t n)
{
	for (size_t i = 0; i < n; i++)
		free(nodes[i].path);
	free(nodes);
}

static void scan_add(struct world *w, const char *path, const struct stat *st)
{
	struct node *n;

	w->nodes = reallocarray(w->nodes, w->n_nodes + 1, sizeof(*w->nodes));
	if (!w->nodes)
		err(3, "realloc");
	n = &w->nodes[w->n_nodes++];
	*n = (struct node){
		.path = text(path), .dev = st->st_dev, .ino = st->st_ino, .nlink = st->st_nlink};
	n->kind = S_ISDIR(st->st_mode)	  ? NODE_DIRECTORY
		  : S_ISLNK(st->st_mode)  ? NODE_LINK
		  : S_ISFIFO(st->st_mode) ? NODE_FIFO
					  : NODE_FILE;
	for (size_t i = 0; i < w->n_mounts; i++)
		if (strcmp(w->mounts[i].at, path) == 0)
			n->mountpoint = true;
}

static void scan_below(struct world *w, const char *path)
{
	_cleanup_closedir_ DIR *dir = NULL;
	const struct dirent *e;
	struct stat st;

	if (lstat(path, &st) < 0)
		err(3, "%s", path);
	scan_add(w, path, &st);
	if (!S_ISDIR(st.st_mode))
		return;
	dir = opendir(path);
	if (!dir)
		err(3, "%s", path);
	while ((e = readdir(dir))) {
		char below[PATH_MAX];

		if (strcmp(e->d_name, ".") == 0 || strcmp(e->d_name, "..") == 0 ||
		    strlen(path) + strlen(e->d_name) + 2 > WORLD_PATH - 300)
			continue;
		(void)snprintf(below, sizeof(below), "%s/%s", path, e->d_name);
		scan_below(w, below);
	}
}

static int node_compare(const void *a, const void *b)
{
	return strcmp(((const struct node *)a)->path, ((const struct node *)b)->path);
}

void world_scan(struct world *w)
{
	nodes_free(w->nodes, w->n_nodes);
	w->nodes = NULL;
	w->n_nodes = 0;
	scan_below(w, WORLD_ROOT);
	qsort(w->nodes, w->n_nodes, sizeof(*w->nodes), node_compare);
}

const struct node *world_find(const struct world *w, const char *path)
{
	struct node key = {.path = (char *)path};

	return bsearch(&key, w->nodes, w->n_nodes, sizeof(*w->nodes), node_compare);
}

const struct node *world_linked(const struct world *w, struct dice *d)
{
	for (unsigned i = 0; i < 60; i++) {
		const struct node *n = &w->nodes[dice_below(d, (uint32_t)w->n_nodes)];

		if (n->kind == NODE_FILE && n->nlink > 1)
			return n;
	}
	return NULL;
}

bool world_same(const struct world *w, const struct node *was, size_t n_was)
{
	for (size_t i = 0; i < n_was; i++) {
		const struct node *n = world_find(w, was[i].path);

		if (!n || n->kind != was[i].kind || n->nlink != was[i].nlink) {
			(void)fprintf(stderr, "# %s is not what it was\n", was[i].path);
			return false;
		}
	}
	return w->n_nodes == n_was;
}
