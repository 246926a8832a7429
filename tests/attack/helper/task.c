/* SPDX-License-Identifier: Apache-2.0 */

/* Acts on other processes, each named by a number or by a file that holds it. */

#include "try.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/io_uring.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

static int outcome(long r, int past)
{
	return r >= 0 || errno == past ? 0 : errno;
}

static pid_t task_of(const char *word)
{
	FILE *file;
	int pid = atoi(word);

	if (word[0] != '/')
		return pid;
	file = fopen(word, "re");
	if (!file || fscanf(file, "%d", &pid) != 1)
		pid = -1;
	if (file)
		(void)fclose(file);
	return pid;
}

/* signal NUMBER PID */
static int act_signal(char **args)
{
	return outcome(kill(task_of(args[1]), atoi(args[0])), 0);
}

/* attach PID: as a debugger does */
static int act_attach(char **args)
{
	return outcome(ptrace(PTRACE_SEIZE, task_of(args[0]), NULL, NULL), 0);
}

/* A place where nobody has memory: EFAULT is what comes after the permission. */
static int memory(pid_t pid, int call)
{
	char byte = 0;
	struct iovec local = {&byte, 1}, remote = {(void *)8UL, 1};

	return outcome(syscall(call, pid, &local, 1UL, &remote, 1UL, 0UL), EFAULT);
}

/* memory-read PID */
static int act_memory_read(char **args)
{
	return memory(task_of(args[0]), SYS_process_vm_readv);
}

/* memory-write PID */
static int act_memory_write(char **args)
{
	return memory(task_of(args[0]), SYS_process_vm_writev);
}

/* take-descriptor PID: number 0 of its descriptors */
static int act_take_descriptor(char **args)
{
	int fd = (int)syscall(SYS_pidfd_open, task_of(args[0]), 0);

	return fd < 0 ? try_setup_failed("pidfd_open") :
			outcome(syscall(SYS_pidfd_getfd, fd, 0, 0), 0);
}

/* attach-child: its own, as a debugger inside the container does */
static int act_attach_child(char **args)
{
	pid_t pid = fork();
	int error;

	(void)args;
	if (pid < 0)
		return try_setup_failed("fork");
	if (pid == 0) {
		(void)pause();
		_exit(0);
	}
	error = outcome(ptrace(PTRACE_SEIZE, pid, NULL, NULL), 0);
	if (error == 0)
		error = memory(pid, SYS_process_vm_writev);
	(void)kill(pid, SIGKILL);
	(void)waitpid(pid, NULL, 0);
	return error;
}

/* trace-me */
static int act_trace_me(char **args)
{
	(void)args;
	return outcome(ptrace(PTRACE_TRACEME, 0, NULL, NULL), 0);
}

/* nice PID: what it has */
static int act_nice(char **args)
{
	pid_t pid = task_of(args[0]);

	errno = 0;
	return outcome(setpriority(PRIO_PROCESS, (id_t)pid, getpriority(PRIO_PROCESS, (id_t)pid)), 0);
}

/* affinity PID: what it has */
static int act_affinity(char **args)
{
	pid_t pid = task_of(args[0]);
	cpu_set_t set;

	if (sched_getaffinity(pid, sizeof(set), &set) < 0)
		return try_setup_failed("sched_getaffinity");
	return outcome(sched_setaffinity(pid, sizeof(set), &set), 0);
}

/* scheduler PID: what it has */
static int act_scheduler(char **args)
{
	pid_t pid = task_of(args[0]);
	struct sched_param parameter;

	if (sched_getparam(pid, &parameter) < 0)
		return try_setup_failed("sched_getparam");
	return outcome(sched_setscheduler(pid, sched_getscheduler(pid), &parameter), 0);
}

/* limit PID: what it has */
static int act_limit(char **args)
{
	pid_t pid = task_of(args[0]);
	struct rlimit limit;

	if (prlimit(pid, RLIMIT_NOFILE, NULL, &limit) < 0)
		return errno;
	return outcome(prlimit(pid, RLIMIT_NOFILE, &limit, NULL), 0);
}

/* poll-thread: an io_uring whose requests a kernel thread picks up */
static int act_poll_thread(char **args)
{
	struct io_uring_params p = {.flags = IORING_SETUP_SQPOLL, .sq_thread_idle = 10};

	(void)args;
	return outcome(syscall(SYS_io_uring_setup, 4, &p), 0);
}

/* personality PATH: io_uring opens it with credentials that were registered before */
static int act_personality(char **args)
{
	struct io_uring_params p = {};
	struct io_uring_sqe *sqes;
	struct io_uring_cqe *cqe;
	long fd = syscall(SYS_io_uring_setup, 4, &p), id;
	char *rings;
	unsigned *array, *tail;

	if (fd < 0)
		return try_setup_failed("io_uring");
	id = syscall(SYS_io_uring_register, fd, IORING_REGISTER_PERSONALITY, NULL, 0);
	rings = mmap(NULL, p.cq_off.cqes + p.cq_entries * sizeof(*cqe) + 4096, PROT_READ | PROT_WRITE,
		     MAP_SHARED | MAP_POPULATE, (int)fd, IORING_OFF_SQ_RING);
	sqes = mmap(NULL, p.sq_entries * sizeof(*sqes), PROT_READ | PROT_WRITE,
		    MAP_SHARED | MAP_POPULATE, (int)fd, IORING_OFF_SQES);
	if (id < 0 || rings == MAP_FAILED || sqes == MAP_FAILED)
		return try_setup_failed("io_uring");
	sqes[0] = (struct io_uring_sqe){.opcode = IORING_OP_OPENAT,
					.fd = AT_FDCWD,
					.addr = (__u64)(unsigned long)args[0],
					.open_flags = O_RDONLY,
					.personality = (__u16)id};
	array = (unsigned *)(rings + p.sq_off.array);
	tail = (unsigned *)(rings + p.sq_off.tail);
	array[0] = 0;
	__atomic_store_n(tail, 1, __ATOMIC_RELEASE);
	if (syscall(SYS_io_uring_enter, fd, 1, 1, IORING_ENTER_GETEVENTS, NULL, 0) < 0)
		return try_setup_failed("io_uring_enter");
	cqe = (struct io_uring_cqe *)(rings + p.cq_off.cqes);
	return cqe->res < 0 ? -cqe->res : 0;
}

const struct verb task_verbs[] = {
	{"signal", 2, act_signal},
	{"attach", 1, act_attach},
	{"memory-read", 1, act_memory_read},
	{"memory-write", 1, act_memory_write},
	{"take-descriptor", 1, act_take_descriptor},
	{"attach-child", 0, act_attach_child},
	{"trace-me", 0, act_trace_me},
	{"nice", 1, act_nice},
	{"affinity", 1, act_affinity},
	{"scheduler", 1, act_scheduler},
	{"limit", 1, act_limit},
	{"poll-thread", 0, act_poll_thread},
	{"personality", 1, act_personality},
	{NULL, 0, NULL},
};
