/* SPDX-License-Identifier: Apache-2.0 */

#include "programs/haetaed/pace.h"

uint32_t pace_next(uint32_t rate, uint32_t max, uint64_t pending, uint64_t room)
{
	if (max <= PACE_MIN)
		return max;
	if (pending > room / 4)
		rate /= 2;
	else if (pending < room / 16)
		rate = rate > max / 2 ? max : rate * 2;
	if (rate < PACE_MIN)
		rate = PACE_MIN;
	return rate > max ? max : rate;
}
