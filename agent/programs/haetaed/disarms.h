/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Break-glass as the agent remembers it: who is only audited, until when and why. Times are boot times and belong to
 * one boot, so setting the clock prolongs nothing and a boot ends everything.
 *
 * STATE_DIR/disarmed.json, replaced as a whole.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The longest time: whoever needs more should change the policy. */
#define DISARM_MAX_US (24ULL * 3600ULL * 1000000ULL)
#define DISARM_REASON_MAX 512U
#define DISARM_ENTRIES_MAX 256U

struct disarm {
	char *cgroup;	 /* path; NULL: everything */
	char *container; /* name for people; NULL: everything */
	char *reason;
	uint64_t since_us; /* realtime, for people */
	uint64_t until_ns; /* boottime */
	/* The time is over. Kept while the cgroup lives, so that its variants, which tasks that left it may still
	 * carry, go on refusing. */
	bool over;
};

struct disarms {
	struct disarm *items;
	size_t n;
};

/* Return: 0; -ENOENT nothing is kept, or it is of another boot; -EINVAL it cannot be read: nothing is disarmed then;
 * -ENOMEM; other negative errno. */
int disarms_load(struct disarms *disarms, const char *state_dir, const uint8_t boot_id[16]);
/* Return: 0, or negative errno (the former version stays). */
int disarms_save(const struct disarms *disarms, const char *state_dir, const uint8_t boot_id[16]);
/* Add, or give an entry of the same cgroup another time and reason. Texts are copied.
 * Return: 0, -ENOSPC beyond DISARM_ENTRIES_MAX, -ENOMEM. */
int disarms_put(struct disarms *disarms, const struct disarm *disarm);
/* NULL: none. cgroup NULL: the one of everything. */
struct disarm *disarms_find(const struct disarms *disarms, const char *cgroup);
void disarms_remove(struct disarms *disarms, size_t i);
/* Mark what is over. Return: the number of entries that were in force until now. */
size_t disarms_expire(struct disarms *disarms, uint64_t now_ns);
/* The next moment at which something is over, 0: never. */
uint64_t disarms_next(const struct disarms *disarms);
/* In force? */
bool disarms_all(const struct disarms *disarms);
void disarms_deinit(struct disarms *disarms);
