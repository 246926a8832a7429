/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* Terminal colours: on a terminal only, never where NO_COLOR is set, unless asked for. */

#include <stdbool.h>

enum color_mode {
	COLOR_AUTO,
	COLOR_ALWAYS,
	COLOR_NEVER,
	_COLOR_MODE_MAX,
};

enum color {
	COLOR_NONE,
	COLOR_BOLD,
	COLOR_DIM,
	COLOR_GREEN,
	COLOR_YELLOW,
	COLOR_RED,
	_COLOR_MAX,
};

/* "auto", "always", "never". Return: 0 or -EINVAL. */
int color_mode_from_string(const char *s, enum color_mode *ret);
/* Is output to this descriptor coloured? auto: a terminal that is not dumb, and NO_COLOR is empty.
 */
bool color_wanted(enum color_mode mode, int fd);
/* The sequence that begins a colour, and the one that ends any; "" where `on` is false. */
const char *color_begin(enum color color, bool on);
const char *color_end(enum color color, bool on);
