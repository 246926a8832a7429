/* SPDX-License-Identifier: Apache-2.0 */

/* The one timer of everything that ends by itself. It runs on the boot clock, so suspending the machine or setting
 * its clock prolongs nothing. */

#include <errno.h>
#include <stdlib.h>
#include <time.h>

#include "programs/haetaed/agent.h"
#include "programs/haetaed/break-glass.h"
#include "programs/haetaed/log.h"

/* What could not be ended now is tried again so soon. */
#define RETRY_NS 1000000000ULL

uint64_t agent_boottime_ns(void)
{
	struct timespec ts;

	(void)clock_gettime(CLOCK_BOOTTIME, &ts);
	return (uint64_t)ts.tv_sec * 1000000000ULL + (uint64_t)ts.tv_nsec;
}

static uint64_t deadlines_next(const struct agent *a)
{
	uint64_t next = disarms_next(&a->disarms);

	if (a->trial.name && !a->trial.confirmed && (next == 0 || a->trial.until_ns < next))
		next = a->trial.until_ns;
	if (a->deadline_retry_ns != 0 && (next == 0 || a->deadline_retry_ns < next))
		next = a->deadline_retry_ns;
	return next;
}

void agent_deadlines_set(struct agent *a)
{
	uint64_t next = deadlines_next(a);

	if (!a->deadline)
		return;
	if (next == 0) {
		(void)sd_event_source_set_enabled(a->deadline, SD_EVENT_OFF);
		return;
	}
	/* rounded up, so that it is over when the timer fires */
	(void)sd_event_source_set_time(a->deadline, next / 1000ULL + 1);
	(void)sd_event_source_set_enabled(a->deadline, SD_EVENT_ONESHOT);
}

static int on_deadline(sd_event_source *source, uint64_t usec, void *userdata)
{
	_cleanup_free_ char *text = NULL;
	struct agent *a = userdata;
	uint64_t now = agent_boottime_ns();
	bool over = a->deadline_retry_ns != 0;

	over |= agent_disarm_expire(a, now);
	over |= agent_trial_expire(a, now);
	/* a failure is told by the reload; what was to end is still in force, so it is not left at that */
	a->deadline_retry_ns = over && agent_reload(a, &text) < 0 ? now + RETRY_NS : 0;
	agent_deadlines_set(a);
	return 0;
}

int agent_deadlines_load(struct agent *a)
{
	uint64_t now = agent_boottime_ns();
	int r;

	r = disarms_load(&a->disarms, a->options.state_dir, a->clock.boot_id);
	if (r < 0 && r != -ENOENT)
		log_write(LOG_ERR, "Failed to read what was disarmed, so nothing is");
	(void)agent_disarm_expire(a, now);
	r = trial_load(a->options.state_dir, a->clock.boot_id, &a->trial);
	if (r == -EINVAL)
		log_write(LOG_ERR, "Failed to read which policy file was on trial, so it was removed");
	else if (r < 0)
		return log_error(r, "Failed to look for a policy file on trial");
	(void)agent_trial_expire(a, now);
	return 0;
}

int agent_deadlines_start(struct agent *a)
{
	int r = sd_event_add_time(a->event, &a->deadline, CLOCK_BOOTTIME, 0, 0, on_deadline, a);

	if (r < 0)
		return log_error(r, "Failed to set up the timer");
	agent_deadlines_set(a);
	return 0;
}

void agent_deadlines_stop(struct agent *a)
{
	a->deadline = sd_event_source_disable_unref(a->deadline);
	agent_disarm_suspend(a);
	disarms_deinit(&a->disarms);
	trial_deinit(&a->trial);
}
