/* SPDX-License-Identifier: Apache-2.0 */

/* Pieces of text that the table, the sentence and the alert have in common. */

#include "event/words.h"

#include <inttypes.h>
#include <string.h>
#include <sys/wait.h>

#include "util/escape.h"

const char *words_op(const struct event *event)
{
	const char *op = event->op ? policy_op_to_string(event->op) : NULL;

	return op ? op : "-";
}

void words_rule_place(const struct event *event, struct strbuf *b)
{
	const char *slash;

	if (!event->rule_file)
		return;
	slash = strrchr(event->rule_file, '/');
	slash = slash ? slash + 1 : event->rule_file;
	escape_text(b, slash, strlen(slash));
	if (event->rule_line > 0)
		strbuf_printf(b, ":%" PRIu32, event->rule_line);
}

bool words_subject(const struct event *event, struct strbuf *b)
{
	if (event->exe.len > 0) {
		escape_text(b, event->exe.data, event->exe.len);
		if (event->flags & HT_RECORD_EXE_TRUNCATED)
			strbuf_puts(b, "…");
		return true;
	}
	escape_text(b, event->comm, strlen(event->comm));
	return event->comm[0] != '\0';
}

void words_exit(const struct event *event, struct strbuf *b)
{
	int status = event->exit_code;

	if (WIFSIGNALED(status))
		strbuf_printf(b, "killed by signal %d%s", WTERMSIG(status),
			      WCOREDUMP(status) ? ", core dumped" : "");
	else
		strbuf_printf(b, "exited with status %d", WEXITSTATUS(status));
}

bool words_object(const struct event *event, struct strbuf *b)
{
	if (event->path.len == 0)
		return false;
	escape_text(b, event->path.data, event->path.len);
	if (event->flags & HT_RECORD_PATH_TRUNCATED)
		strbuf_puts(b, "…");
	return true;
}

void words_identity(const struct event *event, struct strbuf *b)
{
	strbuf_printf(b, "device %u:%u, inode %" PRIu64, WORDS_MAJOR(event->dev),
		      WORDS_MINOR(event->dev), event->ino);
}

const char *words_reason(uint8_t reason)
{
	static const char *const reasons[HT_REASON_MAX] = {
		[HT_REASON_FOREIGN] =
			"reached through a mount outside the process's mount namespace",
		[HT_REASON_DEPTH] = "deeper below the root than can be followed",
		[HT_REASON_MOVING] = "a directory or mount on the way kept moving",
		[HT_REASON_UNRESOLVED] = "the kernel's own data about it could not be read",
		[HT_REASON_ANONYMOUS] = "it has no name (a memory file, deleted or temporary)",
		[HT_REASON_LABEL] = "the process could not be labelled with its policy",
		[HT_REASON_PROFILE] = "the process's profile is missing",
		[HT_REASON_WRITABLE] = "it is or was writable, and would be executable",
		[HT_REASON_ORIGIN] = "it did not come with the container's image",
		[HT_REASON_FROZEN] = "something that a rule names is reached through it",
		[HT_REASON_KERNEL] = "a way out of the container",
		[HT_REASON_GUARD] = "it belongs to Haetae",
		[HT_REASON_AMBIGUOUS] = "its directory takes other spellings for the same name",
	};

	return reason < HT_REASON_MAX ? reasons[reason] : NULL;
}
