/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* Shared inside the kernel room only. */

#include <bpf/bpf.h>
#include <bpf/btf.h>
#include <bpf/libbpf.h>
#include <pthread.h>

#include "kernel/kernel.h"
#include "kernel/ring.h"

enum kernel_map {
	MAP_LABELS,
	MAP_LABEL_TEMPLATES,
	MAP_CGROUPS,
	MAP_UNBINDS,
	MAP_PROFILES,
	MAP_GLOBS,
	MAP_REFUSALS,
	MAP_NOTICES,
	MAP_LEDGER,
	MAP_AGGREGATES,
	MAP_SLOTS,
	MAP_VERDICTS,
	MAP_SPARE_VERDICTS,
	MAP_SETTINGS,
	MAP_MKDIR_SCRATCH,
	MAP_NAMES,
	MAP_UNBOUND,
	MAP_AREA,
	MAP_GUARD_FILES,
	MAP_GUARD_IDS,
	MAP_GUARD_ANSWER,
	_MAP_MAX,
};

#define KERNEL_TYPES "/sys/kernel/btf/vmlinux"
#define KERNEL_ITERATOR "haetae_label_tasks" /* its link is not among the links */
#define KERNEL_LINKS_MAX 256U
#define KERNEL_AGGREGATE_TABLES 2U

struct kernel_profile {
	uint32_t id;
	uint64_t digest; /* 0: unknown (adopted) */
	int fd;		 /* its inner map, owned; negative: unknown (adopted) */
	bool retired;
	size_t room;  /* of its map for identities; 0: unknown (adopted), or none */
	bool crowded; /* some found no room, and a larger map would have it */
};

/* A program that can be taken out of its hook. */
struct kernel_program_kept {
	char *name; /* owned */
	int fd; /* owned */
};

struct kernel {
	char *pin_dir;
	int pin_fd;	      /* pin_dir, owned */
	struct timespec pins_whole; /* its change time when no pin was missing; zero: look at each */
	int cgroup_fd;	      /* root of the unified hierarchy, owned */
	int map_fds[_MAP_MAX]; /* owned */
	struct ht_shared *shared; /* kernel_shared(), mapped */
	int iterator_fd;      /* link of the task iterator, owned */
	int identities_fd; /* program of the iterator over descriptors, owned; -EBADF until it is asked for the first
			    * time, another negative errno if it could not be loaded */
	uint32_t identities_max; /* objects that one profile has room for; 0: KERNEL_IDENTITIES_MAX */
	int aggregate_fds[KERNEL_AGGREGATE_TABLES]; /* owned */
	unsigned aggregate_current; /* the one that programs count into */
	pthread_t aggregates_thread; /* puts the first one in place */
	bool aggregates_begun;
	int aggregates_result;
	struct ring rings[_KERNEL_RING_MAX];
	struct ht_hash_key key;
	uint32_t load; /* counts the loads over the maps */
	bool adopted;
	bool unpublished; /* maps of its own, and nothing in them yet */
	uint32_t lines_missing; /* 1 << HT_KERNEL_*: lines of `kernel:` that this kernel cannot hold */
	uint32_t guard_round; /* of looking after guard_ids */

	char *links[KERNEL_LINKS_MAX + 1];
	int link_fds[KERNEL_LINKS_MAX]; /* owned */
	size_t n_links;
	struct kernel_program_kept programs[KERNEL_LINKS_MAX];
	size_t n_programs;

	struct kernel_profile *profiles; /* what is in the profiles map */
	size_t n_profiles;
};

extern const char *const kernel_map_names[_MAP_MAX];

/* load.c: a map as an object of ours has it. Return: NULL, it has none. */
struct bpf_map *kernel_map_of(struct bpf_object *obj, enum kernel_map map);

/* "TEXT: strerror" into *reterr_text unless it is set already. Return: r. */
int kernel_fail(char **reterr_text, int r, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/* load.c: everything of the skeleton. Fills map_fds, links, iterator. */
int kernel_load(struct kernel *k, const struct kernel_config *config, bool reuse_maps,
		char **reterr_text);
/* threads_max: the kernel's limit of tasks, as text; "": not known. Return: how many labels there is to be room for. */
uint32_t kernel_labels_room(const char *threads_max);
uint64_t kernel_build_digest(void);
/* Have the pinned maps the shape that this build's programs expect? */
bool kernel_maps_fit(struct kernel *k);
/* Keep and pin a link under a name, beside the one that it replaces. Takes fd. Return: 0; negative errno with
 * *reterr_text. */
int kernel_link_keep(struct kernel *k, int fd, const char *name, char **reterr_text);
/* demand.c: can a program be taken out of its hook while no policy needs it? */
bool kernel_demand_is(const char *program, enum bpf_attach_type attach);
/* What a set of policies asks for. */
struct kernel_demand {
	bool governs;	/* somebody */
	uint32_t lines; /* 1 << HT_KERNEL_*: that it refuses, would refuse or records */
	bool late; /* that what only makes verdicts quicker is in place as well */
	bool canary; /* the hooks that refuse the canary */
};
/* The agent's own policy, for its canary, is none. */
void kernel_demand_of(const struct image *image, struct kernel_demand *ret);
/* Without it verdicts are the same, by a longer way: it waits until the agent is ready. */
bool kernel_demand_is_late(const char *program);
bool kernel_demand_needs(const char *program, const struct kernel_demand *demand);
/* A loaded program that can be. Return: 0, -errno. */
int kernel_demand_keep(struct kernel *k, const char *program, int fd);
/* Put those that are needed into their hooks; none is taken out. Return: 0; negative errno with *reterr_text: some may
 * be in their hooks, which refuses nobody more than the policies in force do. */
int kernel_demand_attach(struct kernel *k, const struct kernel_demand *demand, char **reterr_text);
/* judge.c: the program that decides, put in the place of judge() in every hook. */
/* Before an object is opened. Return: 0, -errno. */
int kernel_judge_register(void);
/* Before it is loaded. Return: 0, -ENOENT. */
int kernel_judge_find(struct bpf_object *obj);
bool kernel_judge_is(const struct bpf_program *prog);
/* Return: a new link; -ENOENT the hook has nothing to be judged; other negative errno. */
int kernel_judge_attach(const struct bpf_program *judge, const struct bpf_program *hook);
/* shared.c: the beginning of the area. Return: NULL with errno: it cannot be mapped. */
struct ht_shared *kernel_shared(struct kernel *k);
void kernel_shared_close(struct kernel *k);
/* Before its entry is added to a profile: from now on programs look for this object. Return: 0; -errno it may not be added. */
int kernel_object_note(struct kernel *k, const struct ht_identity *identity);
/* After a publish: these are all that are bound. */
void kernel_objects_renew(struct kernel *k, const struct kernel_identity *identities, size_t n);
/* moves.c: is every move of a name counted? Asked when all programs are attached. */
bool kernel_moves_seen(struct kernel *k);
/* btf.c: the kernel's types. */
struct kernel_btf {
	uint8_t *data; /* the file; mapped, owned */
	size_t size;
	const uint8_t *types;
	const char *strings;
	uint32_t strings_len;
	uint32_t *offsets; /* of each type, by its id; owned */
	uint32_t n; /* ids, 0 is one */
};
/* Return: 0; -EBADMSG not BTF as it is known; other negative errno. */
int kernel_btf_open(const char *path, struct kernel_btf *ret);
void kernel_btf_close(struct kernel_btf *b);
/* Is it the header of such a file? Return: 0, -EBADMSG. */
int kernel_btf_header_check(const struct btf_header *h);
/* Bytes behind a type's head. Return: 0, -EBADMSG. */
int kernel_btf_tail(const struct btf_type *t, uint32_t *ret);
/* id: from 1 on. Return: NULL: there is none. */
static inline const struct btf_type *kernel_btf_type(const struct kernel_btf *b, uint32_t id)
{
	return id > 0 && id < b->n ? (const struct btf_type *)(b->types + b->offsets[id]) : NULL;
}
/* off: from a type. Return: "" if it has no name. */
static inline const char *kernel_btf_name(const struct kernel_btf *b, uint32_t off)
{
	return off < b->strings_len ? b->strings + off : "";
}
#define KERNEL_TYPES_PATH_SIZE 64U
/* types.c: an empty file in memory for them, and its path as long as it is open. Return: fd, -errno. */
int kernel_types_new(char ret_path[KERNEL_TYPES_PATH_SIZE]);
/* Of the kernel's types those that the programs' types name, with what lies inside them, into a file. Return: 0;
 * -EOPNOTSUPP one has a part without a size; -ELOOP one lies in itself; -ENOMEM; other negative errno. */
int kernel_types_reduce(const struct kernel_btf *kernel, const struct btf *programs, int fd);
/* pins.c: of what follows, all that has reterr_text returns 0 or a negative errno with *reterr_text, malloc'd, unless it says more. */
/* Make the directory if it is missing, and a BPF file system around it; open it, and lock it as long as k lives: -EAGAIN another
 * agent has it. */
int kernel_pins_open(struct kernel *k, const char *pin_dir, char **reterr_text);
/* Return: 0 everything of this build is there and was taken; 1 maps only; -ENOENT nothing. */
int kernel_pins_adopt(struct kernel *k, char **reterr_text);
/* Every map, or one, which stays the caller's, in the place of what had its name. */
int kernel_pin_maps(struct kernel *k, char **reterr_text);
int kernel_pin_map(struct kernel *k, int fd, const char *name, char **reterr_text);
/* Return: a new descriptor, -errno. */
int kernel_pinned_map(struct kernel *k, const char *name);
/* Pin a link or a program, which stays the caller's, beside the one that it replaces. */
int kernel_pin_link(struct kernel *k, int fd, const char *name, char **reterr_text);
int kernel_pin_program(struct kernel *k, int fd, const char *name, char **reterr_text);
/* One link takes its place. */
int kernel_pin_link_commit(struct kernel *k, const char *name, char **reterr_text);
/* Or goes. Return: 0, also if there was none; negative errno. */
int kernel_unpin_link(struct kernel *k, const char *name);
/* All of them take their places. Cut short, the next start begins anew. */
int kernel_pins_commit(struct kernel *k, char **reterr_text);
/* Give every pin whose name begins with prefix another name ("old-..."), so that a load takes none away. */
int kernel_pins_set_aside(struct kernel *k, const char *prefix, char **reterr_text);
/* End what was set aside, and remove it, and links of programs that are no more. Return: 0; -EAGAIN as kernel_end(); other negative
 * errno: some may be left, and the next call goes on. */
int kernel_pins_prune(struct kernel *k);
/* detach.c: from now on the programs over the maps "PREFIXmap-..." let everything pass: nobody is governed any more.
 * Return: 0, also if there are none or they are of a build that knows no end; -EAGAIN tasks fork faster than their
 * labels are taken away; -errno. */
int kernel_end(const char *pin_dir, const char *prefix);
/* overlay.c: bytes from an overlay's inode to what it has in its layers. */
struct overlay_layout {
	int32_t upper; /* may be negative, never 0 */
	int32_t lower; /* 0: not known */
	bool lower_counted; /* a pointer to a structure that begins with a count; else one that is NULL for none */
};
/* base, split: BTF of the kernel and of the overlay module. Return: 0; -ENOENT the module is not there, or has no such
 * member; -EBADMSG not BTF as it is known; other negative errno. */
int kernel_overlay_layout(const char *base_path, const char *split_path, struct overlay_layout *ret);
/* rings.c: map both. They borrow the maps of k, which unmaps them when it is closed. Return: 0; negative errno with *reterr_text. */
int kernel_rings_new(struct kernel *k, char **reterr_text);
/* ledger.c: take over the pinned tables, with what was counted into them, or make new ones, which are in place after
 * kernel_aggregates_end(). k owns them. Return: 0; negative errno with *reterr_text. */
int kernel_aggregates_new(struct kernel *k, char **reterr_text);
/* Wait until the programs count into them. Return: 0; negative errno: they cannot. */
int kernel_aggregates_end(struct kernel *k);
/* Let the counts go on from there: before any program runs. Return: 0, negative errno. */
int kernel_ledger_seed(struct kernel *k, const struct ht_ledger *ledger);
/* A per-CPU ledger as one. */
void kernel_ledger_sum(const struct ht_ledger *all, size_t cpus, struct ht_ledger *ret);
/* canary.c: what the status of the canary's process proves. Return: as kernel_canary(). */
int kernel_canary_result(int status, char **reterr_text);
/* settings.c: the agent alone writes them, so what is read, changed and written is not raced for. Return: 0, -errno. */
int kernel_settings_read(struct kernel *k, struct ht_settings *ret);
int kernel_settings_write(struct kernel *k, const struct ht_settings *settings);
/* settings.c: verdicts that were kept are not asked any more. Return: 0, -errno. */
int kernel_epoch_move(struct kernel *k);
/* cgroups.c */
int kernel_cgroups_open(struct kernel *k, char **reterr_text);
/* Bind the cgroups that are there, then the tasks in them. What the kernel could not bind by itself is made up for.
 * Return: 0; negative errno with *reterr_text. */
int kernel_bind_running(struct kernel *k, const struct image *image, struct kernel_publish *stats,
			char **reterr_text);
/* An inner map like those of the profiles map, guarded. Return: fd or -errno. */
int kernel_profile_map_new(struct kernel *k, size_t n);
/* hooks.c: read the hooks in a kernel's types; what libbpf loads afterwards finds them. Return: 0, -errno. */
int kernel_hooks_open(const char *types_path);
void kernel_hooks_close(void);
/* What was read, as long as it is open. */
const struct kernel_btf *kernel_hooks_types(void);
/* Lines of `kernel:` that a program serves, if it serves nothing else; 0: it cannot be left out. */
uint32_t kernel_hooks_lines(const char *program);
/* Leave out the programs whose hooks are missing, and add their lines to *lines_missing.
 * Return: 0; -EOPNOTSUPP with *reterr_text: one that cannot be left out. */
int kernel_hooks_select(struct bpf_object *object, uint32_t *lines_missing, char **reterr_text);
/* guard.c */
/* This process is the agent from now on. Return: 0; negative errno with *reterr_text. */
int kernel_guard_self(struct kernel *k, char **reterr_text);
/* One more map, or program, that nobody gets at by its id. Return: 0, -errno. */
int kernel_guard_map(struct kernel *k, int fd);
int kernel_guard_program(struct kernel *k, int fd);
/* A link, and the program that it holds. */
int kernel_guard_link(struct kernel *k, int fd);
/* All that is known at the start. Return: 0, -errno. */
int kernel_guard_begin(struct kernel *k);
/* After a publish: all that there are, and no other. Return: 0, -errno. */
int kernel_guard_round(struct kernel *k);
/* identity.c: how many of them are the profile's. */
size_t kernel_identities_count(const struct kernel_identity *identities, size_t n, uint32_t profile);
/* Room that the inner map of a profile keeps for objects besides what the image has, if it has `known` of them now. */
size_t kernel_identities_room(const struct kernel *k, const struct image_profile *profile,
			      size_t known);
/* Put those of one profile into an inner map. Those that find no room are added to *no_room. Return: 0, -errno. */
int kernel_identities_fill(struct kernel *k, int fd, uint32_t profile,
			   const struct kernel_identity *identities, size_t n, size_t *no_room);
/* publish.c: NULL if no profile has the id. */
struct kernel_profile *kernel_profile_find(struct kernel *k, uint32_t id);
