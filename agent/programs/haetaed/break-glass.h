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
/* What is disarmed now. Return: a new array, empty if nothing is; NULL without memory. */
json_t *agent_disarm_status(struct agent *a);

/* The calls of agentctl: each returns a new reference to the answer's members, or NULL with *reterr_text, malloc'd; params is
 * borrowed. NULL without a text: no memory. */

/* Disarm "container", or "all", for "for_us" microseconds, with a "reason"; the answer comes when that is in force. Refused: no such
 * container or several, a time or reason out of bounds, one that is governed from above, no room, an order that cannot be kept on
 * the disk, a publish that failed; then all is as before. */
json_t *control_disarm(struct agent *a, const json_t *params, char **reterr_text);
/* End it before its time, of one or of all. Refused: nothing of it is disarmed. A publish that fails is refused as well, and tried
 * again until it goes well. */
json_t *control_arm(struct agent *a, const json_t *params, char **reterr_text);

/* ---- apply.c ---- */

/* Take back the file on trial if its time is over. Return: was it? Then a reload ends it. */
bool agent_trial_expire(struct agent *a, uint64_t now_ns);
json_t *agent_trial_status(struct agent *a); /* null if there is none */

/* The file "name" from the directory of trials is in force, and taken back after "within_us" microseconds. Refused: the name, a
 * time out of bounds, another file on trial, a file that cannot be taken, and one that does not come into force, with its
 * diagnostics in *reterr_details, a new reference; then all is as before. */
json_t *control_apply(struct agent *a, const json_t *params, char **reterr_text, json_t **reterr_details);
/* It stays, and is not taken back any more. Again is no mistake. Refused: none is on trial, or that cannot be kept on the disk. */
json_t *control_confirm(struct agent *a, char **reterr_text);
/* The confirmed file is where the administrator's are: the copy goes. Refused: none is confirmed, no directory has it in force, or
 * the copy cannot be removed. */
json_t *control_settle(struct agent *a, char **reterr_text);
/* Take it back now. Refused: none is on trial, or the copy cannot be removed. A publish that fails is refused as well, and tried
 * again until it goes well. */
json_t *control_rollback(struct agent *a, char **reterr_text);
