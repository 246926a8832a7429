/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * A policy file on trial: in force, and gone again unless somebody confirms it in time.
 *
 * It lies in STATE_DIR/trial, a policy directory of the agent's own with the highest precedence, so the directories
 * of the administrator hold confirmed files alone and taking it back is the removal of one file. STATE_DIR/trial.json
 * tells of it. Without that, or in another boot, whatever lies there is removed.
 */

#include <stdbool.h>
#include <stdint.h>

#define TRIAL_MAX_US (24ULL * 3600ULL * 1000000ULL)

struct trial {
	char *name;	   /* of the file; NULL: there is no trial */
	uint64_t until_ns; /* boottime */
	bool confirmed;	   /* stays until it has arrived in a directory of the administrator */
};

/* Is this the name of a policy file? */
bool trial_name_is_good(const char *name);
/* STATE_DIR/trial, malloc'd. NULL without memory. */
char *trial_dir(const char *state_dir);

/* What a former agent left, after its directory was made and everything in it that has no place there was removed.
 * Return: 0 there is none; 1 *ret is one, perhaps with its time over; -EINVAL it cannot be read, and was removed;
 * other negative errno. */
int trial_load(const char *state_dir, const uint8_t boot_id[16], struct trial *ret);
/* Begin: what lies as .NAME in the directory becomes NAME. Return: 0; -ENOENT there is no .NAME; other negative errno. */
int trial_begin(const char *state_dir, const uint8_t boot_id[16], const struct trial *trial);
/* Note that it is confirmed. Return: 0, negative errno. */
int trial_confirm(const char *state_dir, const uint8_t boot_id[16], struct trial *trial);
/* Remove the file and the note; *trial is empty afterwards. Return: 0; negative errno: the file is still there, and
 * the trial goes on. */
int trial_end(const char *state_dir, struct trial *trial);
void trial_deinit(struct trial *trial);
