/* SPDX-License-Identifier: Apache-2.0 */

/* Warnings that a policy's text alone gives (lint.h). */

#include "compile/lint.h"

#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "abi.h"
#include "policy/path.h"
#include "util/cleanup.h"
#include "util/strbuf.h"

/* Start of a line of the text, counted from 1. NULL: there are fewer. */
static const char *text_line(const char *text, uint32_t line)
{
	for (; line > 1 && text; line--) {
		text = strchr(text, '\n');
		text = text ? text + 1 : NULL;
	}
	return text;
}

int lint_warn(const struct policy_file *file, struct policy_location location,
	      struct diag_list *diags, const char *expected, const char *format, ...)
{
	_cleanup_strbuf_ struct strbuf text = {};
	_cleanup_free_ char *source = NULL;
	const char *line = text_line(file->text, location.line);
	struct diag diag = {
		.file = file->path,
		.line = location.line,
		.column = location.column,
		.severity = DIAG_WARNING,
		.expected = (char *)(uintptr_t)expected, /* diag_add() copies */
	};
	va_list ap;

	va_start(ap, format);
	strbuf_vprintf(&text, format, ap);
	va_end(ap);
	if (line && strcspn(line, "\r\n") <= DIAG_SOURCE_MAX) {
		source = strndup(line, strcspn(line, "\r\n"));
		if (!source)
			return -ENOMEM;
	}
	if (strbuf_error(&text) < 0)
		return -ENOMEM;
	diag.text = text.data;
	diag.source = source;
	return diag_add(diags, &diag);
}

static bool names(const struct policy_path *path, const char *text, bool subtree)
{
	struct policy_path other = {.text = (char *)(uintptr_t)text, .subtree = subtree};

	return policy_path_overlaps(path, &other);
}

/* A denied program under another name runs: a copy, a link, another tool that does the same. One
 * warning for a policy says it. */
static int lint_deny_list(const struct policy_file *file, const struct policy *policy,
			  struct diag_list *diags)
{
	static const char *const directories[] = {"/bin",      "/sbin",		 "/usr/bin",
						  "/usr/sbin", "/usr/local/bin", "/usr/local/sbin"};

	if (policy->exec_default == POLICY_DEFAULT_DENY)
		return 0;
	for (size_t i = 0; i < policy->n_rules; i++) {
		const struct policy_rule *rule = &policy->rules[i];
		bool tool = false;

		if (rule->kind != POLICY_RULE_EXEC_DENY || rule->path.subtree)
			continue;
		for (size_t j = 0; j < ARRAY_LEN(directories); j++)
			tool |= names(&rule->path, directories[j], true);
		if (tool)
			return lint_warn(file, rule->path.location, diags,
					 "`default: deny` with what may run in `allow`, or "
					 "`{path: /usr/**, origin: image}` there",
					 "a copy of a denied program runs under any other name");
	}
	return 0;
}

/* Where containers usually may write. */
static int lint_writable(const struct policy_file *file, const struct policy *policy,
			 const struct policy_rule *rule, struct diag_list *diags)
{
	static const char *const places[] = {"/tmp", "/var/tmp", "/dev/shm",
					     "/run", "/home",	 "/var/run"};

	if (rule->origin_image || policy->writable.action == POLICY_ACTION_DENY)
		return 0;
	for (size_t i = 0; i < ARRAY_LEN(places); i++)
		if (names(&rule->path, places[i], true))
			return lint_warn(
				file, rule->path.location, diags,
				"`origin: image` on the rule, or `writable: deny` in `exec`",
				"the container can usually write below `%s`, and so run what "
				"it likes",
				places[i]);
	return 0;
}

/* Does all that may be executed or mapped have to come with the image? */
static bool policy_maps_image_only(const struct policy *policy)
{
	for (size_t i = 0; i < policy->n_rules; i++) {
		const struct policy_rule *rule = &policy->rules[i];

		if ((rule->kind == POLICY_RULE_EXEC_ALLOW || rule->kind == POLICY_RULE_EXEC_LIBRARY) &&
		    !rule->origin_image)
			return false;
	}
	return policy->libraries != POLICY_LIBRARIES_ANY;
}

/* A loader runs the file it is given; whatever may be mapped then runs. Where all of that came with the image, the loader
 * adds nothing to it. */
static int lint_loader(const struct policy_file *file, const struct policy *policy,
		       const struct policy_rule *rule, struct diag_list *diags)
{
	static const char *const loaders[] = {
		"/lib64/ld-linux-x86-64.so.2",
		"/usr/lib64/ld-linux-x86-64.so.2",
		"/usr/lib/x86_64-linux-gnu/ld-linux-x86-64.so.2",
		"/usr/lib/ld-linux-x86-64.so.2",
		"/lib/ld-musl-x86_64.so.1",
	};

	if (rule->kind != POLICY_RULE_EXEC_ALLOW || (rule->origin_image && policy_maps_image_only(policy)))
		return 0;
	for (size_t i = 0; i < ARRAY_LEN(loaders); i++)
		if (names(&rule->path, loaders[i], false))
			return lint_warn(file, rule->path.location, diags,
					 "`libraries` for what is only mapped",
					 "`%s` is a loader: it runs every file that may be mapped",
					 loaders[i]);
	return 0;
}

static int lint_allow_list(const struct policy_file *file, const struct policy *policy,
			   struct diag_list *diags)
{
	int r = 0;

	for (size_t i = 0; i < policy->n_rules && r == 0; i++) {
		const struct policy_rule *rule = &policy->rules[i];

		if (rule->kind != POLICY_RULE_EXEC_ALLOW && rule->kind != POLICY_RULE_EXEC_LIBRARY)
			continue;
		r = lint_writable(file, policy, rule, diags);
		if (r == 0)
			r = lint_loader(file, policy, rule, diags);
	}
	return r;
}

/* Lines without which the rest of the policy holds no more. */
static int lint_kernel(const struct policy_file *file, const struct policy *policy,
		       struct diag_list *diags)
{
	static const struct {
		uint32_t line;
		const char *why;
	} ways[] = {
		{HT_KERNEL_MOUNT, "a task that mounts can give a file another name"},
		{HT_KERNEL_PTRACE, "a traced task of another container does what it is told"},
		{HT_KERNEL_MODULE, "code in the kernel is bound by no policy"},
		{HT_KERNEL_KEXEC, "another kernel knows no policy"},
		{HT_KERNEL_BPF, "programs in the kernel are bound by no policy"},
		{HT_KERNEL_DEVICE, "a disk can be read past its files"},
		{HT_KERNEL_SYSCTL, "the kernel's own settings name programs that it runs"},
	};
	int r = 0;

	for (size_t i = 0; i < ARRAY_LEN(ways) && r == 0; i++) {
		const struct policy_rule *rule = &policy->kernel[ways[i].line];

		if (rule->action == POLICY_ACTION_ALLOW && !rule->implied && rule->id != 0)
			r = lint_warn(file, rule->location, diags, "`audit` to see who needs it",
				      "`%s: allow` is a way out of the container: %s",
				      policy_kernel_to_string(ways[i].line), ways[i].why);
	}
	return r;
}

/* Whose containers no hook tells of before they start: all but podman and CRI-O, unless an OCI hook was set up by hand. */
static int lint_containers(const struct policy_file *file, const struct policy *policy, struct diag_list *diags)
{
	static const char *const told[] = {"podman", "crio"};
	int r = 0;

	for (size_t i = 0; i < policy->n_matches && r == 0; i++) {
		const struct policy_match *m = &policy->matches[i];
		const char *runtime = m->container.runtime;
		bool late = runtime != NULL;

		for (size_t j = 0; late && j < ARRAY_LEN(told); j++)
			late = strcmp(runtime, told[j]) != 0;
		if (late)
			r = lint_warn(file, m->location, diags, "`cgroup`, which binds before the start",
				      "containers of `%s` are found some seconds after they started, as no hook "
				      "tells of them", runtime);
	}
	return r;
}

int lint_policies(const struct policy_file *file, struct diag_list *diags)
{
	size_t first = diags->n;
	int r = 0;

	for (size_t i = 0; i < file->n_policies && r == 0; i++) {
		r = lint_deny_list(file, file->policies[i], diags);
		if (r == 0)
			r = lint_allow_list(file, file->policies[i], diags);
		if (r == 0)
			r = lint_kernel(file, file->policies[i], diags);
		if (r == 0)
			r = lint_containers(file, file->policies[i], diags);
	}
	diag_list_sort(diags, first);
	return r;
}
