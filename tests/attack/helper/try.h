/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * try: one act of an attack, in one process, with the errno of the kernel as its exit status.
 *
 *   try [WRAPPER ARGUMENT...]... ACT ARGUMENT...
 *
 * A wrapper prepares the process (another root, another cgroup, a thread) and goes on with the rest
 * of the line; an act ends it. `try chroot /x fork open read /secret`
 *
 * `try fingerprint DIRECTORY` is no act: it prints what the tree is like, for a comparison. `try each` does the acts that
 * standard input lists.
 */

#include <stddef.h>

#define STATUS_SETUP 250 /* the act was never tried: said on standard error */
#define STATUS_MIXED 251 /* an act of several parts: some were refused, some were not */
#define STATUS_WRONG 252 /* let through, but not what was to be reached */

/* One word of the command line. run() gets the words after its own.
 * Return: an exit status: 0, an errno, or STATUS_*. A wrapper returns what try_run() of the rest
 * returns. */
struct verb {
	const char *name;
	int n_args; /* fewer is a usage error */
	int (*run)(char **args);
};

extern const struct verb wrap_verbs[];
extern const struct verb file_verbs[];
extern const struct verb exec_verbs[];
extern const struct verb descriptor_verbs[];
extern const struct verb escape_verbs[];
extern const struct verb task_verbs[];
extern const struct verb attribute_verbs[];
extern const struct verb uring_verbs[];
extern const struct verb tree_verbs[];
extern const struct verb socket_verbs[];
extern const struct verb churn_verbs[];
extern const struct verb compat_verbs[];
extern const struct verb serve_verbs[];
extern const struct verb handle_verbs[];
extern const struct verb volume_verbs[];
extern const struct verb around_verbs[];
extern const struct verb fill_verbs[];
extern const struct verb exchange_verbs[];

/* Runs the rest of a command line. Return: its exit status. */
int try_run(char **words);
/* Says that `what` went wrong (with errno). Return: STATUS_SETUP. */
int try_setup_failed(const char *what);
/* Takes "read,trunc" apart. Return: open(2) flags, -1 for an unknown word. */
int try_open_flags(const char *words);
/* recvmsg(2) by io_uring. Return: 0 or an exit status. */
struct msghdr;
int try_uring_receive(const char *where, int fd, struct msghdr *message);
/* Opens, and reads a byte if it was opened for reading. Return: 0 or errno. */
int try_open(int dir_fd, const char *path, int flags);
/* Waits for a child. Return: its exit status, STATUS_SETUP if it did not exit. */
int try_wait(int pid);
/* Fills a page that has to be missing, whatever its protection. Return: 0, errno or STATUS_SETUP. */
int try_fill(void *at);
/* Copies a whole file into a descriptor. Return: 0 or -1 with errno. */
int try_copy(const char *from, int to_fd);
