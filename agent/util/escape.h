/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Foreign bytes made safe for one sink each. Names in the kernel are bytes: they may hold newlines,
 * terminal escapes, quotes and invalid UTF-8. They are kept raw and escaped where they leave.
 */

#include <stddef.h>

#include "util/strbuf.h"

/* For a terminal or a log line: printable ASCII and valid printable UTF-8 as they are, backslash
 * doubled, everything else (C0 and C1 controls, DEL, bidirectional overrides, invalid bytes) as \xNN
 * for each byte. */
void escape_text(struct strbuf *b, const void *data, size_t len);

/* A JSON string with its quotes. Control characters and invalid UTF-8 bytes become \uNNNN; a byte that
 * is not part of valid UTF-8 is written as U+DCxx (the lone surrogate \udcxx of Python's
 * surrogateescape), so the bytes can be read back exactly. */
void escape_json(struct strbuf *b, const void *data, size_t len);

/* Length of the valid UTF-8 sequence at p (1 to 4), 0 if none starts there. Return also the code point. */
size_t utf8_sequence(const unsigned char *p, size_t len, unsigned *ret_code);
