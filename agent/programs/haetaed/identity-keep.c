/* SPDX-License-Identifier: Apache-2.0 */

/*
 * The book as a file: a line that says what it is and of which boot, then one line for each object, "CGROUP DEVICE INODE GENERATION PATH".
 * No path of a rule has a line break. A file that is not whole is worth nothing: written beside and renamed.
 */

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "programs/haetaed/identity-book.h"
#include "util/fd.h"
#include "util/strbuf.h"

#define KEEP_HEAD "haetae identities 1 "
#define KEEP_END "end\n"
/* As much as all rooms of many profiles can be full of. */
#define KEEP_SIZE_MAX (256UL << 20)

/* Numbers of cgroups and filesystems mean something in one boot only. */
static int keep_head(struct strbuf *b)
{
	_cleanup_free_ char *boot = NULL;
	size_t len;
	int r = file_read_all(AT_FDCWD, "/proc/sys/kernel/random/boot_id", 64, &boot, &len);

	if (r < 0)
		return r;
	strbuf_puts(b, KEEP_HEAD);
	strbuf_puts(b, boot); /* with its line break */
	return strbuf_error(b);
}

static int keep_one(const char *path, const struct ht_identity *identity, void *userdata)
{
	strbuf_printf(userdata, "%" PRIu64 " %" PRIu32 " %" PRIu64 " %" PRIu32 " %s\n",
		      (uint64_t)identity->cgroup, identity->dev, (uint64_t)identity->ino,
		      identity->generation, path);
	return 0;
}

static int keep_write(const char *path, const struct strbuf *text)
{
	_cleanup_close_ int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
	size_t at = 0;

	if (fd < 0)
		return -errno;
	while (at < text->len) {
		ssize_t n = write(fd, text->data + at, text->len - at);

		if (n < 0 && errno != EINTR)
			return -errno;
		at += n > 0 ? (size_t)n : 0;
	}
	return 0;
}

int identity_book_keep(struct identity_book *book, const char *path)
{
	_cleanup_strbuf_ struct strbuf text = {};
	char fresh[PATH_MAX];
	int n, r;

	if (!book->changed)
		return 0;
	n = snprintf(fresh, sizeof(fresh), "%s.new", path);
	if (n < 0 || (size_t)n >= sizeof(fresh))
		return -ENAMETOOLONG;
	r = keep_head(&text);
	if (r < 0)
		return r;
	(void)identity_book_each(book, keep_one, &text);
	strbuf_puts(&text, KEEP_END);
	r = strbuf_error(&text);
	if (r >= 0)
		r = keep_write(fresh, &text);
	if (r < 0)
		return r;
	if (rename(fresh, path) < 0)
		return -errno;
	book->changed = false;
	return 0;
}

/* A number and the space behind it. */
static bool recall_number(const char **p, uint64_t max, uint64_t *ret)
{
	char *end;

	if (**p < '0' || **p > '9')
		return false;
	errno = 0;
	*ret = strtoull(*p, &end, 10);
	if (errno != 0 || *end != ' ' || *ret > max)
		return false;
	*p = end + 1;
	return true;
}

static int recall_line(struct identity_book *book, const char *line)
{
	static const uint32_t no_profiles[HT_PROFILES_MAX];
	static const struct image no_image;
	struct identity_list none = {};
	uint64_t cgroup, dev, ino, generation;
	struct ht_identity identity;
	int r;

	if (!recall_number(&line, UINT64_MAX, &cgroup) || !recall_number(&line, UINT32_MAX, &dev) ||
	    !recall_number(&line, UINT64_MAX, &ino) ||
	    !recall_number(&line, UINT32_MAX, &generation) || line[0] != '/')
		return -EBADMSG;
	identity = (struct ht_identity){
		.cgroup = cgroup,
		.dev = (uint32_t)dev,
		.ino = ino,
		.generation = (uint32_t)generation,
	};
	r = identity_book_see(book, cgroup, no_profiles);
	return r < 0 ? r : identity_book_add(book, &no_image, line, &identity, &none, &none);
}

/* text is taken apart. */
static int recall_lines(struct identity_book *book, char *text, size_t len)
{
	_cleanup_strbuf_ struct strbuf head = {};
	size_t end = strlen(KEEP_END);
	char *line, *save = NULL;
	int r = keep_head(&head);

	if (r < 0)
		return r;
	if (len < head.len + end || strlen(text) != len ||
	    memcmp(text, strbuf_str(&head), head.len) != 0 ||
	    strcmp(text + len - end, KEEP_END) != 0)
		return -EBADMSG;
	text[len - end] = '\0';
	for (line = strtok_r(text + head.len, "\n", &save); line && r >= 0;
	     line = strtok_r(NULL, "\n", &save))
		r = recall_line(book, line);
	return r;
}

int identity_book_recall(struct identity_book *book, const char *path)
{
	_cleanup_free_ char *text = NULL;
	size_t len;
	int r;

	r = file_read_all(AT_FDCWD, path, KEEP_SIZE_MAX, &text, &len);
	if (r >= 0)
		r = recall_lines(book, text, len);
	if (r < 0) {
		identity_book_deinit(book);
		*book = (struct identity_book){};
	}
	return r;
}
