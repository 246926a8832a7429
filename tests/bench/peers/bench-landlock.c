/* SPDX-License-Identifier: Apache-2.0 */

/*
 * bench-landlock PATH... -- COMMAND...: runs the command with all rights on the paths and what is
 * below them, and none elsewhere, by all that this kernel's Landlock knows of files.
 */

#include <fcntl.h>
#include <linux/landlock.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

/* Rights on files by the version of the interface; the first 13 are there since the beginning. */
#define RIGHTS_FIRST ((1ULL << 13) - 1)
#define RIGHT_REFER (1ULL << 13)    /* 2 */
#define RIGHT_TRUNCATE (1ULL << 14) /* 3 */
/* Those that mean something for what is no directory: execute, write, read, truncate. */
#define RIGHTS_FILE (7ULL | RIGHT_TRUNCATE)

static uint64_t rights_known(void)
{
	long version =
		syscall(SYS_landlock_create_ruleset, NULL, 0, LANDLOCK_CREATE_RULESET_VERSION);

	if (version < 1)
		return 0;
	return RIGHTS_FIRST | (version >= 2 ? RIGHT_REFER : 0) |
	       (version >= 3 ? RIGHT_TRUNCATE : 0);
}

static int grant(int ruleset, uint64_t rights, const char *path)
{
	struct landlock_path_beneath_attr rule = {.allowed_access = rights};
	struct stat st;

	rule.parent_fd = open(path, O_PATH | O_CLOEXEC);
	if (rule.parent_fd < 0 || fstat(rule.parent_fd, &st) < 0)
		return -1;
	if (!S_ISDIR(st.st_mode))
		rule.allowed_access &= RIGHTS_FILE;
	if (syscall(SYS_landlock_add_rule, ruleset, LANDLOCK_RULE_PATH_BENEATH, &rule, 0) < 0)
		return -1;
	return close(rule.parent_fd);
}

int main(int argc, char **argv)
{
	struct landlock_ruleset_attr attr = {.handled_access_fs = rights_known()};
	int ruleset = -1, i;

	if (attr.handled_access_fs)
		ruleset = (int)syscall(SYS_landlock_create_ruleset, &attr, sizeof(attr), 0);
	if (ruleset < 0) {
		perror("landlock");
		return 1;
	}
	for (i = 1; i < argc && strcmp(argv[i], "--") != 0; i++)
		if (grant(ruleset, attr.handled_access_fs, argv[i]) < 0) {
			perror(argv[i]);
			return 1;
		}
	if (i + 1 >= argc) {
		(void)fprintf(stderr, "usage: bench-landlock PATH... -- COMMAND...\n");
		return 2;
	}
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 ||
	    syscall(SYS_landlock_restrict_self, ruleset, 0) < 0) {
		perror("landlock");
		return 1;
	}
	(void)close(ruleset);
	(void)execv(argv[i + 1], argv + i + 1);
	perror(argv[i + 1]);
	return 1;
}
