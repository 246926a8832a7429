/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* Give back memory that a start or a reload took and that nothing needs after it: what is free of the heap, and the pages of
 * the program and its libraries, of which those that are used come back from their files. */
void memory_trim(void);
