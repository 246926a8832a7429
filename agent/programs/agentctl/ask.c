/* SPDX-License-Identifier: Apache-2.0 */

#include "programs/agentctl/ask.h"

#include <errno.h>
#include <string.h>

#include "event/event.h"

#define ASK_COMPONENTS_MAX HT_WALK_MAX

struct names {
	struct image_component *items;
	size_t n;
};

/* "/a/b" as the names from the root down (borrowed). */
static int names_split(const char *path, struct names *ret)
{
	size_t max = 1;

	if (path[0] != '/')
		return -EINVAL;
	for (const char *p = path; *p; p++)
		max += *p == '/';
	if (max > ASK_COMPONENTS_MAX)
		return -ENAMETOOLONG;
	ret->items = calloc(max, sizeof(*ret->items));
	if (!ret->items)
		return -ENOMEM;
	for (const char *p = path; *p;) {
		size_t len;

		p += strspn(p, "/");
		len = strcspn(p, "/");
		if ((len == 1 && p[0] == '.') || (len == 2 && p[0] == '.' && p[1] == '.'))
			return -EINVAL;
		if (len > HT_NAME_MAX)
			return -ENAMETOOLONG;
		if (len > 0)
			ret->items[ret->n++] = (struct image_component){.name = p, .len = len};
		p += len;
	}
	return 0;
}

bool verdict_refuses(uint8_t verdict)
{
	return verdict == HT_VERDICT_DENY || verdict == HT_VERDICT_KILL;
}

int ask_op(const char *word, const char *path, uint32_t *ret_op)
{
	const char *name = path ? strrchr(path, '/') : NULL;
	uint32_t bits;

	if (policy_op_from_string(word, &bits) < 0)
		return -EINVAL;
	/* the kernel tells libraries by their names */
	if (bits & HT_OP_MAP)
		bits = name && strstr(name + 1, ".so") ? HT_OP_MAP_LIBRARY : HT_OP_MAP;
	*ret_op = bits;
	return 0;
}

static unsigned bit_number(uint32_t bit)
{
	unsigned n = 0;

	while (bit > 1) {
		bit >>= 1;
		n++;
	}
	return n;
}

static unsigned strictness(uint8_t verdict)
{
	static const uint8_t rising[] = {HT_VERDICT_ALLOW, HT_VERDICT_AUDIT, HT_VERDICT_WOULD_DENY, HT_VERDICT_DENY,
					 HT_VERDICT_KILL};

	for (unsigned i = 0; i < ARRAY_LEN(rising); i++)
		if (rising[i] == verdict)
			return i;
	return 0;
}

static void ask_one(const struct policy *policy, int64_t now, const struct policy_question *question,
		    struct reply *reply)
{
	unsigned bit = bit_number(question->ops);
	struct policy_answer answer;
	uint8_t verdict;

	policy_evaluate(policy, now, question, &answer);
	verdict = policy_answer_verdict(&answer, question->ops);
	if (reply->n++ > 0 && strictness(verdict) <= strictness(reply->verdict))
		return;
	reply->verdict = verdict;
	reply->reason = answer.reason[bit];
	reply->policy = verdict == HT_VERDICT_ALLOW ? NULL : policy;
	reply->rule = answer.rule[bit] ? policy_rule_find(policy, answer.rule[bit]) : NULL;
}

int ask_policies(const struct policies *policies, const bool *governs, int64_t now, const struct ask *ask,
		 struct reply *ret)
{
	struct names object = {}, exe = {};
	struct policy_question question = {
		.ops = ask->op,
		.nameless = ask->nameless,
		.stacked = ask->stacked,
		.from_image = ask->from_image,
		.writable = ask->writable,
		.uid = ask->uid,
	};
	int r = 0;

	*ret = (struct reply){.verdict = HT_VERDICT_ALLOW};
	if (ask->path)
		r = names_split(ask->path, &object);
	if (r >= 0 && ask->exe)
		r = names_split(ask->exe, &exe);
	question.components = object.items;
	question.n = object.n;
	question.exe = ask->exe ? exe.items : NULL;
	question.n_exe = exe.n;
	for (size_t i = 0; r >= 0 && i < policies->n; i++)
		if (!governs || governs[i])
			ask_one(policies->items[i], now, &question, ret);
	free(object.items);
	free(exe.items);
	return r;
}
