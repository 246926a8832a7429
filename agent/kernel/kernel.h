/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * The only room that sees libbpf: load or adopt the programs, publish images, drain the rings, read the
 * ledger.
 *
 * Everything that enforces is pinned below pin_dir, so it outlives the agent. A starting agent of the
 * same build adopts what is pinned; another build loads its own programs over the same maps, attaches
 * them, and only then lets go of the old ones.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "abi.h"
#include "compile/image.h"
#include "siphash.h"

struct kernel;

struct kernel_config {
	const char *pin_dir; /* inside a bpffs; made if missing */
	uint32_t cgroups_max; /* governed cgroups, 0: KERNEL_CGROUPS_MAX; adopted maps keep their size */
	uint32_t identities_max; /* objects that one policy binds, 0: KERNEL_IDENTITIES_MAX */
	uint32_t rate_max;   /* records of one cgroup a second, 0: KERNEL_RATE_MAX */
	/* Where a new ledger starts (borrowed, may be NULL): what this boot's records say already, when the
	 * kernel's own counts were lost with an incompatible agent's maps. */
	const struct ht_ledger *ledger;
};

#define KERNEL_RATE_MAX 2000U
#define KERNEL_CGROUPS_MAX 65536U
#define KERNEL_IDENTITIES_MAX 65536U

/* Load or adopt. Return: 0; negative errno with *reterr_text (malloc'd, what failed and why). */
int kernel_open(const struct kernel_config *config, struct kernel **ret, char **reterr_text);
/* The first publish and the canary went well: take down what a former, incompatible agent left in force.
 * Return: 0, -errno. */
int kernel_settle(struct kernel *k);
/* Let go; what is pinned stays in force. NULL is fine; returns NULL. */
struct kernel *kernel_close(struct kernel *k);
/* A program as this kernel checked it. It refuses one where it would have to look at more than a million. */
struct kernel_program {
	const char *name;  /* owned by the callee, for the call */
	uint32_t checked;  /* instructions the verifier looked at, each once for every state it was in */
	uint32_t bytes;    /* of machine code; 0: interpreted */
};
typedef void (*kernel_program_seen)(const struct kernel_program *program, void *userdata);
/* Have the kernel check every program, attach and pin nothing. seen (may be NULL): called for each. *ret_lines_missing:
 * as kernel_lines_missing(). Return: as kernel_open(). */
int kernel_probe(kernel_program_seen seen, void *userdata, uint32_t *ret_lines_missing,
		 char **reterr_text);
/* End enforcement, at once and for every task, and remove every pin. Return: 0; -EBUSY an agent has them; -errno, and as
 * much as could be was removed. */
int kernel_detach(const char *pin_dir);

/* Was everything found running and taken over as it was? */
bool kernel_adopted(const struct kernel *k);
/* Lines of `kernel:` that this kernel has no hooks for, as 1 << HT_KERNEL_*: nothing of them is refused. */
uint32_t kernel_lines_missing(const struct kernel *k);
/* The key of the edge hash, for image_compile(). */
const struct ht_hash_key *kernel_key(const struct kernel *k);

/* Take the programs that no policy of the image in force needs out of their hooks, where they cost nothing then, and put
 * those that make verdicts quicker into theirs. Not before the canary went well: it needs the former. Return: how many were
 * taken out; negative errno with *reterr_text, if it is not memory that is short, and some may be. */
int kernel_trim(struct kernel *k, const struct image *image, char **reterr_text);
/* The next of the loaded programs that are in no hook, from *index (0 at first) on. Return: its name, owned by the kernel
 * object; NULL: there is none left. */
const char *kernel_idle_programs(const struct kernel *k, size_t *index);
/* Names of the attached programs, NULL-terminated, owned by the kernel object. */
const char *const *kernel_links(const struct kernel *k, size_t *ret_n);

/* ---- identity.c ---- */

/* An object, and what a profile says of it for tasks that a cgroup bound. */
struct kernel_identity {
	struct ht_identity identity;
	uint32_t profile;
	struct ht_entry entry;
};

/* Load what kernel_opened_read() asks, unless that was done or tried before. Return: 0, -errno: this kernel does not take
 * it, and literal rules hold by name alone. */
int kernel_identities_available(struct kernel *k);
/* What a task (a thread id; stopped or waiting, with objects open) has open, as the kernel has it. `each` is called for
 * every descriptor. Return: 0, -errno. */
int kernel_opened_read(struct kernel *k, int tid,
		       void (*each)(const struct ht_opened *opened, void *userdata), void *userdata);
/* Bind objects in the profiles that are in force, at once. Those that find no room are added to *no_room: their rules
 * hold by name alone. Return: 0, -errno. */
int kernel_identities_put(struct kernel *k, const struct kernel_identity *identities, size_t n,
			  size_t *no_room);
/* Did some find no room that would have it in a larger map? Then kernel_identities_grow() is to be called. */
bool kernel_identities_crowded(const struct kernel *k);
/* Let go of an object. Return: 0 (also if it was not bound), -errno. */
int kernel_identity_remove(struct kernel *k, uint32_t profile, const struct ht_identity *identity);

/* ---- publish.c ---- */

struct kernel_publish {
	uint32_t generation;
	size_t profiles_changed;
	size_t profiles_retired;
	size_t cgroups_bound;  /* bindings added */
	size_t cgroups_unbound;
	size_t tasks_labelled;
	size_t identities_without_room;
};

/* Seed the ids that the kernel already uses (call once, before the first compile). Return: 0, -errno. */
int kernel_seed_names(struct kernel *k, struct image_names *names);

/* Make an image the policy in force: new profiles first, then the matcher, then what already runs, the
 * removed ones last; at no instant is a part of a profile, or none, in force. A failure leaves every
 * profile whole, old or new, and the next publish finishes the work, or takes it back: that of the former image.
 * identities: what the image's profiles bind of what is known so far; in force with the profiles.
 * Return: 0; negative errno with *reterr_text. */
int kernel_publish(struct kernel *k, const struct image *image,
		   const struct kernel_identity *identities, size_t n_identities,
		   struct kernel_publish *ret, char **reterr_text);

/* Larger maps for the profiles of the image in force that are crowded, with everything that is known: nothing else
 * changes, the generation neither. Those that find no room there either are added to *no_room.
 * Return: 0; negative errno with *reterr_text: the profiles are what they were. */
int kernel_identities_grow(struct kernel *k, const struct image *image,
			   const struct kernel_identity *identities, size_t n_identities,
			   size_t *no_room, char **reterr_text);

/* Learn where the overlay module keeps what `origin: image` asks for, if that is not known yet; to be called again until
 * it is. Until then nothing on an overlay counts as having come with an image. Return: 0 it is known; -ENOENT the module
 * is not loaded; other negative errno. */
int kernel_overlay_learn(struct kernel *k);

/* ---- cgroups.c ---- */

/* Bind the cgroups that the kernel could not bind by itself, if there are any, and end its matching at every exec.
 * Return: 0; negative errno with *reterr_text: there is still no room. */
int kernel_rebind(struct kernel *k, const struct image *image, char **reterr_text);

/* Was a cgroup governed before the publish under way, or since the last one? Then a task in it that is not bound came from outside:
 * a runtime that sets something up. Return: 1, 0, negative errno. */
int kernel_cgroup_is_settled(struct kernel *k, uint64_t id);
/* The id of a cgroup. Return: 0; -ENOENT; other negative errno. */
int kernel_cgroup_id(struct kernel *k, const char *path, uint64_t *ret_id);
/* Add what the image binds to one cgroup (image_bind() included) to what it has; nothing is taken away. running: and to
 * the tasks that run there already; without, to what is executed there from now on, and a runtime that is still setting
 * the container up goes on.
 * Return: 0; -E2BIG more profiles than a cgroup can have; other negative errno; *reterr_text tells. */
int kernel_bind_cgroup(struct kernel *k, const struct image *image, const char *path, bool running,
		       char **reterr_text);

/* Call `each` for every governed cgroup. Return: 0, each's non-zero result,
 * or -errno. */
int kernel_cgroups_each(struct kernel *k,
			int (*each)(uint64_t id, const char *path, const struct ht_cgroup *value,
				    void *userdata),
			void *userdata);
/* Call `each` for every cgroup that the image's policies select by its own path, bound already or not. ids: as
 * image_match_cgroup() has them. Return: 0, each's non-zero result, or -errno. */
int kernel_cgroups_match(struct kernel *k, const struct image *image,
			 int (*each)(uint64_t id, const char *path,
				     const uint32_t ids[HT_PROFILES_MAX], void *userdata),
			 void *userdata);
/* Call `each` for every process in a cgroup (absolute path in the hierarchy) and below it. What goes away meanwhile is
 * left out. Return: 0, each's non-zero result, or -errno. */
int kernel_cgroup_processes(struct kernel *k, const char *path,
			    int (*each)(int pid, void *userdata), void *userdata);
/* Call `each` for every cgroup, what is above first. Return: as above. */
int kernel_cgroups_all(struct kernel *k, int (*each)(uint64_t id, const char *path, void *userdata),
		       void *userdata);
/* The path of a cgroup, looked for in the tree as it is now: what is gone has none. Return: malloc'd; NULL: no cgroup has the id,
 * the tree cannot be read, or no memory. */
char *kernel_cgroup_path(struct kernel *k, uint64_t id);

/* ---- rings.c ---- */

/* A cgroup's BIND notice is written before anything in that cgroup can be refused: who meets a refusal of
 * a cgroup it does not know drains the notices first, from inside the callback if need be. */
enum kernel_ring {
	KERNEL_RING_NOTICES,
	KERNEL_RING_REFUSALS,
	_KERNEL_RING_MAX,
};

typedef void (*kernel_record)(const void *record, size_t size, void *userdata);

/* A descriptor, readable when the ring has records. Owned by the kernel object. */
int kernel_ring_fd(const struct kernel *k, enum kernel_ring ring);
/* Hand records to `each` until the ring is empty or `max` were handed over. The bytes are valid during
 * the call only. Return: number of records, or -errno. */
int kernel_drain(struct kernel *k, enum kernel_ring ring, size_t max, kernel_record each,
		 void *userdata);

/* ---- ledger.c ---- */

/* How many records of one cgroup are told one by one in a second from now on; the rest is aggregated. Return: 0, -errno. */
int kernel_rate_set(struct kernel *k, uint32_t rate_max);

/* Sum over all CPUs. Return: 0, -errno. */
int kernel_ledger_read(struct kernel *k, struct ht_ledger *ret);
/* Take what was aggregated since the last call (an empty table takes its place first). Return: number of
 * entries, or -errno. */
int kernel_aggregates_take(struct kernel *k,
			   void (*each)(const struct ht_aggregate_key *key,
					const struct ht_aggregate *value, void *userdata),
			   void *userdata);
/* Number of labelled tasks. */
size_t kernel_labels_count(struct kernel *k);

/* ---- guard.c ---- */

/* No governed task may change these files, nor what is in these directories, nor rename a directory on the way to
 * them, by whatever name or mount it reaches them; nor the agent's cgroup. Missing ones are passed over. paths:
 * NULL-terminated. Again when one appears.
 * Return: 0; negative errno with *reterr_text. */
int kernel_guard_files(struct kernel *k, const char *const *paths, char **reterr_text);
/* Pins that somebody removed under the running agent. What they held stays in force as long as this agent lives,
 * and no longer. As long as nothing comes to their directory or leaves it that is one look, at the directory. Where that is
 * not the one under its path any more, all of them are missing.
 * Return: their number; *ret_first: the name of one, the kernel's until the next publish, NULL if none is missing. */
size_t kernel_pins_missing(struct kernel *k, const char **ret_first);

/* ---- canary.c ---- */

#define KERNEL_CANARY_POLICY "haetae-canary"
#define KERNEL_CANARY_CGROUP "haetae-canary.scope"
/* The canary execs its own program with this one argument; if that runs, the program ends with this status. */
#define KERNEL_CANARY_ARGUMENT "--canary"
#define KERNEL_CANARY_RAN 14

/* Prove that the kernel refuses: a child in a fresh cgroup of its own tries what the canary policy (already
 * published) denies: an exec and the open of canary_file. Return: 0 both refused; -EPERM... negative
 * errno with *reterr_text: what was not refused, or why the proof could not be run. */
int kernel_canary(struct kernel *k, const char *canary_file, char **reterr_text);
