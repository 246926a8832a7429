/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * The conditions of a policy's `unless`: each distinct list of programs, and each distinct list of
 * users, is one bit of the mask that a subject meets.
 */

#include <stdint.h>

#include "compile/automaton.h"
#include "compile/intern.h"

struct conditions {
	struct intern programs; /* serialized lists */
	struct intern users;
	struct emit_uid *uids; /* by rising uid */
	size_t n_uids;
	size_t uids_size;
	uint8_t *text; /* scratch */
	size_t text_size;
};

/* Number of the rule's list of programs, HT_COND_NONE if it has none; *ret_new: its patterns are to
 * be added. Return: 0; -EOVERFLOW: more than HT_CONDITIONS_MAX; -ENOMEM. */
int conditions_programs(struct conditions *c, const struct policy_unless *unless, uint32_t *ret,
			bool *ret_new);
/* The same for its list of users. */
int conditions_users(struct conditions *c, const struct policy_unless *unless, uint32_t *ret);
void conditions_deinit(struct conditions *c);
