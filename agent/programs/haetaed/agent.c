/* SPDX-License-Identifier: Apache-2.0 */

#include "programs/haetaed/agent.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <inttypes.h>
#include <limits.h>
#include <linux/capability.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <systemd/sd-daemon.h>
#include <time.h>
#include <unistd.h>

#include "programs/haetaed/break-glass.h"
#include "programs/haetaed/log.h"
#include "host/host.h"
#include "util/capability.h"
#include "util/fd.h"

#define READERS_GROUP "haetae"
#define JOURNAL_SOCKET "/run/systemd/journal/socket"

/* One agent a runtime directory: a second one leaves the first untouched. */
static int agent_lock(struct agent *a)
{
	char path[PATH_MAX];
	int n;

	n = snprintf(path, sizeof(path), "%s/lock", a->options.runtime_dir);
	if (n < 0 || (size_t)n >= sizeof(path))
		return log_error(-ENAMETOOLONG, "Runtime directory");
	a->lock_fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (a->lock_fd < 0)
		return log_error(-errno, "Failed to open '%s'", path);
	if (flock(a->lock_fd, LOCK_EX | LOCK_NB) < 0)
		return log_error(-errno, "Another haetaed runs with '%s'", a->options.runtime_dir);
	return 0;
}

static int agent_dirs(struct agent *a)
{
	char path[PATH_MAX];
	int fd, n, r;

	r = mkdir_parents(a->options.runtime_dir, 0755);
	if (r < 0)
		return log_error(r, "Failed to make '%s'", a->options.runtime_dir);
	r = mkdir_parents(a->options.state_dir, 0700);
	if (r < 0)
		return log_error(r, "Failed to make '%s'", a->options.state_dir);
	r = agent_lock(a);
	if (r < 0)
		return r;
	n = snprintf(path, sizeof(path), "%s/canary", a->options.runtime_dir);
	if (n < 0 || (size_t)n >= sizeof(path))
		return log_error(-ENAMETOOLONG, "Runtime directory");
	fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (fd < 0)
		return log_error(-errno, "Failed to make '%s'", path);
	(void)close(fd);
	return 0;
}

/* What is missing, with the way to mend it. all: also what loading finds out by itself. */
static int agent_check_host(bool all)
{
	struct host_check *checks = NULL;
	enum host_state state;
	size_t n = 0;
	int r;

	r = all ? host_check_all("", &checks, &n) : host_check_start("", &checks, &n);
	if (r < 0)
		return log_error(r, "Failed to look at the host");
	state = HOST_OK;
	for (size_t i = 0; i < n; i++) {
		/* mounted by the kernel room where nobody did */
		bool mends = strcmp(checks[i].id, "cgroup2") == 0 ||
			     strcmp(checks[i].id, "bpffs") == 0;

		if (checks[i].state != HOST_FAIL || mends)
			continue;
		state = HOST_FAIL;
		log_write(LOG_ERR, "Cannot enforce on this host: %s", checks[i].finding);
		if (checks[i].fix)
			log_write(LOG_ERR, "  To mend it: %s", checks[i].fix);
	}
	(void)host_checks_free(checks, n);
	return state == HOST_FAIL ? -EOPNOTSUPP : 0;
}

static void program_print(const struct kernel_program *program, void *userdata)
{
	bool *headed = userdata;

	if (!*headed)
		(void)printf("%-32s %10s %10s\n", "PROGRAM", "CHECKED", "BYTES");
	*headed = true;
	(void)printf("%-32s %10" PRIu32 " %10" PRIu32 "\n", program->name, program->checked,
		     program->bytes);
}

int agent_probe(void)
{
	uint32_t missing = 0;
	bool headed = false;
	char *text = NULL;
	int r = agent_check_host(/* all= */ true);

	if (r >= 0)
		r = kernel_probe(program_print, &headed, &missing, &text);
	if (text)
		log_write(LOG_ERR, "Cannot enforce on this host: %s", text);
	free(text);
	for (uint32_t line = 0; line < HT_KERNEL_MAX && r >= 0; line++)
		if (missing & (1U << line))
			log_write(LOG_WARNING, "This kernel has no hooks for the line '%s' of 'kernel:'",
				  policy_op_to_string(HT_KERNEL_OP(line)));
	return r;
}

static int agent_open_store(struct agent *a)
{
	struct store_config config = { .queue_max = a->options.queue_max };
	char path[PATH_MAX];
	int n, r;

	n = snprintf(path, sizeof(path), "%s/events.db", a->options.state_dir);
	if (n < 0 || (size_t)n >= sizeof(path))
		return log_error(-ENAMETOOLONG, "State directory");
	config.path = path;
	r = store_open(&config, &a->store);
	if (r < 0)
		return log_error(r, "Failed to start the verdict store");
	a->alerts_here = access(JOURNAL_SOCKET, F_OK) < 0;
	r = alerts_new(a->alerts_here, &a->alerts);
	if (r < 0)
		return log_error(r, "Failed to start the alerts");
	return 0;
}

static int agent_open_identities(struct agent *a)
{
	char path[PATH_MAX];
	int n = snprintf(path, sizeof(path), "%s/identities", a->options.runtime_dir);

	if (n < 0 || (size_t)n >= sizeof(path))
		return -ENAMETOOLONG;
	return identities_open(&a->identities, a->kernel, path);
}

static int agent_open_kernel(struct agent *a)
{
	struct ht_ledger ledger;
	const struct kernel_config config = {
		.pin_dir = a->options.pin_dir,
		.cgroups_max = a->options.cgroups_max,
		.identities_max = a->options.identities_max,
		.ledger = &ledger,
	};
	char *text = NULL;
	int r;

	agent_ledger_load(a, &ledger);
	r = kernel_open(&config, &a->kernel, &text);
	if (r < 0) {
		log_write(LOG_ERR, "%s", text ? text : strerror(-r));
		free(text);
		return agent_check_host(/* all= */ true) < 0 ? -EOPNOTSUPP : r;
	}
	/* Only loading takes it; there are no other threads yet. */
	r = capability_drop(CAP_NET_ADMIN);
	if (r < 0)
		return log_error(r, "Failed to give up CAP_NET_ADMIN");
	a->names = image_names_new();
	if (!a->names)
		return log_error(-ENOMEM, "Failed to start");
	r = kernel_seed_names(a->kernel, a->names);
	if (r < 0)
		return log_error(r, "Failed to read the pinned names");
	r = agent_open_identities(a);
	if (r < 0)
		return log_error(r, "Failed to start");
	if (kernel_adopted(a->kernel))
		log_notice("Took over the enforcement that was in place");
	return 0;
}

static int agent_canary(struct agent *a)
{
	char path[PATH_MAX], *text = NULL;
	struct ht_ledger before, after;
	struct timespec ts;
	int r;

	if (snprintf(path, sizeof(path), "%s/canary", a->options.runtime_dir) >= (int)sizeof(path))
		return -ENAMETOOLONG;
	r = kernel_ledger_read(a->kernel, &before);
	if (r >= 0)
		r = kernel_canary(a->kernel, path, &text);
	if (r >= 0)
		r = kernel_ledger_read(a->kernel, &after);
	if (r >= 0 && after.counted[HT_VERDICT_SELF_TEST] - before.counted[HT_VERDICT_SELF_TEST] < 2)
		r = -ENOTSUP; /* refused, but by somebody else */
	if (r < 0) {
		log_write(LOG_ERR, "The self-test failed, not starting: %s",
			  text ? text : strerror(-r));
		free(text);
		return r;
	}
	(void)clock_gettime(CLOCK_REALTIME, &ts);
	a->canary_us = (uint64_t)ts.tv_sec * 1000000ULL + (uint64_t)ts.tv_nsec / 1000ULL;
	return 0;
}

static int agent_settle(struct agent *a)
{
	int r = kernel_settle(a->kernel);

	return r < 0 ? log_error(r, "Failed to remove what a former agent pinned") : 0;
}

static int on_hangup(sd_event_source *source, const struct signalfd_siginfo *info, void *userdata)
{
	_cleanup_free_ char *text = NULL;
	struct agent *a = userdata;

	(void)sd_notify(0, "RELOADING=1");
	(void)agent_reload(a, &text);
	(void)sd_notify(0, "READY=1");
	return 0;
}

static int agent_open_loop(struct agent *a)
{
	sigset_t set;
	int r;

	(void)sigemptyset(&set);
	(void)sigaddset(&set, SIGTERM);
	(void)sigaddset(&set, SIGINT);
	(void)sigaddset(&set, SIGHUP);
	if (sigprocmask(SIG_BLOCK, &set, NULL) < 0)
		return -errno;
	r = sd_event_default(&a->event);
	if (r >= 0)
		r = sd_event_add_signal(a->event, NULL, SIGTERM, NULL, NULL);
	if (r >= 0)
		r = sd_event_add_signal(a->event, NULL, SIGINT, NULL, NULL);
	if (r >= 0)
		r = sd_event_add_signal(a->event, NULL, SIGHUP, on_hangup, a);
	if (r >= 0)
		r = sd_event_set_watchdog(a->event, true);
	return r < 0 ? r : 0;
}

/* From the local file alone: a lookup elsewhere could wait for a network. */
static bool readers_group(gid_t *ret)
{
	FILE *file = fopen("/etc/group", "re");
	const struct group *group;
	bool found = false;

	if (!file)
		return false;
	while (!found && (group = fgetgrent(file)))
		if (strcmp(group->gr_name, READERS_GROUP) == 0) {
			*ret = group->gr_gid;
			found = true;
		}
	(void)fclose(file);
	return found;
}

static int agent_open_control(struct agent *a)
{
	/* what changes nothing */
	static const char *const reader_calls[] = { "status", NULL };
	gid_t group;
	int r;

	r = control_server_new(a->event, a->options.runtime_dir, agent_control, a, &a->control);
	if (r >= 0 && readers_group(&group))
		r = control_server_set_readers(a->control, group, reader_calls);
	return r;
}

static int on_identities(sd_event_source *source, int fd, uint32_t revents, void *userdata)
{
	struct agent *a = userdata;
	int r = identities_turn(&a->identities, a->image);

	if (r >= 0 && identities_idle(&a->identities))
		agent_respell(a);
	return r < 0 ? log_error(r, "Failed to bind what rules name, ignoring"), 0 : 0;
}

static int agent_open_inputs(struct agent *a)
{
	int r;

	r = agent_deadlines_start(a);
	if (r >= 0)
		r = agent_ingest(a);
	if (r >= 0)
		r = sd_event_add_io(a->event, NULL, identities_fd(&a->identities), EPOLLIN,
				    on_identities, a);
	if (r >= 0)
		r = agent_watch(a);
	if (r >= 0)
		r = agent_open_control(a);
	if (r < 0)
		return log_error(r, "Failed to set up the event loop");
	return 0;
}

static int agent_open_policies(struct agent *a)
{
	_cleanup_free_ char *text = NULL;
	int r = agent_reload(a, &text);

	/* a broken file alone does not keep the others from being enforced */
	return r < 0 ? r : 0;
}

static void agent_tell_ready(struct agent *a)
{
	struct timespec ts;
	uint64_t now;

	(void)clock_gettime(CLOCK_REALTIME, &ts);
	now = (uint64_t)ts.tv_sec * 1000000ULL + (uint64_t)ts.tv_nsec / 1000ULL;
	agent_notice(a, EVENT_NOTICE_READY, POLICY_SEVERITY_INFO,
		     "Ready after %llu ms: Haetae %s enforces generation %u",
		     (unsigned long long)((now - a->started_us) / 1000ULL), HAETAE_VERSION,
		     a->published.generation);
	(void)sd_notifyf(0, "READY=1\nSTATUS=Enforcing generation %u", a->published.generation);
}

int agent_start(struct agent *a, const struct agent_options *options)
{
	struct timespec ts;
	int r;

	*a = (struct agent){ .options = *options, .lock_fd = -EBADF, .watch_fd = -EBADF };
	(void)clock_gettime(CLOCK_REALTIME, &ts);
	a->started_us = (uint64_t)ts.tv_sec * 1000000ULL + (uint64_t)ts.tv_nsec / 1000ULL;
	r = agent_check_host(/* all= */ false);
	if (r < 0)
		return r;
	r = agent_open_loop(a);
	if (r < 0)
		return log_error(r, "Failed to set up the event loop");
	r = event_clock_read(&a->clock);
	if (r < 0)
		return log_error(r, "Failed to read the clock");
	r = agent_dirs(a);
	if (r >= 0)
		r = agent_open_kernel(a);
	if (r >= 0)
		r = agent_open_store(a);
	if (r >= 0)
		r = agent_ledger_start(a);
	if (r >= 0)
		r = agent_deadlines_load(a);
	if (r >= 0)
		r = agent_bind_load(a);
	if (r >= 0)
		r = agent_open_policies(a);
	if (r >= 0)
		r = agent_guard(a);
	if (r >= 0)
		r = agent_canary(a);
	if (r >= 0)
		r = agent_settle(a);
	if (r >= 0)
		r = agent_open_inputs(a);
	if (r < 0)
		return r;
	agent_tell_ready(a);
	a->ready = true;
	agent_trim(a);
	return 0;
}

int agent_run(struct agent *a)
{
	int r = sd_event_loop(a->event);

	return r < 0 ? log_error(r, "The event loop failed") : 0;
}

/* What the disk does not take now is told by the next agent as lost, with the exact number. */
static void agent_close_store(struct agent *a)
{
	struct store_stats stats;

	if (!a->store)
		return;
	if (store_flush(a->store, 5000) < 0) {
		store_stats_read(a->store, &stats);
		log_write(LOG_ERR, "%llu events did not reach the disk: %s",
			  (unsigned long long)stats.pending, stats.last_error);
	}
	a->store = store_close(a->store, 100);
}

void agent_stop(struct agent *a)
{
	(void)sd_notify(0, "STOPPING=1");
	a->control = control_server_free(a->control);
	agent_unwatch(a);
	agent_deadlines_stop(a);
	if (a->kernel && a->store && a->set) {
		agent_ledger_tick(a);
		agent_notice(a, EVENT_NOTICE_STOPPED, POLICY_SEVERITY_INFO,
			     "The agent stops; what it published stays in force");
	}
	for (size_t i = 0; i < ARRAY_LEN(a->intakes); i++) {
		a->intakes[i].source = sd_event_source_disable_unref(a->intakes[i].source);
		a->intakes[i].rest = sd_event_source_disable_unref(a->intakes[i].rest);
	}
	a->tick = sd_event_source_disable_unref(a->tick);
	a->change = sd_event_source_disable_unref(a->change);
	a->alerts = alerts_free(a->alerts);
	agent_close_store(a);
	identities_close(&a->identities);
	a->kernel = kernel_close(a->kernel);
	a->image = image_free(a->image);
	a->names = image_names_free(a->names);
	a->set = policy_set_free(a->set);
	a->trial_before = policy_file_unref(a->trial_before);
	rules_deinit(&a->rules);
	containers_deinit(&a->containers);
	bindings_deinit(&a->bindings);
	a->event = sd_event_unref(a->event);
	if (a->lock_fd >= 0)
		(void)close(a->lock_fd);
	a->lock_fd = -EBADF;
}
