/* SPDX-License-Identifier: Apache-2.0 */

/* The life of struct event: it owns every text in it, or has a share of it, so it can be moved by assignment. */

#include "event/event.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* ---- names in common ---- */

struct event_names *event_names_new(const char *const texts[EVENT_NAMES])
{
	struct event_names *names;
	size_t sizes[EVENT_NAMES], room = 0;
	char *at;

	for (size_t i = 0; i < EVENT_NAMES; i++) {
		sizes[i] = texts[i] ? strlen(texts[i]) + 1 : 0;
		room += sizes[i];
	}
	names = malloc(sizeof(*names) + room);
	if (!names)
		return NULL;
	*names = (struct event_names){.shares = 1};
	at = names->room;
	for (size_t i = 0; i < EVENT_NAMES; i++) {
		if (!texts[i])
			continue;
		names->texts[i] = memcpy(at, texts[i], sizes[i]);
		at += sizes[i];
	}
	return names;
}

static struct event_names *names_ref(struct event_names *names)
{
	if (names)
		(void)__atomic_add_fetch(&names->shares, 1, __ATOMIC_RELAXED);
	return names;
}

struct event_names *event_names_unref(struct event_names *names)
{
	if (names && __atomic_sub_fetch(&names->shares, 1, __ATOMIC_ACQ_REL) == 0)
		free(names);
	return NULL;
}

static void rule_free(struct event *event)
{
	if (event->of_rule) {
		(void)event_names_unref(event->of_rule);
		return;
	}
	free(event->policy);
	free(event->rule_file);
	free(event->rule_text);
	free(event->message);
}

static void place_free(struct event *event)
{
	if (event->of_place) {
		(void)event_names_unref(event->of_place);
		return;
	}
	free(event->cgroup);
	free(event->container);
	free(event->container_id);
	free(event->runtime);
}

void event_set_rule(struct event *event, struct event_names *names)
{
	(void)names_ref(names); /* before: the event may have the last share */
	rule_free(event);
	event->of_rule = names;
	event->policy = names->texts[0];
	event->rule_file = names->texts[1];
	event->rule_text = names->texts[2];
	event->message = names->texts[3];
}

void event_set_place(struct event *event, struct event_names *names)
{
	(void)names_ref(names);
	place_free(event);
	event->of_place = names;
	event->cgroup = names->texts[0];
	event->container = names->texts[1];
	event->container_id = names->texts[2];
	event->runtime = names->texts[3];
}

/* ---- the whole ---- */

void event_deinit(struct event *event)
{
	rule_free(event);
	place_free(event);
	if (event->of_record) {
		free(event->of_record);
	} else {
		free(event->exe.data);
		free(event->argv.data);
		free(event->path.data);
	}
	*event = (struct event){};
}

static int text_copy(char **p)
{
	char *copy;

	if (!*p)
		return 0;
	copy = strdup(*p);
	*p = copy;
	return copy ? 0 : -ENOMEM;
}

static int bytes_copy(struct event_bytes *bytes)
{
	uint8_t *copy;

	if (bytes->len == 0) {
		bytes->data = NULL;
		return 0;
	}
	copy = malloc(bytes->len);
	if (copy)
		memcpy(copy, bytes->data, bytes->len);
	else
		bytes->len = 0;
	bytes->data = copy;
	return copy ? 0 : -ENOMEM;
}

int event_copy(const struct event *event, struct event *ret)
{
	struct event copy = *event;
	int r = 0;

	/* every text is replaced, whether or not an earlier one failed: nothing stays the other's */
	if (!names_ref(copy.of_rule)) {
		r |= text_copy(&copy.policy);
		r |= text_copy(&copy.rule_file);
		r |= text_copy(&copy.rule_text);
		r |= text_copy(&copy.message);
	}
	if (!names_ref(copy.of_place)) {
		r |= text_copy(&copy.cgroup);
		r |= text_copy(&copy.container);
		r |= text_copy(&copy.container_id);
		r |= text_copy(&copy.runtime);
	}
	copy.of_record = NULL;
	r |= bytes_copy(&copy.exe);
	r |= bytes_copy(&copy.argv);
	r |= bytes_copy(&copy.path);
	if (r != 0) {
		event_deinit(&copy);
		*ret = (struct event){};
		return -ENOMEM;
	}
	*ret = copy;
	return 0;
}

bool event_has_process(const struct event *event)
{
	return event->kind == EVENT_VERDICT || event->kind == EVENT_AGGREGATE ||
	       event->kind == EVENT_EXIT;
}

bool event_has_object(const struct event *event)
{
	return event->kind == EVENT_VERDICT || event->kind == EVENT_AGGREGATE;
}

char *event_bytes_text(const struct event_bytes *bytes)
{
	char *text;

	if (bytes->len == 0 || memchr(bytes->data, '\0', bytes->len))
		return NULL;
	text = malloc(bytes->len + 1);
	if (!text)
		return NULL;
	memcpy(text, bytes->data, bytes->len);
	text[bytes->len] = '\0';
	return text;
}
