/* SPDX-License-Identifier: Apache-2.0 */

/* Conditions on the subject, numbered (conditions.h). */

#include "compile/conditions.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "compile/array.h"

static int path_compare(const void *a, const void *b)
{
	const struct policy_path *x = *(const struct policy_path *const *)a,
				 *y = *(const struct policy_path *const *)b;
	int r = strcmp(x->text, y->text);

	return r ? r : (int)x->subtree - (int)y->subtree;
}

/* The list as one text, in an order of its own. */
static int serialize(struct conditions *c, const struct policy_path **paths, size_t n,
		     size_t *ret_len)
{
	size_t len = 0;

	for (size_t i = 0; i < n; i++) {
		size_t size = strlen(paths[i]->text) + 1;

		if (array_reserve(c->text, c->text_size, len + size + 1) < 0)
			return -ENOMEM;
		memcpy(c->text + len, paths[i]->text, size);
		len += size;
		c->text[len++] = paths[i]->subtree;
	}
	*ret_len = len;
	return 0;
}

static int number(struct intern *in, const void *data, size_t len, uint32_t *ret, bool *ret_new)
{
	int r = intern_put(in, data, len, ret);

	if (r < 0)
		return r;
	*ret_new = r == INTERN_NEW;
	return *ret < HT_CONDITIONS_MAX ? 0 : -EOVERFLOW;
}

int conditions_programs(struct conditions *c, const struct policy_unless *unless, uint32_t *ret,
			bool *ret_new)
{
	const struct policy_path **paths;
	size_t len = 0;
	int r;

	*ret = HT_COND_NONE;
	*ret_new = false;
	if (unless->n_exe == 0)
		return 0;
	paths = calloc(unless->n_exe, sizeof(*paths));
	if (!paths)
		return -ENOMEM;
	for (size_t i = 0; i < unless->n_exe; i++)
		paths[i] = &unless->exe[i];
	qsort(paths, unless->n_exe, sizeof(*paths), path_compare);
	r = serialize(c, paths, unless->n_exe, &len);
	free(paths);
	return r < 0 ? r : number(&c->programs, c->text, len, ret, ret_new);
}

static int uid_add(struct conditions *c, uint32_t uid, uint64_t bit)
{
	size_t low = 0, high = c->n_uids;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (c->uids[middle].uid < uid)
			low = middle + 1;
		else
			high = middle;
	}
	if (low == c->n_uids || c->uids[low].uid != uid) {
		if (array_reserve(c->uids, c->uids_size, c->n_uids + 1) < 0)
			return -ENOMEM;
		memmove(c->uids + low + 1, c->uids + low, (c->n_uids - low) * sizeof(*c->uids));
		c->uids[low] = (struct emit_uid){.uid = uid};
		c->n_uids++;
	}
	c->uids[low].mask |= bit;
	return 0;
}

int conditions_users(struct conditions *c, const struct policy_unless *unless, uint32_t *ret)
{
	bool new = false;
	int r;

	*ret = HT_COND_NONE;
	if (unless->n_uids == 0)
		return 0;
	r = number(&c->users, unless->uids, unless->n_uids * sizeof(*unless->uids), ret, &new);
	for (size_t i = 0; r == 0 && new &&i < unless->n_uids; i++)
		r = uid_add(c, unless->uids[i], 1ULL << *ret);
	return r;
}

void conditions_deinit(struct conditions *c)
{
	intern_deinit(&c->programs);
	intern_deinit(&c->users);
	free(c->uids);
	free(c->text);
	*c = (struct conditions){};
}
