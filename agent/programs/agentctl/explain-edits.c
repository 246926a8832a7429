/* SPDX-License-Identifier: Apache-2.0 */

/*
 * The smallest edits that would let a refused act pass, each with what else it lets pass: in words, which hold for
 * everything that can happen, and as a number of the refusals that were recorded, which tells how much of it does.
 */

#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "programs/agentctl/explain.h"
#include "programs/agentctl/rule-words.h"
#include "store/store.h"

/* How much of what the rule refused is like this event. */
struct likeness {
	const struct event *event;
	uint64_t rule; /* all of it */
	uint64_t path, exe, exe_uid, op, exe_path, directory;
};

static bool bytes_equal(const struct event_bytes *a, const struct event_bytes *b)
{
	return a->len == b->len && (a->len == 0 || memcmp(a->data, b->data, a->len) == 0);
}

/* Length of the directory of a path, its slash included. */
static size_t directory_len(const struct event_bytes *path)
{
	size_t n = path->len;

	while (n > 0 && path->data[n - 1] != '/')
		n--;
	return n;
}

static int likeness_count(const struct event *event, void *userdata)
{
	struct likeness *l = userdata;
	const struct event *e = l->event;
	size_t directory = directory_len(&e->path);
	bool path = bytes_equal(&event->path, &e->path), exe = bytes_equal(&event->exe, &e->exe);

	if (event->rule_id != e->rule_id)
		return 0;
	l->rule += event->count;
	l->path += path ? event->count : 0;
	l->exe += exe ? event->count : 0;
	l->exe_uid += exe && event->uid == e->uid ? event->count : 0;
	l->op += event->op == e->op ? event->count : 0;
	if (directory > 0 && event->path.len >= directory && memcmp(event->path.data, e->path.data, directory) == 0)
		l->directory += event->count;
	return 0;
}

/* Texts are taken; NULL is out of memory. */
static int edit_add(struct explanation *e, uint64_t recorded, char *line, char *wider)
{
	if (!line || !wider || e->n_edits == EXPLAIN_EDITS_MAX) {
		free(line);
		free(wider);
		return e->n_edits == EXPLAIN_EDITS_MAX ? 0 : -ENOMEM;
	}
	e->edits[e->n_edits++] = (struct edit){.line = line, .wider = wider, .recorded = recorded};
	return 0;
}

_printf_(1, 2) static char *text(const char *format, ...)
{
	_cleanup_strbuf_ struct strbuf b = {};
	va_list ap;

	va_start(ap, format);
	strbuf_vprintf(&b, format, ap);
	va_end(ap);
	return strbuf_steal(&b);
}

/* A name as it can stand in a policy file: in double quotes where it has to. NULL: it cannot. */
static char *yaml_text(const struct event_bytes *bytes)
{
	static const char safe[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789/._-+@";
	_cleanup_free_ char *name = NULL;
	bool plain = true;

	if (bytes->len == 0 || bytes->data[0] != '/')
		return NULL;
	for (size_t i = 0; i < bytes->len; i++) {
		unsigned char c = bytes->data[i];

		/* wildcards and what would need escapes are not suggested: a person has to look */
		if (c < ' ' || c >= 0x7f || strchr("\"\\*?", c))
			return NULL;
		plain = plain && strchr(safe, c);
	}
	name = event_bytes_text(bytes);
	return plain || !name ? steal_ptr(name) : text("\"%s\"", name);
}

static bool path_is_literal(const struct policy_path *path)
{
	return path->text && !path->subtree && !strpbrk(path->text, "*?");
}

/* `unless` narrows a rule by who acts. */
static int edits_unless(struct explanation *e, const struct policy_rule *rule, const struct likeness *l)
{
	_cleanup_free_ char *exe = yaml_text(&e->event.exe), *what = policy_rule_to_text(rule);
	int r;

	if (!exe)
		return 0;
	r = edit_add(e, l->exe_uid, text("unless: {exe: %s, uid: [%u]}", exe, e->event.uid),
		     text("everything that `%s` names, for this program as this user", what ? what : "it"));
	if (r >= 0)
		r = edit_add(e, l->exe, text("unless: {exe: %s}", exe),
			     text("everything that `%s` names, for this program", what ? what : "it"));
	return r;
}

static int edits_deny(struct explanation *e, const struct policy_rule *rule, const struct likeness *l)
{
	_cleanup_free_ char *path = yaml_text(&e->event.path), *what = policy_rule_to_text(rule);
	_cleanup_strbuf_ struct strbuf ops = {};
	int r = 0;

	rule_ops(rule, &ops);
	if (path && rule->path.text && !path_is_literal(&rule->path))
		r = edit_add(e, l->path, text("except: [%s]", path),
			     text("this one path, for every program: %s", strbuf_str(&ops)));
	if (r >= 0)
		r = edits_unless(e, rule, l);
	if (r >= 0 && (rule->ops & HT_OPS_FILE) && (rule->ops & ~e->event.op & HT_OPS_FILE))
		r = edit_add(e, l->op, text("ops: without `%s`", policy_op_to_string(e->event.op)),
			     text("%s of everything that `%s` names, for every program",
				  policy_op_to_string(e->event.op), what ? what : "it"));
	if (r >= 0)
		r = edit_add(e, l->rule, text("action: audit"),
			     text("everything that `%s` refuses; it is only recorded", what ? what : "it"));
	return r;
}

/* An allow-list: the path has to be on it. */
static int edits_default(struct explanation *e, const struct policy_rule *rule, const struct likeness *l)
{
	_cleanup_free_ char *path = yaml_text(&e->event.path), *directory = NULL;
	const struct event_bytes up = {.data = e->event.path.data,
				       .len = directory_len(&e->event.path) > 1 ? directory_len(&e->event.path) - 1 : 0};
	bool exec = rule->kind == POLICY_RULE_EXEC_DEFAULT;
	const char *section = exec ? "exec" : "file";
	int r = 0;

	if (!path)
		return 0;
	if (exec)
		r = edit_add(e, l->path, text("exec.allow: - {path: %s, origin: image}", path),
			     text("executing this one path, as long as it is the file that came with the image"));
	if (r >= 0)
		r = edit_add(e, l->path, text("%s.allow: - %s", section, path),
			     text("%s this one path, for every program", exec ? "executing" : "every operation on"));
	directory = yaml_text(&up);
	if (r >= 0 && directory && directory[0] != '"')
		r = edit_add(e, l->directory, text("%s.allow: - %s/**", section, directory),
			     text("%s everything below %s, whatever comes there", exec ? "executing" : "every operation on",
				  directory));
	return r;
}

/* One line, a switch or a class of the kernel's services. */
static int edits_switch(struct explanation *e, const struct policy_rule *rule, const struct likeness *l)
{
	const char *word = rule->kind == POLICY_RULE_EXEC_ANONYMOUS ? "exec.anonymous" :
			   rule->kind == POLICY_RULE_EXEC_WRITABLE  ? "exec.writable" :
								      "kernel";

	if (rule->kind == POLICY_RULE_KERNEL)
		return edit_add(e, l->rule, text("kernel: {%s: audit}", policy_op_to_string(rule->ops)),
				text("every %s of this container; it is only recorded", policy_op_to_string(rule->ops)));
	return edit_add(e, l->rule, text("%s: audit", word),
			text("every execution of this kind in this container; it is only recorded"));
}

int explain_edits(struct explanation *e, struct store_reader *reader)
{
	struct likeness l = {.event = &e->event};
	const struct store_filter filter = {
		.verdicts = 1U << HT_VERDICT_DENY | 1U << HT_VERDICT_KILL | 1U << HT_VERDICT_WOULD_DENY,
		.kinds = 1U << EVENT_VERDICT | 1U << EVENT_AGGREGATE,
		.policy = e->event.policy,
	};
	const struct policy_rule *rule;
	int r;

	if (e->n_obstacles == 0 || !e->obstacles[0].rule)
		return 0;
	rule = e->obstacles[0].rule;
	if (e->event.rule_id != 0) {
		r = store_query(reader, &filter, likeness_count, &l);
		if (r < 0)
			return r;
	}
	e->recorded = l.rule;
	switch (rule->kind) {
	case POLICY_RULE_EXEC_DENY:
	case POLICY_RULE_FILE_DENY:
		return edits_deny(e, rule, &l);
	case POLICY_RULE_EXEC_DEFAULT:
	case POLICY_RULE_FILE_DEFAULT:
		return edits_default(e, rule, &l);
	case POLICY_RULE_EXEC_ANONYMOUS:
	case POLICY_RULE_EXEC_WRITABLE:
	case POLICY_RULE_KERNEL:
		return edits_switch(e, rule, &l);
	case POLICY_RULE_EXEC_ALLOW:
	case POLICY_RULE_EXEC_LIBRARY:
		/* on the list, but only what came with the image */
		return !rule->origin_image ? 0 :
					     edit_add(e, l.rule, text("without `origin: image`"),
						      text("whatever stands under this name, however it came there"));
	case POLICY_RULE_FILE_ALLOW:
	case POLICY_RULE_EXEC_AUDIT:
	case POLICY_RULE_FILE_AUDIT:
	case _POLICY_RULE_KIND_MAX:
		break;
	}
	return 0;
}
