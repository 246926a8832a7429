/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#pragma once

#include <linux/types.h>

/* Set by the agent before loading; constants to the verifier. */
extern const volatile __u64 ht_key0; /* of the edge hash */
extern const volatile __u64 ht_key1;
extern const volatile __u32 ht_slots; /* entries of the slots map */
extern const volatile __u32 ht_load;  /* which load over these maps */
