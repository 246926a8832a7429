/* SPDX-License-Identifier: Apache-2.0 */

#include "programs/agentctl/color.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "util/cleanup.h"

int color_mode_from_string(const char *s, enum color_mode *ret)
{
	static const char *const words[_COLOR_MODE_MAX] = {
		[COLOR_AUTO] = "auto",
		[COLOR_ALWAYS] = "always",
		[COLOR_NEVER] = "never",
	};

	for (size_t i = 0; i < ARRAY_LEN(words); i++) {
		if (strcmp(s, words[i]) == 0) {
			*ret = (enum color_mode)i;
			return 0;
		}
	}
	return -EINVAL;
}

bool color_wanted(enum color_mode mode, int fd)
{
	const char *no_color = getenv("NO_COLOR");
	const char *term = getenv("TERM");

	if (mode != COLOR_AUTO)
		return mode == COLOR_ALWAYS;
	if (no_color && *no_color)
		return false;
	if (!term || !*term || strcmp(term, "dumb") == 0)
		return false;
	return isatty(fd);
}

const char *color_begin(enum color color, bool on)
{
	static const char *const sequences[_COLOR_MAX] = {
		[COLOR_NONE] = "",	    [COLOR_BOLD] = "\033[1m",	 [COLOR_DIM] = "\033[2m",
		[COLOR_GREEN] = "\033[32m", [COLOR_YELLOW] = "\033[33m", [COLOR_RED] = "\033[1;31m",
	};

	return on ? sequences[color] : "";
}

const char *color_end(enum color color, bool on)
{
	return on && color != COLOR_NONE ? "\033[0m" : "";
}
