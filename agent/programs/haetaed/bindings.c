/* SPDX-License-Identifier: Apache-2.0 */

#include "programs/haetaed/bindings.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

struct binding *bindings_find(const struct bindings *bindings, uint64_t cgroup_id)
{
	for (size_t i = 0; i < bindings->n; i++)
		if (bindings->items[i].record.cgroup_id == cgroup_id)
			return &bindings->items[i];
	return NULL;
}

int bindings_put(struct bindings *bindings, struct container_record *record, struct binding **ret)
{
	struct binding *b = bindings_find(bindings, record->cgroup_id);

	if (b) {
		container_record_deinit(&b->record);
	} else {
		b = reallocarray(bindings->items, bindings->n + 1, sizeof(*b));
		if (!b)
			return -ENOMEM;
		bindings->items = b;
		b += bindings->n++;
	}
	*b = (struct binding){.record = *record};
	*record = (struct container_record){};
	*ret = b;
	return 0;
}

void bindings_remove(struct bindings *bindings, struct binding *binding)
{
	container_record_deinit(&binding->record);
	*binding = bindings->items[--bindings->n];
}

void bindings_deinit(struct bindings *bindings)
{
	for (size_t i = 0; i < bindings->n; i++)
		container_record_deinit(&bindings->items[i].record);
	free(bindings->items);
	*bindings = (struct bindings){};
}
