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

enum policy_mode {
	POLICY_MODE_ENFORCE,
	POLICY_MODE_AUDIT,
	_POLICY_MODE_MAX,
};

enum policy_default {
	POLICY_DEFAULT_ALLOW,
	POLICY_DEFAULT_DENY,
	_POLICY_DEFAULT_MAX,
};

/* Rising order; the words of `severity:`. Default is HIGH for deny rules, LOW for defaults. */
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

struct policy_rule {
	uint64_t id; /* stable over reloads and restarts: hash of policy name, kind, path, ops and
			exceptions (not of the line: an edit elsewhere in the file keeps the id) */
	enum policy_rule_kind kind;
	struct policy_path path; /* text NULL for the two defaults */
	struct policy_path *except;
	size_t n_except;
	uint32_t ops; /* HT_OP_* this rule speaks of; exec rules: HT_OPS_EXEC; file rules without
			 `ops:` HT_OP_ALL for deny, HT_OPS_FILE for allow */
	enum policy_severity severity;
	char *message; /* NULL: none */
	struct policy_location location;
};

/* One entry of `match:`; set fields are ANDed, at least one is set. */
struct policy_match {
	struct policy_path cgroup; /* text NULL: not given. Pattern like a path; subtree allowed */
	char *unit; /* NULL: not given. Pattern of one component: a cgroup of that name
		       at any depth */
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
const char *policy_severity_to_string(enum policy_severity severity);
int policy_severity_from_string(const char *s, enum policy_severity *ret);
const char *policy_rule_kind_to_string(enum policy_rule_kind kind); /* "exec.deny", ... */
/* Lines of `kernel:` by their HT_KERNEL_* numbers. NULL, -EINVAL: unknown. */
const char *policy_kernel_to_string(uint32_t line);
int policy_kernel_from_string(const char *s, uint32_t *ret_line);
/* One bit -> its word ("read", ..., "map", "exec"; both map bits say "map"; "mount", ... of the kernel lines); NULL if
 * not one bit. */
const char *policy_op_to_string(uint32_t op);
int policy_op_from_string(const char *s, uint32_t *ret_bits);

/* Parse text (len bytes, need not be terminated) that came from `path`.
 * Return: 0, *ret_file is a new reference; POLICY_E_INVALID, diags tells all errors of the file;
 * -ENOMEM. Warnings may be added either way. */
#define POLICY_E_INVALID 1
int policy_parse(const char *path, const void *text, size_t len, struct diag_list *diags,
		 struct policy_file **ret_file);

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
