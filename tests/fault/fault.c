/* SPDX-License-Identifier: Apache-2.0 */

/*
 * fault FILE make: the file, before the agent starts.
 * fault FILE watch: from now on nothing fails, and the agent's calls of bpf(2) are counted.
 * fault FILE places: where they were made, in the order of the first: PLACE COUNT.
 * fault FILE arm PLACE N MANY ERROR: the Nth call there fails, and MANY calls from there on,
 * wherever they are made. PLACE 0 is anywhere. ERROR is nomem, toobig, nospace, fault or kill.
 * fault FILE hits: how many failed.
 * fault FILE thread N: from now on the Nth thread that the agent asks for cannot be had.
 * fault FILE threads: how many could not.
 * fault maps: how many BPF maps this system has.
 */

#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/bpf.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "fault.h"

static const struct {
	const char *word;
	uint32_t error;
} errors[] = {
	{"nomem", ENOMEM}, {"toobig", E2BIG},	 {"nospace", ENOSPC},
	{"fault", EFAULT}, {"kill", FAULT_KILL},
};

static uint32_t error_of(const char *word)
{
	for (size_t i = 0; i < sizeof(errors) / sizeof(errors[0]); i++)
		if (strcmp(errors[i].word, word) == 0)
			return errors[i].error;
	errx(2, "no such error: %s", word);
}

static struct fault *fault_map(const char *path, int flags)
{
	int fd = open(path, O_RDWR | O_CLOEXEC | flags, 0600);
	struct fault *f;

	if (fd < 0 || ftruncate(fd, sizeof(*f)) < 0)
		err(1, "%s", path);
	f = mmap(NULL, sizeof(*f), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (f == MAP_FAILED)
		err(1, "%s", path);
	return f;
}

static void fault_arm(struct fault *f, uint32_t place, uint32_t at, uint32_t many, uint32_t error)
{
	atomic_store(&f->at, 0);
	atomic_store(&f->place, place);
	atomic_store(&f->many, many);
	atomic_store(&f->error, error);
	atomic_store(&f->hits, 0);
	atomic_store(&f->met, 0);
	atomic_store(&f->calls, 0);
	atomic_store(&f->at, at);
}

static void fault_thread(struct fault *f, uint32_t n)
{
	atomic_store(&f->thread_hits, 0);
	atomic_store(&f->threads, 0);
	atomic_store(&f->thread, n);
}

static void tell_places(const struct fault *f)
{
	uint32_t n = f->calls < FAULT_PLACES ? f->calls : FAULT_PLACES;

	for (uint32_t i = 0; i < n; i++) {
		uint32_t count = 0;
		bool first = true;

		for (uint32_t j = 0; j < n; j++) {
			count += f->places[j] == f->places[i];
			first = first && (j >= i || f->places[j] != f->places[i]);
		}
		if (first)
			(void)printf("%u %u\n", f->places[i], count);
	}
}

static int count_maps(void)
{
	union bpf_attr attr = {};
	int n = 0;

	while (syscall(SYS_bpf, BPF_MAP_GET_NEXT_ID, &attr, sizeof(attr)) == 0) {
		attr.start_id = attr.next_id;
		n++;
	}
	if (errno != ENOENT)
		err(1, "BPF_MAP_GET_NEXT_ID");
	return n;
}

static uint32_t number(const char *word)
{
	return (uint32_t)strtoul(word, NULL, 10);
}

int main(int argc, char **argv)
{
	if (argc == 2 && strcmp(argv[1], "maps") == 0)
		return printf("%d\n", count_maps()) < 0;
	if (argc == 3 && strcmp(argv[2], "make") == 0)
		(void)fault_map(argv[1], O_CREAT);
	else if (argc == 3 && strcmp(argv[2], "watch") == 0)
		fault_arm(fault_map(argv[1], 0), 0, 0, 0, 0);
	else if (argc == 3 && strcmp(argv[2], "places") == 0)
		tell_places(fault_map(argv[1], 0));
	else if (argc == 3 && strcmp(argv[2], "hits") == 0)
		(void)printf("%u\n", fault_map(argv[1], 0)->hits);
	else if (argc == 4 && strcmp(argv[2], "thread") == 0)
		fault_thread(fault_map(argv[1], 0), number(argv[3]));
	else if (argc == 3 && strcmp(argv[2], "threads") == 0)
		(void)printf("%u\n", fault_map(argv[1], 0)->thread_hits);
	else if (argc == 7 && strcmp(argv[2], "arm") == 0)
		fault_arm(fault_map(argv[1], 0), number(argv[3]), number(argv[4]), number(argv[5]),
			  error_of(argv[6]));
	else
		errx(2, "usage: fault maps | FILE make|watch|places|hits|threads | FILE thread N | FILE arm PLACE "
			"N MANY ERROR");
	return 0;
}
