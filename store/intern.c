/* SPDX-License-Identifier: Apache-2.0 */

/* Content -> key, through a direct-mapped cache that compares whole contents (two contents that
 * share a slot only evict each other). */

#include "store/intern.h"

#include <string.h>

#include "store/sqlite.h"

int store_intern_init(struct store_intern *intern, sqlite3 *db, enum row_table table)
{
	_cleanup_strbuf_ struct strbuf find = {}, insert = {};
	int rc;

	*intern = (struct store_intern){.table = table};
	strbuf_printf(&find, "SELECT key FROM %s WHERE ", row_table_name(table));
	row_equals(table, &find);
	strbuf_printf(&insert, "INSERT INTO %s (", row_table_name(table));
	row_names(table, "", &insert);
	strbuf_puts(&insert, ") VALUES (");
	for (size_t i = 0; i < row_columns(table); i++)
		strbuf_printf(&insert, "%s?%zu", i > 0 ? ", " : "", i + 1);
	strbuf_puts(&insert, ")");
	if (strbuf_error(&find) < 0 || strbuf_error(&insert) < 0)
		return SQLITE_NOMEM;
	rc = db_prepare(db, strbuf_str(&find), &intern->find);
	if (rc == SQLITE_OK)
		rc = db_prepare(db, strbuf_str(&insert), &intern->insert);
	return rc;
}

static int row_find(struct store_intern *intern, const struct event *event, int64_t *ret_key)
{
	int rc = row_bind(intern->find, 1, intern->table, event);

	*ret_key = 0;
	if (rc != SQLITE_OK)
		return rc;
	rc = sqlite3_step(intern->find);
	if (rc == SQLITE_ROW)
		*ret_key = sqlite3_column_int64(intern->find, 0);
	(void)sqlite3_reset(intern->find);
	return rc == SQLITE_ROW || rc == SQLITE_DONE ? SQLITE_OK : rc;
}

static int row_insert(struct store_intern *intern, const struct event *event, int64_t *ret_key)
{
	int rc = row_bind(intern->insert, 1, intern->table, event);

	if (rc != SQLITE_OK)
		return rc;
	rc = sqlite3_step(intern->insert);
	(void)sqlite3_reset(intern->insert);
	if (rc != SQLITE_DONE)
		return rc;
	*ret_key = sqlite3_last_insert_rowid(sqlite3_db_handle(intern->insert));
	return SQLITE_OK;
}

static struct store_intern_slot *slot_of(struct store_intern *intern, const char *content, size_t len)
{
	uint64_t hash = 0xcbf29ce484222325ULL; /* FNV-1a */

	for (size_t i = 0; i < len; i++)
		hash = (hash ^ (unsigned char)content[i]) * 0x100000001b3ULL;
	return &intern->slots[(hash ^ hash >> 32) % INTERN_SLOTS];
}

int store_intern_key(struct store_intern *intern, const struct event *event, int64_t *ret_key)
{
	struct store_intern_slot *slot;
	struct strbuf *scratch = &intern->scratch;
	int64_t key = 0;
	int rc;

	if (intern->table != ROW_BOOT && row_is_empty(intern->table, event)) {
		*ret_key = 0;
		return SQLITE_OK;
	}
	strbuf_reset(scratch);
	row_content(intern->table, event, scratch);
	if (strbuf_error(scratch) < 0)
		return SQLITE_NOMEM;
	slot = slot_of(intern, scratch->data, scratch->len);
	if (slot->content && slot->len == scratch->len &&
	    memcmp(slot->content, scratch->data, slot->len) == 0) {
		*ret_key = slot->key;
		return SQLITE_OK;
	}
	rc = row_find(intern, event, &key);
	if (rc == SQLITE_OK && key == 0)
		rc = row_insert(intern, event, &key);
	if (rc != SQLITE_OK)
		return rc;
	free(slot->content);
	slot->content = malloc(scratch->len);
	if (!slot->content)
		return SQLITE_NOMEM;
	memcpy(slot->content, scratch->data, scratch->len);
	slot->len = scratch->len;
	slot->key = key;
	*ret_key = key;
	return SQLITE_OK;
}

void store_intern_forget(struct store_intern *intern)
{
	for (size_t i = 0; i < INTERN_SLOTS; i++)
		free(steal_ptr(intern->slots[i].content));
}

void store_intern_deinit(struct store_intern *intern)
{
	store_intern_forget(intern);
	(void)sqlite3_finalize(intern->find);
	(void)sqlite3_finalize(intern->insert);
	strbuf_deinit(&intern->scratch);
	*intern = (struct store_intern){};
}
