/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * The judges in userspace. One question, two answers that must be the same: policy_evaluate() reads
 * the answer off the parsed rules, slowly; image_evaluate() walks the compiled image as the kernel
 * walks its maps. They share no code.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "compile/image.h"

/* Raw name of one directory or file. */
struct image_component {
	const void *name;
	size_t len;
};

/* Who does what to which object. */
struct policy_question {
	uint32_t ops; /* HT_OP_* and HT_KERNEL_OP() bits that are asked for */

	/* The object: names from the root down, n may be 0 (the root). Not looked at for lines of
	 * `kernel:`. */
	const struct image_component *components;
	size_t n;
	bool nameless;	 /* memfd, deleted, O_TMPFILE; components do not count */
	bool stacked;	 /* lies on an overlay */
	bool from_image; /* came with the image: a lower layer of an overlay */
	bool writable; /* memory that is or was writable, or a program that the container can write
			*/

	/* The subject: what it runs (NULL: nothing that has a name), and its user. */
	const struct image_component *exe;
	size_t n_exe;
	uint32_t uid;
};

#define POLICY_BITS 32U /* bit numbers of operations */

/* Every operation that was asked for is in at most one of deny, would and audit. */
struct policy_answer {
	uint32_t deny;	/* refused */
	uint32_t kill;	/* of deny: and the subject's thread group ends */
	uint32_t would; /* allowed and recorded as would-deny: the policy or the rule is not in
			   force */
	uint32_t audit; /* allowed and recorded */
	uint32_t state; /* where the image's walk ended; 0 from policy_evaluate() */
	uint32_t below; /* HT_OP_* refused somewhere below it beyond the defaults; likewise */
	uint64_t rule[POLICY_BITS];  /* by bit number: the rule that decided, 0: none */
	uint8_t reason[POLICY_BITS]; /* HT_REASON_* */
};

/* HT_VERDICT_* of one operation, given as its bit. */
uint8_t policy_answer_verdict(const struct policy_answer *answer, uint32_t op);
/* What holds where several policies govern: of each operation the strictest answer (kill, deny,
 * would-deny, audit, allow), of equal ones the first. */
void policy_answer_merge(struct policy_answer *into, const struct policy_answer *other);

/* One profile of an image, as it was compiled. Return: 0, or -EINVAL if the image is damaged. */
int image_evaluate(const struct image *image, const struct image_profile *profile,
		   const struct ht_hash_key *key, const struct policy_question *question,
		   struct policy_answer *ret_answer);

/* Walk a profile as the kernel does: the entry where that ends. n may be 0 (the root).
 * Return: 0, or -EINVAL if the image is damaged. */
int image_locate(const struct image *image, const struct image_profile *profile,
		 const struct ht_hash_key *key, const struct image_component *components, size_t n,
		 struct ht_entry *ret_entry);

/* The independent slow judge: straight from the parsed policy, no automaton, no hash. now: seconds
 * since 1970, for rules that are staged or expire. */
void policy_evaluate(const struct policy *policy, int64_t now,
		     const struct policy_question *question, struct policy_answer *ret_answer);

/* Does the policy's match select this cgroup path itself? container: what is known of it, if it is
 * a container's own cgroup; NULL: it is none. */
bool policy_matches_cgroup(const struct policy *policy, const char *path,
			   const struct policy_container *container);
/* The same for a container's own cgroup; UNKNOWN: an entry asks for what nobody knows of the
 * container, and no entry selects it without. */
enum policy_fit policy_fits_cgroup(const struct policy *policy, const char *path,
				   const struct policy_container *container);
