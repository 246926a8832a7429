/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#pragma once

/*
 * Every map, and what happens when it is full. Pins carry these names (agent/kernel/pins.c).
 */

#include "kernel.bpf.h"
#include "abi.h"
#include "siphash.h"

/* ---- a walk from an object to its root ---- */

struct component {
	__u64 hash;
	__u64 dentry;
};

struct mount_place {
	__u64 parent; /* struct mount */
	__u64 mountpoint;
	__u64 root;
};

struct walk {
	__u64 mnt; /* struct mount *, where the walk stands */
	struct mount_place at; /* of it */
	__u64 dentry;
	__u64 top_mnt; /* the mount that holds the topmost component */
	__u64 digest;  /* of every dentry, its sequence and every crossing: two equal walks are one */
	__u64 crossed; /* of every crossing */
	__u32 n;       /* components seen; the last HT_WALK_COMPONENTS are kept */
	__u32 ambiguous; /* components below and in the topmost directory where a name has other spellings; 0: there is none */
	__u32 status; /* WALK_* */
	__u32 crossings;
	__u32 bind;   /* crossed a mount whose root is not its filesystem's root */
	__u32 straight; /* up the dentries of the filesystem, whatever is mounted where */
	__u32 names;	/* WALK_*: what is collected of the components */
	__u32 child;	/* components so far, if the last of them is an entry of the dentry where the walk stands */
	__u32 below;	/* the one component is all that is left after what is known of the directory */
	__u32 pad;
	__u64 stop;	/* straight: the dentry that is the container's root */
	struct component components[HT_WALK_COMPONENTS];
	__u8 head[64]; /* beginning of a struct dentry */
	__u8 name[HT_NAME_MAX + 1];
};

/* ---- a walk through a profile ---- */

struct position {
	struct ht_entry entry;
	__u32 step;
	__u32 damaged;
};

struct hash_state {
	struct ht_siphash sip;
	__u64 result;
	__u32 at, len;
};

/* ---- conditions on the subject ---- */

struct condition_state {
	__u64 exe; /* conditions met */
	__u64 uid;
	__u32 n; /* exceptions of the entry */
	__u32 index;
	__u32 profile;
	__u32 flags;
	__u32 at; /* byte of the program's path */
	__u32 pad;
	struct position kept;
};

/* ---- what a rename or a link would take out of protection (freeze.bpf.h) ---- */

struct freeze_place {
	__u32 state;
	__u32 kept;  /* HT_OP_* refused at the old place beyond the defaults */
	__u32 below; /* and below it, if it is a directory */
	__u32 lost;  /* of these, what the new place does not refuse */
	__u64 rule;  /* of an exception that refuses */
};

struct freeze_state {
	struct freeze_place places[2 * HT_PROFILES_MAX]; /* both chains of each profile */
	__u32 ops;	 /* operations that count: of a link not all */
	__u32 directory; /* the object is one */
	__u32 lost;	 /* number of places that lost something */
	__u32 seen;	 /* exceptions of the entry that were looked at */
	__u32 refused;	 /* what they refuse */
	__u32 wanted;	 /* the profile at hand protects something */
	__u64 rule; /* of the first that does */
};

/* ---- the mounts that show an object (place.bpf.h) ---- */

#define PLACES_MAX 8U

struct places {
	__u64 mounts[PLACES_MAX];
	__u64 any;	/* one mount of the filesystem, whoever sees it */
	__u64 link;	/* address of the pointer to the next mount */
	__u64 end;	/* what ends the list */
	__u64 dentry;	/* where an ancestor walk stands */
	__u64 root;	/* what it looks for */
	__u64 digest;	/* of the dentries and their sequences */
	__u64 space;	/* mount namespace of the task */
	__u32 n;
	__u32 internal; /* a mount that only the kernel uses shows it */
	__u32 status;	/* PLACES_* */
	__u32 found;	/* the ancestor walk met the root */
	__u32 level;	/* the worst that was decided */
	__u32 worst;	/* for which mount */
};

struct glob_state {
	__u32 state; /* whose wildcards are matched */
	__u32 name_len;
	__u32 index;
	__u32 mask;
	__u32 pattern_at, name_at;
	__u32 star_at, star_name_at, star; /* where to resume after the last `*` */
	__u32 verdict;
};

/* ---- what was said of an open that was not simply allowed ---- */

struct memo_answer {
	__u64 rule;
	__u32 profile;
	__u16 told;   /* HT_OP_* */
	__u8 level;   /* LEVEL_* */
	__u8 reason;
	__u32 canary;
	__u32 pad;
	__u64 check;  /* of the tag and all of it: what is read half, or is another's, is no answer */
};

/* ---- where the names up to a directory lead to (directory.bpf.h) ---- */

struct memo_directory {
	struct ht_entry entry;
	__u32 stamp;  /* of the profile's content */
	__u32 others; /* HT_OP_* of which something is said where no name of the entry's own goes on */
	__u64 check;  /* of the tag and all of it, as that of an answer */
};

/* ---- what a program is called (program.bpf.h) ---- */

struct program {
	__u64 count; /* of writes; odd while one is under way */
	__u64 place; /* tag of the file */
	__u32 len;
	__u32 pad;
	__u8 text[HT_TEXT_EXE_MAX];
};

/* The file that is about to run. */
struct runs {
	__u64 place; /* its tag; 0: it has none */
	__u64 dentry;
	__u64 mount;
};

struct names {
	__u64 own;   /* of the dentry */
	__u64 trees; /* of all directories */
};

/* One profile of the subject. */
struct directory_slot {
	struct memo_directory known; /* while names are walked, its entry is where the walk was before the last one; next is 0: nowhere */
	__u32 stamp; /* of the profile's content now */
	__u32 flags; /* HT_PROFILE_* */
};

/* A subject with more profiles has all its names walked. */
#define DIRECTORY_SLOTS 4U

struct directory_state {
	__u64 place; /* what the tags of its entries begin with; 0: nothing is to be kept */
	struct names names; /* of the object, from before its directory was read */
	struct qstr name; /* of the object */
	__u64 hash; /* of that; 0: it was not read */
	__u32 plain; /* bits of the slots whose profiles say nothing of what is asked, of any name there */
	__u32 pad;
	struct directory_slot slots[DIRECTORY_SLOTS];
};

/* ---- the label of a task: who it is and what governs it ---- */

#define LABEL_LIVE 1U
#define LABEL_DEAD 2U /* could not be deleted; as if missing */

/* Who binds: both may at one time. */
#define BOUND_BY_TASK 0U /* itself, at an exec */
#define BOUND_BY_ITERATOR 1U

/* Which conditions of each profile the running program meets, and for which content of it. */
struct conditions_met {
	__u64 masks[HT_PROFILES_MAX];
	__u32 stamps[HT_PROFILES_MAX];
};

/* label.said: of the verdict that was given last */
#define SAID_ALLOWED (1U << 0) /* plainly allowed, for nothing but what a tag stands for */
#define SAID_ANSWER (1U << 1)  /* not simply allowed, for nothing but that: label.known has it */
#define SAID_NOTHING (1U << 2) /* allowed, and nobody wants that recorded */
#define SAID_TOP (1U << 3)     /* the object's mount holds the first name of its path */

/* What outlives a hook, and what a child is born with: each byte is paid for by every fork. All else that a hook
 * needs is in the verdict. */
struct label {
	__u32 state;
	__u32 fresh; /* bound by an exec that has not finished */
	__u32 slots; /* bits of the slots of profiles[] that were ever claimed */
	__u32 bound[2]; /* BOUND_BY_*: BIND_* of its binding under way; here, where the verifier does not follow its values */
	__u32 profiles[HT_PROFILES_MAX]; /* claimed by compare-and-swap, 0: free */
	__u64 origins[HT_PROFILES_MAX];	 /* cgroup that bound the profile in the same slot */
	__u64 set; /* names the profiles and who bound them: equal sets have equal numbers */
	__u64 cgroup;	    /* whose rate and counters this task uses */
	__u64 cgroup_seen;  /* cgroup of the task when its profiles were last looked up */
	__u64 exec_id;
	__u32 exe_flags; /* HT_RECORD_EXE_TRUNCATED */
	__u32 exe_len;
	__u32 exe_whole; /* exe is the name of what runs, all of it */
	__u32 held; /* the running hook has a place for verdicts already: HELD_SPARE, or its number and 1; 0: it has none */

	struct runs runs; /* what the kernel was last asked to execute */

	__u64 unlooked; /* names the file whose creation the kernel was told to look up once more; 0: none */

	/* the verdict that was given last */
	__u64 dentry;
	__u32 facts; /* OBJECT_* */
	__u32 said;  /* SAID_* */
	struct memo_answer known; /* the answer; or, for OBJECT_KNOWN, the one from before */

	struct conditions_met met;
	__u8 exe[HT_TEXT_EXE_MAX];
};

/* ---- a verdict, while it is made ---- */

#define POOL_FREE 0U
#define POOL_TAKEN 1U
#define POOL_SPARE 2U /* not one of the pool: to be deleted */

/* A hook that is preempted keeps its place, so no other task, on no CPU, can write to it (pool.bpf.h). What a former verdict left in
 * it is there still. */
struct verdict {
	__u32 taken; /* POOL_* */
	__u32 number; /* of the place */

	/* whose act it is: as the label of the subject has it */
	__u64 label; /* its address */
	__u32 slots;
	__u32 fresh;
	__u32 profiles[HT_PROFILES_MAX];
	__u64 origins[HT_PROFILES_MAX];
	__u64 cgroup;
	__u64 exec_id;
	__u32 exe_flags;
	__u32 exe_len;
	__u32 met_read; /* met is the label's */
	__u32 met_new;	/* and has something that the label has not */
	struct conditions_met met;
	__u8 exe[HT_TEXT_EXE_MAX]; /* for condition_exe() */

	/* what is asked */
	__u64 dentry;
	__u64 mount;
	__u32 ops;
	__u32 facts;  /* OBJECT_* */
	__u32 origin; /* ORIGIN_* */
	__u32 need;   /* some profile says something of these operations somewhere, or records them */
	__u32 wanted; /* bits of the slots of those that say something */
	__u32 fault;  /* HT_REASON_* why the object has no position, 0: it has one */
	__u32 state_here; /* of the profile that is asked, where the walk ended */
	__u32 by_identity; /* the object itself is asked for, not its place */
	__u32 flags_here; /* HT_PROFILE_* of the profile that is asked */
	__u32 half;   /* of the profiles map, read once for a verdict */
	__u32 record; /* some profile wants allowed operations recorded */
	__u32 reuse;  /* a record is made only if the path of the kept answer is in its place still */
	__u64 check;  /* of that answer */
	struct directory_state directory;
	__u64 top;	/* mount that holds the first name of the object's path, 0: not known */
	__u32 passing; /* the answer depends on more than the object's place and must be asked again */

	/* and what was decided: the worst that any profile says */
	__u32 level; /* LEVEL_* */
	__u32 told;  /* operations it is about */
	__u32 reason;
	__u32 profile;
	__u32 chain; /* HT_RECORD_STRAIGHT, HT_RECORD_IDENTITY or 0 */
	__u64 rule;
	__u32 canary;
	__u32 again; /* the act was judged and told a moment ago, by another hook */
	__u32 ask; /* bits of the slots whose profiles may know the object by identity */
	__u32 pad;

	struct walk walk;
	struct position position;
	struct hash_state hash;
	struct glob_state glob;
	struct condition_state condition;
	struct freeze_state freeze;
	struct places places;
};

/* The pool: HT_VERDICTS_PER_CPU places for each CPU (the agent sets max_entries), claimed by compare-and-swap. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, HT_VERDICTS_PER_CPU);
	__type(key, __u32);
	__type(value, struct verdict);
} verdicts SEC(".maps") __weak;

/* Task -> a place for the hook that it is in, where tasks that were preempted in theirs have all those of the CPU. Full or out of
 * memory: the act is refused. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__uint(max_entries, 4096);
	__type(key, __u64);
	__type(value, struct verdict);
} spare_verdicts SEC(".maps") __weak;

/* Task (address of its task_struct) -> label. Not task storage: on 6.1 its lookup fails while a
 * preempted task of the same CPU is inside another one, which would make a governed task look
 * ungoverned. The agent sets max_entries lower where the kernel allows less tasks. Full or out of memory: the fork or the exec
 * that needs an entry is refused. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__uint(max_entries, 262144);
	__type(key, __u64);
	__type(value, struct label);
} labels SEC(".maps") __weak;

/* Which tasks may have a label, by a hash of the task: what most hooks of most tasks end with. The low half of a word
 * counts the labels, the high half the changes of any of them, so that a word also names one state of a label. */
#define GOVERNED_WORDS 65536U
#define GOVERNED_CHANGE (1ULL << 32)

/* The set of profiles of the one label that a word counts. */
struct governed_set {
	__u64 set; /* mixed with a key, as it begins tags */
	__u64 check; /* of it, the word and the task: what is older than the word, another's, or half written is none */
};

struct governed {
	__u64 words[GOVERNED_WORDS];
	struct governed_set sets[GOVERNED_WORDS];
};

/* Verdicts that were given: memo.bpf.h. A place that is taken is taken over. And what tells that a name is another one
 * now: moves.bpf.c. The agent looks at the counters. */
#define MEMO_TAGS 65536U
#define MEMO_TOPS 256U
#define MEMO_NAMES 65536U

#define MEMO_ANSWERS 4096U
#define MEMO_DIRECTORIES 4096U
#define MEMO_PROGRAMS 256U

struct memo {
	struct ht_shared shared;
	__u64 tags[MEMO_TAGS];
	__u64 tops[MEMO_TOPS];
	struct memo_answer answers[MEMO_ANSWERS];
	struct memo_directory directories[MEMO_DIRECTORIES];
	struct program programs[MEMO_PROGRAMS];
	__u64 names[MEMO_NAMES]; /* by dentry: moves on when one comes to be, or is moved */
};

/* What nearly every hook reads lies in one place whose address the programs have as a constant, as they have that of the settings: a
 * lookup, even of an array, would be a dozen instructions each. They are the sections .bss and .data, which libbpf makes maps of; AREA
 * defines them, in one file of each object. The area is words to the object's types, so that the skeleton needs none of ours. */
struct area {
	struct memo memo;
	struct governed governed;
};

#define AREA_WORDS (sizeof(struct area) / sizeof(__u64))

extern __u64 area_words[AREA_WORDS];
extern struct ht_settings settings;

#define AREA                                                                                       \
	__u64 area_words[AREA_WORDS];                                                              \
	struct ht_settings settings = { .abi = HT_ABI } /* not all zeroes, which would be of .bss */

/* Never written by a program: the template of a new label, and the iterator's own. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 2);
	__type(key, __u32);
	__type(value, struct label);
} label_templates SEC(".maps") __weak;
#define TEMPLATE_ZERO 0U
#define TEMPLATE_ITERATOR 1U

/* cgroup id -> profiles; the agent sets max_entries. Full or out of memory: counted in unbound, and the exec hook matches names until the agent
 * found room again. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__uint(max_entries, 65536);
	__type(key, __u64);
	__type(value, struct ht_cgroup);
} cgroups SEC(".maps") __weak;

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 2);
	__type(key, __u32); /* HT_UNBOUND_* */
	__type(value, __u64);
} unbound SEC(".maps") __weak;

/* (cgroup id, profile) pairs that the current publish takes away; read by the task iterator. */
struct unbind_key {
	__u64 cgroup;
	__u32 profile;
	__u32 pad;
};

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__uint(max_entries, 65536);
	__type(key, struct unbind_key);
	__type(value, __u32);
} unbinds SEC(".maps") __weak;

/* The inner map of a profile; max_entries is set for each when it is made. (Sizes, not types: the static
 * linker of libbpf 1.1 cannot compare inner maps that name types.) */
struct profile_map {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__uint(max_entries, 8);
	__uint(key_size, sizeof(struct ht_edge_key));
	__uint(value_size, sizeof(struct ht_entry));
};

/* HT_PROFILE_KEY -> profile; id 0 is the cgroup matcher. A publish fills the half that is not in force. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH_OF_MAPS);
	__uint(max_entries, 8192);
	__type(key, __u32);
	__array(values, struct profile_map);
} profiles SEC(".maps") __weak;

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__uint(max_entries, 65536);
	__type(key, __u32);
	__type(value, struct ht_glob);
} globs SEC(".maps") __weak;

/* Profile id -> policy. No program reads it; it is kept where the labels that use the ids are. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__uint(max_entries, 4096);
	__type(key, __u32);
	__type(value, struct ht_name);
} names SEC(".maps") __weak;

/* Full: the record is aggregated instead. */
struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 4 * 1024 * 1024);
} refusals SEC(".maps") __weak;

struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 2 * 1024 * 1024);
} notices SEC(".maps") __weak;

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct ht_ledger);
} ledger SEC(".maps") __weak;

/* Two inner maps take turns: the agent swaps in an empty one, waits until no program can hold the
 * old one, and reads it whole, so no count is lost or read twice. Full: lost. */
struct aggregate_map {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__uint(max_entries, 8192);
	__uint(key_size, sizeof(struct ht_aggregate_key));
	__uint(value_size, sizeof(struct ht_aggregate));
};

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY_OF_MAPS);
	__uint(max_entries, 1);
	__type(key, __u32);
	__array(values, struct aggregate_map);
} aggregates SEC(".maps") __weak;

/* Where records are put together: slots claimed by compare-and-swap, several for each CPU (the agent
 * sets max_entries). All busy: the record is aggregated instead. Never part of a verdict. */


struct slot {
	__u32 busy;
	__u32 pos; /* bytes of text used */
	__u64 of;  /* check of the kept answer (memo_answer) whose object's path the text begins with; 0: of none */
	struct ht_text path; /* that path */
	struct ht_record record;
	__u8 text[HT_TEXT_PATH_MAX + HT_TEXT_EXE_MAX + HT_TEXT_ARGV_MAX + 512];
};

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 8);
	__type(key, __u32);
	__type(value, struct slot);
} slots SEC(".maps") __weak;

/* What is Haetae's own; no program writes it. Full: the agent says so and does not start. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__uint(max_entries, 1024);
	__type(key, struct ht_guard_file);
	__type(value, __u32);
} guard_files SEC(".maps") __weak;

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__uint(max_entries, 32768);
	__type(key, struct ht_guard_id);
	__type(value, __u32);
} guard_ids SEC(".maps") __weak;

/* How the kernel calls the file that the agent asked about last. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct ht_guard_file);
} guard_answer SEC(".maps") __weak;

/* Scratch of the cgroup_mkdir program, which the kernel runs under cgroup_mutex, one at a time. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct verdict);
} mkdir_scratch SEC(".maps") __weak;

/* Before 6.4 (bpf: return long from bpf_map_ops funcs) these calls go straight to functions that return int, and the
 * upper half of the register is zero: a failure is no negative number until it is cut to an int again. So no program
 * calls the helpers themselves. Return: 0, -errno. */
static __always_inline int map_update(void *map, const void *key, const void *value, __u64 flags)
{
	return (int)bpf_map_update_elem(map, key, value, flags);
}

static __always_inline int map_delete(void *map, const void *key)
{
	return (int)bpf_map_delete_elem(map, key);
}

static __always_inline struct ht_settings *settings_get(void)
{
	return &settings;
}

static __always_inline struct memo *memo_get(void)
{
	return &((struct area *)area_words)->memo;
}

static __always_inline struct governed *governed_get(void)
{
	return &((struct area *)area_words)->governed;
}

static __always_inline void *profile_get(__u32 id, __u32 half)
{
	__u32 key = HT_PROFILE_KEY(id, half);

	return bpf_map_lookup_elem(&profiles, &key);
}

/* An entry of a profile, for all but the steps of a walk. By itself: in the place of each call of the helper the kernel puts
 * several instructions, when a program is loaded, and moves the whole program for that. */
static __noinline __attribute__((unused)) struct ht_entry *profile_entry(void *profile, const struct ht_edge_key *key)
{
	return bpf_map_lookup_elem(profile, key);
}

static __always_inline struct ht_ledger *ledger_get(void)
{
	__u32 zero = 0;

	return bpf_map_lookup_elem(&ledger, &zero);
}

/* A governed cgroup could not be put into the cgroups map. */
static __always_inline void unbound_count(void)
{
	__u32 key = HT_UNBOUND_MISSED;
	__u64 *missed = bpf_map_lookup_elem(&unbound, &key);

	if (missed)
		__sync_fetch_and_add(missed, 1);
}

/* May a governed cgroup be missing in the cgroups map? */
static __always_inline bool unbound_any(void)
{
	__u32 key = HT_UNBOUND_MISSED, other = HT_UNBOUND_MADE_UP;
	__u64 *missed = bpf_map_lookup_elem(&unbound, &key);
	__u64 *made_up = bpf_map_lookup_elem(&unbound, &other);

	return !missed || !made_up || *(volatile __u64 *)missed != *(volatile __u64 *)made_up;
}
