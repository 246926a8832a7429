/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* Writing files as a whole. */

#include <stddef.h>

/* Write all of it. Return: 0, or write(2)'s errno. */
int fd_write_all(int fd, const void *data, size_t len);
/* Replace a file as a whole: written beside it under the name .NAME.new, forced to the disk, renamed over it. Nobody
 * ever sees half of it, and a failure leaves the former one. Return: 0, negative errno. */
int file_replace(const char *path, const void *data, size_t len, unsigned mode);
