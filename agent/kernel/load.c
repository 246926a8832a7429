/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Load the programs with libbpf, attach them, pin them.
 *
 * Attaching comes last and in one order: the hooks that decide before the tracepoints that bind, so that
 * nothing is bound that could not be judged.
 */

#include "kernel/internal.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>

#include "haetae.skel.h"
#include "util/cleanup.h"

const char *const kernel_map_names[_MAP_MAX] = {
	[MAP_LABELS] = "labels",
	[MAP_LABEL_TEMPLATES] = "label_templates",
	[MAP_CGROUPS] = "cgroups",
	[MAP_UNBINDS] = "unbinds",
	[MAP_PROFILES] = "profiles",
	[MAP_GLOBS] = "globs",
	[MAP_REFUSALS] = "refusals",
	[MAP_NOTICES] = "notices",
	[MAP_LEDGER] = "ledger",
	[MAP_AGGREGATES] = "aggregates",
	[MAP_SLOTS] = "slots",
	[MAP_SETTINGS] = "settings",
	[MAP_MKDIR_SCRATCH] = "mkdir_scratch",
	[MAP_NAMES] = "names",
	[MAP_UNBOUND] = "unbound",
};

int kernel_fail(char **reterr_text, int r, const char *format, ...)
{
	_cleanup_free_ char *text = NULL;
	va_list ap;

	if (*reterr_text)
		return r;
	va_start(ap, format);
	if (vasprintf(&text, format, ap) < 0)
		text = NULL;
	va_end(ap);
	if (!text || asprintf(reterr_text, "%s: %s", text, strerror(-r)) < 0)
		*reterr_text = NULL;
	return r;
}

/* What the verifier or libbpf said last: the only place where the reason of a refusal stands. */
static char load_log[4096];

__attribute__((format(printf, 2, 0)))
static int load_print(enum libbpf_print_level level, const char *format, va_list ap)
{
	size_t used = strlen(load_log);

	if (level == LIBBPF_DEBUG || used > sizeof(load_log) - 256)
		return 0;
	(void)vsnprintf(load_log + used, sizeof(load_log) - used, format, ap);
	return 0;
}

static int load_fail(char **reterr_text, int r, const char *what)
{
	char *line = strchr(load_log, '\n');

	if (line)
		*line = '\0';
	return kernel_fail(reterr_text, r, "%s%s%s", what, load_log[0] ? ": " : "", load_log);
}

uint64_t kernel_build_digest(void)
{
	static const struct ht_hash_key key = { 0x6861657461652d62ULL, 0x75696c642d696401ULL };
	static uint64_t digest;
	const void *elf;
	size_t size;

	if (digest == 0) {
		elf = haetae_bpf__elf_bytes(&size);
		digest = ht_hash_name(&key, elf, size);
	}
	return digest;
}

size_t kernel_links_expected(void)
{
	/* every program but the two iterators */
	return sizeof(((struct haetae_bpf *)NULL)->progs) / sizeof(struct bpf_program *) - 2;
}

DEFINE_CLEANUP(struct haetae_bpf *, skel_freep, (haetae_bpf__destroy));

/* A type that the kernel lacks would send libbpf through the types of all modules, which takes
 * CAP_SYS_ADMIN and tells nothing. It keeps to the kernel's own when these are named to it. */
static struct haetae_bpf *load_open(void)
{
	LIBBPF_OPTS(bpf_object_open_opts, opts, .btf_custom_path = "/sys/kernel/btf/vmlinux");

	return haetae_bpf__open_opts(&opts);
}

static struct bpf_map *load_map(struct haetae_bpf *skel, enum kernel_map map)
{
	return bpf_object__find_map_by_name(skel->obj, kernel_map_names[map]);
}

bool kernel_maps_fit(struct kernel *k)
{
	_cleanup_(skel_freep) struct haetae_bpf *skel = load_open();

	if (!skel)
		return false;
	for (unsigned i = 0; i < _MAP_MAX; i++) {
		const struct bpf_map *map = load_map(skel, i);
		struct bpf_map_info info = {};
		uint32_t size = sizeof(info);

		if (bpf_obj_get_info_by_fd(k->map_fds[i], &info, &size) < 0 ||
		    info.type != bpf_map__type(map) || info.key_size != bpf_map__key_size(map) ||
		    info.value_size != bpf_map__value_size(map))
			return false;
	}
	return true;
}

static int load_configure(struct kernel *k, const struct kernel_config *config,
			  struct haetae_bpf *skel, bool reuse_maps)
{
	int cpus = libbpf_num_possible_cpus(), r;
	uint32_t slots;

	if (cpus < 0)
		return cpus;
	slots = (uint32_t)cpus * HT_SLOTS_PER_CPU;
	r = bpf_map__set_max_entries(load_map(skel, MAP_SLOTS), slots);
	if (r >= 0 && !reuse_maps)
		r = bpf_map__set_max_entries(load_map(skel, MAP_CGROUPS),
					     config->cgroups_max ? config->cgroups_max :
								   KERNEL_CGROUPS_MAX);
	if (r < 0)
		return r;
	skel->rodata->ht_key0 = k->key.k0;
	skel->rodata->ht_key1 = k->key.k1;
	skel->rodata->ht_slots = slots;
	if (!reuse_maps)
		return 0;
	for (unsigned i = 0; i < _MAP_MAX; i++) {
		r = bpf_map__reuse_fd(load_map(skel, i), k->map_fds[i]);
		if (r < 0)
			return r;
	}
	return 0;
}

static int load_settings(struct kernel *k, const struct kernel_config *config, bool reuse_maps)
{
	struct ht_settings s = {};
	uint32_t zero = 0;

	if (reuse_maps && bpf_map_lookup_elem(k->map_fds[MAP_SETTINGS], &zero, &s) < 0)
		return -errno;
	s.key0 = k->key.k0;
	s.key1 = k->key.k1;
	s.build = kernel_build_digest();
	s.abi = HT_ABI;
	s.rate_max = config->rate_max ? config->rate_max : KERNEL_RATE_MAX;
	s.agent_pid = (uint32_t)getpid();
	if (bpf_map_update_elem(k->map_fds[MAP_SETTINGS], &zero, &s, BPF_ANY) < 0)
		return -errno;
	return 0;
}

/* The iterator over descriptors is attached for each task that it shall look at. */
static int load_identities(struct kernel *k, struct bpf_program *prog, char **reterr_text)
{
	k->identities_fd = fcntl(bpf_program__fd(prog), F_DUPFD_CLOEXEC, 3);
	if (k->identities_fd < 0)
		return kernel_fail(reterr_text, -errno, "Failed to keep a program");
	return kernel_pin_program(k, k->identities_fd, KERNEL_IDENTITIES_PROGRAM, reterr_text);
}

/* Attach one program and keep its link by descriptor. */
static int load_attach(struct kernel *k, struct bpf_program *prog, char **reterr_text)
{
	const char *name = bpf_program__name(prog);
	struct bpf_link *link;
	int fd, r;

	if (strcmp(name, KERNEL_IDENTITIES_PROGRAM) == 0)
		return load_identities(k, prog, reterr_text);
	link = bpf_program__attach(prog);
	if (!link)
		return load_fail(reterr_text, -errno, name);
	fd = fcntl(bpf_link__fd(link), F_DUPFD_CLOEXEC, 3);
	r = fd < 0 ? -errno : 0;
	(void)bpf_link__destroy(link);
	if (r < 0)
		return kernel_fail(reterr_text, r, "Failed to keep the link of %s", name);
	if (bpf_program__type(prog) == BPF_PROG_TYPE_TRACING &&
	    bpf_program__expected_attach_type(prog) == BPF_TRACE_ITER) {
		k->iterator_fd = fd;
	} else {
		if (k->n_links >= KERNEL_LINKS_MAX) {
			(void)close(fd);
			return kernel_fail(reterr_text, -E2BIG, "Too many programs");
		}
		k->link_fds[k->n_links] = fd;
		k->links[k->n_links] = strdup(name);
		if (!k->links[k->n_links++])
			return -ENOMEM;
	}
	return kernel_pin_link(k, fd, name, reterr_text);
}

static int load_attach_all(struct kernel *k, struct haetae_bpf *skel, char **reterr_text)
{
	struct bpf_program *prog;
	int r;

	for (unsigned pass = 0; pass < 2; pass++)
		bpf_object__for_each_program(prog, skel->obj)
		{
			bool lsm = bpf_program__type(prog) == BPF_PROG_TYPE_LSM;

			if (lsm != (pass == 0))
				continue;
			r = load_attach(k, prog, reterr_text);
			if (r < 0)
				return r;
		}
	return 0;
}

static int load_keep_maps(struct kernel *k, struct haetae_bpf *skel)
{
	for (unsigned i = 0; i < _MAP_MAX; i++) {
		int fd = fcntl(bpf_map__fd(load_map(skel, i)), F_DUPFD_CLOEXEC, 3);

		if (fd < 0)
			return -errno;
		k->map_fds[i] = fd;
	}
	return 0;
}

int kernel_probe(char **reterr_text)
{
	_cleanup_(skel_freep) struct haetae_bpf *skel = NULL;
	int r;

	*reterr_text = NULL;
	load_log[0] = '\0';
	(void)libbpf_set_print(load_print);
	skel = load_open();
	if (!skel)
		return load_fail(reterr_text, -errno, "Failed to open the BPF object");
	r = haetae_bpf__load(skel);
	return r < 0 ? load_fail(reterr_text, r, "Failed to load the BPF programs") : 0;
}

int kernel_load(struct kernel *k, const struct kernel_config *config, bool reuse_maps,
		char **reterr_text)
{
	_cleanup_(skel_freep) struct haetae_bpf *skel = NULL;
	int r;

	load_log[0] = '\0';
	(void)libbpf_set_print(load_print);
	if (!reuse_maps && getrandom(&k->key, sizeof(k->key), 0) != sizeof(k->key))
		return kernel_fail(reterr_text, -EIO, "Failed to draw the hash key");
	skel = load_open();
	if (!skel)
		return load_fail(reterr_text, -errno, "Failed to open the BPF object");
	r = load_configure(k, config, skel, reuse_maps);
	if (r < 0)
		return load_fail(reterr_text, r, "Failed to prepare the BPF object");
	r = haetae_bpf__load(skel);
	if (r < 0)
		return load_fail(reterr_text, r, "Failed to load the BPF programs");
	if (!reuse_maps) {
		r = load_keep_maps(k, skel);
		if (r < 0)
			return kernel_fail(reterr_text, r, "Failed to keep the maps");
	}
	r = load_settings(k, config, reuse_maps);
	if (r < 0)
		return kernel_fail(reterr_text, r, "Failed to write the settings");
	if (!reuse_maps) {
		r = config->ledger ? kernel_ledger_seed(k, config->ledger) : 0;
		if (r < 0)
			return kernel_fail(reterr_text, r, "Failed to start the ledger");
		r = kernel_aggregates_new(k, reterr_text);
		if (r < 0)
			return r;
		r = kernel_pin_maps(k, reterr_text);
		if (r < 0)
			return r;
	}
	return load_attach_all(k, skel, reterr_text);
}
