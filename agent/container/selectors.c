/* SPDX-License-Identifier: Apache-2.0 */

/* {"haetae": 1, "selectors": [{"policy", "enforce", "runtime", "name", "image", "labels": {}}]}; what an entry does not
 * ask for is missing. */

#include "container/selectors.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "util/fd.h"
#include "util/replace.h"

#define SELECTORS_NAME "selectors"
#define SELECTORS_VERSION 1

void selectors_deinit(struct selectors *selectors)
{
	for (size_t i = 0; i < selectors->n; i++) {
		struct selector *s = &selectors->items[i];
		struct policy_container_match *m = &s->match.container;

		free(s->policy);
		free(m->runtime);
		free(m->name);
		free(m->image);
		for (size_t j = 0; j < m->n_labels; j++) {
			free(m->labels[j].key);
			free(m->labels[j].value);
		}
		free(m->labels);
	}
	free(selectors->items);
	*selectors = (struct selectors){};
}

static char *selectors_path(const char *runtime_dir)
{
	char *path;

	return asprintf(&path, "%s/" SELECTORS_NAME, runtime_dir) < 0 ? NULL : path;
}

/* ---- writing ---- */

static json_t *entry_to_json(const struct policy *policy, const struct policy_container_match *m)
{
	json_t *labels = m->n_labels > 0 ? json_object() : NULL;

	for (size_t i = 0; i < m->n_labels; i++)
		if (json_object_set_new(labels, m->labels[i].key, json_string(m->labels[i].value)) < 0) {
			json_decref(labels);
			return NULL;
		}
	return json_pack("{s:s, s:b, s:s*, s:s*, s:s*, s:o*}", "policy", policy->name, "enforce",
			 (int)(policy->mode == POLICY_MODE_ENFORCE), "runtime", m->runtime, "name", m->name, "image",
			 m->image, "labels", labels);
}

static int policy_add(json_t *list, const struct policy *policy)
{
	for (size_t i = 0; i < policy->n_matches; i++)
		if (policy_match_has_container(&policy->matches[i]) &&
		    json_array_append_new(list, entry_to_json(policy, &policy->matches[i].container)) < 0)
			return -ENOMEM;
	return 0;
}

int selectors_remove(const char *runtime_dir)
{
	_cleanup_free_ char *path = selectors_path(runtime_dir);

	if (!path)
		return -ENOMEM;
	return unlink(path) < 0 && errno != ENOENT ? -errno : 0;
}

int selectors_save(const char *runtime_dir, const struct policy *const *policies, size_t n)
{
	_cleanup_free_ char *path = selectors_path(runtime_dir);
	_cleanup_free_ char *text = NULL;
	json_auto_t *json = NULL;
	json_t *list = json_array();
	int r = path && list ? 0 : -ENOMEM;

	json = json_pack("{s:i, s:o}", "haetae", SELECTORS_VERSION, "selectors", list);
	for (size_t i = 0; r >= 0 && i < n; i++)
		r = policy_add(list, policies[i]);
	if (r < 0 || !json)
		return -ENOMEM;
	if (json_array_size(list) == 0)
		return selectors_remove(runtime_dir);
	text = json_dumps(json, JSON_COMPACT);
	if (!text)
		return -ENOMEM;
	/* for the hook of a container that some user starts, too */
	return strlen(text) > SELECTORS_MAX ? -E2BIG : file_replace(path, text, strlen(text), 0644);
}

/* ---- reading ---- */

/* Return: 0 (NULL: it is missing), -EPROTO, -ENOMEM. */
static int text_get(const json_t *json, const char *member, char **ret)
{
	const json_t *value = json_object_get(json, member);

	*ret = NULL;
	if (!value)
		return 0;
	if (!json_is_string(value))
		return -EPROTO;
	*ret = strdup(json_string_value(value));
	return *ret ? 0 : -ENOMEM;
}

static int labels_get(json_t *labels, struct policy_container_match *m)
{
	const char *key;
	json_t *value;

	if (!labels)
		return 0;
	m->labels = json_is_object(labels) ? calloc(json_object_size(labels) + 1, sizeof(*m->labels)) : NULL;
	if (!m->labels)
		return json_is_object(labels) ? -ENOMEM : -EPROTO;
	json_object_foreach(labels, key, value)
	{
		struct policy_label *label = &m->labels[m->n_labels];

		if (!json_is_string(value))
			return -EPROTO;
		m->n_labels++;
		label->key = strdup(key);
		label->value = strdup(json_string_value(value));
		if (!label->key || !label->value)
			return -ENOMEM;
	}
	return 0;
}

static int entry_get(json_t *json, struct selector *s)
{
	struct policy_container_match *m = &s->match.container;
	const json_t *enforce = json_object_get(json, "enforce");
	int r = json_is_boolean(enforce) ? 0 : -EPROTO;

	s->enforce = json_is_true(enforce);
	if (r >= 0)
		r = text_get(json, "policy", &s->policy);
	if (r >= 0)
		r = text_get(json, "runtime", &m->runtime);
	if (r >= 0)
		r = text_get(json, "name", &m->name);
	if (r >= 0)
		r = text_get(json, "image", &m->image);
	if (r >= 0)
		r = labels_get(json_object_get(json, "labels"), m);
	return r < 0 ? r : s->policy && policy_match_has_container(&s->match) ? 0 : -EPROTO;
}

int selectors_parse(const char *text, size_t len, struct selectors *ret)
{
	_cleanup_selectors_ struct selectors selectors = {};
	json_auto_t *json = json_loadb(text, len, JSON_REJECT_DUPLICATES, NULL);
	const json_t *list = json_object_get(json, "selectors");
	json_t *entry;
	size_t i;

	if (json_integer_value(json_object_get(json, "haetae")) != SELECTORS_VERSION || !json_is_array(list))
		return -EPROTO;
	selectors.items = calloc(json_array_size(list) + 1, sizeof(*selectors.items));
	if (!selectors.items)
		return -ENOMEM;
	json_array_foreach(list, i, entry)
	{
		int r = entry_get(entry, &selectors.items[selectors.n++]);

		if (r < 0)
			return r;
	}
	*ret = selectors;
	selectors = (struct selectors){};
	return 0;
}

int selectors_load(const char *runtime_dir, struct selectors *ret)
{
	_cleanup_free_ char *path = selectors_path(runtime_dir);
	_cleanup_free_ char *text = NULL;
	size_t len;
	int r;

	if (!path)
		return -ENOMEM;
	r = file_read_all(AT_FDCWD, path, SELECTORS_MAX, &text, &len);
	return r < 0 ? r : selectors_parse(text, len, ret);
}

const struct selector *selectors_find(const struct selectors *selectors, const struct container_facts *facts)
{
	const struct policy_container container = container_facts_view(facts);

	for (size_t i = 0; i < selectors->n; i++)
		if (selectors->items[i].enforce &&
		    policy_match_container_fit(&selectors->items[i].match, &container) != POLICY_FIT_NO)
			return &selectors->items[i];
	return NULL;
}
