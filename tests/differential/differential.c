/* SPDX-License-Identifier: Apache-2.0 */

/*
 * differential ROUNDS ACTS SEED: three judges of the same question.
 *
 * Each round draws a tree of real files and policies about it, puts the policies in force, and has
 * tasks that they govern do random things to the tree. What the kernel answers has to be what the
 * slow judge reads off the rules, and what the walk over a compiled image finds. Everything follows
 * from the round's seed, which a disagreement names. At last each of the judges lacks a rule in a
 * round of its own, and that must be noticed.
 *
 * For the machines' jobs, in which an agent runs (HAETAED_PID). It stands still while acts are
 * compared, so that nothing is looked for and bound meanwhile.
 */

#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "court.h"
#include "util/cleanup.h"
#include "util/escape.h"
#include "util/strbuf.h"

#define TOLD_MAX 10U	     /* disagreements that are told in full, */
#define TOLD_POLICIES_MAX 2U /* and with the policies */
#define PLANT_ACTS 80U

#define CGROUP "/sys/fs/cgroup" TEXT_CGROUP
#define POLICY_FILE "/etc/haetae/policies.d/50-differential.yaml"
#define POLICY_FILE_NEW "/etc/haetae/50-differential.new"

static struct {
	pid_t agent;
	int to[SUBJECTS], from[SUBJECTS];
	unsigned acts; /* of one round */
	unsigned long seen[_ACT_MAX][ANSWER_KILLED + 1];
	unsigned long grounds[_GROUND_MAX];
	unsigned long compared, unclear, disagreed;
	bool planting; /* disagreements are what is wanted */
	unsigned reloads;
	uint64_t reload_ms, asked_ms;
} run;

static uint64_t now_ms(void)
{
	struct timespec t;

	(void)clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000 + (uint64_t)t.tv_nsec / 1000000;
}

/* ---- subjects ---- */

static void copy_program(const char *to)
{
	_cleanup_close_ int in = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
	_cleanup_close_ int out = open(to, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0755);
	char block[65536];
	ssize_t n;

	if (in < 0 || out < 0)
		err(3, "%s", to);
	while ((n = read(in, block, sizeof(block))) > 0)
		if (write(out, block, (size_t)n) != n)
			err(3, "%s", to);
}

static void enter_cgroup(void)
{
	FILE *f = fopen(CGROUP "/cgroup.procs", "we");

	if (!f || fprintf(f, "%d", getpid()) < 0 || fclose(f) != 0)
		err(3, CGROUP);
}

static void subject_start(uint32_t i)
{
	int to[2], from[2];
	char uid[16];
	pid_t pid;

	if (pipe2(to, O_CLOEXEC) < 0 || pipe2(from, O_CLOEXEC) < 0)
		err(3, "pipe");
	pid = fork();
	if (pid < 0)
		err(3, "fork");
	if (pid == 0) {
		(void)snprintf(uid, sizeof(uid), "%u", subjects[i].uid);
		enter_cgroup();
		if (dup2(to[0], 0) < 0 || dup2(from[1], 1) < 0)
			err(3, "dup2");
		(void)execl(subjects[i].program, "subject", "subject", uid, NULL);
		err(3, "%s", subjects[i].program);
	}
	(void)close(to[0]);
	(void)close(from[1]);
	run.to[i] = to[1];
	run.from[i] = from[0];
}

static void subjects_start(void)
{
	if (mkdir("/z", 0755) < 0 || mkdir("/z/web", 0755) < 0)
		err(3, "/z");
	for (uint32_t i = 0; i < TEXT_PROGRAMS; i++)
		copy_program(text_programs[i]);
	if (mkdir(CGROUP, 0755) < 0)
		err(3, CGROUP);
	for (uint32_t i = 0; i < SUBJECTS; i++)
		subject_start(i);
}

static struct outcome subject_do(const struct act *act)
{
	struct outcome o;

	if (write(run.to[act->subject], act, sizeof(*act)) != sizeof(*act) ||
	    read(run.from[act->subject], &o, sizeof(o)) != sizeof(o))
		errx(3, "subject %u is gone", act->subject);
	return o;
}

/* ---- the agent ---- */

static void command(const char *text)
{
	if (system(text) != 0)
		errx(3, "failed: %s", text);
}

/* Put policies in force. The agent takes two seconds at most for finding what literal rules name;
 * where it was slower, the rest is found a moment later. */
static void publish(const char *text)
{
	FILE *f = fopen(POLICY_FILE_NEW, "we");
	uint64_t begun, took;

	if (!f || fchmod(fileno(f), 0644) < 0 || fputs(text, f) < 0 || fclose(f) != 0 ||
	    rename(POLICY_FILE_NEW, POLICY_FILE) < 0)
		err(3, POLICY_FILE);
	begun = now_ms();
	command("agentctl reload >/tmp/reload 2>&1 || { cat /tmp/reload >&2; exit 1; }");
	took = now_ms() - begun;
	run.reload_ms += took;
	run.reloads++;
	if (took >= 2000)
		(void)sleep(4);
}

static void agent_signal(int signal)
{
	if (kill(run.agent, signal) < 0)
		err(3, "kill the agent by signal %d", signal);
}

/* ---- one round ---- */

struct round {
	uint64_t seed;
	struct world world;
	struct text text;
	struct court court;
	struct act *acts;
	unsigned n_acts;
};

static void acts_draw(struct round *r, struct dice *d)
{
	r->acts = calloc(run.acts, sizeof(*r->acts));
	if (!r->acts)
		err(3, "calloc");
	for (unsigned tries = 0; r->n_acts < run.acts && tries < 100 * run.acts; tries++) {
		struct act *act = &r->acts[r->n_acts];

		/* now and then the same once more, by somebody else: what was decided before must
		 * not matter */
		if (r->n_acts > 0 && dice_chance(d, 10)) {
			*act = act[-1];
			act->subject = dice_below(d, SUBJECTS);
			r->n_acts++;
		} else {
			r->n_acts += act_draw(act, &r->world, d);
		}
	}
}

/* Draw it all. without: what each judge lacks. */
static void round_open(struct round *r, uint64_t seed,
		       const struct text_without without[_JUDGE_MAX])
{
	struct dice d = {.state = seed};

	*r = (struct round){.seed = seed};
	world_make(&r->world, &d, (unsigned)seed);
	text_draw(&r->text, &r->world, &d);
	while (!court_open(&r->court, &r->world, &r->text, without)) {
		court_close(&r->court);
		text_free(&r->text);
		text_draw(&r->text, &r->world, &d);
	}
	acts_draw(r, &d);
}

static void round_close(struct round *r)
{
	(void)fflush(stdout);
	court_close(&r->court);
	text_free(&r->text);
	world_remove(&r->world);
	free(r->acts);
}

/* The numbers of objects can change when something is made again. */
static void act_refresh(struct act *act)
{
	struct stat st;

	if (act->ino && lstat(act->object, &st) == 0) {
		act->dev = st.st_dev;
		act->ino = st.st_ino;
	}
	if (act->other_exists && lstat(act->other, &st) == 0) {
		act->other_dev = st.st_dev;
		act->other_ino = st.st_ino;
	}
}

static void tell_path(const char *what, const char *path)
{
	_cleanup_strbuf_ struct strbuf b = {};

	if (!path[0])
		return;
	escape_text(&b, path, strlen(path));
	(void)fprintf(stderr, "#   %s: %s\n", what, strbuf_str(&b));
}

static void tell_outcome(struct round *r, const char *who, const struct outcome *o, bool of_court)
{
	static const char *const words[] = {"allowed", "refused", "killed"};
	const struct court *c = &r->court;
	const struct policy_rule *rule = NULL;
	_cleanup_free_ char *text = NULL;

	(void)fprintf(stderr, "#   %s: %s", who, words[o->answer]);
	if (o->answer != ANSWER_ALLOWED)
		(void)fprintf(stderr, " at step %u", o->step);
	if (o->error)
		(void)fprintf(stderr, " (%s)", strerror(o->error));
	if (of_court && o->answer != ANSWER_ALLOWED)
		rule = policy_rule_find(c->policies->policies[c->rule_policy], c->rule);
	if (rule)
		text = policy_rule_to_text(rule);
	if (text)
		(void)fprintf(stderr, ", last by line %u: %s", rule->location.line, text);
	(void)fputc('\n', stderr);
}

static void tell_disagreement(struct round *r, const struct act *act, const struct outcome *kernel)
{
	static const char *const who[] = {"slow judge", "image judge"};
	_cleanup_free_ char *text = text_print(&r->text, (struct text_without){});
	const struct subject *s = &subjects[act->subject];

	(void)fprintf(stderr, "# HAETAE_SEED=%llu HAETAE_ROUNDS=1: %s by %s as %u\n",
		      (unsigned long long)r->seed, act_name(act->kind), s->program, s->uid);
	tell_path("path", act->path);
	if (strcmp(act->object, act->path) != 0)
		tell_path("which leads to", act->object);
	tell_path("and", act->other);
	tell_outcome(r, "kernel", kernel, false);
	for (unsigned judge = 0; judge < _JUDGE_MAX; judge++) {
		struct outcome o;

		(void)court_expect(&r->court, judge, act, &o);
		tell_outcome(r, who[judge], &o, true);
	}
	for (size_t i = 1; i < r->world.n_mounts; i++) {
		tell_path("mount", r->world.mounts[i].at);
		tell_path("  showing", r->world.mounts[i].root);
	}
	for (size_t i = 0; i < r->court.n_bound; i++)
		if (r->court.bound[i].dev == act->dev && r->court.bound[i].ino == act->ino)
			tell_path("bound as", r->court.bound[i].path);
	if (run.disagreed <= TOLD_POLICIES_MAX)
		(void)fprintf(stderr, "%s\n", text);
}

/* Does the kernel stay with it? */
static void tell_again(struct round *r, const struct act *act)
{
	struct act again = *act;
	struct outcome o;
	struct undo undo;

	act_refresh(&again);
	undo_prepare(&undo, &again, &r->world);
	o = subject_do(&again);
	undo_act(&undo, &again, &r->world, &o);
	tell_outcome(r, "kernel, once more", &o, false);
}

/* Where an act that a rule answers by killing was stopped cannot be seen. */
static bool outcomes_equal(const struct outcome *a, const struct outcome *b)
{
	return a->answer == b->answer && (a->answer != ANSWER_REFUSED || a->step == b->step);
}

/* Return: do all three judges say the same? */
static bool compare(struct round *r, const struct act *act)
{
	struct outcome expected[_JUDGE_MAX], kernel;
	struct undo undo;
	bool agree;

	for (unsigned judge = 0; judge < _JUDGE_MAX; judge++)
		if (!court_expect(&r->court, judge, act, &expected[judge])) {
			run.unclear++;
			return true;
		}
	undo_prepare(&undo, act, &r->world);
	kernel = subject_do(act);
	undo_act(&undo, act, &r->world, &kernel);
	agree = outcomes_equal(&kernel, &expected[JUDGE_SLOW]) &&
		outcomes_equal(&kernel, &expected[JUDGE_IMAGE]);
	if (run.planting)
		return agree;
	run.compared++;
	run.seen[act->kind][kernel.answer]++;
	if (kernel.answer != ANSWER_ALLOWED)
		run.grounds[r->court.ground]++;
	if (!agree && ++run.disagreed <= TOLD_MAX) {
		tell_disagreement(r, act, &kernel);
		tell_again(r, act);
	}
	return agree;
}

/* Return: acts on which the judges disagree. */
static unsigned round_ask(struct round *r)
{
	struct node *was = steal_ptr(r->world.nodes);
	size_t n_was = r->world.n_nodes;
	uint64_t begun = now_ms();
	unsigned disagreed = 0;

	r->world.n_nodes = 0;
	world_scan(&r->world);
	agent_signal(SIGSTOP);
	for (unsigned i = 0; i < r->n_acts; i++) {
		act_refresh(&r->acts[i]);
		disagreed += !compare(r, &r->acts[i]);
	}
	agent_signal(SIGCONT);
	world_scan(&r->world);
	if (!world_same(&r->world, was, n_was))
		errx(3, "round %llu left another tree", (unsigned long long)r->seed);
	nodes_free(was, n_was);
	run.asked_ms += now_ms() - begun;
	return disagreed;
}

/* ---- planted faults ---- */

/* Number of acts of which the slow judge says something else without a rule. */
static unsigned acts_of_rule(struct round *r, uint32_t line)
{
	const struct text_without without[_JUDGE_MAX] = {[JUDGE_SLOW] = {.line = line}};
	struct court c;
	unsigned n = 0;

	if (!court_open(&c, &r->world, &r->text, without))
		errx(3, "a policy that lacks a rule cannot be compiled");
	court_bind(&c);
	for (unsigned i = 0; i < r->n_acts; i++) {
		struct outcome a, b;

		n += court_expect(&r->court, JUDGE_SLOW, &r->acts[i], &a) &&
		     court_expect(&c, JUDGE_SLOW, &r->acts[i], &b) && !outcomes_equal(&a, &b);
	}
	court_close(&c);
	return n;
}

/* A rule that decides something in this round. Return: its line, 0: there is none. */
static uint32_t line_to_plant(struct round *r)
{
	court_bind(&r->court);
	for (size_t i = 0; i < r->text.n_policies; i++)
		for (size_t j = 0; j < r->text.policies[i].n_rules; j++) {
			const struct text_rule *rule = &r->text.policies[i].rules[j];

			if (!rule->dropped && acts_of_rule(r, rule->line) > 0)
				return rule->line;
		}
	return 0;
}

enum suspect { SUSPECT_SLOW, SUSPECT_IMAGE, SUSPECT_KERNEL, _SUSPECT_MAX };

/* One judge lacks one rule: is that noticed? */
static void plant(enum suspect suspect, uint64_t seed)
{
	static const char *const names[] = {"slow", "image", "kernel"};
	struct text_without without[_JUDGE_MAX] = {}, kernel = {};
	_cleanup_free_ char *text = NULL;
	struct round r;
	uint32_t line;

	for (;; seed++) {
		round_open(&r, seed, without);
		line = line_to_plant(&r);
		if (line)
			break;
		round_close(&r);
	}
	if (suspect == SUSPECT_KERNEL)
		kernel.line = line;
	else
		without[suspect == SUSPECT_SLOW ? JUDGE_SLOW : JUDGE_IMAGE].line = line;
	court_close(&r.court);
	if (!court_open(&r.court, &r.world, &r.text, without))
		errx(3, "a policy that lacks a rule cannot be compiled");
	text = text_print(&r.text, kernel);
	publish(text);
	court_bind(&r.court);
	(void)printf("planted-%s %u of %u acts disagree, seed %llu, line %u\n", names[suspect],
		     round_ask(&r), r.n_acts, (unsigned long long)seed, line);
	round_close(&r);
}

/* ---- all ---- */

static void round_run(uint64_t seed)
{
	const struct text_without none[_JUDGE_MAX] = {};
	_cleanup_free_ char *text = NULL;
	struct round r;

	round_open(&r, seed, none);
	text = text_print(&r.text, (struct text_without){});
	publish(text);
	court_bind(&r.court);
	(void)round_ask(&r);
	round_close(&r);
}

static void tell_totals(unsigned rounds)
{
	static const char *const grounds[_GROUND_MAX] = {"name", "straight", "identity", "frozen",
							 "brings"};

	for (unsigned i = 0; i < _GROUND_MAX; i++)
		(void)printf("ground %s %lu\n", grounds[i], run.grounds[i]);
	for (unsigned i = 0; i < _ACT_MAX; i++)
		(void)printf("act %s %lu %lu %lu\n", act_name(i), run.seen[i][ANSWER_ALLOWED],
			     run.seen[i][ANSWER_REFUSED], run.seen[i][ANSWER_KILLED]);
	(void)printf("rounds %u\ncompared %lu\nunclear %lu\ndisagreed %lu\n", rounds, run.compared,
		     run.unclear, run.disagreed);
	(void)printf("reload-ms %llu\nasked-ms %llu\n",
		     (unsigned long long)(run.reload_ms / (run.reloads ? run.reloads : 1)),
		     (unsigned long long)run.asked_ms);
}

static void prepare(void)
{
	const char *agent = getenv("HAETAED_PID");

	run.agent = agent ? atoi(agent) : 0;
	if (run.agent <= 1)
		errx(2, "HAETAED_PID says which agent");
	(void)signal(SIGPIPE, SIG_IGN);
	if (unshare(CLONE_NEWNS) < 0 || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0)
		err(3, "unshare");
	subjects_start();
}

int main(int argc, char **argv)
{
	unsigned rounds;
	uint64_t seed;

	if (argc == 3 && strcmp(argv[1], "subject") == 0)
		subject_run((uint32_t)atoi(argv[2]));
	if (argc != 4)
		errx(2, "usage: differential ROUNDS ACTS SEED");
	rounds = (unsigned)atoi(argv[1]);
	run.acts = (unsigned)atoi(argv[2]);
	seed = strtoull(argv[3], NULL, 0);
	prepare();
	for (unsigned i = 0; i < rounds; i++)
		round_run(seed + i);
	tell_totals(rounds);
	run.planting = true;
	run.acts = PLANT_ACTS;
	for (unsigned suspect = 0; suspect < _SUSPECT_MAX; suspect++)
		plant(suspect, seed + suspect);
	return run.disagreed ? 1 : 0;
}
