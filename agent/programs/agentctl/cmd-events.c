/* SPDX-License-Identifier: Apache-2.0 */

/*
 * agentctl events: rows of the store as a table or JSON. The store is read directly, read-only, so
 * this works while the agent is down, and a slow pager never holds up the agent.
 */

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "programs/agentctl/events.h"
#include "programs/agentctl/pager.h"

int events_print(const struct event *event, void *userdata)
{
	struct events_printer *p = userdata;

	strbuf_reset(&p->line);
	if (p->json) {
		event_render_json(event, &p->line);
	} else {
		if (p->n == 0) {
			event_render_header(&p->line, p->flags, p->width);
			strbuf_putc(&p->line, '\n');
		}
		event_render_line(event, &p->line, p->flags, p->width);
	}
	strbuf_putc(&p->line, '\n');
	if (strbuf_error(&p->line) < 0)
		return -ENOMEM;
	p->n++;
	p->last_id = event->id;
	if (fwrite(strbuf_str(&p->line), 1, p->line.len, stdout) == p->line.len)
		return 0;
	if (errno == EPIPE)
		return EVENTS_STOP;
	complain("Failed to write: %s", strerror(errno));
	return -EIO;
}

int events_complain(const char *path, int error, const char *text)
{
	switch (error) {
	case -EIO:
		return EXIT_CODE_FAILURE; /* events_print() has complained */
	case -ENOMEM:
		return out_of_memory();
	case -EACCES:
	case -EPERM:
		complain("Not allowed to read %s; run as root", escaped(path));
		return EXIT_CODE_PERMISSION;
	case -ENOENT:
		complain("Nothing is recorded yet in %s", escaped(path));
		return EXIT_CODE_FAILURE;
	default:
		complain("Failed to read %s: %s", escaped(path),
			 text ? escaped(text) : strerror(-error));
		return EXIT_CODE_FAILURE;
	}
}

/* Query the whole, with a pager in between. Return: an exit code. */
static int events_list(const struct agentctl *ctl, const struct events_options *options,
		       struct events_printer *printer)
{
	_cleanup_free_ char *path = database_path(ctl);
	_cleanup_free_ char *text = NULL;
	struct store_filter filter = options->filter;
	struct store_reader *reader = NULL;
	struct pager pager;
	int r;

	if (!path)
		return out_of_memory();
	filter.limit = options->lines;
	r = store_reader_open(path, &reader, &text);
	if (r < 0)
		return events_complain(path, r, text);
	r = pager_open(&pager, ctl->no_pager);
	if (r >= 0 && !(options->lines_given && options->lines == 0))
		r = store_query(reader, &filter, events_print, printer);
	(void)store_reader_close(reader);
	if (fflush(stdout) != 0 && errno != EPIPE && r >= 0) {
		complain("Failed to write: %s", strerror(errno));
		r = -EIO;
	}
	pager_close(&pager);
	if (r < 0)
		return events_complain(path, r, NULL);
	if (printer->n == 0 && !options->json && r != EVENTS_STOP)
		(void)fputs("No events.\n", stderr);
	return EXIT_CODE_OK;
}

int cmd_events(struct agentctl *ctl, int argc, char **argv)
{
	struct events_options options;
	struct events_printer printer;
	int r;

	r = events_options_parse(ctl, argc, argv, &options);
	if (r >= 0)
		return r;
	printer = (struct events_printer){.json = options.json, .width = terminal_width()};
	if (color_wanted(ctl->color, STDOUT_FILENO))
		printer.flags |= EVENT_RENDER_COLOR;
	if (options.utc)
		printer.flags |= EVENT_RENDER_UTC;
	/* programs and files get whole values; on a terminal columns fit its width */
	if (options.full || printer.width == 0)
		printer.flags |= EVENT_RENDER_FULL;
	if (options.follow)
		r = events_follow(ctl, &options, &printer);
	else
		r = events_list(ctl, &options, &printer);
	strbuf_deinit(&printer.line);
	return r;
}
