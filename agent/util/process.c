/* SPDX-License-Identifier: Apache-2.0 */

#include "util/process.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>

#include "util/cleanup.h"
#include "util/fd.h"

int process_start(int pid, unsigned long long *ret)
{
	_cleanup_free_ char *text = NULL;
	char path[64];
	const char *p;
	size_t len;
	int r;

	(void)snprintf(path, sizeof(path), "/proc/%d/stat", pid);
	r = file_read_all(AT_FDCWD, path, 4096, &text, &len);
	if (r < 0)
		return r;
	p = strrchr(text, ')'); /* the name before it can be anything */
	for (unsigned i = 2; p && i < 22; i++)
		p = strchr(p + 1, ' ');
	return p && sscanf(p, " %llu", ret) == 1 ? 0 : -EBADMSG;
}
