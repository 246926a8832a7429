/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Any bytes as podman's database, as a record of a container, as what policies select, and as what an OCI runtime says of a
 * container: agent/container/bolt.c, facts.c, gather.c, record.c, selectors.c, agent/programs/hook/state.c.
 */

#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "container/bolt.h"
#include "container/record.h"
#include "container/selectors.h"
#include "programs/hook/state.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Not assert(): it must hold whatever NDEBUG says. */
#define MUST(condition)                                                                            \
	do {                                                                                       \
		if (!(condition)) {                                                                \
			fprintf(stderr, "%s:%d: %s\n", __FILE__, __LINE__, #condition);            \
			abort();                                                                   \
		}                                                                                  \
	} while (0)

static void database_try(const uint8_t *data, size_t size)
{
	const char *const keys[] = {"ctr", "aa", "config"};
	const void *value;
	size_t len;
	int r = bolt_find(data, size, keys, ARRAY_LEN(keys), &value, &len);

	MUST(r == 0 || r == -ENOENT || r == -EBADMSG);
	MUST(r < 0 || ((const uint8_t *)value >= data && len <= size &&
		       (size_t)((const uint8_t *)value - data) <= size - len));
}

/* What was read once can be written and read again. */
static void record_try(const char *text, size_t len)
{
	_cleanup_record_ struct container_record record = {};
	json_auto_t *json = NULL;
	_cleanup_facts_ struct container_facts again = {};
	int r = container_record_parse(text, len, &record);

	MUST(r == 0 || r == -EPROTO);
	if (r < 0)
		return;
	MUST(container_id_is_valid(record.facts.id) && record.cgroup[0] == '/');
	json = container_facts_to_json(&record.facts);
	MUST(json && container_facts_from_json(json, &again) == 0);
	MUST(again.n_labels == record.facts.n_labels && !again.name == !record.facts.name);
}

static void selectors_try(const char *text, size_t len)
{
	_cleanup_selectors_ struct selectors selectors = {};
	const struct container_facts facts = {.name = (char *)(uintptr_t) "web", .labels_known = true};
	int r = selectors_parse(text, len, &selectors);

	MUST(r == 0 || r == -EPROTO);
	if (r == 0)
		(void)selectors_find(&selectors, &facts);
}

static void state_try(const char *text, size_t len)
{
	_cleanup_state_ struct state state = {};
	int r = state_read(text, len, "/nowhere", &state);

	MUST(r == -EPROTO || r == -ESRCH);
}

/* As annotations, for each runtime that has some. */
static void annotations_try(const char *text, size_t len)
{
	static const char *const runtimes[] = {"crio", "containerd", "unknown", "podman"};
	json_auto_t *json = json_loadb(text, len, 0, NULL);
	const struct container_place place = {.bundle = "/nowhere/a/b", .annotations = json, .root_dir = "/nowhere"};

	for (size_t i = 0; json && i < ARRAY_LEN(runtimes); i++) {
		_cleanup_facts_ struct container_facts facts = {};

		MUST(container_facts_gather(runtimes[i], "aa", &place, &facts) == 0);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *text = (const char *)data;

	database_try(data, size);
	record_try(text, size);
	selectors_try(text, size);
	state_try(text, size);
	annotations_try(text, size);
	return 0;
}
