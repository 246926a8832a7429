/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Names <-> ids that outlive one image. Owned by the agent, one object for its whole life; ids are
 * never taken back, because labels and maps in the kernel may still speak of them.
 */

#include "compile/image.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "compile/array.h"
#include "compile/intern.h"

/* One direction is text -> index -> id, the other id -> exists. */
struct names_space {
	struct intern texts;
	uint32_t *ids; /* by number of the text */
	size_t ids_size;
	struct intern used; /* ids as four bytes */
	uint32_t last;	    /* greatest id so far */
};

struct image_names {
	struct names_space profiles;
	struct names_space globs;
};

struct image_names *image_names_new(void)
{
	return calloc(1, sizeof(struct image_names));
}

static void names_space_deinit(struct names_space *s)
{
	intern_deinit(&s->texts);
	intern_deinit(&s->used);
	free(s->ids);
}

struct image_names *image_names_free(struct image_names *names)
{
	if (!names)
		return NULL;
	names_space_deinit(&names->profiles);
	names_space_deinit(&names->globs);
	free(names);
	return NULL;
}

/* Room first, so that a text never stays behind without its id. */
static int names_space_add(struct names_space *s, const void *text, size_t len, uint32_t id)
{
	uint32_t index, mark;
	int r;

	r = array_reserve(s->ids, s->ids_size, (size_t)s->texts.n + 1);
	if (r < 0)
		return r;
	r = intern_put(&s->used, &id, sizeof(id), &mark);
	if (r < 0)
		return r;
	r = intern_put(&s->texts, text, len, &index);
	if (r < 0)
		return r;
	s->ids[index] = id;
	if (id > s->last)
		s->last = id;
	return 0;
}

static int names_space_get(struct names_space *s, const void *text, size_t len, uint32_t *ret_id)
{
	uint32_t index, id;
	int r;

	if (intern_find(&s->texts, text, len, &index) == 0) {
		*ret_id = s->ids[index];
		return 0;
	}
	if (s->last == UINT32_MAX)
		return -EOVERFLOW;
	id = s->last + 1;
	r = names_space_add(s, text, len, id);
	if (r < 0)
		return r;
	*ret_id = id;
	return 0;
}

static int names_space_seed(struct names_space *s, const void *text, size_t len, uint32_t id)
{
	uint32_t index;

	if (id == 0)
		return -EINVAL;
	if (intern_find(&s->texts, text, len, &index) == 0)
		return s->ids[index] == id ? 0 : -EEXIST;
	if (intern_find(&s->used, &id, sizeof(id), &index) == 0)
		return -EEXIST;
	return names_space_add(s, text, len, id);
}

int image_names_profile(struct image_names *names, const char *policy, uint32_t *ret_id)
{
	return names_space_get(&names->profiles, policy, strlen(policy), ret_id);
}

bool image_names_has_profile(const struct image_names *names, const char *policy)
{
	uint32_t index;

	return intern_find(&names->profiles.texts, policy, strlen(policy), &index) == 0;
}

uint32_t image_names_last_profile(const struct image_names *names)
{
	return names->profiles.last;
}

int image_names_glob(struct image_names *names, const void *text, size_t len, uint32_t *ret_id)
{
	return names_space_get(&names->globs, text, len, ret_id);
}

int image_names_seed_profile(struct image_names *names, const char *policy, uint32_t id)
{
	return names_space_seed(&names->profiles, policy, strlen(policy), id);
}

int image_names_seed_glob(struct image_names *names, const void *text, size_t len, uint32_t id)
{
	return names_space_seed(&names->globs, text, len, id);
}
