/* SPDX-License-Identifier: Apache-2.0 */

/* Memory that nobody may write to, filled by userfaultfd(2), which looks at what a mapping could be and not at what it is. */

#include "try.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/userfaultfd.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#define PAGE 4096

int try_fill(void *at)
{
	static char page[PAGE] __attribute__((aligned(PAGE)));
	struct uffdio_api api = {.api = UFFD_API};
	struct uffdio_register range = {.range = {.start = (uintptr_t)at, .len = PAGE},
					.mode = UFFDIO_REGISTER_MODE_MISSING};
	struct uffdio_copy copy = {.dst = (uintptr_t)at, .src = (uintptr_t)page, .len = PAGE};
	int fd = (int)syscall(SYS_userfaultfd, O_CLOEXEC), error = 0;

	if (fd < 0)
		return try_setup_failed("userfaultfd");
	memset(page, 'x', sizeof(page));
	if (ioctl(fd, UFFDIO_API, &api) < 0)
		error = try_setup_failed("UFFDIO_API");
	else if (ioctl(fd, UFFDIO_REGISTER, &range) < 0 || ioctl(fd, UFFDIO_COPY, &copy) < 0)
		error = errno;
	(void)close(fd);
	return error;
}

/* fd-fill FD HOW: a page that the file does not have yet, through memory that shows it to be read ("read") or not at all
 * ("none"). Which is enough if the descriptor is one to write with. */
static int act_fill(char **args)
{
	int protection = strcmp(args[1], "read") == 0 ? PROT_READ : PROT_NONE;
	int fd = (int)strtol(args[0], NULL, 10);
	void *at = mmap(NULL, PAGE, protection, MAP_SHARED, fd, 0);

	return at == MAP_FAILED ? errno : try_fill(at);
}

const struct verb fill_verbs[] = {
	{"fd-fill", 2, act_fill},
	{NULL, 0, NULL},
};
