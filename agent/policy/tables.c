/* SPDX-License-Identifier: Apache-2.0 */

/* The words of the policy language and the enums they stand for. */

#include <errno.h>
#include <string.h>

#include "abi.h"
#include "policy/policy.h"
#include "util/cleanup.h"

static const char *const mode_table[_POLICY_MODE_MAX] = {
	[POLICY_MODE_ENFORCE] = "enforce",
	[POLICY_MODE_AUDIT] = "audit",
};

static const char *const default_table[_POLICY_DEFAULT_MAX] = {
	[POLICY_DEFAULT_ALLOW] = "allow",
	[POLICY_DEFAULT_DENY] = "deny",
};

static const char *const action_table[_POLICY_ACTION_MAX] = {
	[POLICY_ACTION_ALLOW] = "allow",
	[POLICY_ACTION_AUDIT] = "audit",
	[POLICY_ACTION_DENY] = "deny",
	[POLICY_ACTION_KILL] = "kill",
};

static const char *const severity_table[_POLICY_SEVERITY_MAX] = {
	[POLICY_SEVERITY_INFO] = "info",	 [POLICY_SEVERITY_LOW] = "low",
	[POLICY_SEVERITY_MEDIUM] = "medium",	 [POLICY_SEVERITY_HIGH] = "high",
	[POLICY_SEVERITY_CRITICAL] = "critical",
};

static const char *const kind_table[_POLICY_RULE_KIND_MAX] = {
	[POLICY_RULE_EXEC_DEFAULT] = "exec.default",
	[POLICY_RULE_EXEC_ALLOW] = "exec.allow",
	[POLICY_RULE_EXEC_DENY] = "exec.deny",
	[POLICY_RULE_FILE_DEFAULT] = "file.default",
	[POLICY_RULE_FILE_ALLOW] = "file.allow",
	[POLICY_RULE_FILE_DENY] = "file.deny",
	[POLICY_RULE_EXEC_AUDIT] = "exec.audit",
	[POLICY_RULE_FILE_AUDIT] = "file.audit",
	[POLICY_RULE_EXEC_LIBRARY] = "exec.libraries",
	[POLICY_RULE_EXEC_ANONYMOUS] = "exec.anonymous",
	[POLICY_RULE_EXEC_WRITABLE] = "exec.writable",
	[POLICY_RULE_KERNEL] = "kernel",
};

static const struct {
	const char *word;
	uint32_t bits;
} op_table[] = {
	{"read", HT_OP_READ},	  {"write", HT_OP_WRITE},
	{"create", HT_OP_CREATE}, {"delete", HT_OP_DELETE},
	{"rename", HT_OP_RENAME}, {"link", HT_OP_LINK},
	{"attr", HT_OP_ATTR},	  {"map", HT_OP_MAP | HT_OP_MAP_LIBRARY},
	{"exec", HT_OP_EXEC},
};

static const char *const kernel_table[HT_KERNEL_MAX] = {
	[HT_KERNEL_MOUNT] = "mount",
	[HT_KERNEL_PTRACE] = "ptrace",
	[HT_KERNEL_MODULE] = "module",
	[HT_KERNEL_KEXEC] = "kexec",
	[HT_KERNEL_BPF] = "bpf",
	[HT_KERNEL_PERF] = "perf",
	[HT_KERNEL_DEVICE] = "device",
	[HT_KERNEL_SYSCTL] = "sysctl",
	[HT_KERNEL_CLOCK] = "clock",
	[HT_KERNEL_NAMESPACES] = "namespaces",
	[HT_KERNEL_IO_URING_SQPOLL] = "io_uring_sqpoll",
};

static const char *table_get(const char *const *table, size_t n, size_t i)
{
	return i < n ? table[i] : NULL;
}

static int table_find(const char *const *table, size_t n, const char *s)
{
	for (size_t i = 0; i < n; i++)
		if (strcmp(table[i], s) == 0)
			return (int)i;
	return -EINVAL;
}

const char *policy_mode_to_string(enum policy_mode mode)
{
	return table_get(mode_table, ARRAY_LEN(mode_table), mode);
}

int policy_mode_from_string(const char *s, enum policy_mode *ret)
{
	int i = table_find(mode_table, ARRAY_LEN(mode_table), s);

	if (i < 0)
		return i;
	*ret = (enum policy_mode)i;
	return 0;
}

const char *policy_default_to_string(enum policy_default d)
{
	return table_get(default_table, ARRAY_LEN(default_table), d);
}

int policy_default_from_string(const char *s, enum policy_default *ret)
{
	int i = table_find(default_table, ARRAY_LEN(default_table), s);

	if (i < 0)
		return i;
	*ret = (enum policy_default)i;
	return 0;
}

const char *policy_action_to_string(enum policy_action action)
{
	return table_get(action_table, ARRAY_LEN(action_table), action);
}

int policy_action_from_string(const char *s, enum policy_action *ret)
{
	int i = table_find(action_table, ARRAY_LEN(action_table), s);

	if (i < 0)
		return i;
	*ret = (enum policy_action)i;
	return 0;
}

const char *policy_severity_to_string(enum policy_severity severity)
{
	return table_get(severity_table, ARRAY_LEN(severity_table), severity);
}

int policy_severity_from_string(const char *s, enum policy_severity *ret)
{
	int i = table_find(severity_table, ARRAY_LEN(severity_table), s);

	if (i < 0)
		return i;
	*ret = (enum policy_severity)i;
	return 0;
}

const char *policy_rule_kind_to_string(enum policy_rule_kind kind)
{
	return table_get(kind_table, ARRAY_LEN(kind_table), kind);
}

const char *policy_kernel_to_string(uint32_t line)
{
	return table_get(kernel_table, ARRAY_LEN(kernel_table), line);
}

int policy_kernel_from_string(const char *s, uint32_t *ret_line)
{
	int i = table_find(kernel_table, ARRAY_LEN(kernel_table), s);

	if (i < 0)
		return i;
	*ret_line = (uint32_t)i;
	return 0;
}

const char *policy_op_to_string(uint32_t op)
{
	if (op == 0 || (op & (op - 1)) != 0)
		return NULL;
	for (uint32_t line = 0; line < HT_KERNEL_MAX; line++)
		if (op == HT_KERNEL_OP(line))
			return kernel_table[line];
	for (size_t i = 0; i < ARRAY_LEN(op_table); i++)
		if (op_table[i].bits & op)
			return op_table[i].word;
	return NULL;
}

int policy_op_from_string(const char *s, uint32_t *ret_bits)
{
	for (size_t i = 0; i < ARRAY_LEN(op_table); i++) {
		if (strcmp(op_table[i].word, s) != 0)
			continue;
		*ret_bits = op_table[i].bits;
		return 0;
	}
	for (uint32_t line = 0; line < HT_KERNEL_MAX; line++) {
		if (strcmp(kernel_table[line], s) != 0)
			continue;
		*ret_bits = HT_KERNEL_OP(line);
		return 0;
	}
	return -EINVAL;
}
