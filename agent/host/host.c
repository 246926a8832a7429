/* SPDX-License-Identifier: Apache-2.0 */

/* The checks, one function each behind a table; none of them changes anything on the host. */

#include "host/host.h"

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>

#include "host/btf.h"
#include "host/hooks.h"
#include "host/mounts.h"
#include "util/cleanup.h"
#include "util/escape.h"
#include "util/fd.h"
#include "util/strbuf.h"

#define SMALL_FILE_MAX 65536U
#define BTF_PATH "/sys/kernel/btf/vmlinux"
#define CAP_SYS_ADMIN_BIT 21
#define CAP_PERFMON_BIT 38
#define CAP_BPF_BIT 39

enum { NAME_BPF_LOOP, NAME_BPF_LSM, NAME_NO_SKIP, NAME_HOOKS, _NAME_MAX = NAME_HOOKS + HOST_HOOKS_MAX };

/* What the checks look at, read once. */
struct host {
	const char *root_dir;
	struct mounts mounts;
	int mounts_error;
	struct btf_name names[_NAME_MAX];
	size_t n_names;
	int btf_error;
};

/* Where a check writes. */
struct result {
	struct strbuf finding;
	struct strbuf fix;
};

typedef enum host_state (*check_fn)(const struct host *host, struct result *r);

/* A small file below the root, without its last newline. Return: 0, negative errno. */
static int host_read(const struct host *host, const char *path, char **ret)
{
	_cleanup_free_ char *full = NULL;
	size_t len;
	int r;

	if (asprintf(&full, "%s%s", host->root_dir, path) < 0) {
		full = NULL;
		return -ENOMEM;
	}
	r = file_read_all(AT_FDCWD, full, SMALL_FILE_MAX, ret, &len);
	if (r < 0)
		return r;
	if (len > 0 && (*ret)[len - 1] == '\n')
		(*ret)[len - 1] = '\0';
	return 0;
}

static void result_quote(struct strbuf *b, const char *text)
{
	strbuf_putc(b, '\'');
	escape_text(b, text, strlen(text));
	strbuf_putc(b, '\'');
}

/* The text behind "Name:\t" in /proc/PID/status, NULL if it is not there. */
static const char *status_field(const char *status, const char *name)
{
	size_t len = strlen(name);

	for (const char *line = status; line; line = strchr(line, '\n')) {
		if (*line == '\n')
			line++;
		if (strncmp(line, name, len) == 0 && line[len] == ':')
			return line + len + 1;
	}
	return NULL;
}

static bool capabilities_suffice(uint64_t caps)
{
	if (caps & (UINT64_C(1) << CAP_SYS_ADMIN_BIT))
		return true;
	return (caps & (UINT64_C(1) << CAP_BPF_BIT)) && (caps & (UINT64_C(1) << CAP_PERFMON_BIT));
}

/* "0 0 4294967295": every uid is itself, so this is the initial user namespace (or as good). */
static bool uid_map_is_initial(const char *map)
{
	unsigned long inside, outside, count;

	return sscanf(map, "%lu %lu %lu", &inside, &outside, &count) == 3 && inside == 0 &&
	       outside == 0 && count == UINT32_MAX;
}

static enum host_state check_privilege(const struct host *host, struct result *r)
{
	_cleanup_free_ char *status = NULL;
	_cleanup_free_ char *map = NULL;
	const char *uids, *caps;
	unsigned real, effective;
	unsigned long long mask;
	int error = host_read(host, "/proc/self/status", &status);

	uids = error < 0 ? NULL : status_field(status, "Uid");
	caps = error < 0 ? NULL : status_field(status, "CapEff");
	if (!uids || !caps || sscanf(uids, "%u %u", &real, &effective) != 2 ||
	    sscanf(caps, "%llx", &mask) != 1) {
		strbuf_puts(&r->finding,
			    "/proc/self/status cannot be read, so privileges are not known");
		strbuf_puts(&r->fix, "mount -t proc proc /proc");
		return HOST_WARN;
	}
	if (effective != 0) {
		strbuf_printf(&r->finding, "running as uid %u, not as root", effective);
		strbuf_puts(&r->fix, "run as root");
		return HOST_FAIL;
	}
	if (host_read(host, "/proc/self/uid_map", &map) >= 0 && !uid_map_is_initial(map)) {
		strbuf_puts(&r->finding, "root of a user namespace, not of the host");
		strbuf_puts(&r->fix, "run on the host, outside of containers");
		return HOST_FAIL;
	}
	if (!capabilities_suffice(mask)) {
		strbuf_puts(&r->finding,
			    "root without CAP_SYS_ADMIN and without CAP_BPF and CAP_PERFMON");
		strbuf_puts(&r->fix, "give the service CAP_BPF and CAP_PERFMON, or run outside of "
				     "the container that took them");
		return HOST_FAIL;
	}
	strbuf_puts(&r->finding, "root with the capabilities to load BPF programs");
	return HOST_OK;
}

static enum host_state check_kernel(const struct host *host, struct result *r)
{
	_cleanup_free_ char *release = NULL;
	unsigned major = 0, minor = 0;
	bool old;

	if (host_read(host, "/proc/sys/kernel/osrelease", &release) < 0 ||
	    sscanf(release, "%u.%u", &major, &minor) != 2) {
		strbuf_puts(&r->finding, "the kernel's release cannot be read");
		strbuf_puts(&r->fix, "mount -t proc proc /proc");
		return HOST_WARN;
	}
	strbuf_puts(&r->finding, "Linux ");
	escape_text(&r->finding, release, strlen(release));
	if (host->btf_error == 0) {
		if (host->names[NAME_BPF_LOOP].found) {
			strbuf_puts(&r->finding, ", which has bpf_loop()");
			return HOST_OK;
		}
		strbuf_puts(&r->finding, ", which has no bpf_loop()");
		strbuf_puts(&r->fix, "boot Linux 5.17 or later; 6.1 is the oldest that is tested");
		return HOST_FAIL;
	}
	/* without types the version is all there is; vendors backport, so it is only a hint */
	old = major < 5 || (major == 5 && minor < 17);
	strbuf_printf(&r->finding, ", %s 5.17, where bpf_loop() came",
		      old ? "older than" : "not before");
	if (!old)
		return HOST_OK;
	strbuf_puts(&r->fix, "boot Linux 5.17 or later; 6.1 is the oldest that is tested");
	return HOST_WARN;
}

static enum host_state check_btf(const struct host *host, struct result *r)
{
	if (host->btf_error == 0) {
		strbuf_puts(&r->finding, "the kernel describes its types at " BTF_PATH);
		return HOST_OK;
	}
	if (host->btf_error == -ENOENT)
		strbuf_puts(&r->finding, "the kernel does not describe its types: no " BTF_PATH);
	else if (host->btf_error == -EBADMSG)
		strbuf_puts(&r->finding, BTF_PATH " is not in the BTF format");
	else
		strbuf_printf(&r->finding, BTF_PATH " cannot be read: %s",
			      strerror(-host->btf_error));
	strbuf_puts(&r->fix,
		    "mount -t sysfs sysfs /sys if it is not mounted; else boot a kernel built "
		    "with CONFIG_DEBUG_INFO_BTF=y (Debian's are)");
	return HOST_FAIL;
}

static enum host_state check_bpf_lsm(const struct host *host, struct result *r)
{
	if (host->btf_error < 0) {
		strbuf_puts(&r->finding, "not known without the kernel's types");
		return HOST_WARN;
	}
	if (host->names[NAME_BPF_LSM].found) {
		strbuf_puts(&r->finding, "the kernel has the BPF LSM built in");
		return HOST_OK;
	}
	strbuf_puts(&r->finding, "the kernel is built without the BPF LSM");
	strbuf_puts(&r->fix,
		    "boot a kernel built with CONFIG_BPF_LSM=y (Debian's are, from 5.10 on)");
	return HOST_FAIL;
}

/* Ids of lsm_list_modules(2), which tells the active LSMs where no securityfs is mounted (6.8). */
static enum host_state check_hooks(const struct host *host, struct result *r)
{
	if (host->btf_error != 0 || !host->names[NAME_BPF_LSM].found) {
		strbuf_puts(&r->finding, "not known without the kernel's types and the BPF LSM");
		return HOST_WARN;
	}
	if (hooks_tell(&host->names[NAME_HOOKS], &r->finding) == 0) {
		strbuf_puts(&r->finding, "every hook is there");
		return HOST_OK;
	}
	strbuf_puts(&r->fix, "say 'allow' in these lines, or boot a kernel that has the hooks");
	return HOST_WARN;
}

/* Until 6.2 (and the fix in the stable lines of 6.1) a program was passed over, as if it had allowed, while the same
 * program was interrupted on that processor. The functions that still do so for others have had a name of their own
 * since. */
static enum host_state check_recursion(const struct host *host, struct result *r)
{
	if (host->btf_error == 0 && host->names[NAME_NO_SKIP].found) {
		strbuf_puts(&r->finding, "no program is passed over");
		return HOST_OK;
	}
	strbuf_puts(&r->finding, host->btf_error == 0 ?
					 "this kernel may pass over a program that was interrupted" :
					 "not known without the kernel's types");
	strbuf_puts(&r->fix, "boot Linux 6.2 or later, or a current 6.1");
	return HOST_WARN;
}

static const char *const lsm_names[] = {
	[0] = "capability", [1] = "selinux", [2] = "smack",	[3] = "tomoyo",	  [4] = "apparmor",
	[5] = "yama",	    [6] = "loadpin", [7] = "safesetid", [8] = "lockdown", [9] = "bpf",
	[10] = "landlock",  [11] = "ima",    [12] = "evm",	[13] = "ipe",
};
#define LSM_ID_BASE 100U

static int lsm_list_ask(struct strbuf *b)
{
#ifdef SYS_lsm_list_modules
	long number = SYS_lsm_list_modules;
#else
	long number = 461; /* the same on every architecture (asm-generic and all tables) */
#endif
	uint64_t ids[64] = {};
	uint32_t size = sizeof(ids);
	long n = syscall(number, ids, &size, 0);

	if (n < 0)
		return -errno;
	for (long i = 0; i < n && i < (long)ARRAY_LEN(ids); i++) {
		uint64_t id = ids[i];

		if (i > 0)
			strbuf_putc(b, ',');
		if (id >= LSM_ID_BASE && id - LSM_ID_BASE < ARRAY_LEN(lsm_names))
			strbuf_puts(b, lsm_names[id - LSM_ID_BASE]);
		else
			strbuf_printf(b, "%llu", (unsigned long long)id);
	}
	return strbuf_error(b);
}

static bool lsm_list_has(const char *list, const char *name)
{
	size_t len = strlen(name);

	for (const char *p = list; *p;) {
		size_t n = strcspn(p, ",");

		if (n == len && memcmp(p, name, n) == 0)
			return true;
		p += n;
		p += *p == ',';
	}
	return false;
}

/* The active LSMs. Return: 0, -ENOENT nobody tells, other negative errno. */
static int lsm_list_read(const struct host *host, struct strbuf *b)
{
	_cleanup_free_ char *list = NULL;
	int r = host_read(host, "/sys/kernel/security/lsm", &list);

	if (r >= 0) {
		strbuf_puts(b, list);
		return 0;
	}
	if (r == -ENOENT && host->root_dir[0] == '\0')
		return lsm_list_ask(b);
	return r;
}

static enum host_state check_lsm(const struct host *host, struct result *r)
{
	_cleanup_strbuf_ struct strbuf list = {};
	const struct mount *security;
	int error = lsm_list_read(host, &list);

	if (error < 0) {
		security = host->mounts_error < 0
				   ? NULL
				   : mounts_at(&host->mounts, "/sys/kernel/security");
		if (!security || strcmp(security->type, "securityfs") != 0) {
			strbuf_puts(&r->finding,
				    "securityfs is not mounted, so the active LSMs are "
				    "not known");
			strbuf_puts(&r->fix, "mount -t securityfs securityfs /sys/kernel/security");
		} else {
			strbuf_printf(&r->finding, "/sys/kernel/security/lsm cannot be read: %s",
				      strerror(-error));
		}
		return HOST_WARN;
	}
	if (lsm_list_has(strbuf_str(&list), "bpf")) {
		strbuf_puts(&r->finding, "BPF is among the active LSMs: ");
		escape_text(&r->finding, list.data, list.len);
		return HOST_OK;
	}
	strbuf_puts(&r->finding, "BPF is not among the active LSMs: ");
	result_quote(&r->finding, strbuf_str(&list));
	strbuf_puts(&r->fix, "add lsm=");
	escape_text(&r->fix, strbuf_str(&list), list.len);
	strbuf_puts(&r->fix, list.len > 0 ? ",bpf" : "bpf");
	strbuf_puts(&r->fix, " to the kernel command line and reboot; on Debian: append it to "
			     "GRUB_CMDLINE_LINUX in /etc/default/grub, then run update-grub");
	return HOST_FAIL;
}

static enum host_state check_cgroup2(const struct host *host, struct result *r)
{
	const struct mount *found = NULL;

	if (host->mounts_error < 0) {
		strbuf_printf(&r->finding, "/proc/self/mountinfo cannot be read: %s",
			      strerror(-host->mounts_error));
		strbuf_puts(&r->fix, "mount -t proc proc /proc");
		return HOST_FAIL;
	}
	found = mounts_of_type(&host->mounts, "cgroup2", "/sys/fs/cgroup");
	if (!found) {
		strbuf_puts(&r->finding, "no cgroup v2 hierarchy is mounted");
		strbuf_puts(&r->fix,
			    "boot with systemd.unified_cgroup_hierarchy=1, or mount -t cgroup2 "
			    "cgroup2 /sys/fs/cgroup");
		return HOST_FAIL;
	}
	strbuf_puts(&r->finding, "cgroup v2 is mounted at ");
	escape_text(&r->finding, found->point, strlen(found->point));
	if (strcmp(found->point, "/sys/fs/cgroup") == 0)
		return HOST_OK;
	strbuf_puts(&r->finding, " beside version 1: only cgroups there can be governed");
	strbuf_puts(&r->fix,
		    "boot with systemd.unified_cgroup_hierarchy=1, so that containers are in "
		    "the v2 hierarchy");
	return HOST_WARN;
}

static enum host_state check_bpffs(const struct host *host, struct result *r)
{
	const struct mount *found = NULL;

	if (host->mounts_error >= 0)
		found = mounts_at(&host->mounts, HOST_BPFFS);
	if (!found || strcmp(found->type, "bpf") != 0) {
		strbuf_puts(&r->finding, "no BPF filesystem is mounted at " HOST_BPFFS);
		strbuf_puts(&r->fix, "mount -t bpf bpf " HOST_BPFFS);
		return HOST_FAIL;
	}
	if (found->read_only) {
		strbuf_puts(&r->finding, "the BPF filesystem at " HOST_BPFFS " is read-only");
		strbuf_puts(&r->fix, "mount -o remount,rw " HOST_BPFFS);
		return HOST_FAIL;
	}
	strbuf_puts(&r->finding, "a BPF filesystem is mounted at " HOST_BPFFS);
	return HOST_OK;
}

static const struct {
	const char *id;
	check_fn run;
	bool types; /* searches the kernel's types */
} checks[] = {
	{ "privilege", check_privilege, false }, { "kernel", check_kernel, true },
	{ "btf", check_btf, true },		 { "bpf-lsm", check_bpf_lsm, true },
	{ "lsm", check_lsm, false },		 { "cgroup2", check_cgroup2, false },
	{ "bpffs", check_bpffs, false },	 { "hooks", check_hooks, true },
	{ "recursion", check_recursion, true },
};

static int host_check_run(const struct host *host, size_t i, struct host_check *ret)
{
	struct result r = {};
	struct host_check check = {.state = checks[i].run(host, &r)};

	check.id = strdup(checks[i].id);
	check.finding = strbuf_steal(&r.finding);
	if (r.fix.len > 0)
		check.fix = strbuf_steal(&r.fix);
	*ret = check;
	if (!check.id || !check.finding || strbuf_error(&r.fix) < 0) {
		strbuf_deinit(&r.finding);
		strbuf_deinit(&r.fix);
		return -ENOMEM;
	}
	return 0;
}

static int host_read_btf(struct host *host)
{
	_cleanup_free_ char *path = NULL;

	host->names[NAME_BPF_LOOP].name = "BPF_FUNC_loop";
	host->names[NAME_BPF_LSM].name = "bpf_lsm_file_open";
	host->names[NAME_NO_SKIP].name = "__bpf_prog_enter_recur";
	host->n_names = NAME_HOOKS + hooks_names(&host->names[NAME_HOOKS]);
	if (asprintf(&path, "%s%s", host->root_dir, BTF_PATH) < 0) {
		path = NULL;
		return -ENOMEM;
	}
	return btf_find_names(path, host->names, host->n_names);
}

static int host_check(const char *root_dir, bool types, struct host_check **ret, size_t *ret_n)
{
	struct host host = {.root_dir = root_dir};
	size_t n = 0;
	struct host_check *list;
	int r = 0;

	list = calloc(ARRAY_LEN(checks), sizeof(*list));
	if (!list)
		return -ENOMEM;
	host.mounts_error = mounts_read(root_dir, &host.mounts);
	host.btf_error = types ? host_read_btf(&host) : -ENODATA;
	if (host.mounts_error == -ENOMEM || host.btf_error == -ENOMEM)
		r = -ENOMEM;
	for (size_t i = 0; r >= 0 && i < ARRAY_LEN(checks); i++)
		if (types || !checks[i].types)
			r = host_check_run(&host, i, &list[n++]);
	mounts_deinit(&host.mounts);
	if (r < 0) {
		(void)host_checks_free(list, ARRAY_LEN(checks));
		return r;
	}
	*ret = list;
	*ret_n = n;
	return 0;
}

int host_check_all(const char *root_dir, struct host_check **ret, size_t *ret_n)
{
	return host_check(root_dir, /* types= */ true, ret, ret_n);
}

int host_check_start(const char *root_dir, struct host_check **ret, size_t *ret_n)
{
	return host_check(root_dir, /* types= */ false, ret, ret_n);
}

enum host_state host_checks_state(const struct host_check *list, size_t n)
{
	enum host_state worst = HOST_OK;

	for (size_t i = 0; i < n; i++) {
		if (list[i].state > worst)
			worst = list[i].state;
	}
	return worst;
}

struct host_check *host_checks_free(struct host_check *list, size_t n)
{
	if (!list)
		return NULL;
	for (size_t i = 0; i < n; i++) {
		free(list[i].id);
		free(list[i].finding);
		free(list[i].fix);
	}
	free(list);
	return NULL;
}

const char *host_state_to_string(enum host_state state)
{
	static const char *const names[_HOST_STATE_MAX] = {
		[HOST_OK] = "ok",
		[HOST_WARN] = "warn",
		[HOST_FAIL] = "fail",
	};

	return state >= 0 && state < _HOST_STATE_MAX ? names[state] : "unknown";
}
