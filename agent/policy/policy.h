/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * A parsed and checked policy: plain values, immutable once policy_parse() returned it.
 *
 * Every rule knows where it was written. Operations are the HT_OP_* bits of abi.h.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "abi.h"
#include "policy/diag.h"

/* Bounds of the language. What is beyond them is refused, never cut. */
#define POLICY_FILE_MAX (1U << 20)   /* bytes of a file */
#define POLICY_EVENTS_MAX 100000U    /* YAML events of a file: room for as many rules */
#define POLICY_DEPTH_MAX 16U	     /* nested lists and mappings; the language needs 5 */
#define POLICY_KEYS_MAX 64U	     /* keys of one mapping; the language has fewer than 20 */
#define POLICY_MATCHES_MAX 1024U     /* entries of `match:` */
#define POLICY_NAME_MAX 63U	     /* bytes of a policy's name */
#define POLICY_DESCRIPTION_MAX 4096U /* bytes */
#define POLICY_MESSAGE_MAX 256U	     /* bytes */
#define POLICY_TAGS_MAX 16U	     /* of one rule */
#define POLICY_TAG_MAX 63U	     /* bytes of one */
#define POLICY_UNLESS_MAX 1024U	     /* programs, and users, of one `unless` */
#define POLICY_FIELD_MAX 255U	     /* bytes of a field of `container:` */

enum policy_mode {
	POLICY_MODE_ENFORCE,
	POLICY_MODE_AUDIT,
	_POLICY_MODE_MAX,
};

/* What becomes of an operation, in rising strictness; the words of `action:` and of the switches.
 */
enum policy_action {
	POLICY_ACTION_ALLOW,
	POLICY_ACTION_AUDIT, /* allowed, and recorded */
	POLICY_ACTION_DENY,
	POLICY_ACTION_KILL, /* refused, and the subject's thread group ends */
	_POLICY_ACTION_MAX,
};

enum policy_default {
	POLICY_DEFAULT_ALLOW,
	POLICY_DEFAULT_DENY,
	_POLICY_DEFAULT_MAX,
};

/* What may be mapped executable under an allow-list besides what may be executed. */
enum policy_libraries {
	POLICY_LIBRARIES_DEFAULT, /* *.so* below the system's library directories, and what is
				     listed */
	POLICY_LIBRARIES_ANY,	  /* *.so* anywhere */
	POLICY_LIBRARIES_LIST,	  /* what is listed, alone */
	_POLICY_LIBRARIES_MAX,
};

/* Rising order; the words of `severity:`. Default is HIGH for deny rules and what refuses of the
 * switches, LOW for defaults, INFO for what refuses nothing. */
enum policy_severity {
	POLICY_SEVERITY_INFO,
	POLICY_SEVERITY_LOW,
	POLICY_SEVERITY_MEDIUM,
	POLICY_SEVERITY_HIGH,
	POLICY_SEVERITY_CRITICAL,
	_POLICY_SEVERITY_MAX,
};

enum policy_rule_kind {
	POLICY_RULE_EXEC_DEFAULT, /* `default: deny` of exec; path is NULL */
	POLICY_RULE_EXEC_ALLOW,
	POLICY_RULE_EXEC_DENY,
	POLICY_RULE_FILE_DEFAULT, /* `default: deny` of file; path is NULL */
	POLICY_RULE_FILE_ALLOW,
	POLICY_RULE_FILE_DENY,
	POLICY_RULE_EXEC_AUDIT,
	POLICY_RULE_FILE_AUDIT,
	POLICY_RULE_EXEC_LIBRARY,   /* an element of `libraries:` */
	POLICY_RULE_EXEC_ANONYMOUS, /* the three switches; path is NULL */
	POLICY_RULE_EXEC_WRITABLE,
	POLICY_RULE_KERNEL,
	_POLICY_RULE_KIND_MAX,
};

struct policy_location {
	uint32_t line;
	uint32_t column;
};

/* A path pattern, canonical: absolute, no empty, "." or ".." component, `*` and `?` inside a
 * component only, `**` only as the whole last component (subtree: the directory and all below,
 * then text is without it). "/" alone is the root directory. */
struct policy_path {
	char *text; /* canonical, without the trailing slash-star-star */
	bool subtree;
	struct policy_location location;
};

/* The rule does not speak of a subject that meets both: runs one of these programs, has one of
 * these users. What is not given is met by everybody; at least one is given, or the rule has no
 * `unless`. */
struct policy_unless {
	struct policy_path *exe; /* what the subject's process runs, as its exec named it */
	size_t n_exe;
	uint32_t *uids; /* in the initial user namespace, rising */
	size_t n_uids;
};

struct policy_rule {
	uint64_t id; /* stable over reloads and restarts: hash of policy name, kind, path, ops,
			exceptions and origin (not of the line: an edit elsewhere in the file keeps
			the id; nor of action, severity, times or texts: the rule is the same) */
	enum policy_rule_kind kind;
	enum policy_action action; /* allow rules: ALLOW; audit rules: AUDIT; defaults: DENY */
	struct policy_path path;   /* text NULL for defaults and switches */
	struct policy_path *except;
	size_t n_except;
	struct policy_unless unless;
	bool origin_image; /* of EXEC_ALLOW and EXEC_LIBRARY: only what came with the image */
	uint32_t ops; /* HT_OP_* this rule speaks of; exec rules: HT_OPS_EXEC; file rules without
			 `ops:` HT_OP_ALL for deny, HT_OPS_FILE for allow and audit; a line of
			 `kernel:` its HT_KERNEL_OP() */
	enum policy_severity severity;
	char *message; /* NULL: none */
	char **tags;
	size_t n_tags;
	int64_t enforce_after; /* seconds since 1970 UTC; until then would-deny. 0: in force */
	int64_t expires;       /* from then on the rule is none. 0: never */
	bool implied;	       /* nobody wrote it: a line of `kernel:` as it is by default */
	struct policy_location location; /* implied: of the policy's name */
};

struct policy_label {
	char *key;
	char *value; /* a pattern */
};

/* The container of a cgroup as its runtime describes it: what is given must fit. `*` and `?` match
 * slashes too, as names of images have them. Empty: all NULL. */
struct policy_container_match {
	char *runtime; /* a word, exactly */
	char *name;    /* patterns */
	char *image;
	struct policy_label *labels; /* all of them, by rising key */
	size_t n_labels;
};

/* One entry of `match:`; set fields are ANDed, at least one is set. */
struct policy_match {
	struct policy_path cgroup; /* text NULL: not given. Pattern like a path; subtree allowed */
	char *unit; /* NULL: not given. Pattern of one component: a cgroup of that name
		       at any depth */
	struct policy_container_match container;
	struct policy_location location;
};

struct policy {
	char *name;	   /* [a-z0-9][a-z0-9._-]{0,62}, unique among all files */
	char *description; /* NULL: none */
	char *file;	   /* the file it came from, as the user knows it */
	enum policy_mode mode;
	struct policy_match *matches;
	size_t n_matches; /* >= 1 */
	enum policy_default exec_default;
	enum policy_default file_default;
	struct policy_rule *rules; /* order of the file */
	size_t n_rules;
	enum policy_libraries libraries;
	/* The switches. id 0: not written, then the default of `exec` decides, and nothing is
	 * refused. */
	struct policy_rule anonymous; /* executing what has no name */
	struct policy_rule writable;  /* executing what is or was writable */
	struct policy_rule
		kernel[HT_KERNEL_MAX];	 /* the lines of `kernel:`, all of them with an id */
	bool record_exec;		 /* allowed execs are recorded */
	bool record_file;		 /* allowed file operations are */
	struct policy_location location; /* of its name */
};

/* All documents of one file. Refcounted and immutable: a reload keeps the last good one of a file
 * that is broken now. */
struct policy_file {
	unsigned refs;
	char *path; /* as the user knows it */
	char *name; /* file name, the key of the drop-in precedence */
	struct policy **policies;
	size_t n_policies;
	char *text; /* what was parsed, terminated: to be kept as the last good version */
};

/* Words of the language <-> enums. _from_string: -EINVAL if unknown. */
const char *policy_mode_to_string(enum policy_mode mode);
int policy_mode_from_string(const char *s, enum policy_mode *ret);
const char *policy_default_to_string(enum policy_default d);
int policy_default_from_string(const char *s, enum policy_default *ret);
const char *policy_action_to_string(enum policy_action action);
int policy_action_from_string(const char *s, enum policy_action *ret);
const char *policy_severity_to_string(enum policy_severity severity);
int policy_severity_from_string(const char *s, enum policy_severity *ret);
const char *policy_rule_kind_to_string(enum policy_rule_kind kind); /* "exec.deny", ... */
/* The rule in one line: "file.deny /etc/shadow", "exec.default: deny", "kernel.mount: audit". Raw
 * bytes. Return: NULL without memory. */
char *policy_rule_to_text(const struct policy_rule *rule);
/* Lines of `kernel:` by their HT_KERNEL_* numbers. NULL, -EINVAL: unknown. */
const char *policy_kernel_to_string(uint32_t line);
int policy_kernel_from_string(const char *s, uint32_t *ret_line);
/* One bit -> its word ("read", ..., "map", "exec"; both map bits say "map"; "mount", ... of the
 * kernel lines); NULL if not one bit. */
const char *policy_op_to_string(uint32_t op);
int policy_op_from_string(const char *s, uint32_t *ret_bits);

/* Parse text (len bytes, need not be terminated) that came from `path`.
 * Return: 0, *ret_file is a new reference; POLICY_E_INVALID, diags tells all errors of the file;
 * -ENOMEM. Warnings may be added either way. */
#define POLICY_E_INVALID 1
int policy_parse(const char *path, const void *text, size_t len, struct diag_list *diags,
		 struct policy_file **ret_file);

/* ---- rules ---- */

/* All rules, then the switches that were written and the lines of `kernel:`: index from 0.
 * Return: NULL behind the last one. */
const struct policy_rule *policy_rule_at(const struct policy *policy, size_t index);
/* Return: NULL if the policy has no rule of that id. */
const struct policy_rule *policy_rule_find(const struct policy *policy, uint64_t id);

enum policy_rule_state {
	POLICY_RULE_IN_FORCE,
	POLICY_RULE_STAGED,  /* refuses nothing yet: would-deny */
	POLICY_RULE_EXPIRED, /* as if it were not written */
};

/* now: seconds since 1970. */
enum policy_rule_state policy_rule_state(const struct policy_rule *rule, int64_t now);
/* The next moment at which the state of any rule changes. Return: 0 if none ever does. */
int64_t policy_changes_at(const struct policy *policy, int64_t now);

/* What is known of a container; NULL: unknown, which no pattern matches. */
struct policy_container {
	const char *runtime;
	const char *name;
	const char *image;
	const struct policy_label *labels;
	size_t n_labels;
	bool labels_unknown; /* beyond those: there may be more */
};

/* Does it fit? What is not known of a container neither fits nor fails to. */
enum policy_fit {
	POLICY_FIT_NO,
	POLICY_FIT_UNKNOWN,
	POLICY_FIT_YES,
};

/* Is `container:` given in the entry? */
bool policy_match_has_container(const struct policy_match *match);
/* Does the container fit what the entry says of it? An entry without `container:` fits every one.
 */
bool policy_match_container(const struct policy_match *match,
			    const struct policy_container *container);
/* The same, with what nobody can tell kept apart: UNKNOWN if everything known fits. */
enum policy_fit policy_match_container_fit(const struct policy_match *match,
					   const struct policy_container *container);

/* podman and CRI-O run a monitor beside each container, in a cgroup called much like the container's. It executes the runtime, so
 * whoever writes libpod-*.scope does not mean it. */
#define POLICY_MONITORS 2U
extern const char *const policy_monitors[POLICY_MONITORS]; /* patterns of one component */
bool policy_name_is_monitor(const char *name, size_t len);
/* Does the entry leave monitors alone: is the last name that it asks for a pattern that does not say "-conmon-"? */
bool policy_match_spares_monitors(const struct policy_match *match);

struct policy_file *policy_file_ref(struct policy_file *file);
struct policy_file *policy_file_unref(struct policy_file *file); /* NULL is fine; returns NULL */

/* ---- drop-in directories ---- */

/* A file as it stands in the directories after precedence and masking. */
struct policy_source {
	char *path; /* directory + name */
	char *name;
	struct policy_file
		*file; /* the version in force: this one, or the last good; NULL: never good */
	bool stale; /* the file is broken now: its last good version, or the mask it was, stays */
	bool masked;
};

/* The whole set, in lexical order of names. */
struct policy_set {
	struct policy_source *sources;
	size_t n_sources;
	struct diag_list diags;
};

/* Read every *.yaml and *.yml of `dirs` (highest precedence first: the same file name in an earlier
 * directory overrides; a symlink to /dev/null masks). Files and their directories must be owned by
 * root (or by the effective user when not run by root) and not be writable by others; no symlinks;
 * opened with openat2(RESOLVE_NO_SYMLINKS) semantics and checked on the open descriptor.
 * A name used by two policies is an error of the later file. A file that fails keeps its last good
 * version from `previous` (may be NULL), stale. A missing directory is fine.
 * Return: 0 with *ret_set (check ->diags.n_errors and stale), -ENOMEM, other negative errno. */
int policy_set_load(const char *const *dirs, size_t n_dirs, const struct policy_set *previous,
		    struct policy_set **ret_set);
struct policy_set *policy_set_free(struct policy_set *set); /* NULL is fine; returns NULL */
