/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * A compiled policy set: plain bytes ready for the maps, no pointer into a policy.
 *
 * One profile per policy: a container selected by several policies carries several profiles and
 * each must let an operation pass, so "deny wins, allow-lists intersect, adding never widens" holds
 * by construction. The cgroup matcher is one more automaton of the same kind.
 */

#include <stddef.h>
#include <stdint.h>

#include "abi.h"
#include "policy/policy.h"
#include "siphash.h"

struct image_pair {
	struct ht_edge_key key;
	struct ht_entry entry;
};

struct image_glob {
	uint32_t id;
	struct ht_glob glob;
};

/* What the rules that name a literal path say of the object that is found there, under whatever name it is reached. */
struct image_identity {
	char *path;
	struct ht_entry entry; /* for an IDENTITY pair */
};

/* Between a policy's name and a hash, in the names of profiles that are the policy's for some containers only (disarm.h,
 * spelling.h). No policy has it in its name. */
#define IMAGE_VARIANT_MARK '#'

/* One automaton: the content of one inner map. */
struct image_profile {
	uint32_t id;  /* 0: the cgroup matcher; others given by the caller, never reused for
			 another policy name in one boot */
	char *policy; /* name, NULL for the matcher */
	struct image_pair *pairs;
	size_t n_pairs;
	uint64_t digest; /* of the content: equal digests need no publish */
	struct image_identity *identities; /* by path; for the agent to resolve in each container */
	size_t n_identities;
	char **directories; /* that its rules lie in (spelling.h); for the agent to see which are links */
	size_t n_directories;
};

/* One cgroup, bound by what its runtime says of it: no pattern could. */
struct image_binding {
	char *cgroup; /* as the kernel's hierarchy has it */
	uint32_t ids[HT_PROFILES_MAX];
	uint32_t n;
};

struct image {
	struct image_profile matcher;
	struct image_profile *profiles; /* order of the policy set */
	size_t n_profiles;
	struct image_glob *globs; /* interned over all automata */
	size_t n_globs;
	struct image_binding *bindings; /* by rising path; added by image_bind() */
	size_t n_bindings;
	int64_t changes_at; /* when a rule comes into force or goes: compile again then. 0: never */
};

/* Names <-> ids that outlive one image (owned by the caller, kept over reloads; on restart seeded
 * from the kernel). Ids start at 1 and grow. */
struct image_names;
struct image_names *image_names_new(void);
struct image_names *image_names_free(struct image_names *names);
/* Id of a policy name. Return: 0; -ENOMEM; -EOVERFLOW if ids are used up. A new name gets an id
 * above all ids so far. */
int image_names_profile(struct image_names *names, const char *policy, uint32_t *ret_id);
/* Has the name an id? */
bool image_names_has_profile(const struct image_names *names, const char *policy);
/* The greatest id of a policy name so far; 0: there is none. */
uint32_t image_names_last_profile(const struct image_names *names);
/* Id of a wildcard text. Return: as above. */
int image_names_glob(struct image_names *names, const void *text, size_t len, uint32_t *ret_id);
/* Make a name known under an id that the kernel already uses. Return: 0 (also if it is known under
 * that id); -EEXIST: the name has another id, or the id another name; -EINVAL: id 0; -ENOMEM. */
int image_names_seed_profile(struct image_names *names, const char *policy, uint32_t id);
int image_names_seed_glob(struct image_names *names, const void *text, size_t len, uint32_t id);

/* Limits beyond which a policy is refused with a diagnostic, chosen so that the largest profile
 * stays below 64 MiB of kernel memory and compiles in seconds. A literal rule costs one pair for
 * its name and one for its rule; N units selected by name cost N * N. */
#define IMAGE_STATES_MAX 400000U
#define IMAGE_PAIRS_MAX 655360U /* an entry of a hash map costs about 100 bytes there */
#define IMAGE_MASKS_MAX 1024U	/* satisfiable wildcard combinations of one state */

/* Compile every policy of the set that is in force. key: the secret of the edge hash. now: seconds
 * since 1970, for rules that are staged or expire.
 * Return: 0; IMAGE_E_INVALID with diagnostics (file, line) for what cannot be compiled as written,
 * nothing is returned then (ids given to new names stay given); -ENOMEM; -EOVERFLOW.
 * The same policies under the same ids and key give the same bytes. Pairs are sorted by state, kind
 * and name, globs by id. Besides limits it refuses a policy name used twice, and a match
 * entry that no cgroup can satisfy. */
#define IMAGE_E_INVALID 1
int image_compile(const struct policy *const *policies, size_t n_policies,
		  struct image_names *names, const struct ht_hash_key *key, int64_t now,
		  struct diag_list *diags, struct image **ret_image);
struct image *image_free(struct image *image); /* NULL is fine; returns NULL */

/* Lines of `kernel:` that the profile refuses, would refuse or records, as 1 << HT_KERNEL_*. */
uint32_t image_profile_lines(const struct image_profile *profile);
/* NULL: no rule of the profile binds what is found under this path. */
const struct image_identity *image_identity_find(const struct image_profile *profile,
						 const char *path);
/* Bind a cgroup, by its exact path, to profiles besides those that its path selects. What is bound stays bound.
 * Return: 0; -E2BIG more than HT_PROFILES_MAX; -ENOMEM. */
int image_bind(struct image *image, const char *cgroup, const uint32_t *ids, size_t n);
/* NULL: the path has none. */
struct image_binding *image_binding_find(const struct image *image, const char *cgroup);

/* Profiles bound to a cgroup by its own path (not its ancestors'). At most HT_PROFILES_MAX ids.
 * Return: number of ids, which can be larger than HT_PROFILES_MAX (then only so many are stored);
 * -EINVAL if the image is damaged. */
int image_match_cgroup(const struct image *image, const struct ht_hash_key *key, const char *path,
		       uint32_t ids[HT_PROFILES_MAX]);
