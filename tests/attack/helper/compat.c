/* SPDX-License-Identifier: Apache-2.0 */

/* Acts by the 32-bit system call table, which a 64-bit program enters by an interrupt. */

#include "try.h"

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>

/* How the words of an act become arguments. */
enum argument { NOTHING, PATH, NUMBER, ZERO };

static const struct call {
	const char *word;
	long number;
	enum argument arguments[5];
} calls[] = {
	{"creat", 8, {PATH, NUMBER}},
	{"link", 9, {PATH, PATH}},
	{"unlink", 10, {PATH}},
	{"mknod", 14, {PATH, NUMBER, ZERO}},
	{"chmod", 15, {PATH, NUMBER}},
	{"utime", 30, {PATH, ZERO}},
	{"rename", 38, {PATH, PATH}},
	{"mkdir", 39, {PATH, NUMBER}},
	{"rmdir", 40, {PATH}},
	{"symlink", 83, {PATH, PATH}},
	{"truncate", 92, {PATH, ZERO}},
	{"ftruncate", 93, {NUMBER, ZERO}},
	{"lchown", 198, {PATH, NUMBER, NUMBER}},
	{"setxattr", 226, {PATH, PATH, PATH, NUMBER, ZERO}}, /* name and value are strings as paths are */
	{"openat", 295, {NUMBER, PATH, ZERO}},
};

/* Memory that 32 bits reach. */
static char *low_memory(void)
{
	char *low = mmap(NULL, 16384, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_32BIT, -1, 0);

	return low == MAP_FAILED ? NULL : low;
}

static int enter(long number, const long a[5])
{
	long r;

	__asm__ volatile("int $0x80"
			 : "=a"(r)
			 : "0"(number), "b"(a[0]), "c"(a[1]), "d"(a[2]), "S"(a[3]), "D"(a[4])
			 : "memory", "r8", "r9", "r10", "r11");
	return r < 0 ? (int)-r : 0;
}

/* call32 NAME ARGUMENT... */
static int act_call(char **args)
{
	const struct call *call = calls, *end = calls + sizeof(calls) / sizeof(calls[0]);
	char *low = low_memory();
	long a[5] = {};

	while (call < end && strcmp(call->word, args[0]) != 0)
		call++;
	if (call == end || !low)
		return try_setup_failed(args[0]);
	args++;
	for (int i = 0; i < 5 && call->arguments[i] != NOTHING; i++) {
		if (call->arguments[i] == ZERO)
			continue;
		if (!*args)
			return try_setup_failed("too few arguments");
		if (call->arguments[i] == NUMBER) {
			a[i] = strtol(*args++, NULL, 0);
			continue;
		}
		if (strlen(*args) >= 4096 - 1)
			return try_setup_failed(*args);
		(void)strcpy(low, *args++);
		a[i] = (long)(uintptr_t)low;
		low += strlen(low) + 1;
	}
	return enter(call->number, a);
}

#define IOCTL_32 54
#define GETFLAGS_32 0x80046601L
#define SETFLAGS_32 0x40046602L
#define NODUMP 0x40

/* setflags32 PATH: chattr +d, with the request as a 32-bit program has it */
static int act_setflags(char **args)
{
	int fd = open(args[0], O_RDONLY | O_CLOEXEC);
	char *low = low_memory();
	long a[5] = {fd, GETFLAGS_32, (long)(uintptr_t)low};

	if (fd < 0 || !low || enter(IOCTL_32, a) != 0)
		return try_setup_failed(args[0]);
	*(int *)low ^= NODUMP;
	a[1] = SETFLAGS_32;
	return enter(IOCTL_32, a);
}

const struct verb compat_verbs[] = {
	{"call32", 2, act_call},
	{"setflags32", 1, act_setflags},
	{NULL, 0, NULL},
};
