/* SPDX-License-Identifier: Apache-2.0 */

/* Facts as values: bounds, and their form in JSON. */

#include "container/facts.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

void container_facts_deinit(struct container_facts *facts)
{
	free(facts->runtime);
	free(facts->id);
	free(facts->name);
	free(facts->image);
	for (size_t i = 0; i < facts->n_labels; i++) {
		free(facts->labels[i].key);
		free(facts->labels[i].value);
	}
	free(facts->labels);
	*facts = (struct container_facts){};
}

struct policy_container container_facts_view(const struct container_facts *facts)
{
	return (struct policy_container){
		.runtime = facts->runtime,
		.name = facts->name,
		.image = facts->image,
		.labels = facts->labels,
		.n_labels = facts->n_labels,
		.labels_unknown = !facts->labels_known,
	};
}

static bool text_differs(const char *was, const char *is)
{
	return was && (!is || strcmp(was, is) != 0);
}

static bool has_label(const struct container_facts *facts, const struct policy_label *label)
{
	for (size_t i = 0; i < facts->n_labels; i++)
		if (strcmp(facts->labels[i].key, label->key) == 0)
			return strcmp(facts->labels[i].value, label->value) == 0;
	return false;
}

bool container_facts_contradict(const struct container_facts *was, const struct container_facts *is)
{
	if (text_differs(was->runtime, is->runtime) || text_differs(was->id, is->id) ||
	    text_differs(was->name, is->name) || text_differs(was->image, is->image))
		return true;
	if (was->labels_known && (!is->labels_known || was->n_labels != is->n_labels))
		return true;
	for (size_t i = 0; i < was->n_labels; i++)
		if (!has_label(is, &was->labels[i]))
			return true;
	return false;
}

bool container_id_is_valid(const char *id)
{
	static const char allowed[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.+-";
	size_t len = strlen(id);

	return len > 0 && len <= 255 && strspn(id, allowed) == len && strcmp(id, ".") != 0 &&
	       strcmp(id, "..") != 0;
}

static json_t *labels_to_json(const struct container_facts *facts)
{
	json_t *labels = json_object();

	if (!facts->labels_known && facts->n_labels == 0) {
		json_decref(labels);
		return json_null();
	}
	for (size_t i = 0; i < facts->n_labels; i++)
		(void)json_object_set_new(labels, facts->labels[i].key, json_string(facts->labels[i].value));
	return labels;
}

json_t *container_facts_to_json(const struct container_facts *facts)
{
	/* all of it came out of JSON, so it is UTF-8 */
	return json_pack("{s:s, s:s, s:s?, s:s?, s:o, s:b}", "runtime", facts->runtime, "id", facts->id, "name",
			 facts->name, "image", facts->image, "labels", labels_to_json(facts), "labels_known",
			 (int)facts->labels_known);
}

/* A text, or null. Return: 0, -EPROTO, -ENOMEM. */
static int text_from_json(const json_t *json, const char *member, size_t *left, char **ret)
{
	const json_t *value = json_object_get(json, member);
	size_t len;

	*ret = NULL;
	if (!value || json_is_null(value))
		return 0;
	len = json_string_length(value);
	if (!json_is_string(value) || len > FACTS_TEXT_MAX || len > *left)
		return -EPROTO;
	*left -= len;
	*ret = strdup(json_string_value(value));
	return *ret ? 0 : -ENOMEM;
}

static int label_compare(const void *a, const void *b)
{
	return strcmp(((const struct policy_label *)a)->key, ((const struct policy_label *)b)->key);
}

/* Labels out of an object of texts. Return: 0, -EPROTO, -ENOMEM. */
static int labels_from_json(json_t *labels, size_t *left, struct container_facts *facts)
{
	size_t n = json_object_size(labels);
	const char *key;
	json_t *value;

	if (!json_is_object(labels) || n > FACTS_LABELS_MAX)
		return -EPROTO;
	facts->labels = calloc(n ? n : 1, sizeof(*facts->labels));
	if (!facts->labels)
		return -ENOMEM;
	json_object_foreach(labels, key, value)
	{
		size_t len = strlen(key) + json_string_length(value);
		struct policy_label *label = &facts->labels[facts->n_labels];

		if (!json_is_string(value) || len > FACTS_TEXT_MAX || len > *left)
			return -EPROTO;
		*left -= len;
		facts->n_labels++;
		label->key = strdup(key);
		label->value = strdup(json_string_value(value));
		if (!label->key || !label->value)
			return -ENOMEM;
	}
	qsort(facts->labels, facts->n_labels, sizeof(*facts->labels), label_compare);
	return 0;
}

int container_facts_from_json(const json_t *json, struct container_facts *ret)
{
	_cleanup_facts_ struct container_facts facts = {};
	json_t *labels = json_object_get(json, "labels");
	const json_t *known = json_object_get(json, "labels_known");
	size_t left = FACTS_LENGTH_MAX;
	int r;

	if (!json_is_object(json) || (known && !json_is_boolean(known)))
		return -EPROTO;
	r = text_from_json(json, "runtime", &left, &facts.runtime);
	if (r >= 0)
		r = text_from_json(json, "id", &left, &facts.id);
	if (r >= 0)
		r = text_from_json(json, "name", &left, &facts.name);
	if (r >= 0)
		r = text_from_json(json, "image", &left, &facts.image);
	if (r >= 0 && labels && !json_is_null(labels))
		r = labels_from_json(labels, &left, &facts);
	if (r >= 0 && (!facts.runtime || !facts.id || !container_id_is_valid(facts.id)))
		r = -EPROTO;
	if (r < 0)
		return r;
	facts.labels_known = json_is_true(known);
	*ret = facts;
	facts = (struct container_facts){};
	return 0;
}
