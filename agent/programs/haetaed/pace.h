/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stdint.h>

/*
 * How many records of one cgroup the kernel tells one by one in a second. What is beyond is in aggregates, which lose details
 * and no refusal; what the store has no room for is lost. So when the store falls behind, the kernel is told to tell less.
 */

#define PACE_MIN 50U /* so that what a quiet container is refused keeps its own rows, whoever floods the store */

/* rate: what it is now, max: without need. pending: events that wait for the disk, room: how many can. Asked once a second.
 * Return: what it is to be, PACE_MIN to max. */
uint32_t pace_next(uint32_t rate, uint32_t max, uint64_t pending, uint64_t room);
