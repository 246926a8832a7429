/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * The agent: owns every object of the program and wires the rooms. One thread, one event loop; the two
 * threads beside it (store writer, journal) only ever take work from bounded queues.
 *
 *   policy files -> policy -> compile -> kernel          reload.c, watch.c
 *   containers -> policy -> kernel                       bind.c
 *   for a limited time                                   break-glass.c, apply.c, deadlines.c
 *   kernel rings -> event -> store + journal             ingest.c, ledger.c, alerts.c
 */

#include <stdbool.h>
#include <stdint.h>
#include <systemd/sd-event.h>

#include "compile/image.h"
#include "control/control.h"
#include "event/event.h"
#include "kernel/kernel.h"
#include "policy/policy.h"
#include "store/store.h"
#include "util/cleanup.h"

#include "programs/haetaed/alerts.h"
#include "programs/haetaed/bindings.h"
#include "programs/haetaed/containers.h"
#include "programs/haetaed/disarms.h"
#include "programs/haetaed/identities.h"
#include "programs/haetaed/rules.h"
#include "programs/haetaed/trial.h"

#define AGENT_POLICY_DIRS_MAX 8U

struct agent_options {
	const char *policy_dirs[AGENT_POLICY_DIRS_MAX + 1];
	size_t n_policy_dirs;
	const char *state_dir;
	const char *runtime_dir;
	const char *pin_dir;
	uint32_t cgroups_max; /* 0: KERNEL_CGROUPS_MAX */
	uint32_t identities_max; /* 0: KERNEL_IDENTITIES_MAX */
	uint32_t queue_max;   /* of the store, 0: its own */
	bool foreground;
};

/* What became of each kind of verdict on its way into the store (ledger.c). */
struct agent_account {
	uint64_t stored[HT_VERDICT_MAX];     /* single rows: on disk at start, plus queued since */
	uint64_t aggregated[HT_VERDICT_MAX];
	uint64_t lost[HT_VERDICT_MAX];
	uint64_t kernel_lost[HT_VERDICT_MAX]; /* the kernel's own losses already told */
	uint64_t counted_before[HT_VERDICT_MAX]; /* at the last tick, to see that nothing is under way */
	bool settled; /* what a former agent left open was told */
};

/* One policy directory, or what stands in for it until it exists. */
struct agent_watch {
	int wd;
	char *waits_for; /* the only name that counts there; NULL: the directory itself is watched */
};

/* What comes through one ring (ingest.c). */
struct intake {
	struct agent *agent;
	enum kernel_ring ring;
	sd_event_source *source; /* off while the agent rests */
	sd_event_source *rest;	 /* its end */
	bool failed;		 /* the ring could not be read, which was said */
};

struct agent {
	struct agent_options options;
	sd_event *event;
	int lock_fd;

	struct kernel *kernel;
	struct store *store;
	struct control_server *control;
	struct alerts *alerts;
	bool alerts_here; /* on standard error: there is no journal */

	struct policy_set *set;	  /* as last loaded */
	struct image *image;	  /* as last published */
	struct image_names *names;
	struct rules rules;
	struct containers containers;
	struct identities identities;
	size_t spelled_without_room; /* containers that have no room for what rules name through links */
	struct bindings bindings;

	struct event_clock clock;
	struct agent_account account;
	struct kernel_publish published;
	uint64_t started_us;
	uint64_t canary_us;
	bool ready; /* told so */
	uint64_t undecodable; /* records that could not be read */
	bool store_degraded;  /* as last told */
	uint32_t rate;	      /* records of one cgroup a second, as last told to the kernel (pace.h); 0: not yet */
	uint64_t binds_failed; /* of the ledger, as last seen to */
	size_t pins_missing;   /* as last told */

	struct disarms disarms;
	struct trial trial;
	struct policy_file *trial_before; /* what it replaced; NULL: nothing, or a former agent's */
	bool suspended; /* on the way out: nothing is disarmed */
	uint64_t deadline_retry_ns; /* something that is over could not be ended; 0: no */
	sd_event_source *deadline;

	struct intake intakes[_KERNEL_RING_MAX];
	sd_event_source *tick;
	sd_event_source *change; /* when the next rule comes into force or expires */
	int watch_fd; /* inotify */
	struct agent_watch watches[AGENT_POLICY_DIRS_MAX];
	sd_event_source *watch;
	sd_event_source *watch_timer;
};

/* Everything up to READY. Return: 0; negative errno, already logged. */
int agent_start(struct agent *a, const struct agent_options *options);
/* Could it start here? Looks at the host and has the kernel take every program, attached to nothing.
 * Return: 0, or negative errno, logged. */
int agent_probe(void);
/* Until SIGTERM or SIGINT. Return: 0, -errno. */
int agent_run(struct agent *a);
void agent_stop(struct agent *a);

/* ---- reload.c ---- */

/* Read, compile, publish. The last good policies stay in force where the new ones are broken.
 * Return: 0 all of it is in force; 1 some files are broken, the rest is in force (diags tells); negative
 * errno: nothing changed, *reterr_text tells why. */
int agent_reload(struct agent *a, char **reterr_text);
/* The policies in force. Return: 0 (free() the list, which is NULL without any), -ENOMEM. */
int agent_policies(const struct agent *a, const struct policy ***ret, size_t *ret_n);

/* ---- respell.c ---- */

/* The image of policies that was just compiled becomes one that has what they say through symbolic links, if any were found.
 * Return: 0; -ENOMEM, -EOVERFLOW. */
int agent_spell_image(struct agent *a, const struct policy *const *policies, size_t n, struct image **image);
/* Once the agent is ready: hooks that no policy in force needs lose their programs until one does. */
void agent_trim(struct agent *a);
/* Something may have been found: put it in force. */
void agent_respell(struct agent *a);

/* ---- lines.c ---- */
/* Refuse the files that ask for a line of `kernel:` that this kernel cannot hold. Return: 0, -ENOMEM. */
int agent_lines_check(const struct agent *a, struct policy_set *set);

/* ---- guard.c ---- */
/* Tell the kernel which files are the agent's own. Return: 0; negative errno, logged. */
int agent_guard(struct agent *a);
/* Is what outlives the agent still in place? Once a second. */
void agent_guard_tick(struct agent *a);
/* ---- deadlines.c ---- */
uint64_t agent_boottime_ns(void);

/* ---- watch.c ---- */
int agent_watch(struct agent *a);
/* The policy directories are about to be read: what changed until now needs no reload of its own. */
void agent_watch_seen(struct agent *a);
void agent_unwatch(struct agent *a);

/* ---- ingest.c ---- */
int agent_ingest(struct agent *a);
/* Hand over everything the rings hold now. */
void agent_drain(struct agent *a);
/* A finished event into the store, and the journal where it is worth an alert. Takes the texts. */
void agent_record(struct agent *a, struct event *event);
/* An event of the agent itself: stored, and told once, as an alert or, where nobody would see that, in the log. */
_printf_(4, 5) void agent_notice(struct agent *a, enum event_notice notice,
				 enum policy_severity severity, const char *format, ...);

/* ---- ledger.c ---- */
/* What the store holds of this boot, as the account and as a ledger to go on from. */
void agent_ledger_load(struct agent *a, struct ht_ledger *ret);
int agent_ledger_start(struct agent *a);
/* Aggregates, losses: once a second. */
void agent_ledger_tick(struct agent *a);

/* ---- status.c ---- */
json_t *agent_status(struct agent *a);

/* ---- calls.c ---- */
json_t *agent_control(const char *call, json_t *params, void *userdata, char **reterr_text,
		      json_t **reterr_details);
