/* SPDX-License-Identifier: Apache-2.0 */

/* The judges in userspace, asked of whole acts. */

#include "court.h"

#include <err.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "util/cleanup.h"

/* As the kernel's side has them (freeze.bpf.h): what a rename, and a link, may not shed. */
#define SHED_RENAME (HT_OP_ALL & ~HT_OP_CREATE)
#define SHED_LINK (SHED_RENAME & ~(HT_OP_DELETE | HT_OP_RENAME))

/* ---- one question ---- */

#define COMPONENTS_MAX 1600U
#define PROGRAM_MAX 256U /* a program with a longer path is on no list of `unless` */

static size_t split(const char *path, struct image_component ret[COMPONENTS_MAX])
{
	size_t n = 0;

	while (*path) {
		size_t len;

		path += strspn(path, "/");
		len = strcspn(path, "/");
		if (len == 0 || n == COMPONENTS_MAX)
			break;
		ret[n++] = (struct image_component){.name = path, .len = len};
		path += len;
	}
	return n;
}

/* An object and what is to be done to it. */
struct matter {
	const char *path; /* NULL: it has no name */
	dev_t dev;
	ino_t ino; /* 0: not there yet */
	uint32_t ops;
	uint32_t subject;
	const char *program; /* that the subject runs by now; NULL: what it was started as */
};

/* Facts that a question can have besides. */
#define FACT_PLACE (1U << 0) /* of the place alone: whatever lies there */
#define FACT_PLAIN (1U << 1) /* without what depends on the subject */
#define FACT_RULES (1U << 2) /* without origins */

static struct policy_answer answer_of(struct court *c, enum judge judge, size_t policy,
				      const struct matter *m, uint32_t facts)
{
	const char *runs = m->program ? m->program : subjects[m->subject].program;
	struct image_component object[COMPONENTS_MAX], program[COMPONENTS_MAX];
	struct policy_question q = {
		.ops = m->ops,
		.components = object,
		.n = m->path ? split(m->path, object) : 0,
		.nameless = !m->path,
		.stacked = facts & FACT_PLACE,
		.from_image = facts & FACT_RULES,
		.writable = !(facts & (FACT_PLACE | FACT_RULES)),
		.exe = strlen(runs) <= PROGRAM_MAX ? program : NULL,
		.n_exe = split(runs, program),
		.uid = subjects[m->subject].uid,
	};
	struct policy_answer a = {};

	if (judge == JUDGE_SLOW)
		policy_evaluate((facts & FACT_PLAIN ? c->plain : c->policies)->policies[policy],
				c->now, &q, &a);
	else if (image_evaluate(c->image, &c->image->profiles[policy], &court_key, &q, &a) < 0)
		errx(3, "the image is damaged");
	return a;
}

static enum level level_of(struct court *c, size_t policy, const struct policy_answer *a,
			   uint32_t ops)
{
	if (!(a->deny & ops))
		return LEVEL_ALLOW;
	c->rule = a->rule[__builtin_ctz(a->deny & ops)];
	c->rule_policy = policy;
	return a->kill & ops ? LEVEL_KILL : LEVEL_DENY;
}

static enum level worse(enum level a, enum level b)
{
	return a > b ? a : b;
}

/* What all policies say of one name. */
static enum level ask_name(struct court *c, enum judge judge, const struct matter *m)
{
	enum level level = LEVEL_ALLOW;

	for (size_t i = 0; i < c->policies->n_policies; i++) {
		struct policy_answer a = answer_of(c, judge, i, m, 0);

		level = worse(level, level_of(c, i, &a, m->ops));
	}
	return level;
}

static struct ht_entry entry_of(struct court *c, size_t policy, const char *path)
{
	struct image_component components[COMPONENTS_MAX];
	struct ht_entry e;

	if (image_locate(c->image, &c->image->profiles[policy], &court_key, components,
			 split(path, components), &e) < 0)
		errx(3, "the image is damaged");
	return e;
}

/* ---- the object itself ---- */

/* Operations that the literal rules of a path speak of, or that are refused whoever asks (plain).
 */
static uint32_t bound_ops(struct court *c, enum judge judge, const struct bound *b, bool plain)
{
	const struct policy *p = c->policies->policies[b->policy];
	const struct image_identity *id;
	uint32_t ops = 0;

	if (judge == JUDGE_IMAGE) {
		id = image_identity_find(&c->image->profiles[b->policy], b->path);
		return !id ? 0 : plain ? id->entry.deny : id->entry.deny | id->entry.cond;
	}
	for (size_t i = 0; i < p->n_rules; i++)
		if (court_rule_binds(&p->rules[i], c->now) &&
		    strcmp(p->rules[i].path.text, b->path) == 0)
			ops |= p->rules[i].ops;
	return ops;
}

/* What one literal rule's path says of the object that it binds. */
static enum level ask_bound(struct court *c, enum judge judge, const struct matter *m,
			    const struct bound *b, bool plain)
{
	struct matter at = *m;
	struct policy_answer a;

	at.path = b->path;
	at.ops = m->ops & bound_ops(c, judge, b, plain);
	if (!at.ops)
		return LEVEL_ALLOW;
	a = answer_of(c, judge, b->policy, &at, FACT_RULES | (plain ? FACT_PLAIN : 0));
	return level_of(c, b->policy, &a, at.ops);
}

/* Return: false: it cannot be told. */
static bool ask_identity(struct court *c, enum judge judge, const struct matter *m, enum level *ret)
{
	enum level least = LEVEL_ALLOW, most = LEVEL_ALLOW;

	for (size_t i = 0; i < c->n_bound && m->ino; i++) {
		const struct bound *b = &c->bound[i];
		bool shared = false;

		if (b->dev != m->dev || b->ino != m->ino)
			continue;
		for (size_t j = 0; j < c->n_bound; j++)
			shared |= j != i && c->bound[j].policy == b->policy &&
				  c->bound[j].dev == b->dev && c->bound[j].ino == b->ino;
		most = worse(most, ask_bound(c, judge, m, b, false));
		least = worse(least, ask_bound(c, judge, m, b, shared));
	}
	*ret = most;
	return least == most;
}

/* ---- an object with all its names ---- */

/* What else is said of the name that something gets: a directory would bring names that may not be
 * made below it. */
struct arrival {
	bool chain, straight;
};

/* Its name through one mount, the one straight up, and what it is. */
static bool ask_arrival(struct court *c, enum judge judge, const struct matter *m,
			struct arrival brings, enum level *ret)
{
	enum level name = ask_name(c, judge, m),
		   level = worse(name, brings.chain ? LEVEL_DENY : LEVEL_ALLOW), identity;
	struct matter straight = *m;
	struct place place;

	if (level != LEVEL_ALLOW)
		c->ground = name != LEVEL_ALLOW ? GROUND_NAME : GROUND_BRINGS;
	world_place(c->world, m->path, &place);
	straight.path = place.straight;
	if (level < LEVEL_DENY && place.straight[0] && strcmp(place.straight, m->path) != 0) {
		level = worse(ask_name(c, judge, &straight),
			      brings.straight ? LEVEL_DENY : LEVEL_ALLOW);
		if (level != LEVEL_ALLOW)
			c->ground = GROUND_STRAIGHT;
	}
	if (!ask_identity(c, judge, m, &identity))
		return false;
	if (identity > level)
		c->ground = GROUND_IDENTITY;
	*ret = worse(level, identity);
	return true;
}

static bool ask_place(struct court *c, enum judge judge, const struct matter *m, enum level *ret)
{
	return ask_arrival(c, judge, m, (struct arrival){}, ret);
}

/* By the object alone: each mount that shows it gives it a name. */
static bool ask_everywhere(struct court *c, enum judge judge, const struct matter *m,
			   enum level *ret)
{
	struct place place;

	world_place(c->world, m->path, &place);
	*ret = LEVEL_ALLOW;
	for (size_t i = 0; i < c->world->n_mounts; i++) {
		char name[WORLD_PATH];
		struct matter seen = *m;
		enum level level;

		seen.path = name;
		if (!world_seen_through(&place, &c->world->mounts[i], name))
			continue;
		if (!ask_place(c, judge, &seen, &level))
			return false;
		*ret = worse(*ret, level);
	}
	return true;
}

/* ---- frozen: what would go out of protection ---- */

struct move {
	const char *from, *to;
	bool directory;
	uint32_t ops; /* that may not be shed */
	uint32_t subject;
};

static uint32_t ops_elsewhere(struct court *c, size_t policy)
{
	const struct image_profile *p = &c->image->profiles[policy];

	for (size_t i = 0; i < p->n_pairs; i++)
		if (p->pairs[i].key.kind == HT_EDGE_OTHER &&
		    p->pairs[i].key.state == HT_STATE_HEADER)
			return p->pairs[i].entry.deny | p->pairs[i].entry.image |
			       p->pairs[i].entry.cond;
	errx(3, "the image is damaged");
}

/* What is refused at a place; plain: whoever asks. */
static uint32_t ops_refused(struct court *c, enum judge judge, size_t policy, const char *path,
			    uint32_t subject, bool plain)
{
	struct matter m = {.path = path, .ops = HT_OP_ALL, .subject = subject};
	struct ht_entry e = entry_of(c, policy, path);

	if (judge == JUDGE_IMAGE && plain)
		return e.deny | e.image;
	return answer_of(c, judge, policy, &m, FACT_PLACE | (plain ? FACT_PLAIN : 0)).deny;
}

/* Does the policy refuse the move, because something would be shed? *ret_brings: because a
 * directory has names below it that may not be made there. */
static bool move_is_frozen(struct court *c, enum judge judge, size_t policy, const struct move *m,
			   bool *ret_brings)
{
	struct ht_entry from = entry_of(c, policy, m->from), to = entry_of(c, policy, m->to);
	uint32_t kept, below, refused, lost;

	*ret_brings = false;
	if (c->policies->policies[policy]->mode != POLICY_MODE_ENFORCE || from.next == to.next)
		return false;
	*ret_brings = m->directory && !(to.flags & HT_ENTRY_FINAL) && (to.below & HT_OP_CREATE);
	kept = ops_refused(c, judge, policy, m->from, m->subject, false) & m->ops &
	       ~ops_elsewhere(c, policy);
	refused = ops_refused(c, judge, policy, m->to, m->subject, true);
	below = m->directory ? from.below & m->ops : 0;
	lost = kept & ~refused;
	lost |= to.flags & HT_ENTRY_FINAL ? below & ~refused : below;
	return lost;
}

/* Of all policies and both chains of names. */
static bool any_frozen(struct court *c, enum judge judge, const struct move *m, struct arrival *ret)
{
	struct place from, to;
	bool frozen = false;

	world_place(c->world, m->from, &from);
	world_place(c->world, m->to, &to);
	*ret = (struct arrival){};
	for (size_t i = 0; i < c->policies->n_policies; i++) {
		struct move straight = *m;
		bool brings;

		frozen |= move_is_frozen(c, judge, i, m, &brings);
		ret->chain |= brings;
		straight.from = from.straight;
		straight.to = to.straight;
		if (!from.straight[0] || !to.straight[0])
			continue;
		frozen |= move_is_frozen(c, judge, i, &straight, &brings);
		ret->straight |= brings;
	}
	return frozen;
}

/* ---- acts ---- */

/* An act being judged. */
struct trial {
	struct court *court;
	enum judge judge;
	const struct act *act;
	struct outcome outcome;
	bool clear;
};

/* Return: the act goes on. */
static bool trial_step(struct trial *t, uint32_t step, enum level level)
{
	if (level == LEVEL_ALLOW)
		return true;
	t->outcome = (struct outcome){
		.answer = level == LEVEL_KILL ? ANSWER_KILLED : ANSWER_REFUSED, .step = step};
	return false;
}

static bool trial_ask(struct trial *t, uint32_t step, const struct matter *m)
{
	enum level level;

	if (!ask_place(t->court, t->judge, m, &level)) {
		t->clear = false;
		return false;
	}
	return trial_step(t, step, level);
}

/* The object of the act, followed where it is. */
static struct matter trial_matter(const struct trial *t, uint32_t ops)
{
	return (struct matter){
		.path = t->act->object,
		.dev = t->act->dev,
		.ino = t->act->ino,
		.ops = ops,
		.subject = t->act->subject,
	};
}

static bool trial_object(struct trial *t, uint32_t step, uint32_t ops)
{
	struct matter m = trial_matter(t, ops);

	return trial_ask(t, step, &m);
}

static void trial_everywhere(struct trial *t)
{
	struct matter m = trial_matter(t, HT_OP_ATTR);
	enum level level;

	t->clear = ask_everywhere(t->court, t->judge, &m, &level);
	if (t->clear)
		(void)trial_step(t, 0, level);
}

static uint32_t map_op(const char *path)
{
	return strstr(strrchr(path, '/') + 1, ".so") ? HT_OP_MAP_LIBRARY : HT_OP_MAP;
}

/* It maps the program, as that program. */
static void trial_exec(struct trial *t)
{
	struct matter m = trial_matter(t, map_op(t->act->object));

	m.program = t->act->object;
	if (trial_object(t, 0, HT_OP_EXEC))
		(void)trial_ask(t, 1, &m);
}

static void trial_memory(struct trial *t)
{
	struct matter m = {.ops = HT_OP_EXEC, .subject = t->act->subject};

	t->court->ground = GROUND_NAME;
	if (!trial_step(t, 0, ask_name(t->court, t->judge, &m)))
		return;
	m.ops = HT_OP_MAP;
	(void)trial_step(t, 1, ask_name(t->court, t->judge, &m));
}

/* One name goes to another. */
static bool trial_move(struct trial *t, const struct matter *from, const struct matter *to,
		       bool directory, uint32_t shed)
{
	struct move move = {.from = from->path,
			    .to = to->path,
			    .directory = directory,
			    .ops = shed,
			    .subject = from->subject};
	struct arrival brings;
	enum level level;
	bool frozen;

	if (!trial_ask(t, 0, from))
		return false;
	frozen = any_frozen(t->court, t->judge, &move, &brings);
	t->clear = ask_arrival(t->court, t->judge, to, brings, &level);
	if (!t->clear || !trial_step(t, 0, level))
		return false;
	t->court->ground = GROUND_FROZEN;
	return trial_step(t, 0, frozen ? LEVEL_DENY : LEVEL_ALLOW);
}

static void trial_rename(struct trial *t)
{
	const struct act *act = t->act;
	struct matter from = trial_matter(t, HT_OP_RENAME);
	struct matter to = {
		.path = act->other,
		.dev = act->other_dev,
		.ino = act->other_ino,
		.ops = HT_OP_CREATE,
		.subject = act->subject,
	};
	struct stat st;

	if (act->kind == ACT_WHITEOUT)
		from.ops |= HT_OP_CREATE;
	if (act->other_exists && act->kind != ACT_EXCHANGE)
		to.ops |= HT_OP_DELETE;
	if (!trial_move(t, &from, &to, act->directory, SHED_RENAME) || act->kind != ACT_EXCHANGE)
		return;
	from.ops = HT_OP_CREATE;
	to.ops = HT_OP_RENAME;
	(void)trial_move(t, &to, &from, lstat(act->other, &st) == 0 && S_ISDIR(st.st_mode),
			 SHED_RENAME);
}

static void trial_link(struct trial *t)
{
	struct matter from = trial_matter(t, HT_OP_LINK);
	struct matter to = {.path = t->act->other, .ops = HT_OP_CREATE, .subject = t->act->subject};

	(void)trial_move(t, &from, &to, false, SHED_LINK);
}

static void trial_hear(struct trial *t)
{
	const struct act *act = t->act;

	switch (act->kind) {
	case ACT_READ:
		(void)trial_object(t, 0, HT_OP_READ);
		return;
	case ACT_WRITE:
	case ACT_TRUNCATE:
		(void)trial_object(t, 0, HT_OP_WRITE);
		return;
	case ACT_READ_WRITE:
	case ACT_OPEN_CUT:
		(void)trial_object(t, 0, HT_OP_READ | HT_OP_WRITE);
		return;
	case ACT_CREATE:
	case ACT_CREATE_READ:
		if (trial_object(t, 0, HT_OP_CREATE))
			(void)trial_object(t, 1,
					   HT_OP_CREATE | (act->kind == ACT_CREATE ? HT_OP_WRITE
										   : HT_OP_READ));
		return;
	case ACT_MKDIR:
	case ACT_SYMLINK:
	case ACT_MKFIFO:
		(void)trial_object(t, 0, HT_OP_CREATE);
		return;
	case ACT_UNLINK:
	case ACT_RMDIR:
		(void)trial_object(t, 0, HT_OP_DELETE);
		return;
	case ACT_RENAME:
	case ACT_EXCHANGE:
	case ACT_WHITEOUT:
		trial_rename(t);
		return;
	case ACT_HARD_LINK:
		trial_link(t);
		return;
	case ACT_CHMOD:
		(void)trial_object(t, 0, HT_OP_ATTR);
		return;
	case ACT_TIMES:
	case ACT_XATTR:
		trial_everywhere(t);
		return;
	case ACT_EXEC:
		trial_exec(t);
		return;
	case ACT_MAP:
		if (trial_object(t, 0, HT_OP_READ))
			(void)trial_object(t, 1, map_op(act->object));
		return;
	case ACT_EXEC_MEMORY:
		trial_memory(t);
		return;
	case _ACT_MAX:
		break;
	}
	errx(3, "no such act");
}

bool court_expect(struct court *c, enum judge judge, const struct act *act, struct outcome *ret)
{
	struct trial t = {.court = c, .judge = judge, .act = act, .clear = true};

	c->rule = 0;
	trial_hear(&t);
	*ret = t.outcome;
	return t.clear;
}
