/* SPDX-License-Identifier: Apache-2.0 */

/* The life of struct event: it owns every text in it, so it can be moved by assignment. */

#include "event/event.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

void event_deinit(struct event *event)
{
	free(event->policy);
	free(event->rule_file);
	free(event->rule_text);
	free(event->message);
	free(event->cgroup);
	free(event->container);
	free(event->container_id);
	free(event->runtime);
	free(event->exe.data);
	free(event->argv.data);
	free(event->path.data);
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

	/* every text is replaced, whether or not an earlier one failed: nothing stays shared */
	r |= text_copy(&copy.policy);
	r |= text_copy(&copy.rule_file);
	r |= text_copy(&copy.rule_text);
	r |= text_copy(&copy.message);
	r |= text_copy(&copy.cgroup);
	r |= text_copy(&copy.container);
	r |= text_copy(&copy.container_id);
	r |= text_copy(&copy.runtime);
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
