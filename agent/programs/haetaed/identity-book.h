/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Which objects were found under the paths of rules, in which cgroup. What was found stays, though the path may lead to
 * another object later or to none: whoever renamed it did not take the rule off it.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "compile/image.h"
#include "kernel/kernel.h"

/* Objects that are remembered of one path in one cgroup: the one that was found first, and the last ones. */
#define IDENTITY_BOOK_KNOWN_MAX 8U

struct book_cgroup;

struct identity_book {
	struct book_cgroup *by_id;
	bool changed; /* since it was kept last */
};

/* Bindings for the kernel. */
struct identity_list {
	struct kernel_identity *items; /* owned */
	size_t n;
	size_t size;
};

void identity_list_deinit(struct identity_list *list);

/* A cgroup is there and has these profiles. Return: 0, -ENOMEM. */
int identity_book_see(struct identity_book *book, uint64_t cgroup,
		      const uint32_t profiles[HT_PROFILES_MAX]);
/* An object was found. *add: what is new for the kernel, *remove: what gives way to it; both are added to.
 * Return: 0 (also if it was known, or the cgroup is not in the book), -ENOMEM. */
int identity_book_add(struct identity_book *book, const struct image *image, const char *path,
		      const struct ht_identity *identity, struct identity_list *add,
		      struct identity_list *remove);
/* Everything that is known and that the image names. Return: 0, -ENOMEM. */
int identity_book_bind(const struct identity_book *book, const struct image *image,
		       struct identity_list *add);
/* A cgroup is gone. *remove: what the kernel has of it. Return: 0, -ENOMEM (it is gone from the book all the same). */
int identity_book_release(struct identity_book *book, const struct image *image, uint64_t cgroup,
			  struct identity_list *remove);
/* Begin a round of identity_book_see(); at its end release what was not seen in it. Return: as above. */
void identity_book_round(struct identity_book *book);
int identity_book_sweep(struct identity_book *book, const struct image *image,
			struct identity_list *remove);
/* Forget paths that the image does not name. */
void identity_book_prune(struct identity_book *book, const struct image *image);
/* Call `each` for all that is known. Return: 0, or each's first non-zero result. */
int identity_book_each(const struct identity_book *book,
		       int (*each)(const char *path, const struct ht_identity *identity,
				   void *userdata),
		       void *userdata);
size_t identity_book_count(const struct identity_book *book);
void identity_book_deinit(struct identity_book *book);

/* ---- identity-keep.c: the book over a restart of the agent ----
 * An object that was moved away is not found by its path again. The file lies in the runtime directory, which does not
 * outlive the boot; ids of cgroups do not come twice in a boot. */

/* Write the book, if it changed. Return: 0, -errno. */
int identity_book_keep(struct identity_book *book, const char *path);
/* Read what a former agent kept, into an empty book. Its cgroups have no profiles yet: what identity_book_see() does not
 * give some goes with the next sweep. Return: 0; -ENOENT; -EBADMSG not such a file, and the book is empty; other
 * negative errno. */
int identity_book_recall(struct identity_book *book, const char *path);
