/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Load the programs with libbpf, attach them, pin them.
 *
 * Attaching comes last and in one order: the judge into every hook, the hooks that decide, the tracepoints that
 * bind, so that nothing is bound that could not be judged.
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

#include "haetae.digest.h"
#include "haetae.skel.h"
#include "util/cleanup.h"
#include "util/fd.h"

#define LABELS_MIN 65536U
#define LABELS_MAX 262144U
#define LABELS_PER_TASK 4U

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
	[MAP_VERDICTS] = "verdicts",
	[MAP_SPARE_VERDICTS] = "spare_verdicts",
	[MAP_SETTINGS] = "settings",
	[MAP_MKDIR_SCRATCH] = "mkdir_scratch",
	[MAP_NAMES] = "names",
	[MAP_UNBOUND] = "unbound",
	[MAP_AREA] = "area",
	[MAP_GUARD_FILES] = "guard_files",
	[MAP_GUARD_IDS] = "guard_ids",
	[MAP_GUARD_ANSWER] = "guard_answer",
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

	/* of every program: the object tells no lines (bpf-lsm/drop-lines.py) */
	if (strstr(format, "missing .BTF.ext line info"))
		return 0;
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
	return HAETAE_BPF_DIGEST;
}

DEFINE_CLEANUP(struct haetae_bpf *, skel_freep, (haetae_bpf__destroy));

/* types_path: the types that libbpf fits the programs to; not read before they are loaded. (None named, a type that the
 * kernel lacks would send it through those of all modules, which takes CAP_SYS_ADMIN and tells nothing.) */
static struct haetae_bpf *load_open(const char *types_path)
{
	LIBBPF_OPTS(bpf_object_open_opts, opts, .btf_custom_path = types_path);
	struct haetae_bpf *skel = NULL;
	int r = kernel_judge_register();

	if (r >= 0) {
		skel = haetae_bpf__open_opts(&opts);
		r = skel ? kernel_judge_find(skel->obj) : -errno;
	}
	if (r >= 0)
		return skel;
	haetae_bpf__destroy(skel);
	errno = -r;
	return NULL;
}

struct bpf_map *kernel_map_of(struct bpf_object *obj, enum kernel_map map)
{
	const char *name = kernel_map_names[map];

	if (map == MAP_AREA)
		name = ".bss";
	else if (map == MAP_SETTINGS)
		name = ".data";
	return bpf_object__find_map_by_name(obj, name);
}

static struct bpf_map *load_map(struct haetae_bpf *skel, enum kernel_map map)
{
	return kernel_map_of(skel->obj, map);
}

bool kernel_maps_fit(struct kernel *k)
{
	_cleanup_(skel_freep) struct haetae_bpf *skel = load_open(KERNEL_TYPES);

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

uint32_t kernel_labels_room(const char *threads_max)
{
	unsigned long tasks = strtoul(threads_max, NULL, 10);
	uint32_t room = LABELS_MIN;

	while (room < LABELS_MAX && room / LABELS_PER_TASK < tasks)
		room *= 2;
	return tasks > 0 ? room : LABELS_MAX;
}

/* Labels of tasks that ended go some moments after them, and the limit can be raised: there is room for four times as many
 * as there can be now. Each is a word that the kernel sets up at every start. */
static int load_labels_room(struct bpf_map *labels)
{
	_cleanup_free_ char *text = NULL;
	size_t len;
	int r = file_read_all(AT_FDCWD, "/proc/sys/kernel/threads-max", 64, &text, &len);

	return bpf_map__set_max_entries(labels, kernel_labels_room(r < 0 ? "" : text));
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
	if (r >= 0)
		r = bpf_map__set_max_entries(load_map(skel, MAP_VERDICTS), (uint32_t)cpus * HT_VERDICTS_PER_CPU);
	if (r >= 0 && !reuse_maps)
		r = bpf_map__set_max_entries(load_map(skel, MAP_CGROUPS),
					     config->cgroups_max ? config->cgroups_max :
								   KERNEL_CGROUPS_MAX);
	if (r >= 0 && !reuse_maps)
		r = load_labels_room(load_map(skel, MAP_LABELS));
	if (r < 0)
		return r;
	skel->rodata->ht_key0 = k->key.k0;
	skel->rodata->ht_key1 = k->key.k1;
	skel->rodata->ht_slots = slots;
	skel->rodata->ht_load = k->load;
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
	int r = reuse_maps ? kernel_settings_read(k, &s) : 0;

	if (r < 0)
		return r;
	s.key0 = k->key.k0;
	s.key1 = k->key.k1;
	s.build = kernel_build_digest();
	s.abi = HT_ABI;
	s.rate_max = config->rate_max ? config->rate_max : KERNEL_RATE_MAX;
	s.links = 0;
	s.moves = 0;
	s.load = k->load;
	return kernel_settings_write(k, &s);
}

int kernel_link_keep(struct kernel *k, int fd, const char *name, char **reterr_text)
{
	if (k->n_links >= KERNEL_LINKS_MAX) {
		(void)close(fd);
		return kernel_fail(reterr_text, -E2BIG, "Too many programs");
	}
	k->link_fds[k->n_links] = fd;
	k->links[k->n_links] = strdup(name);
	if (!k->links[k->n_links++])
		return -ENOMEM;
	return kernel_pin_link(k, fd, name, reterr_text);
}

static int load_attach_judge(struct kernel *k, const struct bpf_program *judge,
			     const struct bpf_program *hook, char **reterr_text)
{
	char name[128];
	int fd, n;

	fd = kernel_judge_attach(judge, hook);
	if (fd == -ENOENT)
		return 0;
	if (fd < 0)
		return kernel_fail(reterr_text, fd, "Failed to put the decision into %s",
				   bpf_program__name(hook));
	n = snprintf(name, sizeof(name), "%s-in-%s", bpf_program__name(judge), bpf_program__name(hook));
	if (n < 0 || (size_t)n >= sizeof(name)) {
		(void)close(fd);
		return -ENAMETOOLONG;
	}
	return kernel_link_keep(k, fd, name, reterr_text);
}

/* What libbpf would find out by itself of a section that is its own (hooks.c). */
static struct bpf_link *load_link(struct bpf_program *prog)
{
	if (bpf_program__type(prog) == BPF_PROG_TYPE_LSM)
		return bpf_program__attach_lsm(prog);
	if (bpf_program__expected_attach_type(prog) == BPF_TRACE_ITER)
		return bpf_program__attach_iter(prog, NULL);
	return bpf_program__attach_trace(prog);
}

static int load_keep_program(struct kernel *k, const struct bpf_program *prog, char **reterr_text)
{
	const char *name = bpf_program__name(prog);
	int r;

	if (!kernel_demand_is(name, bpf_program__expected_attach_type(prog)))
		return 0;
	r = kernel_demand_keep(k, name, bpf_program__fd(prog));
	if (r < 0)
		return kernel_fail(reterr_text, r, "Failed to keep the program %s", name);
	return kernel_pin_program(k, bpf_program__fd(prog), name, reterr_text);
}

/* Does the program wait outside of its hook until a policy needs it? Not where it is to take over from one that is in the
 * hook: that one loses its judge to this load. */
static bool load_waits(const struct bpf_program *prog, bool reuse_maps)
{
	const struct kernel_demand demand = { .governs = reuse_maps,
					      .lines = reuse_maps ? UINT32_MAX : 0,
					      .canary = true };
	const char *name = bpf_program__name(prog);

	return kernel_demand_is(name, bpf_program__expected_attach_type(prog)) &&
	       !kernel_demand_needs(name, &demand);
}

/* Attach one program and keep its link by descriptor. */
static int load_attach(struct kernel *k, struct bpf_program *prog, bool reuse_maps, char **reterr_text)
{
	const char *name = bpf_program__name(prog);
	struct bpf_link *link;
	int fd, r;

	if (load_waits(prog, reuse_maps))
		return load_keep_program(k, prog, reterr_text);
	link = load_link(prog);
	if (!link)
		return load_fail(reterr_text, -errno, name);
	fd = fcntl(bpf_link__fd(link), F_DUPFD_CLOEXEC, 3);
	r = fd < 0 ? -errno : 0;
	(void)bpf_link__destroy(link);
	if (r < 0)
		return kernel_fail(reterr_text, r, "Failed to keep the link of %s", name);
	if (bpf_program__expected_attach_type(prog) == BPF_TRACE_ITER) {
		k->iterator_fd = fd;
		return kernel_pin_link(k, fd, name, reterr_text);
	}
	r = kernel_link_keep(k, fd, name, reterr_text);
	return r < 0 ? r : load_keep_program(k, prog, reterr_text);
}

enum load_pass {
	PASS_JUDGE,
	PASS_HOOKS,
	PASS_TRACEPOINTS,
	_PASS_MAX,
};

static int load_attach_pass(struct kernel *k, struct haetae_bpf *skel, enum load_pass pass,
			    bool reuse_maps, char **reterr_text)
{
	struct bpf_program *prog;
	int r;

	bpf_object__for_each_program(prog, skel->obj)
	{
		bool hook = bpf_program__type(prog) == BPF_PROG_TYPE_LSM;

		if (kernel_judge_is(prog) || !bpf_program__autoload(prog) ||
		    hook != (pass != PASS_TRACEPOINTS))
			continue;
		r = pass == PASS_JUDGE ?
			    load_attach_judge(k, skel->progs.haetae_judge, prog, reterr_text) :
			    load_attach(k, prog, reuse_maps, reterr_text);
		if (r < 0)
			return r;
	}
	return 0;
}

static int load_guard(struct kernel *k, struct haetae_bpf *skel)
{
	struct bpf_program *prog;

	bpf_object__for_each_program(prog, skel->obj)
	{
		int r = bpf_program__autoload(prog) ? kernel_guard_program(k, bpf_program__fd(prog)) : 0;

		if (r < 0)
			return r;
	}
	return 0;
}

static int load_attach_all(struct kernel *k, struct haetae_bpf *skel, bool reuse_maps,
			   char **reterr_text)
{
	struct ht_settings s;
	int r = load_guard(k, skel);

	if (r < 0)
		return kernel_fail(reterr_text, r, "Failed to guard the programs");
	for (unsigned pass = 0; pass < _PASS_MAX; pass++) {
		r = load_attach_pass(k, skel, pass, reuse_maps, reterr_text);
		if (r < 0)
			return r;
	}
	/* complete: from now on an agent of this build may take it over */
	r = kernel_settings_read(k, &s);
	if (r < 0)
		return kernel_fail(reterr_text, r, "Failed to read the settings");
	s.links = (uint32_t)k->n_links;
	s.programs = (uint32_t)k->n_programs;
	s.lines_missing = k->lines_missing;
	r = kernel_settings_write(k, &s);
	return r < 0 ? kernel_fail(reterr_text, r, "Failed to note the links") :
		       kernel_pins_commit(k, reterr_text);
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

/* The program that the kernel did not take, as libbpf's log tells: "prog 'NAME': ...". Return: its lines, 0: not a
 * program that can be left out. */
static uint32_t load_culprit(char *ret_name, size_t size)
{
	const char *at = strstr(load_log, "prog '"), *end;

	if (!at)
		return 0;
	at += strlen("prog '");
	end = strchr(at, '\'');
	if (!end || (size_t)(end - at) >= size)
		return 0;
	(void)snprintf(ret_name, size, "%.*s", (int)(end - at), at);
	return kernel_hooks_lines(ret_name);
}

struct load_attempt {
	struct kernel *k; /* NULL: only try */
	const struct kernel_config *config;
	bool reuse_maps;
	char left_out[KERNEL_LINKS_MAX][64];
	size_t n_left_out;
	uint32_t lines_missing;
};

static int load_once(struct load_attempt *a, struct haetae_bpf **ret, char **reterr_text)
{
	_cleanup_(skel_freep) struct haetae_bpf *skel = NULL;
	char types_path[KERNEL_TYPES_PATH_SIZE];
	_cleanup_close_ int types_fd = kernel_types_new(types_path);
	int r;

	load_log[0] = '\0';
	if (types_fd < 0)
		return load_fail(reterr_text, types_fd, "Failed to make room for the kernel's types");
	skel = load_open(types_path);
	if (!skel)
		return load_fail(reterr_text, -errno, "Failed to open the BPF object");
	r = kernel_types_reduce(kernel_hooks_types(), bpf_object__btf(skel->obj), types_fd);
	if (r < 0)
		return load_fail(reterr_text, r, "Failed to gather the kernel's types");
	if (a->k)
		r = load_configure(a->k, a->config, skel, a->reuse_maps);
	if (r < 0)
		return load_fail(reterr_text, r, "Failed to prepare the BPF object");
	r = kernel_hooks_select(skel->obj, &a->lines_missing, reterr_text);
	if (r < 0)
		return r;
	for (size_t i = 0; i < a->n_left_out; i++)
		(void)bpf_program__set_autoload(
			bpf_object__find_program_by_name(skel->obj, a->left_out[i]), false);
	r = haetae_bpf__load(skel);
	if (r < 0)
		return r;
	*ret = steal_ptr(skel);
	return 0;
}

/* All programs, without those of lines that this kernel cannot hold. */
static int load_programs(struct load_attempt *a, struct haetae_bpf **ret, char **reterr_text)
{
	int r;

	load_log[0] = '\0';
	(void)libbpf_set_print(load_print);
	r = kernel_hooks_open(KERNEL_TYPES);
	if (r < 0)
		return load_fail(reterr_text, r, "Failed to read the kernel's types");
	for (;;) {
		uint32_t lines = 0;

		r = load_once(a, ret, reterr_text);
		if (r < 0 && !*reterr_text && a->n_left_out < KERNEL_LINKS_MAX)
			lines = load_culprit(a->left_out[a->n_left_out], sizeof(a->left_out[0]));
		if (lines == 0)
			break;
		a->lines_missing |= lines;
		a->n_left_out++;
	}
	kernel_hooks_close();
	return r < 0 ? load_fail(reterr_text, r, "Failed to load the BPF programs") : 0;
}

static int load_tell(struct haetae_bpf *skel, kernel_program_seen seen, void *userdata)
{
	struct bpf_program *prog;

	bpf_object__for_each_program(prog, skel->obj)
	{
		struct kernel_program program = { .name = bpf_program__name(prog) };
		struct bpf_prog_info info = {};
		uint32_t size = sizeof(info);

		if (!bpf_program__autoload(prog))
			continue;
		if (bpf_obj_get_info_by_fd(bpf_program__fd(prog), &info, &size) < 0)
			return -errno;
		program.checked = info.verified_insns;
		program.bytes = info.jited_prog_len;
		seen(&program, userdata);
	}
	return 0;
}

int kernel_probe(kernel_program_seen seen, void *userdata, uint32_t *ret_lines_missing,
		 char **reterr_text)
{
	_cleanup_(skel_freep) struct haetae_bpf *skel = NULL;
	struct load_attempt attempt = {};
	int r;

	*reterr_text = NULL;
	r = load_programs(&attempt, &skel, reterr_text);
	if (r < 0)
		return r;
	*ret_lines_missing = attempt.lines_missing;
	r = seen ? load_tell(skel, seen, userdata) : 0;
	return r < 0 ? kernel_fail(reterr_text, r, "Failed to look at the programs") : 0;
}

int kernel_load(struct kernel *k, const struct kernel_config *config, bool reuse_maps,
		char **reterr_text)
{
	struct load_attempt attempt = { .k = k, .config = config, .reuse_maps = reuse_maps };
	_cleanup_(skel_freep) struct haetae_bpf *skel = NULL;
	int r;

	if (!reuse_maps && getrandom(&k->key, sizeof(k->key), 0) != sizeof(k->key))
		return kernel_fail(reterr_text, -EIO, "Failed to draw the hash key");
	k->load++;
	r = load_programs(&attempt, &skel, reterr_text);
	if (r < 0)
		return r;
	k->lines_missing = attempt.lines_missing;
	if (!reuse_maps) {
		r = load_keep_maps(k, skel);
		if (r < 0)
			return kernel_fail(reterr_text, r, "Failed to keep the maps");
		k->unpublished = true;
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
	return load_attach_all(k, skel, reuse_maps, reterr_text);
}
