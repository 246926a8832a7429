/* SPDX-License-Identifier: Apache-2.0 */

/* What a tree is like, so that two states of it can be compared: one program instead of find and
 * one for contents. */

#include "try.h"

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <inttypes.h>
#include <limits.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

/* FNV-1a: nobody chooses contents to deceive it. Return: 0 or -1 with errno. */
static int contents_hash(const char *path, uint64_t *ret_hash)
{
	static unsigned char buf[65536];
	uint64_t hash = 0xcbf29ce484222325;
	ssize_t n;
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);

	if (fd < 0)
		return -1;
	while ((n = read(fd, buf, sizeof(buf))) > 0)
		for (ssize_t i = 0; i < n; i++)
			hash = (hash ^ buf[i]) * 0x100000001b3;
	(void)close(fd);
	*ret_hash = hash;
	return n < 0 ? -1 : 0;
}

static int entry_print(const char *path, const struct stat *st, int kind, struct FTW *where)
{
	char target[PATH_MAX];
	uint64_t hash;
	ssize_t n;

	(void)where;
	if (kind == FTW_NS || kind == FTW_DNR)
		return -1;
	(void)printf("%s %o %ju %ju:%ju %ju", path, st->st_mode, (uintmax_t)st->st_ino,
		     (uintmax_t)st->st_uid, (uintmax_t)st->st_gid, (uintmax_t)st->st_nlink);
	if (S_ISREG(st->st_mode)) {
		if (contents_hash(path, &hash) < 0)
			return -1;
		(void)printf(" %jd %016" PRIx64, (intmax_t)st->st_size, hash);
	} else if (S_ISLNK(st->st_mode)) {
		n = readlink(path, target, sizeof(target));
		if (n < 0)
			return -1;
		(void)printf(" -> %.*s", (int)n, target);
	}
	(void)putchar('\n');
	return 0;
}

static int run_fingerprint(char **args)
{
	if (nftw(args[0], entry_print, 64, FTW_PHYS) != 0)
		return try_setup_failed(args[0]);
	return 0;
}

const struct verb tree_verbs[] = {
	{"fingerprint", 1, run_fingerprint},
	{NULL, 0, NULL},
};
