/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * What the judges in userspace say of an act: the act as haetae.policy(5) and ARCHITECTURE.md take
 * it apart into questions of one name and some operations, each asked of every policy, for every
 * name and for the object itself.
 *
 * Both judges are asked the same way. What only the compiled image knows (what is refused below a
 * directory, and whether two places are one state) is the image's for both.
 */

#include "acts.h"
#include "compile/judge.h"
#include "text.h"
#include "world.h"

enum judge { JUDGE_SLOW, JUDGE_IMAGE, _JUDGE_MAX };

/* Rising. */
enum level { LEVEL_ALLOW, LEVEL_DENY, LEVEL_KILL };

/* An object that a literal rule binds, whatever it is called. */
struct bound {
	size_t policy;
	char *path; /* of the rule */
	dev_t dev;
	ino_t ino;
};

/* What an act is refused by. */
enum court_ground {
	GROUND_NAME,
	GROUND_STRAIGHT,
	GROUND_IDENTITY,
	GROUND_FROZEN,
	GROUND_BRINGS,
	_GROUND_MAX
};

struct court {
	const struct world *world;
	int64_t now;
	/* the slow judge's, and the same without what depends on the subject */
	struct policy_file *policies, *plain;
	struct policy_file *compiled; /* what the image was made of */
	struct image_names *names;
	struct image *image;
	struct bound *bound;
	size_t n_bound;
	/* the last question that was refused: which rule */
	uint64_t rule;
	size_t rule_policy;
	enum court_ground ground; /* of the last act that was refused */
};

/* Policies for each judge, one of which may lack a rule. Return: false: beyond a limit of the
 * compiler. */
bool court_open(struct court *c, const struct world *w, struct text *t,
		const struct text_without without[_JUDGE_MAX]);
/* Find what the literal rules bind, as it is now. */
void court_bind(struct court *c);
void court_close(struct court *c);

/* What a judge expects of an act. Return: false: two rules bind one object, and the manual leaves
 * open which of their exceptions counts. */
bool court_expect(struct court *c, enum judge judge, const struct act *act, struct outcome *ret);

/* ---- court-open.c, for court.c ---- */

extern const struct ht_hash_key court_key; /* of the image's names */
/* Is the object that is found under the rule's path bound? */
bool court_rule_binds(const struct policy_rule *rule, int64_t now);
