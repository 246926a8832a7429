/* SPDX-License-Identifier: Apache-2.0 */

#include "programs/agentctl/agentctl.h"

int main(int argc, char **argv)
{
	struct agentctl ctl;

	agentctl_init(&ctl);
	return agentctl_run(&ctl, argc, argv);
}
