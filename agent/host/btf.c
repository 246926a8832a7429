/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Names are NUL-terminated strings in one section: they are looked through one after the other, without decoding a
 * single type.
 */

#include "host/btf.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/btf.h>
#include <stdint.h>
#include <string.h>

#include "util/cleanup.h"

#define WINDOW 65536U
#define NAME_MAX_LEN 63U

/* Which names are worth a comparison: by length and first byte. */
struct filter {
	uint64_t lengths;
	bool firsts[256];
};

static void filter_fill(struct filter *filter, const struct btf_name *names, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		size_t len = strlen(names[i].name);

		if (len > NAME_MAX_LEN)
			continue;
		filter->lengths |= UINT64_C(1) << len;
		filter->firsts[(unsigned char)names[i].name[0]] = true;
	}
}

static void name_compare(const char *name, size_t len, struct btf_name *names, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (!names[i].found && strncmp(names[i].name, name, len + 1) == 0)
			names[i].found = true;
}

/* Look through the whole names of a window. Return: bytes that belong to one that is not whole. */
static size_t window_search(const char *window, size_t len, const struct filter *filter,
			    struct btf_name *names, size_t n)
{
	const char *at = window, *end = window + len, *stop;

	while (at < end && (stop = memchr(at, '\0', (size_t)(end - at)))) {
		size_t name_len = (size_t)(stop - at);

		if (name_len <= NAME_MAX_LEN && (filter->lengths >> name_len & 1) &&
		    filter->firsts[(unsigned char)*at])
			name_compare(at, name_len, names, n);
		at = stop + 1;
	}
	return (size_t)(end - at);
}

/* Go to the names. Return: 0 with their size, -EBADMSG not BTF, -errno. */
static int names_seek(int fd, size_t *ret_size)
{
	struct btf_header header;
	ssize_t got = pread(fd, &header, sizeof(header), 0);

	if (got < 0)
		return -errno;
	if ((size_t)got < sizeof(header) || header.magic != BTF_MAGIC || header.hdr_len < sizeof(header))
		return -EBADMSG;
	if (lseek(fd, (off_t)header.hdr_len + header.str_off, SEEK_SET) < 0)
		return -errno;
	*ret_size = header.str_len;
	return 0;
}

int btf_find_names(const char *path, struct btf_name *names, size_t n)
{
	_cleanup_free_ char *window = malloc(WINDOW);
	_cleanup_close_ int fd = open(path, O_RDONLY | O_CLOEXEC);
	struct filter filter = {};
	size_t kept = 0, left = 0;
	int r;

	if (fd < 0)
		return -errno;
	if (!window)
		return -ENOMEM;
	r = names_seek(fd, &left);
	if (r < 0)
		return r;
	filter_fill(&filter, names, n);
	while (left > 0) {
		size_t room = WINDOW - kept;
		ssize_t got = read(fd, window + kept, left < room ? left : room);

		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return -errno;
		if (got == 0)
			return -EBADMSG; /* shorter than it says */
		left -= (size_t)got;
		kept += (size_t)got;
		room = window_search(window, kept, &filter, names, n);
		if (room == WINDOW)
			return -EBADMSG; /* no name is that long */
		memmove(window, window + kept - room, room);
		kept = room;
	}
	return 0;
}
