/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * The format of the verdict store, and the steps that lead to it.
 *
 *   header      application_id 0x48414554 ("HAET"), user_version = number of migration steps applied
 *   boot        one row for each boot an event came from
 *   rule        a rule as it was when it decided, so that an event stays explainable after the policy
 *               changed: a rule that moved to another line is another row
 *   place       where a subject lived: cgroup and what is known of its container
 *   event       one row for each event, in the order of commit; id grows and is never used twice
 *   bundle      events that were allowed, and exits, some hundred in a row (bundle.h): ids from `id` to `last`, n of them, between
 *               which no other bundle has one; to be read as the table `bundled`
 *   bundle_note which rules (what 0) and places (what 1) the events of some bundles refer to: of those whose first id is one of the
 *               BUNDLE_SPAN from `span` on, which is a multiple of it
 *   bundle_time in which minutes the events of some bundles lie: of the one that begins with `bundle`, and of those that follow,
 *               until the next row. Minutes of realtime, both included
 *   total       what was ever committed, by boot, kind and verdict; moves in the transaction of the
 *               events it counts and is not touched when old events are removed
 *
 * 64-bit numbers of the kernel are stored with their bits unchanged, so those beyond 2^63 read as
 * negative. What a governed process or a container can name (path, exe, argv, comm, cgroup,
 * container) is a BLOB: bytes, never assumed to be text. The columns of boot, rule, place and event
 * that carry a struct event are named once, in row.c.
 *
 * A step is never edited after a release: the next version appends one.
 */

/* v0 is an empty database: created, and the power went before anything was written. */
static const char schema_step_1[] =
	"PRAGMA application_id = 1212237140;"
	"CREATE TABLE boot ("
	" key INTEGER PRIMARY KEY,"
	" boot_id BLOB NOT NULL CHECK (length(boot_id) = 16)"
	") STRICT;"
	"CREATE TABLE rule ("
	" key INTEGER PRIMARY KEY,"
	" rule_id INTEGER NOT NULL,"
	" policy TEXT,"
	" rule_file TEXT,"
	" rule_line INTEGER NOT NULL,"
	" rule_text TEXT,"
	" rule_message TEXT"
	") STRICT;"
	"CREATE INDEX rule_by_id ON rule (rule_id);"
	"CREATE TABLE place ("
	" key INTEGER PRIMARY KEY,"
	" cgroup_id INTEGER NOT NULL,"
	" cgroup BLOB,"
	" container BLOB,"
	" container_id TEXT,"
	" runtime TEXT"
	") STRICT;"
	"CREATE INDEX place_by_cgroup ON place (cgroup_id);"
	"CREATE TABLE event ("
	" id INTEGER PRIMARY KEY CHECK (id > 0),"
	" boot INTEGER NOT NULL REFERENCES boot (key),"
	" rule INTEGER REFERENCES rule (key),"
	" place INTEGER REFERENCES place (key),"
	" kind INTEGER NOT NULL CHECK (kind >= 0),"
	" notice INTEGER NOT NULL CHECK (notice >= 0),"
	" verdict INTEGER NOT NULL CHECK (verdict >= 0),"
	" reason INTEGER NOT NULL CHECK (reason >= 0),"
	" op INTEGER NOT NULL,"
	" flags INTEGER NOT NULL,"
	" severity INTEGER NOT NULL CHECK (severity >= 0),"
	" realtime_us INTEGER NOT NULL,"
	" boottime_ns INTEGER NOT NULL,"
	" cpu INTEGER NOT NULL,"
	" seq INTEGER NOT NULL,"
	" count INTEGER NOT NULL,"
	" first_ns INTEGER NOT NULL,"
	" last_ns INTEGER NOT NULL,"
	" profile INTEGER NOT NULL,"
	" profiles BLOB," /* of a governed cgroup: 32-bit little-endian ids, one behind the other */
	" generation INTEGER NOT NULL,"
	" pid INTEGER NOT NULL,"
	" tid INTEGER NOT NULL,"
	" ppid INTEGER NOT NULL,"
	" uid INTEGER NOT NULL,"
	" gid INTEGER NOT NULL,"
	" start_ns INTEGER NOT NULL,"
	" parent_start_ns INTEGER NOT NULL,"
	" exec_id INTEGER NOT NULL,"
	" exit_code INTEGER NOT NULL,"
	" comm BLOB NOT NULL,"
	" exe BLOB,"
	" argc INTEGER NOT NULL,"
	" argv BLOB," /* NUL-separated */
	" path BLOB,"
	" dev INTEGER NOT NULL,"
	" ino INTEGER NOT NULL,"
	" inode_generation INTEGER NOT NULL,"
	" mode INTEGER NOT NULL,"
	" nlink INTEGER NOT NULL,"
	" message TEXT" /* of the agent; a rule's message stands in rule */
	") STRICT;"
	"CREATE INDEX event_by_time ON event (realtime_us);"
	"CREATE INDEX event_by_rule ON event (rule);"
	"CREATE INDEX event_by_place ON event (place);"
	"CREATE INDEX event_by_verdict ON event (verdict);"
	"CREATE TABLE total ("
	" boot INTEGER NOT NULL REFERENCES boot (key),"
	" kind INTEGER NOT NULL,"
	" verdict INTEGER NOT NULL,"
	" count INTEGER NOT NULL,"
	" PRIMARY KEY (boot, kind, verdict)"
	") STRICT, WITHOUT ROWID;";

/* Events as rows of their own stay where they are. */
static const char schema_step_2[] =
	"CREATE TABLE bundle ("
	" id INTEGER PRIMARY KEY CHECK (id > 0),"
	" last INTEGER NOT NULL CHECK (last >= id),"
	" n INTEGER NOT NULL CHECK (n > 0),"
	" since_us INTEGER NOT NULL,"
	" until_us INTEGER NOT NULL,"
	" data BLOB NOT NULL"
	") STRICT;"
	"CREATE INDEX bundle_by_since ON bundle (since_us);"
	"CREATE INDEX bundle_by_until ON bundle (until_us);"
	"CREATE TABLE bundle_key ("
	" what INTEGER NOT NULL,"
	" key INTEGER NOT NULL,"
	" bundle INTEGER NOT NULL REFERENCES bundle (id),"
	" PRIMARY KEY (what, key, bundle)"
	") STRICT, WITHOUT ROWID;"
	"CREATE INDEX bundle_key_by_bundle ON bundle_key (bundle);";

/* Of each commit a page of each index was written anew. What bundles are found by stands once for many of them instead, and under
 * another name: who has the database open and knows the version before only would not find them all, and is told so. */
static const char schema_step_3[] =
	"DROP INDEX bundle_by_since;"
	"DROP INDEX bundle_by_until;"
	"CREATE TABLE bundle_note ("
	" what INTEGER NOT NULL,"
	" key INTEGER NOT NULL,"
	" span INTEGER NOT NULL CHECK (span % 4096 = 0),"
	" PRIMARY KEY (what, key, span)"
	") STRICT, WITHOUT ROWID;"
	"INSERT INTO bundle_note (what, key, span)"
	" SELECT DISTINCT what, key, bundle - bundle % 4096 FROM bundle_key;"
	"DROP TABLE bundle_key;"
	"CREATE TABLE bundle_time ("
	" bundle INTEGER PRIMARY KEY CHECK (bundle > 0),"
	" since INTEGER NOT NULL,"
	" until INTEGER NOT NULL CHECK (until >= since)"
	") STRICT;"
	"INSERT INTO bundle_time (bundle, since, until)"
	" SELECT id, since_us / 60000000, until_us / 60000000 FROM bundle;";

/* [i] leads from version i to version i + 1. */
static const char *const schema_steps[] = { schema_step_1, schema_step_2, schema_step_3 };

#define SCHEMA_APPLICATION_ID 1212237140
