/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* What changes what is in force for a limited time: break-glass (disarm) and files on trial (apply), and the one
 * timer of both. */

#include <jansson.h>

struct agent;
struct image;

/* Take over what a former agent began; before the first publish. Return: 0; negative errno, logged. */
int agent_deadlines_load(struct agent *a);
/* Set the timer; from here on what is over ends by itself. Return: 0; negative errno, logged. */
int agent_deadlines_start(struct agent *a);
void agent_deadlines_stop(struct agent *a);
/* After every change of a time. */
void agent_deadlines_set(struct agent *a);

/* ---- break-glass.c ---- */

/* Bind what is disarmed in a compiled image. Return: 0; negative errno with *reterr_text: the image is of no use. */
int agent_disarm_image(struct agent *a, struct image *image, char **reterr_text);
/* Forget containers that are gone. */
void agent_disarm_prune(struct agent *a);
/* Tell of what is over now. Return: is anything? Then a reload puts it in force. */
bool agent_disarm_expire(struct agent *a, uint64_t now_ns);
/* On the way out: everything refuses again until the next agent has looked. */
void agent_disarm_suspend(struct agent *a);
json_t *agent_disarm_status(struct agent *a);

/* The calls "disarm" and "arm". As a control_handler's results. */
json_t *control_disarm(struct agent *a, const json_t *params, char **reterr_text);
json_t *control_arm(struct agent *a, const json_t *params, char **reterr_text);

/* ---- apply.c ---- */

/* Take back the file on trial if its time is over. Return: was it? Then a reload ends it. */
bool agent_trial_expire(struct agent *a, uint64_t now_ns);
json_t *agent_trial_status(struct agent *a); /* null if there is none */

/* The calls "apply", "confirm", "settle" and "rollback". */
json_t *control_apply(struct agent *a, const json_t *params, char **reterr_text, json_t **reterr_details);
json_t *control_confirm(struct agent *a, char **reterr_text);
json_t *control_settle(struct agent *a, char **reterr_text);
json_t *control_rollback(struct agent *a, char **reterr_text);
