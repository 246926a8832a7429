/* SPDX-License-Identifier: Apache-2.0 */

#include "programs/haetaed/spellings.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "compile/spelling.h"
#include "siphash.h"
#include "util/cleanup.h"
#include "util/strbuf.h"

/* Not a secret: names of profiles must be the same after a restart, as their ids go by them. */
static const struct ht_hash_key name_key = {
	.k0 = 0x7073206561746568ULL, /* "hetae sp" */
	.k1 = 0x676e696c6c65ULL,     /* "elling" */
};

static void spelled_free(struct spelled *one)
{
	free(one->cgroup_path);
	free(one->policy);
	free(one->from);
	free(one->to);
}

void spellings_deinit(struct spellings *s)
{
	for (size_t i = 0; i < s->n; i++)
		spelled_free(&s->items[i]);
	free(s->items);
	*s = (struct spellings){};
}

static int spelled_compare(const struct spelled *a, const struct spelled *b)
{
	int r;

	if (a->cgroup != b->cgroup)
		return a->cgroup < b->cgroup ? -1 : 1;
	r = strcmp(a->policy, b->policy);
	if (r == 0)
		r = strcmp(a->from, b->from);
	return r != 0 ? r : strcmp(a->to, b->to);
}

static bool same_directory(const struct spelled *a, const struct spelled *b)
{
	return a->cgroup == b->cgroup && strcmp(a->policy, b->policy) == 0 && strcmp(a->from, b->from) == 0;
}

/* Takes what `one` holds. */
static int insert(struct spellings *s, size_t at, const struct spelled *one)
{
	if (s->n == s->size) {
		size_t size = s->size ? 2 * s->size : 16;
		struct spelled *grown = reallocarray(s->items, size, sizeof(*grown));

		if (!grown)
			return -ENOMEM;
		s->items = grown;
		s->size = size;
	}
	memmove(s->items + at + 1, s->items + at, (s->n - at) * sizeof(*s->items));
	s->items[at] = *one;
	s->n++;
	s->changed = true;
	return 0;
}

/* Where it is, or belongs. */
static size_t place_of(const struct spellings *s, const struct spelled *one)
{
	size_t low = 0, high = s->n;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (spelled_compare(&s->items[middle], one) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

static size_t places_of_directory(const struct spellings *s, const struct spelled *one, size_t at)
{
	size_t n = 0;

	for (size_t i = at; i < s->n && same_directory(&s->items[i], one); i++)
		n++;
	for (size_t i = at; i-- > 0 && same_directory(&s->items[i], one);)
		n++;
	return n;
}

int spellings_add(struct spellings *s, uint64_t cgroup, const char *cgroup_path, const char *policy,
		  const char *from, const char *to)
{
	struct spelled one = {.cgroup = cgroup, .seen = true};
	size_t at;
	int r = -ENOMEM;

	if (strcmp(from, to) == 0 || !spelling_is_valid(to))
		return 0;
	one.cgroup_path = strdup(cgroup_path);
	one.policy = strndup(policy, strcspn(policy, (const char[]){IMAGE_VARIANT_MARK, '\0'}));
	one.from = strdup(from);
	one.to = strdup(to);
	if (one.cgroup_path && one.policy && one.from && one.to) {
		at = place_of(s, &one);
		if (at < s->n && spelled_compare(&s->items[at], &one) == 0)
			r = 1; /* known */
		else if (places_of_directory(s, &one, at) >= SPELLINGS_PLACES_MAX)
			r = -ENOSPC;
		else
			r = insert(s, at, &one);
	}
	if (r != 0)
		spelled_free(&one);
	return r > 0 ? 0 : r;
}

void spellings_round(struct spellings *s)
{
	for (size_t i = 0; i < s->n; i++)
		s->items[i].seen = false;
}

void spellings_see(struct spellings *s, uint64_t cgroup)
{
	for (size_t i = 0; i < s->n; i++)
		s->items[i].seen |= s->items[i].cgroup == cgroup;
}

/* Profiles that nobody needs any more go with the next publish. */
void spellings_sweep(struct spellings *s)
{
	size_t kept = 0;

	for (size_t i = 0; i < s->n; i++) {
		if (s->items[i].seen)
			s->items[kept++] = s->items[i];
		else
			spelled_free(&s->items[i]);
	}
	s->n = kept;
}

void spellings_release(struct spellings *s, uint64_t cgroup)
{
	for (size_t i = 0; i < s->n; i++)
		s->items[i].seen = s->items[i].cgroup != cgroup;
	spellings_sweep(s);
}

/* ---- groups: what was found for one policy in one container ---- */

static size_t group_end(const struct spellings *s, size_t first)
{
	size_t end = first + 1;

	while (end < s->n && s->items[end].cgroup == s->items[first].cgroup &&
	       strcmp(s->items[end].policy, s->items[first].policy) == 0)
		end++;
	return end;
}

/* "web#0123456789abcdef": the same for the same links, whatever the container. Return: NULL without memory. */
static char *group_name(const struct spellings *s, size_t first, size_t end)
{
	_cleanup_strbuf_ struct strbuf b = {};
	const char *policy = s->items[first].policy;
	char *name;

	strbuf_append(&b, policy, strlen(policy) + 1);
	for (size_t i = first; i < end; i++) {
		strbuf_append(&b, s->items[i].from, strlen(s->items[i].from) + 1);
		strbuf_append(&b, s->items[i].to, strlen(s->items[i].to) + 1);
	}
	if (strbuf_error(&b) < 0 ||
	    asprintf(&name, "%.*s%c%016llx", (int)(HT_POLICY_NAME_MAX - 17U), policy, IMAGE_VARIANT_MARK,
		     (unsigned long long)ht_hash_name(&name_key, b.data, b.len)) < 0)
		return NULL;
	return name;
}

void spelled_policies_deinit(struct spelled_policies *policies)
{
	for (size_t i = 0; i < policies->n; i++)
		(void)policy_respelled_free(policies->items[i]);
	free(policies->items);
	*policies = (struct spelled_policies){};
}

static bool made_has(const struct spelled_policies *made, const char *name)
{
	for (size_t i = 0; i < made->n; i++)
		if (strcmp(made->items[i]->name, name) == 0)
			return true;
	return false;
}

static const struct policy *policy_by_name(const struct policy *const *policies, size_t n, const char *name)
{
	for (size_t i = 0; i < n; i++)
		if (strcmp(policies[i]->name, name) == 0)
			return policies[i];
	return NULL;
}

static int make(const struct spellings *s, size_t first, size_t end, const struct policy *policy,
		struct spelled_policies *made)
{
	_cleanup_free_ struct spelling *list = calloc(end - first, sizeof(*list));
	_cleanup_free_ char *name = group_name(s, first, end);
	struct policy **grown;
	int r;

	if (!list || !name)
		return -ENOMEM;
	if (made_has(made, name))
		return 0;
	for (size_t i = first; i < end; i++)
		list[i - first] = (struct spelling){.from = s->items[i].from, .to = s->items[i].to};
	grown = reallocarray(made->items, made->n + 1, sizeof(*grown));
	if (!grown)
		return -ENOMEM;
	made->items = grown;
	r = policy_respell(policy, name, list, end - first, &grown[made->n]);
	if (r >= 0 && grown[made->n])
		made->n++;
	return r;
}

int spellings_policies(const struct spellings *s, const struct policy *const *policies, size_t n,
		       struct spelled_policies *ret)
{
	int r = 0;

	for (size_t i = 0, end; r >= 0 && i < s->n; i = end) {
		const struct policy *policy = policy_by_name(policies, n, s->items[i].policy);

		end = group_end(s, i);
		if (policy)
			r = make(s, i, end, policy, ret);
	}
	return r;
}

size_t spelled_policies_bound(struct spelled_policies *policies, const struct image_names *names, uint32_t max)
{
	uint32_t last = image_names_last_profile(names);
	size_t kept = 0, n = policies->n;

	for (size_t i = 0; i < n; i++) {
		struct policy *policy = policies->items[i];
		bool known = image_names_has_profile(names, policy->name);

		if (known || last < max)
			policies->items[kept++] = policy;
		else
			(void)policy_respelled_free(policy);
		last += !known;
	}
	policies->n = kept;
	return n - kept;
}

/* Return: 0 (also if it was bound); -E2BIG; other negative errno. */
static int bind_one(struct image *image, const struct ht_hash_key *key, const char *cgroup, uint32_t id)
{
	uint32_t bound[HT_PROFILES_MAX];
	int n = image_match_cgroup(image, key, cgroup, bound);

	for (int i = 0; i < n && i < (int)HT_PROFILES_MAX; i++)
		if (bound[i] == id)
			return 0;
	if (n < 0)
		return n;
	return n < (int)HT_PROFILES_MAX ? image_bind(image, cgroup, &id, 1) : -E2BIG;
}

int spellings_bind(const struct spellings *s, const struct spelled_policies *made, struct image_names *names,
		   const struct ht_hash_key *key, struct image *image, size_t *no_room)
{
	for (size_t i = 0, end; i < s->n; i = end) {
		_cleanup_free_ char *name = NULL;
		uint32_t id;
		int r;

		end = group_end(s, i);
		name = group_name(s, i, end);
		if (!name)
			return -ENOMEM;
		if (!made_has(made, name))
			continue; /* its policy has gone, or no such rule any more */
		r = image_names_profile(names, name, &id);
		if (r >= 0)
			r = bind_one(image, key, s->items[i].cgroup_path, id);
		if (r < 0 && r != -E2BIG)
			return r;
		*no_room += r == -E2BIG;
	}
	return 0;
}
