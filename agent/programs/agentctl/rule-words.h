/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* A rule as people and programs read it. */

#include "policy/policy.h"
#include "programs/agentctl/agentctl.h"

/* Its kind, path, exceptions and conditions in one line: "file.deny /root except /root/a unless exe /b".
 * Raw bytes. */
void rule_describe(const struct policy_rule *rule, struct strbuf *b);
/* What it does now: "allow", "audit", "deny", "kill", or "staged", "expired", or for a policy in audit mode "would-deny". */
const char *rule_effect(const struct policy *policy, const struct policy_rule *rule, int64_t now);
/* The words of its operations, joined by commas. */
void rule_ops(const struct policy_rule *rule, struct strbuf *b);
/* {"policy", "rule", "kind", "path", "ops", "except", "unless": {"exe", "uid"}, "effect", "action", "severity", "message",
 * "tags", "from_image", "file", "line", "implied"}. A new reference, NULL without memory. */
json_t *rule_to_json(const struct policy *policy, const struct policy_rule *rule, int64_t now);
