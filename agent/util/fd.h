/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* Small files and descriptors. */

#include <stddef.h>

/* Read everything from an open descriptor. max: refuse with -EFBIG beyond. *ret_data is terminated
 * (not counted in *ret_len); free() it. Return: 0, -EFBIG, -ENOMEM, or read(2)'s errno. */
int fd_read_all(int fd, size_t max, char **ret_data, size_t *ret_len);
/* The same by path, relative to dir_fd. Symbolic links are followed. Return: as above, or open(2)'s errno. */
int file_read_all(int dir_fd, const char *path, size_t max, char **ret_data, size_t *ret_len);
/* Read so many bytes. Return: 0; -EBADMSG the file ends before; negative errno of read(2). */
int fd_read_exact(int fd, void *ret_data, size_t len);
/* Create a directory and its parents. Return: 0 (also if it exists), negative errno. */
int mkdir_parents(const char *path, unsigned mode);
