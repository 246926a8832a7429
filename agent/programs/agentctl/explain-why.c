/* SPDX-License-Identifier: Apache-2.0 */

/* The part of an explanation that says why: in sentences. */

#include <string.h>

#include "programs/agentctl/explain.h"
#include "programs/agentctl/rule-words.h"
#include "util/escape.h"

/* A reason other than a rule. */
static const char *const reasons[HT_REASON_MAX] = {
	[HT_REASON_FOREIGN] = "The file was reached through a mount outside the process's own mount namespace (a descriptor "
			      "from elsewhere, a detached tree), so it has no name a rule could speak of. No edit of a policy "
			      "allows it, but for one that refuses this operation nowhere.",
	[HT_REASON_DEPTH] = "The file lies deeper than the kernel side walks, so its name cannot be told.",
	[HT_REASON_MOVING] = "A directory on the way to the file kept being renamed or mounted while its name was read.",
	[HT_REASON_UNRESOLVED] = "The kernel's own structures could not be read.",
	[HT_REASON_ANONYMOUS] = "The file has no name: memfd, deleted, or never linked.",
	[HT_REASON_LABEL] = "The process could not be labelled: too many policies, or no room.",
	[HT_REASON_PROFILE] = "The compiled policy of the process was missing. That is damage: publish again with agentctl "
			      "reload, and look into the journal.",
	[HT_REASON_WRITABLE] = "It is or was writable, by the process or by the container.",
	[HT_REASON_ORIGIN] = "A rule lists it, but only if it came with the container's image, and this file did not.",
	[HT_REASON_FROZEN] = "It is a directory on the way to something that a rule names; renaming it would take the rule's "
			     "object away from under its name.",
	[HT_REASON_KERNEL] = "A line of kernel: refuses this service of the kernel.",
	[HT_REASON_GUARD] = "It belongs to Haetae itself.",
	[HT_REASON_AMBIGUOUS] = "The file lies in a directory that takes other spellings for the same name (upper and lower case), "
				"so a rule on names in it decides nothing: what a rule refuses anywhere below is refused.",
};

static void put(struct strbuf *b, const void *data, size_t len)
{
	escape_text(b, data, len);
}

static void put_text(struct strbuf *b, const char *text)
{
	put(b, text, strlen(text));
}

static void path_put(const struct policy_path *path, struct strbuf *b)
{
	put_text(b, path->text);
	if (path->subtree)
		strbuf_puts(b, path->text[0] == '/' && !path->text[1] ? "**" : "/**");
}

/* Which name of the object the rule was compared with. */
static void matched_say(const struct explanation *e, struct strbuf *b)
{
	const struct event *event = &e->event;

	if (event->path.len == 0 || (event->op & HT_OPS_KERNEL))
		return;
	strbuf_puts(b, "  matched    ");
	put(b, event->path.data, event->path.len);
	if (event->flags & HT_RECORD_PATH_TRUNCATED)
		strbuf_puts(b, "... (too long to be recorded whole)");
	strbuf_puts(b, event->flags & HT_RECORD_STRAIGHT ?
			       "\n             the name on its own file system: it was reached under another one, through a bind mount" :
			       "\n             the name through the mounts, from the root of the container");
	strbuf_putc(b, '\n');
}

static void exceptions_say(const struct explanation *e, const struct policy_rule *rule, struct strbuf *b)
{
	const struct event *event = &e->event;

	for (size_t i = 0; i < rule->n_except; i++) {
		strbuf_puts(b, "  except     ");
		path_put(&rule->except[i], b);
		strbuf_puts(b, ": does not name it\n");
	}
	for (size_t i = 0; i < rule->unless.n_exe; i++) {
		strbuf_puts(b, "  unless     exe ");
		path_put(&rule->unless.exe[i], b);
		strbuf_puts(b, ": the process ran ");
		put(b, event->exe.data, event->exe.len);
		strbuf_putc(b, '\n');
	}
	if (rule->unless.n_uids > 0)
		strbuf_puts(b, "  unless     uid");
	for (size_t i = 0; i < rule->unless.n_uids; i++)
		strbuf_printf(b, "%s %u", i > 0 ? "," : "", rule->unless.uids[i]);
	if (rule->unless.n_uids > 0)
		strbuf_printf(b, ": the process had user %u\n", event->uid);
}

/* What the rule file says today. */
static void now_say(const struct explanation *e, struct strbuf *b)
{
	const struct event *event = &e->event;
	ssize_t i = event->policy ? policies_find(&e->policies, event->policy) : -1;
	const struct policy_rule *rule;

	if (event->rule_id == 0 || !event->policy)
		return;
	if (i < 0) {
		strbuf_puts(b, "  now        there is no policy of this name in the policy directories any more\n");
		return;
	}
	rule = policy_rule_find(e->policies.items[i], event->rule_id);
	if (!rule) {
		strbuf_puts(b, "  now        the policy has no such rule any more\n");
		return;
	}
	if (rule->location.line != event->rule_line || !event->rule_file ||
	    strcmp(e->policies.items[i]->file, event->rule_file) != 0) {
		strbuf_puts(b, "  now        it stands in ");
		put_text(b, e->policies.items[i]->file);
		strbuf_printf(b, ":%u\n", rule->location.line);
	}
	exceptions_say(e, rule, b);
}

void explain_why(const struct explanation *e, struct strbuf *b)
{
	const struct event *event = &e->event;

	strbuf_puts(b, "\nWhy\n");
	if (event->policy) {
		strbuf_puts(b, "  policy     ");
		put_text(b, event->policy);
		strbuf_putc(b, '\n');
	}
	if (event->rule_text) {
		strbuf_puts(b, "  rule       ");
		put_text(b, event->rule_text);
		strbuf_putc(b, '\n');
	}
	if (event->rule_file) {
		strbuf_puts(b, "  written in ");
		put_text(b, event->rule_file);
		strbuf_printf(b, ":%u\n", event->rule_line);
	}
	if (event->message && event->kind != EVENT_AGENT) {
		strbuf_puts(b, "  message    ");
		put_text(b, event->message);
		strbuf_putc(b, '\n');
	}
	matched_say(e, b);
	now_say(e, b);
	if (event->reason < HT_REASON_MAX && reasons[event->reason])
		strbuf_printf(b, "  %s\n", reasons[event->reason]);
}
