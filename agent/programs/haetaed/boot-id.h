/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* The id of a boot as text, in what the agent keeps on disk. */

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#define BOOT_ID_TEXT 33U

static inline const char *boot_id_format(const uint8_t id[16], char text[BOOT_ID_TEXT])
{
	for (unsigned i = 0; i < 16; i++)
		(void)snprintf(text + 2 * i, 3, "%02x", id[i]);
	return text;
}

/* text may be NULL. */
static inline bool boot_id_is(const char *text, const uint8_t id[16])
{
	char mine[BOOT_ID_TEXT];

	return text && strcmp(text, boot_id_format(id, mine)) == 0;
}
