/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * The local protocol between agentctl and haetaed: a stream socket, one JSON object a line.
 *
 *   request   {"haetae": 1, "call": "status"}                 at most CONTROL_REQUEST_MAX bytes
 *   answer    {"haetae": 1, "ok": true, ...}                  or
 *             {"haetae": 1, "ok": false, "error": "text", "reason": "word", "diagnostics": [...]}
 *
 * "reason" is there when the server itself refused, before any handler was asked:
 *
 *   permission   the peer is neither root nor the agent's own user, nor a reader who asks what readers may
 *   busy         CONTROL_CONNECTIONS_MAX connections are open
 *   timeout      no whole request within CONTROL_TIMEOUT_MS
 *   size         more than CONTROL_REQUEST_MAX bytes, or the answer is beyond CONTROL_ANSWER_MAX
 *   syntax       not one JSON object in one line, or a member of the wrong type
 *   version      "haetae" is not CONTROL_VERSION
 *
 * One request a connection; the server checks SO_PEERCRED (root, or the agent's own user; SO_PEERGROUPS for
 * readers), bounds connections, sizes and time, and never blocks the event loop. JSON holds text, not bytes: names
 * from outside go through control_text().
 */

#include <jansson.h>
#include <stddef.h>
#include <sys/types.h>

#define CONTROL_VERSION 1
#define CONTROL_SOCKET_NAME "control" /* inside the runtime directory */
#define CONTROL_REQUEST_MAX 65536U
#define CONTROL_ANSWER_MAX (64U << 20) /* 100,000 containers with room to spare */
#define CONTROL_CONNECTIONS_MAX 32U
#define CONTROL_TIMEOUT_MS 10000U

struct diag_list;
typedef struct sd_event sd_event;

/* Answers a call by name. params: the whole request object (borrowed). Return: a new reference to
 * the answer's members (the server adds "haetae" and "ok": true); or NULL with *reterr_text
 * (malloc'd) telling why, and optionally *reterr_details, a new reference merged into the answer.
 */
typedef json_t *(*control_handler)(const char *call, json_t *params, void *userdata,
				   char **reterr_text, json_t **reterr_details);

struct control_server;
/* Listen on runtime_dir/control (an old socket there is replaced; its owner is gone, the agent
 * holds the instance lock). Mode 0600. The server borrows the event loop; it must not be freed from
 * inside the handler. Return: 0; -ENAMETOOLONG beyond the length of a socket address; -EEXIST if
 * something that is no socket stands there; other negative errno. */
int control_server_new(sd_event *event, const char *runtime_dir, control_handler handler,
		       void *userdata, struct control_server **ret);
/* Other limits than CONTROL_TIMEOUT_MS and CONTROL_CONNECTIONS_MAX, for connections to come. */
void control_server_set_limits(struct control_server *server, unsigned timeout_ms,
			       unsigned connections_max);
/* Let the members of a group connect and make these calls (NULL-terminated, borrowed), and no others. They share half
 * of the connections. The socket becomes 0660 and the group's; if that takes a privilege that is missing, it stays
 * with its group, and giving it to this one is left to others. Return: 0, -errno. */
int control_server_set_readers(struct control_server *server, gid_t group,
			       const char *const *calls);
/* Close every connection and remove the socket, if it is still this server's. NULL is fine; returns
 * NULL. */
struct control_server *control_server_free(struct control_server *server);

/* Client, blocking. params may be NULL (stolen reference). Return: 0 with the answer's object
 * ("ok": true); CONTROL_E_REFUSED with it ("ok": false); -ECONNREFUSED or -ENOENT: no agent;
 * -EACCES or -EPERM: not allowed to connect; -ETIMEDOUT: no whole answer within timeout_ms (0:
 * CONTROL_TIMEOUT_MS); -ECONNRESET: the agent went away; -EPROTO: not an answer of this protocol;
 * -EPROTONOSUPPORT: another version of it; -EMSGSIZE: request or answer too large; other negative
 * errno. */
#define CONTROL_E_REFUSED 1
int control_call(const char *runtime_dir, const char *call, json_t *params, unsigned timeout_ms,
		 json_t **ret_answer);

/* A JSON string of a text from outside: as it is where it is valid UTF-8, escaped as escape_text()
 * does where it is not. NULL becomes null. Return: a new reference, NULL without memory. */
json_t *control_text(const char *text);

/* Diagnostics <-> [{"file", "line", "column", "width", "severity": "error"|"warning", "text",
 * "expected", "source"}]; absent members are not known. */
json_t *control_diags_to_json(const struct diag_list *diags); /* new reference, NULL: no memory */
/* Adds to diags. Return: 0; -EPROTO not of that form (what came before it is added); -ENOMEM. */
int control_diags_from_json(const json_t *array, struct diag_list *diags);
