/* SPDX-License-Identifier: Apache-2.0 */

#include "util/capability.h"

#include <errno.h>
#include <linux/capability.h>
#include <sys/syscall.h>
#include <unistd.h>

int capability_drop(unsigned capability)
{
	struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct data[_LINUX_CAPABILITY_U32S_3] = {};
	struct __user_cap_data_struct *word;
	unsigned bit;

	if (!cap_valid(capability))
		return -EINVAL;
	if (syscall(SYS_capget, &header, data) < 0)
		return -errno;
	word = &data[CAP_TO_INDEX(capability)];
	bit = CAP_TO_MASK(capability);
	if (!((word->effective | word->permitted | word->inheritable) & bit))
		return 0;
	word->effective &= ~bit;
	word->permitted &= ~bit;
	word->inheritable &= ~bit;
	return syscall(SYS_capset, &header, data) < 0 ? -errno : 0;
}
