/* SPDX-License-Identifier: Apache-2.0 */

/*
 * bench-policy [FILES [RULES]]: writes so many policy files of so many rules each, then reads,
 * checks and compiles them as the agent does. The standard size, 100,000 rules in 1,000 files, must
 * take less than 2 s and 200 MiB; beyond, the exit status is 1.
 *
 * bench-policy write DIRECTORY [FILES [RULES]]: only writes them there, for the benchmark of a whole publish.
 */

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#include "compile/image.h"
#include "util/cleanup.h"

#define SECONDS_MAX 2.0
#define MEMORY_MAX_KB (200L * 1024)

DEFINE_CLEANUP(struct image *, image_freep, image_free)
DEFINE_CLEANUP(struct image_names *, image_names_freep, image_names_free)
DEFINE_CLEANUP(struct policy_set *, policy_set_freep, policy_set_free)

static double now(void)
{
	struct timespec t;

	(void)clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static long memory_kb(void)
{
	struct rusage u;

	(void)getrusage(RUSAGE_SELF, &u);
	return u.ru_maxrss;
}

/* What people write: mostly literals, some wildcards, exceptions, conditions. */
static void write_rule(FILE *f, unsigned file, unsigned i)
{
	switch (i % 20) {
	case 0:
		fprintf(f,
			"    - {path: /srv/app%u/data%u/**, except: [/srv/app%u/data%u/public]}\n",
			file, i, file, i);
		return;
	case 1:
		fprintf(f, "    - {path: /home/*/private-%u-%u, severity: low}\n", file, i);
		return;
	case 2:
		fprintf(f, "    - {path: /var/lib/app%u/key%u, unless: {exe: /usr/bin/app%u}}\n",
			file, i, file);
		return;
	case 3:
		fprintf(f, "    - {path: /etc/app%u/conf%u, ops: [write, delete, rename]}\n", file,
			i);
		return;
	default:
		fprintf(f, "    - /opt/vendor%u/module%u/secret%u\n", file, i / 10, i);
	}
}

static int write_file(const char *dir, unsigned file, unsigned rules)
{
	char path[4096];
	FILE *f;

	(void)snprintf(path, sizeof(path), "%s/%05u.yaml", dir, file);
	f = fopen(path, "we");
	if (!f)
		return -errno;
	fprintf(f, "policy: p%u\nmatch:\n  - cgroup: /machine.slice/app%u.scope\n", file, file);
	fprintf(f, "exec:\n  default: deny\n  allow: [/usr/bin/app%u]\nfile:\n  deny:\n", file);
	for (unsigned i = 0; i < rules; i++)
		write_rule(f, file, i);
	return fclose(f) == 0 ? 0 : -errno;
}

static void remove_files(const char *dir, unsigned files)
{
	char path[4096];

	for (unsigned i = 0; i < files; i++) {
		(void)snprintf(path, sizeof(path), "%s/%05u.yaml", dir, i);
		(void)unlink(path);
	}
	(void)rmdir(dir);
}

static size_t count_pairs(const struct image *image)
{
	size_t n = image->matcher.n_pairs;

	for (size_t i = 0; i < image->n_profiles; i++)
		n += image->profiles[i].n_pairs;
	return n;
}

/* Return: 0, or negative errno; *ret_image is for counting. */
static int compile(const struct policy_set *set, struct image **ret_image)
{
	_cleanup_(image_names_freep) struct image_names *names = image_names_new();
	_cleanup_(diag_list_deinit) struct diag_list diags = {};
	_cleanup_free_ const struct policy **all = NULL;
	const struct ht_hash_key key = {.k0 = 1, .k1 = 2};
	size_t n = 0;
	int r;

	all = calloc(set->n_sources + 1, sizeof(struct policy *));
	if (!all || !names)
		return -ENOMEM;
	for (size_t i = 0; i < set->n_sources; i++)
		if (set->sources[i].file)
			all[n++] = set->sources[i].file->policies[0];
	r = image_compile(all, n, names, &key, time(NULL), &diags, ret_image);
	if (r != 0)
		diag_list_print(&diags, stderr, false);
	return r > 0 ? -EINVAL : r;
}

static int measure(const char *dir, unsigned files, unsigned rules)
{
	_cleanup_(policy_set_freep) struct policy_set *set = NULL;
	_cleanup_(image_freep) struct image *image = NULL;
	double start = now(), read;
	bool standard = (unsigned long)files * rules >= 100000;
	int r;

	r = policy_set_load(&dir, 1, NULL, &set);
	if (r < 0)
		return r;
	if (set->diags.n_errors > 0) {
		diag_list_print(&set->diags, stderr, false);
		return -EINVAL;
	}
	read = now();
	r = compile(set, &image);
	if (r < 0)
		return r;
	printf("%u files, %u rules: read and check %.2f s, compile %.2f s, together %.2f s; %ld "
	       "KiB; "
	       "%zu pairs\n",
	       files, files * rules, read - start, now() - read, now() - start, memory_kb(),
	       count_pairs(image));
	return standard && (now() - start > SECONDS_MAX || memory_kb() > MEMORY_MAX_KB) ? 1 : 0;
}

static int write_all(const char *dir, unsigned files, unsigned rules)
{
	int r = 0;

	for (unsigned i = 0; r == 0 && i < files; i++)
		r = write_file(dir, i, rules);
	return r;
}

int main(int argc, char **argv)
{
	bool only_write = argc > 2 && strcmp(argv[1], "write") == 0;
	char temporary[] = "/tmp/bench-policy.XXXXXX";
	const char *dir = only_write ? argv[2] : mkdtemp(temporary);
	int sizes = only_write ? 3 : 1, r;
	unsigned files = argc > sizes ? (unsigned)atoi(argv[sizes]) : 1000;
	unsigned rules = argc > sizes + 1 ? (unsigned)atoi(argv[sizes + 1]) : 100;

	if (!dir)
		return EXIT_FAILURE;
	r = write_all(dir, files, rules);
	if (r == 0 && !only_write)
		r = measure(dir, files, rules);
	if (!only_write)
		remove_files(dir, files);
	if (r < 0)
		fprintf(stderr, "bench-policy: %s\n", strerror(-r));
	return r == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
