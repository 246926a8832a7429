/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* One question to several policies, and the strictest answer: what the kernel says where all of them govern. The rules
 * are read as they are written (compile/judge.h), so neither the agent nor the kernel is needed. */

#include "compile/judge.h"
#include "programs/agentctl/agentctl.h"
#include "programs/agentctl/policies.h"

struct ask {
	uint32_t op;	  /* one HT_OP_* or HT_KERNEL_OP() bit */
	const char *path; /* of the object, absolute; NULL: a line of `kernel:`, or nameless */
	const char *exe;  /* what the subject runs; NULL: nothing that has a name */
	uint32_t uid;
	bool nameless;
	bool stacked;
	bool from_image;
	bool writable;
};

struct reply {
	uint8_t verdict; /* HT_VERDICT_* */
	uint8_t reason;	 /* HT_REASON_* */
	size_t n;	 /* policies that were asked */
	const struct policy *policy;	/* that decided; NULL: none did */
	const struct policy_rule *rule; /* that decided; NULL: no rule of its own */
};

/* A word of --op as the one bit that the kernel would ask for. path: may be NULL.
 * Return: 0, -EINVAL. */
int ask_op(const char *word, const char *path, uint32_t *ret_op);
/* Ask every policy of the list that `governs` says yes to (NULL: all). now: seconds since 1970.
 * Return: 0; -EINVAL: the path or the program is not absolute, or has "." or ".." in it; -ENAMETOOLONG; -ENOMEM. */
int ask_policies(const struct policies *policies, const bool *governs, int64_t now, const struct ask *ask,
		 struct reply *ret);
/* Does the verdict keep the operation from happening? */
bool verdict_refuses(uint8_t verdict);
