/* SPDX-License-Identifier: Apache-2.0 */

/* Acts that make a file run. What they run ends with 0 when it ran. */

#include "try.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/personality.h>
#include <sys/shm.h>
#include <sys/syscall.h>
#include <unistd.h>

extern char **environ;

/* exec PATH ARGUMENT... */
static int act_exec(char **args)
{
	(void)execve(args[0], args, environ);
	return errno;
}

static int exec_fd(int fd, char **args)
{
	char magic[64];

	(void)snprintf(magic, sizeof(magic), "/proc/self/fd/%d", fd);
	(void)execve(magic, args, environ);
	return errno;
}

/* exec32 PATH: execve(2) of the 32-bit system call table, without arguments */
static int act_exec32(char **args)
{
	char *low = mmap(NULL, 8192, PROT_READ | PROT_WRITE,
			 MAP_PRIVATE | MAP_ANONYMOUS | MAP_32BIT, -1, 0);
	unsigned *argv = (unsigned *)(low + 4096);
	long r;

	if (low == MAP_FAILED || strlen(args[0]) >= 4096)
		return try_setup_failed("memory below 4 GiB");
	(void)strcpy(low, args[0]);
	argv[0] = (unsigned)(unsigned long)low;
	__asm__ volatile("int $0x80"
			 : "=a"(r)
			 : "0"(11L), "b"(low), "c"(argv), "d"(argv + 1)
			 : "memory", "r8", "r9", "r10", "r11");
	return (int)-r;
}

/* exec-at PATH ARGUMENT...: execveat(fd, "", ..., AT_EMPTY_PATH) of an O_PATH descriptor */
static int act_exec_at(char **args)
{
	int fd = open(args[0], O_PATH | O_CLOEXEC);

	if (fd < 0)
		return try_setup_failed(args[0]);
	(void)syscall(SYS_execveat, fd, "", args, environ, AT_EMPTY_PATH);
	return errno;
}

/* exec-magic PATH ARGUMENT...: /proc/self/fd/N */
static int act_exec_magic(char **args)
{
	int fd = open(args[0], O_PATH | O_CLOEXEC);

	return fd < 0 ? try_setup_failed(args[0]) : exec_fd(fd, args);
}

/* exec-deleted PATH ARGUMENT...: unlinks the program between opening and running it */
static int act_exec_deleted(char **args)
{
	int fd = open(args[0], O_PATH | O_CLOEXEC);

	if (fd < 0 || unlink(args[0]) < 0)
		return try_setup_failed(args[0]);
	return exec_fd(fd, args);
}

static int exec_copy(int fd, char **args)
{
	char magic[64];
	int again;

	if (fd < 0 || try_copy(args[0], fd) < 0)
		return try_setup_failed("copying the program");
	/* as long as a descriptor is open for writing, running it is ETXTBSY */
	(void)snprintf(magic, sizeof(magic), "/proc/self/fd/%d", fd);
	again = open(magic, O_RDONLY | O_CLOEXEC);
	if (again < 0)
		return try_setup_failed("opening the copy again");
	(void)close(fd);
	return exec_fd(again, args);
}

/* exec-memfd FROM ARGUMENT...: a copy that lives in memory only */
static int act_exec_memfd(char **args)
{
	return exec_copy(memfd_create("a name\nwith a line feed", MFD_CLOEXEC), args);
}

/* exec-tmpfile DIR FROM ARGUMENT...: a copy that never had a name */
static int act_exec_tmpfile(char **args)
{
	return exec_copy(open(args[0], O_TMPFILE | O_RDWR | O_CLOEXEC, 0700), args + 1);
}

/* map PATH: what a dynamic loader does with it */
static int act_map(char **args)
{
	int fd = open(args[0], O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		return try_setup_failed(args[0]);
	return mmap(NULL, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE, fd, 0) == MAP_FAILED ? errno
											 : 0;
}

/* map-late PATH: mapped to be read, and made executable afterwards */
static int act_map_late(char **args)
{
	int fd = open(args[0], O_RDONLY | O_CLOEXEC);
	void *at;

	if (fd < 0)
		return try_setup_failed(args[0]);
	at = mmap(NULL, 4096, PROT_READ, MAP_PRIVATE, fd, 0);
	if (at == MAP_FAILED)
		return try_setup_failed("mmap");
	return mprotect(at, 4096, PROT_READ | PROT_EXEC) < 0 ? errno : 0;
}

/* map-again PATH: mapped to be read, and then in another order, by somebody for whom what can be read can be run */
static int act_map_again(char **args)
{
	int fd = open(args[0], O_RDWR | O_CLOEXEC);
	void *at;

	if (fd < 0)
		return try_setup_failed(args[0]);
	at = mmap(NULL, 4096, PROT_READ, MAP_SHARED, fd, 0);
	if (at == MAP_FAILED || personality(READ_IMPLIES_EXEC) < 0)
		return try_setup_failed("mmap");
	return remap_file_pages(at, 4096, 0, 0, 0) < 0 ? errno : 0;
}

static void *anonymous_memory(int protection)
{
	return mmap(NULL, 4096, protection, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
}

/* Shared memory to be run, seen a second time, where it can be written. */
static void *memory_doubled(void)
{
	void *failed = MAP_FAILED;
	void *at = mmap(NULL, 4096, PROT_READ | PROT_EXEC, MAP_SHARED | MAP_ANONYMOUS, -1, 0), *second;

	if (at == failed)
		return failed;
	second = mremap(at, 0, 4096, MREMAP_MAYMOVE);
	return second == failed || mprotect(second, 4096, PROT_READ | PROT_WRITE) < 0 ? failed : at;
}

/* The program's own code, written through the file that is its memory, whatever protects it. EIO: it may be opened, but this
 * kernel goes by the protection. */
static void *memory_forced(void)
{
	int fd = open("/proc/self/mem", O_RDWR | O_CLOEXEC);
	char *code = (char *)(unsigned long)&memory_doubled;

	if (fd < 0)
		return MAP_FAILED;
	return pwrite(fd, code, 1, (off_t)(unsigned long)code) == 1 || errno == EIO ? code : MAP_FAILED;
}

/* A program that may be run, in memory: a page of it comes from userfaultfd(2) instead. */
static void *memory_filled(const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	void *at = mmap(NULL, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE, fd, 0);

	if (at == MAP_FAILED)
		return at;
	errno = try_fill(at);
	return errno ? MAP_FAILED : at;
}

/* Memory that can be written, or was, and made executable. Return: what the last call said. */
static void *memory_made(const char *how, const char *path)
{
	void *failed = MAP_FAILED, *at = failed;
	int fd, id;

	if (strcmp(how, "both") == 0)
		return anonymous_memory(PROT_READ | PROT_WRITE | PROT_EXEC);
	if (strcmp(how, "written") == 0) {
		at = anonymous_memory(PROT_READ | PROT_WRITE);
		if (at == failed)
			return failed;
		*(volatile char *)at = 'x';
		return mprotect(at, 4096, PROT_READ | PROT_EXEC) < 0 ? failed : at;
	}
	if (strcmp(how, "opened") == 0) {
		at = anonymous_memory(PROT_READ | PROT_EXEC);
		return at == failed || mprotect(at, 4096, PROT_READ | PROT_WRITE | PROT_EXEC) < 0 ? failed : at;
	}
	if (strcmp(how, "copied") == 0) {
		fd = open(path, O_RDONLY | O_CLOEXEC);
		at = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE, fd, 0);
		if (at == failed)
			return failed;
		*(volatile char *)at = 'x';
		return mprotect(at, 4096, PROT_READ | PROT_EXEC) < 0 ? failed : at;
	}
	if (strcmp(how, "twice") == 0) {
		fd = memfd_create("twice", MFD_CLOEXEC);
		if (ftruncate(fd, 4096) < 0 || mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0) == failed)
			return failed;
		return mmap(NULL, 4096, PROT_READ | PROT_EXEC, MAP_SHARED, fd, 0);
	}
	if (strcmp(how, "segment") == 0) {
		id = shmget(IPC_PRIVATE, 4096, IPC_CREAT | 0700);
		at = shmat(id, NULL, SHM_EXEC);
		fd = errno;
		(void)shmctl(id, IPC_RMID, NULL);
		errno = fd;
		return at;
	}
	if (strcmp(how, "unwritten") == 0) /* userfaultfd(2) fills it */
		return anonymous_memory(PROT_READ | PROT_EXEC);
	if (strcmp(how, "filled") == 0)
		return memory_filled(path);
	if (strcmp(how, "doubled") == 0)
		return memory_doubled();
	if (strcmp(how, "forced") == 0)
		return memory_forced();
	return anonymous_memory(PROT_READ | PROT_WRITE); /* "plain" */
}

/* memory HOW PATH: both, written, opened, copied (of PATH), twice, segment, unwritten, filled (PATH), doubled, forced; plain,
 * which is only written */
static int act_memory(char **args)
{
	return memory_made(args[0], args[1]) == MAP_FAILED ? errno : 0;
}

/* ends STATUS TEXT PROGRAM ARGUMENT...: EPERM if the program runs, but ends with STATUS and says
 * TEXT on standard error: for refusals that a program meets and reports itself */
static int act_ends(char **args)
{
	int pipes[2], status;
	char said[4096] = {};
	size_t len = 0;
	ssize_t n;
	pid_t pid;

	if (pipe2(pipes, O_CLOEXEC) < 0)
		return try_setup_failed("pipe");
	pid = fork();
	if (pid < 0)
		return try_setup_failed("fork");
	if (pid == 0) {
		(void)dup2(pipes[1], STDERR_FILENO);
		(void)execve(args[2], args + 2, environ);
		_exit(STATUS_SETUP);
	}
	(void)close(pipes[1]);
	while (len < sizeof(said) - 1 &&
	       (n = read(pipes[0], said + len, sizeof(said) - 1 - len)) > 0)
		len += (size_t)n;
	status = try_wait(pid);
	(void)fputs(said, stderr);
	if (status == 0)
		return 0;
	return status == atoi(args[0]) && strstr(said, args[1]) ? EPERM : STATUS_WRONG;
}

/* accept [WORD...]: nothing, as a script's interpreter that read it */
static int act_accept(char **args)
{
	(void)args;
	return 0;
}

const struct verb exec_verbs[] = {
	{"accept", 0, act_accept},
	{"exec", 1, act_exec},
	{"exec32", 1, act_exec32},
	{"exec-at", 1, act_exec_at},
	{"exec-magic", 1, act_exec_magic},
	{"exec-deleted", 1, act_exec_deleted},
	{"exec-memfd", 1, act_exec_memfd},
	{"exec-tmpfile", 2, act_exec_tmpfile},
	{"map", 1, act_map},
	{"map-late", 1, act_map_late},
	{"map-again", 1, act_map_again},
	{"memory", 2, act_memory},
	{"ends", 3, act_ends},
	{NULL, 0, NULL},
};
