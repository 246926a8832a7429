/* SPDX-License-Identifier: Apache-2.0 */

/*
 * LD_PRELOAD for the agent in a machine: a call of bpf(2) fails, or ends the process; a thread cannot be had. libbpf makes
 * its calls through syscall(3), which is this one.
 */

#include <dlfcn.h>
#include <errno.h>
#include <execinfo.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdlib.h>
#include <sys/inotify.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "fault.h"

static struct fault *fault;

__attribute__((constructor)) static void fault_open(void)
{
	const char *path = getenv("HAETAE_FAULT");
	int fd = path ? open(path, O_RDWR | O_CLOEXEC) : -1;
	void *memory;

	if (fd < 0)
		return;
	memory = mmap(NULL, sizeof(*fault), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (memory != MAP_FAILED)
		fault = memory;
	(void)close(fd);
}

#define STACK_DEPTH 24

/* Where the call is made. */
static uint32_t fault_place(long command)
{
	uint64_t hash = (uint64_t)command + 1;
	void *stack[STACK_DEPTH];
	int n = backtrace(stack, STACK_DEPTH);

	for (int i = 0; i < n; i++)
		hash = (hash ^ (uintptr_t)stack[i]) * 0x9e3779b97f4a7c15ULL;
	return (uint32_t)(hash >> 32) | 1U;
}

static bool fault_hits(uint32_t place)
{
	uint32_t wanted = atomic_load(&fault->place), at = atomic_load(&fault->at),
		 hits = atomic_load(&fault->hits);

	if (at == 0 || (hits == 0 && wanted != 0 && wanted != place))
		return false;
	if (hits == 0 && atomic_fetch_add(&fault->met, 1) + 1 < at)
		return false;
	if (hits >= atomic_load(&fault->many))
		return false;
	(void)atomic_fetch_add(&fault->hits, 1);
	return true;
}

/* Return: 0, or the errno that the call fails with. */
static int fault_meet(long command)
{
	uint32_t place = fault_place(command), call = atomic_fetch_add(&fault->calls, 1);

	if (call < FAULT_PLACES)
		atomic_store(&fault->places[call], place);
	if (!fault_hits(place))
		return 0;
	if (atomic_load(&fault->error) == FAULT_KILL)
		(void)kill(getpid(), SIGKILL);
	return (int)atomic_load(&fault->error);
}

static long call_raw(long number, const long a[6])
{
	register long r10 __asm__("r10") = a[3], r8 __asm__("r8") = a[4], r9 __asm__("r9") = a[5];
	long r;

	__asm__ volatile("syscall"
			 : "=a"(r)
			 : "a"(number), "D"(a[0]), "S"(a[1]), "d"(a[2]), "r"(r10), "r"(r8), "r"(r9)
			 : "rcx", "r11", "memory");
	if (r >= -4095 && r < 0) {
		errno = (int)-r;
		return -1;
	}
	return r;
}

long syscall(long number, ...)
{
	long a[6];
	va_list ap;

	va_start(ap, number);
	for (int i = 0; i < 6; i++)
		a[i] = va_arg(ap, long);
	va_end(ap);
	if (number == SYS_bpf && fault) {
		int error = fault_meet(a[0]);

		if (error) {
			errno = error;
			return -1;
		}
	}
	return call_raw(number, a);
}

int pthread_create(pthread_t *thread, const pthread_attr_t *attr, void *(*begin)(void *), void *userdata)
{
	int (*real)(pthread_t *, const pthread_attr_t *, void *(*)(void *), void *) =
		(__typeof__(real))dlsym(RTLD_NEXT, "pthread_create");

	if (fault && atomic_fetch_add(&fault->threads, 1) + 1 == atomic_load(&fault->thread)) {
		(void)atomic_fetch_add(&fault->thread_hits, 1);
		return EAGAIN;
	}
	return real(thread, attr, begin, userdata);
}

/* Of another directory, in which nothing ever changes. */
int inotify_add_watch(int fd, const char *path, uint32_t mask)
{
	return (int)syscall(SYS_inotify_add_watch, fd, path[0] ? "/proc/self" : path, mask);
}
