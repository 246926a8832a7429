/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* Bundles on their way into the database: sink.c decides which events, this writes them and what they are found by. */

#include "store/sink.h"

/* bundle_note.what */
#define SINK_NOTE_RULE 0
#define SINK_NOTE_PLACE 1

/* Return, all of them: SQLite code. After an error the sink must be closed. */
int sink_bundles_prepare(struct sink *sink);
/* Pack one more event, and write the bundle if it is full. keys: of boot, rule and place. */
int sink_bundle_add(struct sink *sink, const struct event *event, int64_t id, const int64_t keys[3]);
/* Write what is packed. */
int sink_bundle_write(struct sink *sink);
void sink_bundles_close(struct sink *sink);
