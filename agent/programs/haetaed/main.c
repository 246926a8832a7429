/* SPDX-License-Identifier: Apache-2.0 */

/* haetaed: arguments, then the agent. */

#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include "container/selectors.h"
#include "programs/haetaed/agent.h"
#include "programs/haetaed/log.h"

#define DEFAULT_STATE_DIR "/var/lib/haetae"
#define DEFAULT_RUNTIME_DIR "/run/haetae"
#define DEFAULT_PIN_DIR "/sys/fs/bpf/haetae"

#define EXIT_CANNOT_ENFORCE 3
#define IDENTITIES_MAX_LIMIT (1U << 20) /* some 100 bytes each, made as they are needed */
#define CGROUPS_MAX_LIMIT (1U << 20) /* 56 bytes each in the kernel, made as they are needed */
#define QUEUE_MAX_LIMIT (1U << 20)   /* a kilobyte or two each while the disk takes none */

enum command {
	COMMAND_RUN,
	COMMAND_DETACH,
	COMMAND_PROBE,
	COMMAND_DONE, /* help or version was printed */
};

static const char *const default_policy_dirs[] = {
	"/etc/haetae/policies.d",
	"/run/haetae/policies.d",
	"/usr/lib/haetae/policies.d",
};

static void usage(FILE *out)
{
	(void)fputs("haetaed [OPTIONS]\n\n"
		    "Enforce the policies of containers in the kernel and record what was refused.\n\n"
		    "     --foreground       log plain lines to standard error\n"
		    "     --policy-dir DIR   read policies here (repeat: highest precedence first)\n"
		    "     --state-dir DIR    the verdict store (" DEFAULT_STATE_DIR ")\n"
		    "     --runtime-dir DIR  lock and control socket (" DEFAULT_RUNTIME_DIR ")\n"
		    "     --pin-dir DIR      what outlives the agent (" DEFAULT_PIN_DIR ")\n"
		    "     --cgroups-max N    governed cgroups there is room for (65536)\n"
		    "     --identities-max N objects that one policy binds by identity (65536)\n"
		    "     --queue-max N      events held while the disk takes none (65536)\n"
		    "     --probe            can this kernel enforce? load nothing that stays; exit 0 or 3\n"
		    "     --detach           end all enforcement and remove the pins\n"
		    "  -h --help             show this help\n"
		    "     --version          show the version\n\n"
		    "Exit status: 0 stopped as asked, 1 failure, 2 usage, 3 this host cannot enforce.\n"
		    "See haetaed(8).\n",
		    out);
}

static int parse_policy_dir(struct agent_options *o, const char *dir)
{
	if (dir[0] != '/') {
		(void)fprintf(stderr, "haetaed: --policy-dir must be absolute: %s\n", dir);
		return -EINVAL;
	}
	if (o->n_policy_dirs >= AGENT_POLICY_DIRS_MAX) {
		(void)fprintf(stderr, "haetaed: at most %u policy directories\n",
			      AGENT_POLICY_DIRS_MAX);
		return -EINVAL;
	}
	o->policy_dirs[o->n_policy_dirs++] = dir;
	return 0;
}

static int parse_number(const char *option, const char *text, unsigned long max, uint32_t *ret)
{
	unsigned long n;
	char *end;

	errno = 0;
	n = strtoul(text, &end, 10);
	if (errno || *end || text[0] < '0' || text[0] > '9' || n == 0 || n > max) {
		(void)fprintf(stderr, "haetaed: %s takes a number from 1 to %lu: %s\n", option, max,
			      text);
		return -EINVAL;
	}
	*ret = (uint32_t)n;
	return 0;
}

static int parse_argv(int argc, char **argv, struct agent_options *o, enum command *ret)
{
	enum {
		OPT_FOREGROUND = 256,
		OPT_POLICY_DIR,
		OPT_STATE_DIR,
		OPT_RUNTIME_DIR,
		OPT_PIN_DIR,
		OPT_CGROUPS_MAX,
		OPT_IDENTITIES_MAX,
		OPT_QUEUE_MAX,
		OPT_DETACH,
		OPT_PROBE,
		OPT_VERSION,
	};
	static const struct option options[] = {
		{ "foreground", no_argument, NULL, OPT_FOREGROUND },
		{ "policy-dir", required_argument, NULL, OPT_POLICY_DIR },
		{ "state-dir", required_argument, NULL, OPT_STATE_DIR },
		{ "runtime-dir", required_argument, NULL, OPT_RUNTIME_DIR },
		{ "pin-dir", required_argument, NULL, OPT_PIN_DIR },
		{ "cgroups-max", required_argument, NULL, OPT_CGROUPS_MAX },
		{ "identities-max", required_argument, NULL, OPT_IDENTITIES_MAX },
		{ "queue-max", required_argument, NULL, OPT_QUEUE_MAX },
		{ "detach", no_argument, NULL, OPT_DETACH },
		{ "probe", no_argument, NULL, OPT_PROBE },
		{ "help", no_argument, NULL, 'h' },
		{ "version", no_argument, NULL, OPT_VERSION },
		{},
	};
	int c;

	*ret = COMMAND_RUN;
	while ((c = getopt_long(argc, argv, "h", options, NULL)) >= 0) {
		switch (c) {
		case 'h':
			usage(stdout);
			*ret = COMMAND_DONE;
			return 0;
		case OPT_VERSION:
			(void)puts("haetae " HAETAE_VERSION);
			*ret = COMMAND_DONE;
			return 0;
		case OPT_FOREGROUND:
			o->foreground = true;
			break;
		case OPT_POLICY_DIR:
			if (parse_policy_dir(o, optarg) < 0)
				return -EINVAL;
			break;
		case OPT_STATE_DIR:
			o->state_dir = optarg;
			break;
		case OPT_RUNTIME_DIR:
			o->runtime_dir = optarg;
			break;
		case OPT_PIN_DIR:
			o->pin_dir = optarg;
			break;
		case OPT_CGROUPS_MAX:
			if (parse_number("--cgroups-max", optarg, CGROUPS_MAX_LIMIT,
					 &o->cgroups_max) < 0)
				return -EINVAL;
			break;
		case OPT_IDENTITIES_MAX:
			if (parse_number("--identities-max", optarg, IDENTITIES_MAX_LIMIT,
					 &o->identities_max) < 0)
				return -EINVAL;
			break;
		case OPT_QUEUE_MAX:
			if (parse_number("--queue-max", optarg, QUEUE_MAX_LIMIT, &o->queue_max) < 0)
				return -EINVAL;
			break;
		case OPT_DETACH:
			*ret = COMMAND_DETACH;
			break;
		case OPT_PROBE:
			*ret = COMMAND_PROBE;
			break;
		default:
			return -EINVAL;
		}
	}
	if (optind < argc) {
		(void)fprintf(stderr, "haetaed: unexpected argument '%s'\n", argv[optind]);
		return -EINVAL;
	}
	if (o->n_policy_dirs == 0)
		for (size_t i = 0; i < ARRAY_LEN(default_policy_dirs); i++)
			o->policy_dirs[o->n_policy_dirs++] = default_policy_dirs[i];
	return 0;
}

/* Each policy is a map in the kernel that is held by a descriptor; the usual limit is meant for select(), which nobody calls
 * here. What cannot be raised is told by the publish that has too many. */
static void raise_descriptors(void)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit) < 0)
		return;
	limit.rlim_cur = limit.rlim_max;
	(void)setrlimit(RLIMIT_NOFILE, &limit);
}

static int run(const struct agent_options *options)
{
	struct agent agent;
	int r;

	/* what it writes tells who tried what: for root alone */
	(void)umask(0077);
	raise_descriptors();

	r = agent_start(&agent, options);
	if (r >= 0)
		r = agent_run(&agent);
	agent_stop(&agent);
	if (r == -EOPNOTSUPP)
		return EXIT_CANNOT_ENFORCE;
	return r < 0 ? EXIT_FAILURE : EXIT_SUCCESS;
}

int main(int argc, char **argv)
{
	struct agent_options options = {
		.state_dir = DEFAULT_STATE_DIR,
		.runtime_dir = DEFAULT_RUNTIME_DIR,
		.pin_dir = DEFAULT_PIN_DIR,
	};
	enum command command;
	int r;

	/* what the canary must not be able to start */
	if (argc == 2 && strcmp(argv[1], KERNEL_CANARY_ARGUMENT) == 0)
		return KERNEL_CANARY_RAN;
	if (parse_argv(argc, argv, &options, &command) < 0) {
		usage(stderr);
		return 2;
	}
	log_open(options.foreground);
	switch (command) {
	case COMMAND_DONE:
		return EXIT_SUCCESS;
	case COMMAND_DETACH:
		r = kernel_detach(options.pin_dir);
		if (r == -EBUSY)
			log_write(LOG_ERR, "A running haetaed has '%s': stop it first (systemctl stop haetaed)",
				  options.pin_dir);
		else if (r < 0)
			(void)log_error(r, "Failed to end the enforcement of '%s'", options.pin_dir);
		else if (selectors_remove(options.runtime_dir) < 0) /* nothing needs the runtimes' hook any more */
			log_warning("Failed to tell the runtimes' hook, ignoring");
		return r < 0 ? EXIT_FAILURE : EXIT_SUCCESS;
	case COMMAND_PROBE:
		return agent_probe() < 0 ? EXIT_CANNOT_ENFORCE : EXIT_SUCCESS;
	case COMMAND_RUN:
		break;
	}
	return run(&options);
}
