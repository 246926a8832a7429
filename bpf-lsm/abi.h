/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#pragma once

/*
 * The contract between the kernel half (bpf-lsm/) and userspace (agent/): map keys and values, ring
 * records, limits. Both compilers include this file and assert every size in it, so neither half can
 * drift. Fixed widths only, natural alignment, padding spelled out and always zero.
 *
 * What the zero, the missing and the failed mean, everywhere:
 *   label missing              the task is not governed: allow
 *   profile slot 0             free slot of a label or of a cgroup
 *   profile map missing        a governed task lost its profile: refuse, HT_REASON_PROFILE
 *   edge missing               no rule goes on here: HT_STATE_OTHER, the profile's defaults
 *   position unresolvable      refuse every operation the profile refuses anywhere (header's deny)
 *   rule 0                     no single rule decided (a reason other than HT_REASON_POLICY did)
 */

#include <linux/types.h>

#define HT_ABI 9U

/* Profiles one task or one cgroup can carry. A ninth cannot be added: the exec that would is refused. */
#define HT_PROFILES_MAX 8U
/* Components of a rule path. The walk keeps that many components counted from the root, which is
 * all a rule can look at, so the real depth of a file is bounded by HT_WALK_MAX alone. */
#define HT_RULE_DEPTH_MAX 63U
#define HT_WALK_COMPONENTS 64U
/* Directories and mounts between a file and its root; beyond: HT_REASON_DEPTH. PATH_MAX / 2, so that
 * no path that can be spelled in one system call is too deep. */
#define HT_WALK_MAX 2048U
#define HT_NAME_MAX 255U
/* Wildcard patterns that may compete for one component (bits of an edge mask). */
#define HT_GLOBS_MAX 32U
/* Bytes of one wildcard pattern, at most a component. */
#define HT_GLOB_MAX 255U
/* Places for each CPU where records are put together. */
#define HT_SLOTS_PER_CPU 8U
/* Places for each CPU where verdicts are made. */
#define HT_VERDICTS_PER_CPU 4U
/* cgroup levels, counted from the root of the hierarchy, that can carry a policy. */
#define HT_CGROUP_DEPTH_MAX 32U

/* Operations, as bits. The first eight are the words of `ops:` in the policy language. */
#define HT_OP_READ (1U << 0)
#define HT_OP_WRITE (1U << 1)
#define HT_OP_CREATE (1U << 2)
#define HT_OP_DELETE (1U << 3)
#define HT_OP_RENAME (1U << 4)
#define HT_OP_LINK (1U << 5)
#define HT_OP_ATTR (1U << 6)
#define HT_OP_MAP (1U << 7) /* mapped executable, and the name is not a library's */
#define HT_OP_EXEC (1U << 8)
#define HT_OP_MAP_LIBRARY (1U << 9) /* mapped executable, name matches *.so* */
#define HT_OP_ALL ((1U << 10) - 1U)
#define HT_OP_MAX 10U
#define HT_OPS_FILE                                                                            \
	(HT_OP_READ | HT_OP_WRITE | HT_OP_CREATE | HT_OP_DELETE | HT_OP_RENAME | HT_OP_LINK | \
	 HT_OP_ATTR)
#define HT_OPS_EXEC (HT_OP_MAP | HT_OP_EXEC | HT_OP_MAP_LIBRARY)

/* Lines of `kernel:`, as numbers. A record's op has bit HT_KERNEL_SHIFT + line for them. */
#define HT_KERNEL_MOUNT 0U	/* mount, move, remount, unmount, pivot_root, new mount API */
#define HT_KERNEL_PTRACE 1U	/* ptrace, process_vm_*, /proc/PID/mem and the like, of tasks of other containers */
#define HT_KERNEL_MODULE 2U	/* load a module, or ask the kernel to */
#define HT_KERNEL_KEXEC 3U	/* load another kernel, reboot */
#define HT_KERNEL_BPF 4U	/* bpf(), tokens included */
#define HT_KERNEL_PERF 5U	/* perf_event_open */
#define HT_KERNEL_DEVICE 6U	/* block devices, raw memory and ports, device nodes of one's own */
#define HT_KERNEL_SYSCTL 7U	/* write to proc, sysfs, cgroupfs, debugfs, tracefs, securityfs, bpffs, binfmt_misc, efivarfs */
#define HT_KERNEL_CLOCK 8U	/* set the clock */
#define HT_KERNEL_NAMESPACES 9U /* new user namespaces, entering those of others */
#define HT_KERNEL_IO_URING_SQPOLL 10U /* polling threads, foreign credentials, device commands of io_uring */
#define HT_KERNEL_MAX 11U
#define HT_KERNEL_SHIFT 16U
#define HT_KERNEL_OP(line) (1U << (HT_KERNEL_SHIFT + (line)))
#define HT_OPS_KERNEL (((1U << HT_KERNEL_MAX) - 1U) << HT_KERNEL_SHIFT)

#define HT_VERDICT_ALLOW 0U
#define HT_VERDICT_DENY 1U
#define HT_VERDICT_WOULD_DENY 2U
#define HT_VERDICT_AUDIT 3U
#define HT_VERDICT_KILL 4U
#define HT_VERDICT_SELF_TEST 5U /* a refusal inside the agent's own canary */
#define HT_VERDICT_MAX 6U

#define HT_REASON_NONE 0U
#define HT_REASON_POLICY 1U	/* a rule or a default of the policy */
#define HT_REASON_FOREIGN 2U	/* reached through a mount outside the task's mount namespace */
#define HT_REASON_DEPTH 3U	/* more than HT_WALK_MAX steps from the root */
#define HT_REASON_MOVING 4U	/* a directory or mount on the way kept moving under the walk */
#define HT_REASON_UNRESOLVED 5U /* the kernel's own structures could not be read */
#define HT_REASON_ANONYMOUS 6U	/* no name: memfd, deleted, O_TMPFILE */
#define HT_REASON_LABEL 7U	/* the subject's label could not be stored or has no free slot */
#define HT_REASON_PROFILE 8U	/* the subject's profile is missing */
#define HT_REASON_WRITABLE 9U	/* executable memory that is or was writable, or a program that the container can write */
#define HT_REASON_ORIGIN 10U	/* did not come with the image */
#define HT_REASON_FROZEN 11U	/* a name on the way to something that a rule names */
#define HT_REASON_KERNEL 12U	/* a line of `kernel:` */
#define HT_REASON_GUARD 13U	/* Haetae's own files, processes and BPF objects */
#define HT_REASON_AMBIGUOUS 14U /* a name in a directory where other spellings mean the same */
#define HT_REASON_MAX 15U

/* ---- profile: one deterministic automaton over the components of a path -----------------------
 *
 * A profile is one inner hash map {ht_edge_key -> ht_entry}. The walk starts with the header, steps
 * once per component from the root down, and ends in the entry whose masks are the answer:
 *
 *   HEADER  {0, HEADER, 0}      next: start state. flags: HT_PROFILE_*. deny: every operation refused
 *                               anywhere by the profile, for whatever reason: image, COND, ANONYMOUS and
 *                               WRITABLE entries included (others need no walk at all). audit, would: likewise.
 *   START   {0, START, 0}       the entry of the root directory itself
 *   OTHER   {0, OTHER, 0}       where no rule goes on: the defaults of the profile
 *   NAME    {state, NAME, hash} edge by exact component; hash is ht_hash_name() under the secret key
 *   MASK    {state, MASK, bits} edge by the set of the state's wildcards that match the component
 *   ELSE    {state, ELSE, 0}    edge for any other component (HT_ENTRY_ELSE says it exists)
 *   GLOB    {state, GLOB, i}    next: id in the globs map of the state's i-th wildcard
 *   RULE    {state, RULE, HT_RULE_KEY(class, op)}
 *                               rule: id of the rule that decided bit number `op` in this state. One with
 *                               HT_RULE_COMMON for `op` speaks of every op without an entry of its own.
 *   COND    {state, COND, i}    the state's i-th exception of a kind that depends on the subject: its `deny` is
 *                               refused here (and `kill`) unless the subject meets both conditions: bit number
 *                               `next` in its mask of exe conditions and bit number `flags` in its mask of uid
 *                               conditions; HT_COND_NONE: no such condition. Its rule: {state, COND_RULE, i}.
 *   EXE     {state, EXE, 0}     rule: mask of the exe conditions that a program at this path meets
 *                               (HT_ENTRY_EXE says it exists). Asked once, when the subject's program starts.
 *   UID     {0, UID, uid}       rule: mask of the uid conditions that this uid meets; missing: none
 *   ANONYMOUS {0, ANONYMOUS, 0} what holds for executing objects without a name: memfd, deleted, O_TMPFILE. Its RULE entries
 *                               stand under HT_STATE_ANONYMOUS. Always there.
 *   WRITABLE {0, WRITABLE, 0}   what is refused of memory that is or was writable, and of programs that the
 *                               container can write; missing: nothing. RULE entries: HT_STATE_WRITABLE.
 *   IDENTITY {0, IDENTITY, hash} what the entry that a literal rule path leads to refuses of the operations that the
 *                               rule speaks of, for the very object that was found under the path: hash is that of
 *                               struct ht_identity. Same masks and `next` as that entry (`image` is 0), so RULE and COND
 *                               entries stand under its state. Not part of an image: the agent adds and removes
 *                               them while the profile is in force. HT_PROFILE_IDENTITIES says that there may be some.
 *   KERNEL  {0, KERNEL, 0}      masks of 1 << HT_KERNEL_*; missing: nothing. RULE entries, by the line's number:
 *                               HT_STATE_KERNEL.
 *
 * The step from a state: exact NAME edge; else, if the state has wildcards, the MASK edge of those
 * that match (bits 0 means none, no edge); else the ELSE edge; else OTHER. A NAME edge already
 * includes what the wildcards that match this very name say, so the first edge found is the answer.
 * An entry with HT_ENTRY_FINAL holds for everything below it too.
 *
 * RULE entries of OTHER stand under HT_STATE_OTHER, those of the root directory under the start state.
 *
 * What an entry refuses of the operations `ops` that are asked for:
 *   ops & deny;  ops & image, if the object did not come with the container's image;  what its COND entries say.
 * Of HT_OP_MAP_LIBRARY `image` speaks only where there is an image: on a stacked filesystem.
 * A refused operation that is in `kill` ends the task's thread group. An allowed one in `would` is recorded as
 * would-deny, else one in `audit` as audit. A COND entry's `would` and `audit` mean the same for its exception.
 */
#define HT_STATE_HEADER 0U
#define HT_STATE_OTHER 1U
#define HT_STATE_START 2U
#define HT_STATE_ANONYMOUS 3U
#define HT_STATE_WRITABLE 4U
#define HT_STATE_KERNEL 5U
#define HT_STATE_FIRST 8U /* states of the automaton are numbered from here */

#define HT_EDGE_HEADER 0U
#define HT_EDGE_START 1U
#define HT_EDGE_OTHER 2U
#define HT_EDGE_NAME 3U
#define HT_EDGE_MASK 4U
#define HT_EDGE_ELSE 5U
#define HT_EDGE_GLOB 6U
#define HT_EDGE_RULE 7U
#define HT_EDGE_BIND 8U /* cgroup matcher: {state, BIND, i} -> next: profile id */
#define HT_EDGE_COND 9U
#define HT_EDGE_COND_RULE 10U
#define HT_EDGE_EXE 11U
#define HT_EDGE_UID 12U
#define HT_EDGE_ANONYMOUS 13U
#define HT_EDGE_WRITABLE 14U
#define HT_EDGE_KERNEL 15U
#define HT_EDGE_IDENTITY 16U

#define HT_RULE_DENY 0U	 /* classes of RULE entries: of `deny` */
#define HT_RULE_AUDIT 1U /* of `audit` */
#define HT_RULE_IMAGE 2U /* of `image` */
#define HT_RULE_WOULD 3U /* of `would` */
#define HT_RULE_BELOW 4U /* of `below`, always with HT_RULE_COMMON: one of those that refuse */
#define HT_RULE_COMMON 0xffU
#define HT_RULE_KEY(class, op) (((class) << 8) | (op))

/* Conditions on the subject: at most so many of each kind in one policy, and COND entries of one state. */
#define HT_CONDITIONS_MAX 64U
#define HT_CONDS_MAX 32U
#define HT_COND_NONE 0xffU

/* ht_entry.flags: low byte is the number of wildcards of the state (HT_GLOBS_MAX at most). */
#define HT_ENTRY_GLOBS 0xffU
#define HT_ENTRY_FINAL (1U << 8)
#define HT_ENTRY_ELSE (1U << 9)
#define HT_ENTRY_NAMES (1U << 10)     /* has NAME edges; without it the exact lookup is skipped */
#define HT_ENTRY_EXE (1U << 11)
#define HT_ENTRY_COUNT_SHIFT 16U      /* number of COND entries of the state; cgroup matcher: of BIND entries */

/* ht_entry.flags of HEADER */
#define HT_PROFILE_ENFORCE (1U << 0)  /* refuse; without it refusals are recorded as would-deny */
#define HT_PROFILE_CANARY (1U << 1)   /* the agent's self-test */
#define HT_PROFILE_RETIRED (1U << 2)  /* policy is gone; labels that still name it are not governed */
#define HT_PROFILE_RECORD_EXEC (1U << 3) /* record allowed execs */
#define HT_PROFILE_RECORD_FILE (1U << 4) /* record allowed file operations */
#define HT_PROFILE_CONDITIONS (1U << 5)	 /* has COND entries: the subject's masks are asked for */
#define HT_PROFILE_IDENTITIES (1U << 6)	 /* may have IDENTITY entries */

struct ht_edge_key {
	__u32 state;
	__u32 kind; /* HT_EDGE_* */
	__u64 name;
};

struct ht_entry {
	__u32 next;
	__u32 flags;
	union {
		struct {
			__u16 deny;  /* HT_OP_* refused here */
			__u16 audit; /* HT_OP_* recorded here though allowed */
			__u16 kill;  /* HT_OP_* whose refusal ends the task's thread group */
			__u16 image; /* HT_OP_* refused unless the object came with the image */
			__u16 cond;  /* HT_OP_* that some COND entry of the state speaks of */
			__u16 would; /* HT_OP_* recorded as would-deny: a rule that is not in force yet */
			union {
				__u32 stamp; /* HEADER: of this content; masks of conditions belong to one stamp.
					      * The publish sets it, an image has 0. */
				__u32 below; /* other entries: HT_OP_* that something below this place has refused
					      * beyond what OTHER refuses, under whatever condition */
			};
		};
		struct {
			__u64 rule;
			__u64 unused; /* 0: the same policy makes the same bytes, and a shorter member leaves the rest as it was */
		};
	};
};

/* Which object, whatever its name, as the kernel has it (never stat's view); and for tasks that which cgroup bound. Per
 * cgroup, because every container has objects of its own under one path, and because no cgroup id comes twice in a boot,
 * while the number of a filesystem does. Hashed with ht_hash_name() under the secret key. On a stacked filesystem the
 * generation is that of the object in the upper layer; 0 while it has none there. */
struct ht_identity {
	__u64 ino;
	__u32 dev;
	__u32 generation;
	__u64 cgroup;
};

/* What the iterator haetae_identities writes of each descriptor of the task it was made for. */
#define HT_OPENED_OBJECT (1U << 0) /* identity is set, its cgroup is 0 */
#define HT_OPENED_ROOT (1U << 1)   /* the root of a mount namespace */
#define HT_OPENED_BOUND (1U << 2)  /* whose it is, is governed */

struct ht_opened {
	__u32 fd;
	__u32 flags; /* HT_OPENED_* */
	struct ht_identity identity;
};

/* Value of the globs map; key is a __u32 id. Content never changes while an id is in use. */
struct ht_glob {
	__u32 len;
	__u8 text[HT_GLOB_MAX + 1];
};

/* Value of the names map; key is a profile id. Tells a restarted agent which policy an id stands for. */
#define HT_POLICY_NAME_MAX 63U

struct ht_name {
	char text[HT_POLICY_NAME_MAX + 1]; /* terminated */
};

/* ---- cgroups: which profiles govern a cgroup (key: __u64 cgroup id) ---------------------------- */
struct ht_cgroup {
	__u32 profiles[HT_PROFILES_MAX]; /* filled from the front, 0 ends the list */
	__u64 counted;			 /* verdicts recorded for tasks bound here, of every kind */
	__u64 window;			 /* start of the rate window, boottime ns */
	__u64 used;			 /* records emitted in the window */
	__u64 round; /* of binding what runs (ht_settings.rounds), in which it came under its first policy; 0: it was born so */
};

/* ---- the loss ledger: counted = emitted + aggregated + lost, for each verdict ------------------ */
/* Powers of two, so that an index is bounded by a mask. */
#define HT_VERDICT_SLOTS 8U
#define HT_REASON_SLOTS 16U

struct ht_ledger { /* per CPU */
	__u64 counted[HT_VERDICT_SLOTS];
	__u64 emitted[HT_VERDICT_SLOTS];
	__u64 aggregated[HT_VERDICT_SLOTS];
	__u64 lost[HT_VERDICT_SLOTS];
	__u64 seq; /* next sequence number of this CPU */
	__u64 execs; /* execs seen, the low half of an exec_id */
	__u64 notices_emitted; /* exit, bind, unbind */
	__u64 notices_lost;
	__u64 failures[HT_REASON_SLOTS]; /* verdicts by reason */
	__u64 forks_refused;
	__u64 verdicts_spare;   /* verdicts for which the CPU had no place left, and one was made */
	__u64 verdicts_refused; /* and could not be made: acts that were refused for that */
	__u64 binds_failed;
};

/* Refusals of one kind beyond a cgroup's rate, counted instead of told one by one. */
struct ht_aggregate_key {
	__u64 cgroup;
	__u64 rule;
	__u32 profile;
	__u16 op; /* bit number */
	__u8 verdict;
	__u8 reason;
};

struct ht_aggregate {
	__u64 count;
	__u64 first; /* boottime ns */
	__u64 last;
	__u64 ino;  /* last object */
	__u64 exec_id;
	__u32 dev;
	__u32 pid;  /* last subject */
	__u32 uid;
	__u32 pad;
	char comm[16];
};

/* ---- ring records ------------------------------------------------------------------------------ */
#define HT_RECORD_VERDICT 1U
#define HT_RECORD_EXIT 2U
#define HT_RECORD_BIND 3U   /* a new cgroup was matched; path is its cgroup path */
#define HT_RECORD_UNBIND 4U /* a governed cgroup is gone */
#define HT_RECORD_MAX 5U

/* ht_record.flags */
#define HT_RECORD_PATH_TRUNCATED (1U << 0) /* text holds the beginning of the path only */
#define HT_RECORD_EXE_TRUNCATED (1U << 1)
#define HT_RECORD_ARGV_TRUNCATED (1U << 2)
#define HT_RECORD_DELETED (1U << 3)	   /* the object has no link left */
#define HT_RECORD_STRAIGHT (1U << 4)	   /* the chain straight up the filesystem decided */
#define HT_RECORD_FIRST_EXEC (1U << 5)	   /* the exec that bound the subject */
#define HT_RECORD_IDENTITY (1U << 6)	   /* what the object is decided, not what it is called */

/* Text of a record: raw bytes, no terminator, never assumed to be UTF-8. Offsets from the record's
 * start; off + len <= size of the record. */
struct ht_text {
	__u32 off;
	__u32 len;
};

struct ht_record {
	__u16 abi;
	__u16 kind; /* HT_RECORD_* */
	__u32 size; /* of this record, text included */
	__u64 seq;  /* of the CPU, without gaps over both rings */
	__u64 time; /* boottime, ns */
	__u32 cpu;
	__u32 flags; /* HT_RECORD_* */

	__u64 cgroup;  /* that binds the subject */
	__u64 rule;    /* id of the deciding rule, 0: none */
	__u32 profile;
	__u32 generation; /* of the published policy set */
	__u32 op;	  /* one HT_OP_* bit */
	__u8 verdict;
	__u8 reason;
	__u16 pad0;

	/* object, as the kernel has it (never stat's view) */
	__u64 ino;
	__u32 dev;
	__u32 inode_generation;
	__u32 mode;
	__u32 nlink;

	/* subject */
	__u32 pid; /* thread group */
	__u32 tid;
	__u64 start; /* boottime ns of the thread group leader */
	__u64 parent_start;
	__u32 ppid;
	__u32 uid; /* in the initial user namespace */
	__u32 gid;
	__u32 argc;
	__u64 exec_id; /* of the running image: unique in this boot, 0 before the first recorded exec */
	__s32 exit_code; /* wait status, HT_RECORD_EXIT only */
	__u32 nprofiles;
	__u32 profiles[HT_PROFILES_MAX]; /* HT_RECORD_BIND only */
	char comm[16];

	struct ht_text path;
	struct ht_text exe;  /* what the subject runs, as it was at exec time */
	struct ht_text argv; /* NUL-separated */
};

/* Text behind a record: the path, the exe, the arguments; each its beginning if it is longer. */
#define HT_TEXT_PATH_MAX 4096U
#define HT_TEXT_EXE_MAX 256U
#define HT_TEXT_ARGV_MAX 1024U
#define HT_RECORD_SIZE_MAX \
	(sizeof(struct ht_record) + HT_TEXT_PATH_MAX + HT_TEXT_EXE_MAX + HT_TEXT_ARGV_MAX)

/* ---- settings and identity of what is loaded (array map "settings", one entry) ------------------- */
struct ht_settings {
	__u64 key0; /* of the edge hash */
	__u64 key1;
	__u64 build; /* digest of the loaded object: an agent adopts only its own build */
	__u32 abi;
	__u32 ended; /* everything up to here keeps its place in every ABI. 1: enforcement was ended, nothing is bound any more */
	__u32 generation; /* of the published policy set, moved after a publish is complete */
	__u32 rate_max;	  /* records of one cgroup in one second; beyond, they are aggregated */
	__u32 agent_pid;  /* thread group of the agent that owns the maps now */
	__u32 current;	  /* 0 or 1: which half of the profiles map is in force */
	__s32 overlay_upper; /* from an overlay's inode to what it has in its upper layer; 0: not known */
	__u32 epoch; /* of what verdicts depend on besides the object: moved after each change */
	__u32 links; /* that are pinned; 0: the load did not come to the end */
	__u32 programs; /* that are pinned: those that can be taken out of their hooks and put back */
	__u32 lines_missing; /* 1 << HT_KERNEL_*: lines that this kernel has no hooks for */
	__u32 load; /* counts the loads over these maps: which programs are the present ones */
	__u32 moves; /* 1: every move of a name is seen to (struct ht_moves) */
	__s32 overlay_lower; /* to what it has in its lower layers; 0: not known */
	__u32 overlay_counted; /* 1: that is a pointer to a structure that begins with their number; 0: a pointer, NULL for none */
	__u32 pad;
	__u64 agent_start; /* of that process, in ticks of /proc/PID/stat since boot: a number can be used again */
	__u64 rounds; /* of binding what runs that came to their end: where a cgroup has a later one, its tasks may be without labels */
};

/* ---- what agent and programs share (array map "area", at its beginning) ---------------------------- */

/* Moves of names. */
struct ht_moves {
	__u64 trees;  /* counts moves of directories */
	__u32 moving; /* 1: a name is being moved right now */
	__u32 pad;
};

/* Which inode numbers may be those of an IDENTITY entry: a bit for each, several numbers to a bit. The agent sets it before it adds
 * the entry; a number without its bit is that of no entry in any profile. */
#define HT_OBJECTS_ORDER 19U
#define HT_OBJECT_BIT(ino) ((__u32)(((ino) * 0x9e3779b97f4a7c15ULL) >> (64 - HT_OBJECTS_ORDER)))

struct ht_shared {
	struct ht_moves moves;
	__u64 objects[(1U << HT_OBJECTS_ORDER) / 64];
};

/* ---- Haetae's own files and BPF objects (maps "guard_files", "guard_ids") ----------------------------- */

/* A file as the kernel has it. Key of the guard_files map; ino and generation 0: the filesystem, there is something
 * in it. Value: HT_GUARD_* kinds (__u32). */
struct ht_guard_file {
	__u64 ino;
	__u32 dev;
	__u32 generation;
};

#define HT_GUARD_TREE (1U << 0)	    /* a directory, with all below it */
#define HT_GUARD_FILE (1U << 1)
#define HT_GUARD_WAY (1U << 2)	    /* a directory above: keeps its name */
#define HT_GUARD_CONTROLS (1U << 3) /* a cgroup above the agent's: its control files */

struct ht_guard_id { /* key; the value (__u32) is the agent's round of looking after them */
	__u32 kind;
	__u32 id;
};

#define HT_GUARD_MAP 0U
#define HT_GUARD_PROGRAM 1U
#define HT_GUARD_LINK 2U

/* Keys of the unbound map. While the two numbers differ, some governed cgroup may be missing in the cgroups
 * map, and every exec matches names. Each has one writer, so that no number is ever lost. */
#define HT_UNBOUND_MISSED 0U  /* programs: cgroups that could not be bound when they were made */
#define HT_UNBOUND_MADE_UP 1U /* the agent: how many of them its last whole scan has seen to */

/* Key of the profiles map. Every profile has two places; one word (ht_settings.current) says which half is in
 * force, so that a publish changes all profiles at one instant. */
#define HT_PROFILE_KEY(id, half) (((id) << 1) | ((half) & 1U))

#define HT_ASSERT(c) _Static_assert(c, #c)
HT_ASSERT(sizeof(struct ht_edge_key) == 16);
HT_ASSERT(sizeof(struct ht_entry) == 24);
HT_ASSERT(HT_OP_ALL <= 0xffff && HT_KERNEL_MAX <= 16);
HT_ASSERT(sizeof(struct ht_identity) == 24);
HT_ASSERT(sizeof(struct ht_opened) == 32);
HT_ASSERT(sizeof(struct ht_glob) == 260);
HT_ASSERT(sizeof(struct ht_cgroup) == 64);
HT_ASSERT(sizeof(struct ht_aggregate_key) == 24);
HT_ASSERT(sizeof(struct ht_aggregate) == 72);
HT_ASSERT(sizeof(struct ht_record) == 216);
HT_ASSERT(sizeof(struct ht_settings) == 104);
HT_ASSERT(sizeof(struct ht_moves) == 16 && sizeof(struct ht_shared) == 65552);
HT_ASSERT(sizeof(struct ht_guard_file) == 16 && sizeof(struct ht_guard_id) == 8);
HT_ASSERT(sizeof(struct ht_ledger) == 448);
HT_ASSERT(HT_VERDICT_MAX <= HT_VERDICT_SLOTS && HT_REASON_MAX <= HT_REASON_SLOTS);
