/* SPDX-License-Identifier: Apache-2.0 */

/* What the control socket answers, call by call. */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "programs/haetaed/agent.h"
#include "programs/haetaed/break-glass.h"

/* One call on its way. */
struct call {
	struct agent *agent;
	const json_t *params;
	char **reterr_text;
	json_t **reterr_details;
};

static json_t *call_status(const struct call *c)
{
	return agent_status(c->agent);
}

static json_t *call_reload(const struct call *c)
{
	struct agent *a = c->agent;
	json_t *diagnostics;
	int r = agent_reload(a, c->reterr_text);

	diagnostics = a->set ? control_diags_to_json(&a->set->diags) : NULL;
	if (r == 0)
		return json_pack("{s:o, s:o*}", "generation",
				 json_integer((json_int_t)a->published.generation), "diagnostics",
				 diagnostics);
	if (r > 0)
		*c->reterr_text = strdup("some policy files are broken; their last good versions stay "
					 "in force");
	*c->reterr_details = json_pack("{s:o*}", "diagnostics", diagnostics);
	return NULL;
}

static json_t *call_disarm(const struct call *c)
{
	return control_disarm(c->agent, c->params, c->reterr_text);
}

static json_t *call_arm(const struct call *c)
{
	return control_arm(c->agent, c->params, c->reterr_text);
}

static json_t *call_apply(const struct call *c)
{
	return control_apply(c->agent, c->params, c->reterr_text, c->reterr_details);
}

static json_t *call_confirm(const struct call *c)
{
	return control_confirm(c->agent, c->reterr_text);
}

static json_t *call_settle(const struct call *c)
{
	return control_settle(c->agent, c->reterr_text);
}

static json_t *call_rollback(const struct call *c)
{
	return control_rollback(c->agent, c->reterr_text);
}

static json_t *call_bind(const struct call *c)
{
	return control_bind(c->agent, c->params, c->reterr_text);
}

static const struct {
	const char *name;
	json_t *(*answer)(const struct call *c);
} calls[] = {
	{"status", call_status}, {"reload", call_reload},   {"disarm", call_disarm}, {"arm", call_arm},
	{"apply", call_apply},	 {"confirm", call_confirm}, {"settle", call_settle}, {"rollback", call_rollback},
	{"bind", call_bind},
};

json_t *agent_control(const char *name, json_t *params, void *userdata, char **reterr_text,
		      json_t **reterr_details)
{
	const struct call c = {
		.agent = userdata,
		.params = params,
		.reterr_text = reterr_text,
		.reterr_details = reterr_details,
	};

	for (size_t i = 0; i < ARRAY_LEN(calls); i++)
		if (strcmp(name, calls[i].name) == 0)
			return calls[i].answer(&c);
	if (asprintf(reterr_text, "there is no call '%s'", name) < 0)
		*reterr_text = NULL;
	return NULL;
}
