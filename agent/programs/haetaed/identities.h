/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Keeps what literal rules name bound by identity: finds the objects in each container and binds them in the kernel.
 *
 * Before a publish turns, for every cgroup that it selects and for at most a moment; when a container runs its first
 * program; and for everything twice a minute, as files may be made or replaced. Until an object is bound, and where it
 * cannot be found, its rule holds by name.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "programs/haetaed/identity-book.h"
#include "programs/haetaed/identity-open.h"
#include "programs/haetaed/identity-request.h"
#include "programs/haetaed/spellings.h"

#define IDENTITIES_OPENINGS 8U
#define IDENTITIES_STARTS 32U

/* A child at work on one request. */
struct identity_opening {
	struct opening opening;
	struct identity_request *request; /* owned; NULL: the place is free, or only to be reaped */
	int pid_fd;			  /* owned; readable when the child has ended */
	bool used;
	uint64_t deadline_us;
};

/* A cgroup in which something started: looked at now and for some seconds more. */
struct identity_start {
	char *path; /* owned */
	unsigned turns;
};

struct identities {
	struct kernel *kernel; /* borrowed */
	int poll_fd;	       /* owned */
	struct identity_book book;
	struct spellings spellings;
	struct identity_opening openings[IDENTITIES_OPENINGS];
	struct identity_queue waiting;
	struct identity_start starts[IDENTITIES_STARTS];
	size_t n_starts;
	uint64_t refreshed_us; /* when the last look at everything began */
	bool overdue;	       /* too much started to look at it one by one */
	bool refreshing;       /* its openings are not done with */
	uint64_t took_us;      /* how long they took the last time */
	uint64_t looked_us;
	char *kept; /* file where the book is kept, owned */
	int unavailable; /* -errno: this kernel does not take the program that tells what was opened */
	uint64_t failed;	/* openings that came to nothing */
	uint64_t without_room; /* bindings the maps had no room for, since the last publish */
};

/* kept: what a former agent of this boot has left there is taken over. Return: 0, -errno. */
int identities_open(struct identities *ids, struct kernel *kernel, const char *kept);
void identities_close(struct identities *ids);
/* A descriptor that is readable when identities_turn() has something to do. */
int identities_fd(const struct identities *ids);

/* Find what the image names in what runs now, for at most a moment. Return: 0 (also if some of it could not be found in
 * time), -errno. */
int identities_prepare(struct identities *ids, const struct image *image);
/* All that is known and that the image names, without looking. Return: 0, -ENOMEM. */
int identities_known(const struct identities *ids, const struct image *image, struct identity_list *ret);
/* The image is in force. */
void identities_published(struct identities *ids, const struct image *image, size_t without_room);
/* Take what has been found, begin what waits. Return: 0, -errno. */
int identities_turn(struct identities *ids, const struct image *image);
/* Is nothing being looked for? */
bool identities_idle(const struct identities *ids);
/* Once a second. Return: 0, -errno. */
int identities_tick(struct identities *ids, const struct image *image);
/* A cgroup came under a policy, or a program was started for the first time there. */
void identities_started(struct identities *ids, const struct image *image, const char *cgroup);
/* A cgroup is gone. */
void identities_released(struct identities *ids, const struct image *image, uint64_t cgroup);
