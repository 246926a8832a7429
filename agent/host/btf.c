/* SPDX-License-Identifier: Apache-2.0 */

/*
 * A name is a NUL-terminated string in the string section; types before it are numbers, so a name
 * between two NUL bytes is found by searching, without decoding a single type.
 */

#include "host/btf.h"

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <string.h>

#include "util/cleanup.h"

#define BTF_MAGIC 0xeb9fU
#define WINDOW 65536U
#define NEEDLE_MAX 64U /* a name with both its NUL bytes */

static void window_search(const char *window, size_t len, struct btf_name *names, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		char needle[NEEDLE_MAX] = {};
		size_t name_len = strlen(names[i].name);

		if (names[i].found || name_len + 2 > sizeof(needle))
			continue;
		memcpy(needle + 1, names[i].name, name_len);
		names[i].found = memmem(window, len, needle, name_len + 2) != NULL;
	}
}

int btf_find_names(const char *path, struct btf_name *names, size_t n)
{
	_cleanup_free_ char *window = NULL;
	_cleanup_close_ int fd = -EBADF;
	bool first = true;
	size_t kept = 0;

	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	window = malloc(WINDOW);
	if (!window)
		return -ENOMEM;
	for (;;) {
		ssize_t got = read(fd, window + kept, WINDOW - kept);
		size_t len;

		if (got < 0) {
			if (errno == EINTR)
				continue;
			return -errno;
		}
		len = kept + (size_t)got;
		if (first) {
			uint16_t magic = 0;

			if (len >= sizeof(magic))
				memcpy(&magic, window, sizeof(magic));
			if (magic != BTF_MAGIC)
				return -EBADMSG;
			first = false;
		}
		if (got == 0)
			return 0;
		window_search(window, len, names, n);
		/* a name may lie across two windows */
		kept = len < NEEDLE_MAX - 1 ? len : NEEDLE_MAX - 1;
		memmove(window, window + len - kept, kept);
	}
}
