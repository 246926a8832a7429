/* SPDX-License-Identifier: Apache-2.0 */

/* Diagnostics on the wire, so that `agentctl reload` shows what `agentctl policy check` would. */

#include <errno.h>
#include <stdint.h>
#include <string.h>

#include "control/control.h"
#include "policy/diag.h"

static int object_set_text(json_t *object, const char *key, const char *text)
{
	if (!text)
		return 0;
	return json_object_set_new(object, key, control_text(text)) < 0 ? -ENOMEM : 0;
}

static int object_set_number(json_t *object, const char *key, uint32_t value)
{
	if (value == 0)
		return 0;
	return json_object_set_new(object, key, json_integer(value)) < 0 ? -ENOMEM : 0;
}

static json_t *diag_to_json(const struct diag *diag)
{
	json_t *object = json_object();
	const char *severity = diag->severity == DIAG_WARNING ? "warning" : "error";

	if (!object)
		return NULL;
	if (object_set_text(object, "severity", severity) < 0 ||
	    object_set_text(object, "file", diag->file) < 0 ||
	    object_set_number(object, "line", diag->line) < 0 ||
	    object_set_number(object, "column", diag->column) < 0 ||
	    object_set_number(object, "width", diag->width) < 0 ||
	    object_set_text(object, "text", diag->text) < 0 ||
	    object_set_text(object, "expected", diag->expected) < 0 ||
	    object_set_text(object, "source", diag->source) < 0) {
		json_decref(object);
		return NULL;
	}
	return object;
}

json_t *control_diags_to_json(const struct diag_list *diags)
{
	json_t *array = json_array();

	if (!array)
		return NULL;
	for (size_t i = 0; i < diags->n; i++) {
		if (json_array_append_new(array, diag_to_json(&diags->items[i])) < 0) {
			json_decref(array);
			return NULL;
		}
	}
	return array;
}

/* A member that may be absent; of the wrong type it is an error. */
static int object_get_text(const json_t *object, const char *key, const char **ret)
{
	const json_t *value = json_object_get(object, key);

	if (value && !json_is_string(value) && !json_is_null(value))
		return -EPROTO;
	*ret = json_string_value(value);
	return 0;
}

static int object_get_number(const json_t *object, const char *key, uint32_t *ret)
{
	const json_t *value = json_object_get(object, key);
	json_int_t n = json_integer_value(value);

	if (value && (!json_is_integer(value) || n < 0 || n > UINT32_MAX))
		return -EPROTO;
	*ret = (uint32_t)n;
	return 0;
}

static int diag_from_json(const json_t *object, struct diag_list *diags)
{
	const char *severity, *file, *text, *expected, *source;
	struct diag diag = {};

	if (!json_is_object(object) || object_get_text(object, "severity", &severity) < 0 ||
	    object_get_text(object, "file", &file) < 0 ||
	    object_get_number(object, "line", &diag.line) < 0 ||
	    object_get_number(object, "column", &diag.column) < 0 ||
	    object_get_number(object, "width", &diag.width) < 0 ||
	    object_get_text(object, "text", &text) < 0 ||
	    object_get_text(object, "expected", &expected) < 0 ||
	    object_get_text(object, "source", &source) < 0)
		return -EPROTO;
	if (!severity || !text)
		return -EPROTO;
	if (strcmp(severity, "warning") == 0)
		diag.severity = DIAG_WARNING;
	else if (strcmp(severity, "error") == 0)
		diag.severity = DIAG_ERROR;
	else
		return -EPROTO;
	/* struct diag owns its texts in a list; here diag_add() only reads and copies them */
	diag.file = (char *)(uintptr_t)file;
	diag.text = (char *)(uintptr_t)text;
	diag.expected = (char *)(uintptr_t)expected;
	diag.source = (char *)(uintptr_t)source;
	return diag_add(diags, &diag);
}

int control_diags_from_json(const json_t *array, struct diag_list *diags)
{
	if (!json_is_array(array))
		return -EPROTO;
	for (size_t i = 0; i < json_array_size(array); i++) {
		int r = diag_from_json(json_array_get(array, i), diags);

		if (r < 0)
			return r;
	}
	return 0;
}
