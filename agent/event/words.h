/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* What the renderers share: pieces of text about an event, for people. */

#include "event/event.h"
#include "util/strbuf.h"

/* "read", "exec", ...; "-" without an operation. */
const char *words_op(const struct event *event);
/* File name of the rule and line, "50-web.yaml:20", escaped; nothing if there is no file. */
void words_rule_place(const struct event *event, struct strbuf *b);
/* Escaped: the executable, else the comm, else nothing. Return: whether there was one. */
bool words_subject(const struct event *event, struct strbuf *b);
/* How a process ended: "exited with status 3", "killed by signal 9". */
void words_exit(const struct event *event, struct strbuf *b);
/* Escaped: the object's path, with an ellipsis for what was cut off. Return: whether there was one.
 */
bool words_object(const struct event *event, struct strbuf *b);
/* What an object without a path is known by: "device 8:1, inode 42". */
void words_identity(const struct event *event, struct strbuf *b);
/* The kernel's device number (not stat's encoding). */
#define WORDS_MAJOR(dev) ((dev) >> 20)
#define WORDS_MINOR(dev) ((dev)&0xfffffU)
/* What is behind a reason other than a policy's own, as a clause; NULL: nothing to say. */
const char *words_reason(uint8_t reason);
