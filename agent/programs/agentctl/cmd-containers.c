/* SPDX-License-Identifier: Apache-2.0 */

/* agentctl containers: what is governed now, from the agent's answer to "status" (cmd-status.c). */

#include <errno.h>
#include <stdio.h>

#include "programs/agentctl/agentctl.h"
#include "programs/agentctl/table.h"

static const char help[] =
	"agentctl containers [--json]\n"
	"\n"
	"List what is governed now: containers, units and other cgroups, the policies that\n"
	"govern them, and how many verdicts were counted for each.\n"
	"\n"
	"     --json            One JSON array\n"
	"  -h --help            Show this help\n";

static int handle(int c, const char *arg, void *userdata)
{
	*(bool *)userdata = true;
	return 0;
}

/* "web, base" from an array of names. */
static void names_join(const json_t *array, struct strbuf *b)
{
	json_t *name;
	size_t i;

	json_array_foreach(array, i, name)
	{
		if (i > 0)
			strbuf_puts(b, ", ");
		strbuf_puts(b, json_string_value(name) ? json_string_value(name) : "?");
	}
}

int containers_render(const json_t *status, unsigned indent, bool color, struct strbuf *b)
{
	static const char *const headers[] = {"CONTAINER", "RUNTIME", "ID", "POLICIES",
					      "VERDICTS",  "CGROUP",  NULL};
	const json_t *containers = json_object_get(status, "containers");
	struct table *table = table_new(headers, 1U << 4);
	json_t *container;
	size_t i;
	int r;

	if (!table)
		return -ENOMEM;
	json_array_foreach(containers, i, container)
	{
		_cleanup_strbuf_ struct strbuf policies = {};
		const char *id = json_text(container, "id");

		names_join(json_object_get(container, "policies"), &policies);
		table_add(table, json_text(container, "name"));
		table_add(table, json_text(container, "runtime"));
		if (id)
			table_addf(table, "%.12s", id);
		else
			table_add(table, NULL);
		table_add(table, strbuf_str(&policies));
		table_addf(table, "%lld", json_number(container, "counted"));
		table_add(table, json_text(container, "cgroup"));
	}
	r = table_render(table, b, indent, color);
	(void)table_free(table);
	return r;
}

int cmd_containers(struct agentctl *ctl, int argc, char **argv)
{
	static const struct option options[] = {{"json", no_argument, NULL, 1}, {}};
	bool json = false;
	const struct option_set set = {
		.options = options,
		.brief = "",
		.help = help,
		.handle = handle,
		.userdata = &json,
	};
	_cleanup_strbuf_ struct strbuf b = {};
	json_auto_t *answer = NULL;
	bool color;
	int first, r;

	r = options_parse(ctl, argc, argv, &set, /* stop_early= */ false, &first);
	if (r >= 0)
		return r;
	r = options_end(argc, argv, first);
	if (r >= 0)
		return r;
	color = color_wanted(ctl->color, STDOUT_FILENO);
	r = agent_call(ctl, "status", NULL, 0, &answer);
	if (r == EXIT_CODE_NOT_RUNNING)
		complain("The agent is not running; see agentctl status");
	if (r != 0)
		return r;
	if (json)
		return output_json(json_object_get(answer, "containers"));
	if (json_array_size(json_object_get(answer, "containers")) == 0) {
		(void)fputs("Nothing is governed now.\n", stderr);
		return EXIT_CODE_OK;
	}
	if (containers_render(answer, 0, color, &b) < 0)
		return out_of_memory();
	return output_page(ctl, &b);
}
