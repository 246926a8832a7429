/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * The local protocol between agentctl and haetaed: a stream socket, one JSON object a line.
 *
 *   request   {"haetae": 1, "call": "status"}                 at most CONTROL_REQUEST_MAX bytes
 *   answer    {"haetae": 1, "ok": true, ...}                  or
 *             {"haetae": 1, "ok": false, "error": "text", "diagnostics": [...]}
 *
 * One request a connection; the server checks SO_PEERCRED (root, or the agent's own user), bounds
 * connections, sizes and time, and never blocks the event loop.
 */

#include <jansson.h>
#include <stddef.h>

#define CONTROL_VERSION 1
#define CONTROL_SOCKET_NAME "control"	 /* inside the runtime directory */
#define CONTROL_REQUEST_MAX 65536U
#define CONTROL_ANSWER_MAX (64U << 20)	 /* 100,000 containers with room to spare */
#define CONTROL_CONNECTIONS_MAX 32U
#define CONTROL_TIMEOUT_MS 10000U

typedef struct sd_event sd_event;

/* Answers a call by name. params: the whole request object (borrowed). Return: a new reference to the
 * answer's members (the server adds "haetae" and "ok": true); or NULL with *reterr_text (malloc'd)
 * telling why, and optionally *reterr_details, a new reference merged into the answer. */
typedef json_t *(*control_handler)(const char *call, json_t *params, void *userdata,
				   char **reterr_text, json_t **reterr_details);

struct control_server;
/* Listen on runtime_dir/control (an old socket there is replaced; its owner is gone, the agent holds
 * the instance lock). Mode 0600. Return: 0 or negative errno. */
int control_server_new(sd_event *event, const char *runtime_dir, control_handler handler,
		       void *userdata, struct control_server **ret);
struct control_server *control_server_free(struct control_server *server);

/* Client, blocking. params may be NULL (stolen reference). Return: 0 with the answer's object
 * ("ok": true); CONTROL_E_REFUSED with it ("ok": false); -ECONNREFUSED or -ENOENT: no agent; other
 * negative errno. */
#define CONTROL_E_REFUSED 1
int control_call(const char *runtime_dir, const char *call, json_t *params, unsigned timeout_ms,
		 json_t **ret_answer);
