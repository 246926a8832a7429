/* SPDX-License-Identifier: Apache-2.0 */

#include "programs/haetaed/identity-book.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <uthash.h>

#include "util/cleanup.h"

struct book_path {
	char *path;
	struct ht_identity known[IDENTITY_BOOK_KNOWN_MAX]; /* as they were found */
	unsigned n;
	UT_hash_handle hh;
};

struct book_cgroup {
	uint64_t id;
	uint32_t profiles[HT_PROFILES_MAX];
	struct book_path *paths;
	bool seen;
	UT_hash_handle hh;
};

static struct book_cgroup *cgroup_find(const struct identity_book *book, uint64_t id)
{
	struct book_cgroup *c = NULL;

	HASH_FIND(hh, book->by_id, &id, sizeof(id), c);
	return c;
}

static void path_free(struct book_path *p)
{
	free(p->path);
	free(p);
}

static void cgroup_free(struct book_cgroup *c)
{
	struct book_path *p, *next;

	HASH_ITER(hh, c->paths, p, next)
	{
		HASH_DEL(c->paths, p);
		path_free(p);
	}
	free(c);
}

void identity_list_deinit(struct identity_list *list)
{
	free(list->items);
	*list = (struct identity_list){};
}

static int list_push(struct identity_list *list, const struct kernel_identity *item)
{
	if (list->n == list->size) {
		size_t size = list->size ? 2 * list->size : 64;
		struct kernel_identity *items = reallocarray(list->items, size, sizeof(*items));

		if (!items)
			return -ENOMEM;
		list->items = items;
		list->size = size;
	}
	list->items[list->n++] = *item;
	return 0;
}

static const struct image_profile *profile_by_id(const struct image *image, uint32_t id)
{
	for (size_t i = 0; i < image->n_profiles; i++)
		if (image->profiles[i].id == id)
			return &image->profiles[i];
	return NULL;
}

/* One object, for each profile of the cgroup that names the path. */
static int object_list(const struct book_cgroup *c, const struct image *image, const char *path,
		       const struct ht_identity *identity, struct identity_list *list)
{
	for (unsigned i = 0; i < HT_PROFILES_MAX && c->profiles[i]; i++) {
		const struct image_profile *profile = profile_by_id(image, c->profiles[i]);
		const struct image_identity *named =
			profile ? image_identity_find(profile, path) : NULL;
		int r;

		if (!named)
			continue;
		r = list_push(list, &(struct kernel_identity){ .identity = *identity,
							       .profile = profile->id,
							       .entry = named->entry });
		if (r < 0)
			return r;
	}
	return 0;
}

int identity_book_see(struct identity_book *book, uint64_t cgroup,
		      const uint32_t profiles[HT_PROFILES_MAX])
{
	struct book_cgroup *c = cgroup_find(book, cgroup);

	if (!c) {
		c = calloc(1, sizeof(*c));
		if (!c)
			return -ENOMEM;
		c->id = cgroup;
		HASH_ADD(hh, book->by_id, id, sizeof(c->id), c);
	}
	memcpy(c->profiles, profiles, sizeof(c->profiles));
	c->seen = true;
	return 0;
}

static struct book_path *path_get(struct book_cgroup *c, const char *path)
{
	struct book_path *p = NULL;

	HASH_FIND_STR(c->paths, path, p);
	if (p)
		return p;
	p = calloc(1, sizeof(*p));
	if (!p)
		return NULL;
	p->path = strdup(path);
	if (!p->path) {
		free(p);
		return NULL;
	}
	HASH_ADD_KEYPTR(hh, c->paths, p->path, strlen(p->path), p);
	return p;
}

/* Does another path of the cgroup lead to the object as well? */
static bool cgroup_knows(const struct book_cgroup *c, const struct ht_identity *identity)
{
	for (const struct book_path *p = c->paths; p; p = p->hh.next)
		for (unsigned i = 0; i < p->n; i++)
			if (memcmp(&p->known[i], identity, sizeof(*identity)) == 0)
				return true;
	return false;
}

/* Room for one more. The first stays: replacing a file again and again does not set free what the rule was written for. */
static int path_give_way(struct book_cgroup *c, struct book_path *p, const struct image *image,
			 struct identity_list *remove)
{
	struct ht_identity oldest = p->known[1];

	if (p->n < IDENTITY_BOOK_KNOWN_MAX)
		return 0;
	p->n--;
	memmove(p->known + 1, p->known + 2, (size_t)(p->n - 1) * sizeof(*p->known));
	return cgroup_knows(c, &oldest) ? 0 : object_list(c, image, p->path, &oldest, remove);
}

int identity_book_add(struct identity_book *book, const struct image *image, const char *path,
		      const struct ht_identity *identity, struct identity_list *add,
		      struct identity_list *remove)
{
	struct book_cgroup *c = cgroup_find(book, identity->cgroup);
	struct book_path *p;
	int r;

	if (!c)
		return 0; /* it went away meanwhile */
	p = path_get(c, path);
	if (!p)
		return -ENOMEM;
	for (unsigned i = 0; i < p->n; i++)
		if (memcmp(&p->known[i], identity, sizeof(*identity)) == 0)
			return 0;
	r = path_give_way(c, p, image, remove);
	if (r < 0)
		return r;
	p->known[p->n++] = *identity;
	book->changed = true;
	return object_list(c, image, path, identity, add);
}

/* Everything of one cgroup. */
static int cgroup_list(const struct book_cgroup *c, const struct image *image,
		       struct identity_list *list)
{
	for (const struct book_path *p = c->paths; p; p = p->hh.next)
		for (unsigned i = 0; i < p->n; i++) {
			int r = object_list(c, image, p->path, &p->known[i], list);

			if (r < 0)
				return r;
		}
	return 0;
}

int identity_book_bind(const struct identity_book *book, const struct image *image,
		       struct identity_list *add)
{
	for (const struct book_cgroup *c = book->by_id; c; c = c->hh.next) {
		int r = cgroup_list(c, image, add);

		if (r < 0)
			return r;
	}
	return 0;
}

static int cgroup_release(struct identity_book *book, struct book_cgroup *c,
			  const struct image *image, struct identity_list *remove)
{
	int r = cgroup_list(c, image, remove);

	HASH_DEL(book->by_id, c);
	cgroup_free(c);
	book->changed = true;
	return r;
}

int identity_book_release(struct identity_book *book, const struct image *image, uint64_t cgroup,
			  struct identity_list *remove)
{
	struct book_cgroup *c = cgroup_find(book, cgroup);

	return c ? cgroup_release(book, c, image, remove) : 0;
}

void identity_book_round(struct identity_book *book)
{
	for (struct book_cgroup *c = book->by_id; c; c = c->hh.next)
		c->seen = false;
}

int identity_book_sweep(struct identity_book *book, const struct image *image,
			struct identity_list *remove)
{
	struct book_cgroup *c, *next;
	int worst = 0;

	HASH_ITER(hh, book->by_id, c, next)
	{
		int r = c->seen ? 0 : cgroup_release(book, c, image, remove);

		if (r < 0)
			worst = r;
	}
	return worst;
}

static bool image_names(const struct book_cgroup *c, const struct image *image, const char *path)
{
	for (unsigned i = 0; i < HT_PROFILES_MAX && c->profiles[i]; i++) {
		const struct image_profile *profile = profile_by_id(image, c->profiles[i]);

		if (profile && image_identity_find(profile, path))
			return true;
	}
	return false;
}

void identity_book_prune(struct identity_book *book, const struct image *image)
{
	for (struct book_cgroup *c = book->by_id; c; c = c->hh.next) {
		struct book_path *p, *next;

		HASH_ITER(hh, c->paths, p, next)
		{
			if (image_names(c, image, p->path))
				continue;
			HASH_DEL(c->paths, p);
			path_free(p);
			book->changed = true;
		}
	}
}

int identity_book_each(const struct identity_book *book,
		       int (*each)(const char *path, const struct ht_identity *identity,
				   void *userdata),
		       void *userdata)
{
	for (const struct book_cgroup *c = book->by_id; c; c = c->hh.next)
		for (const struct book_path *p = c->paths; p; p = p->hh.next)
			for (unsigned i = 0; i < p->n; i++) {
				int r = each(p->path, &p->known[i], userdata);

				if (r != 0)
					return r;
			}
	return 0;
}

size_t identity_book_count(const struct identity_book *book)
{
	size_t n = 0;

	for (const struct book_cgroup *c = book->by_id; c; c = c->hh.next)
		for (const struct book_path *p = c->paths; p; p = p->hh.next)
			n += p->n;
	return n;
}

void identity_book_deinit(struct identity_book *book)
{
	struct book_cgroup *c, *next;

	HASH_ITER(hh, book->by_id, c, next)
	{
		HASH_DEL(book->by_id, c);
		cgroup_free(c);
	}
}
