/* SPDX-License-Identifier: Apache-2.0 */

#include "run.h"

#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/btf.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <systemd/sd-event.h>

#include "control/control.h"
#include "programs/agentctl/time-words.h"
#include "store/store.h"
#include "util/fd.h"

#define MOUNTS                                                                                     \
	"30 24 0:26 / /sys/fs/cgroup rw shared:9 - cgroup2 cgroup2 rw\n"                           \
	"31 24 0:27 / /sys/fs/bpf rw shared:10 - bpf bpf rw\n"                                     \
	"32 24 0:8 / /sys/kernel/security rw shared:8 - securityfs none rw\n"

char run_dir[64];
unsigned run_as;

const char *run_path(const char *path)
{
	static char ring[32][512];
	static unsigned next;
	char *text = ring[next++ % 32];

	(void)snprintf(text, sizeof(ring[0]), "%s/%s", run_dir, path);
	return text;
}

static void put_bytes(const char *path, const void *data, size_t len)
{
	char full[512];
	char *slash;
	int fd;

	(void)snprintf(full, sizeof(full), "%s/%s", run_dir, path);
	slash = strrchr(full, '/');
	*slash = '\0';
	ck_assert_int_eq(mkdir_parents(full, 0755), 0);
	*slash = '/';
	fd = open(full, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(write(fd, data, len), (ssize_t)len);
	ck_assert_int_eq(close(fd), 0);
}

void run_put(const char *path, const char *text)
{
	put_bytes(path, text, strlen(text));
}

void run_setup(void)
{
	static const char names[] = "\0BPF_FUNC_loop\0bpf_lsm_file_open\0bpf_lsm_userns_create\0"
				  "bpf_lsm_perf_event_open\0bpf_lsm_kernel_module_request\0bpf_lsm_uring_sqpoll\0"
				  "bpf_lsm_uring_override_creds\0bpf_lsm_uring_cmd\0__bpf_prog_enter_recur";
	struct {
		struct btf_header header;
		char names[sizeof(names)];
	} btf = {{BTF_MAGIC, BTF_VERSION, .hdr_len = sizeof(btf.header), .str_len = sizeof(names)}, {}};

	memcpy(btf.names, names, sizeof(names));
	(void)strcpy(run_dir, "/tmp/haetae-agentctl-XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(run_dir));
	run_as = 0;
	ck_assert_int_eq(mkdir(run_path("state"), 0700), 0);
	ck_assert_int_eq(mkdir(run_path("run"), 0755), 0);
	ck_assert_int_eq(mkdir(run_path("policies"), 0755), 0);
	ck_assert_int_eq(mkdir(run_path("bpf"), 0755), 0);
	run_put("root/proc/self/status", "Uid:\t0\t0\t0\t0\nCapEff:\t000001ffffffffff\n");
	run_put("root/proc/self/mountinfo", MOUNTS);
	run_put("root/proc/sys/kernel/osrelease", "6.1.0-49-amd64\n");
	put_bytes("root/sys/kernel/btf/vmlinux", &btf, sizeof(btf));
	run_put("root/sys/kernel/security/lsm", "lockdown,capability,bpf");
}

void run_teardown(void)
{
	char command[128];

	(void)snprintf(command, sizeof(command), "rm -rf '%s'", run_dir);
	ck_assert_int_eq(system(command), 0);
}

static char *file_text(const char *path)
{
	char *text = NULL;
	size_t len;

	ck_assert_int_eq(file_read_all(AT_FDCWD, path, 64 << 20, &text, &len), 0);
	return text;
}

static void redirect(int fd, const char *path, int flags)
{
	int file = open(path, flags | O_CLOEXEC, 0600);

	if (file < 0 || dup2(file, fd) < 0)
		_exit(99);
}

static _Noreturn void child_run(const char *const *args)
{
	char *argv[32] = {(char[]){"agentctl"}};
	struct agentctl ctl;
	int argc = 1, code;

	redirect(STDIN_FILENO, run_path("stdin"), O_RDONLY);
	redirect(STDOUT_FILENO, run_path("stdout"), O_WRONLY | O_CREAT | O_TRUNC);
	redirect(STDERR_FILENO, run_path("stderr"), O_WRONLY | O_CREAT | O_TRUNC);
	if (run_as != 0 &&
	    (setresgid(run_as, run_as, run_as) < 0 || setresuid(run_as, run_as, run_as) < 0))
		_exit(98);
	for (; *args && argc < 31; args++)
		argv[argc++] = strdup(*args);
	agentctl_init(&ctl);
	ctl.state_dir = strdup(run_path("state"));
	ctl.runtime_dir = strdup(run_path("run"));
	ctl.policy_dirs[ctl.n_policy_dirs++] = strdup(run_path("policies"));
	ctl.root_dir = strdup(run_path("root"));
	ctl.bpffs_dir = strdup(run_path("bpf"));
	code = agentctl_run(&ctl, argc, argv);
	(void)fflush(NULL);
	_exit(code);
}

struct run run_agentctl(const char *input, const char *const *args)
{
	struct run run = {};
	int status;
	pid_t pid;

	run_put("stdin", input ? input : "");
	(void)fflush(NULL);
	pid = fork();
	ck_assert_int_ge(pid, 0);
	if (pid == 0)
		child_run(args);
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	run.code = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
	run.out = file_text(run_path("stdout"));
	run.err = file_text(run_path("stderr"));
	return run;
}

void run_free(struct run *run)
{
	free(run->out);
	free(run->err);
	*run = (struct run){};
}

/* ---- an agent ---- */

static struct {
	pthread_t thread;
	int ready_fd, stop_fd;
	const char *status, *reload, *answers;
	bool reload_ok;
} agent;

void agent_answers(const char *answers)
{
	agent.answers = answers;
}

static json_t *answer_other(const char *call, const json_t *params, char **reterr_text)
{
	json_auto_t *answers = agent.answers ? json_loads(agent.answers, 0, NULL) : NULL;
	json_t *answer = json_object_get(answers, call);
	FILE *calls = fopen(run_path("calls"), "ae");

	(void)json_dumpf(params, calls, JSON_COMPACT | JSON_SORT_KEYS);
	(void)fputc('\n', calls);
	(void)fclose(calls);
	if (!answer)
		*reterr_text = strdup("no such luck");
	return json_incref(answer);
}

static json_t *handler(const char *call, json_t *params, void *userdata, char **reterr_text,
		       json_t **reterr_details)
{
	if (strcmp(call, "status") == 0)
		return json_loads(agent.status, 0, NULL);
	if (strcmp(call, "reload") != 0)
		return answer_other(call, params, reterr_text);
	if (agent.reload_ok)
		return json_loads(agent.reload, 0, NULL);
	*reterr_text = strdup("1 of 2 files is refused");
	*reterr_details = json_loads(agent.reload, 0, NULL);
	return NULL;
}

static int on_stop(sd_event_source *source, int fd, uint32_t revents, void *userdata)
{
	return sd_event_exit(sd_event_source_get_event(source), 0);
}

static void *serve(void *arg)
{
	struct control_server *server = NULL;
	sd_event *event = NULL;
	int r = sd_event_new(&event);

	if (r >= 0)
		r = control_server_new(event, run_path("run"), handler, NULL, &server);
	if (r >= 0)
		r = sd_event_add_io(event, NULL, agent.stop_fd, EPOLLIN, on_stop, NULL);
	(void)eventfd_write(agent.ready_fd, 1);
	if (r >= 0)
		r = sd_event_loop(event);
	server = control_server_free(server);
	sd_event_unref(event);
	return (void *)(intptr_t)r;
}

void agent_start(const char *status, const char *reload, bool reload_ok)
{
	eventfd_t value;

	agent.status = status;
	agent.reload = reload;
	agent.reload_ok = reload_ok;
	agent.ready_fd = eventfd(0, EFD_CLOEXEC);
	agent.stop_fd = eventfd(0, EFD_CLOEXEC);
	ck_assert_int_eq(pthread_create(&agent.thread, NULL, serve, NULL), 0);
	ck_assert_int_eq(eventfd_read(agent.ready_fd, &value), 0);
}

void agent_stop(void)
{
	void *result;

	ck_assert_int_eq(eventfd_write(agent.stop_fd, 1), 0);
	ck_assert_int_eq(pthread_join(agent.thread, &result), 0);
	ck_assert_int_eq((int)(intptr_t)result, 0);
	(void)close(agent.ready_fd);
	(void)close(agent.stop_fd);
}

/* ---- a store ---- */

struct store *store_begin(void)
{
	const struct store_config config = {.path = run_path("state/events.db"), .batch_ms = 5};
	struct store *store = NULL;

	ck_assert_int_eq(store_open(&config, &store), 0);
	return store;
}

void store_put_kind(struct store *store, int kind, unsigned verdict, const char *path)
{
	static uint64_t seq;
	struct event event = {
		.kind = (enum event_kind)kind,
		.verdict = (uint8_t)verdict,
		.reason = HT_REASON_POLICY,
		.op = HT_OP_READ,
		.boot_id = {1, 2, 3},
		.boottime_ns = 1000000000 + seq,
		.realtime_us = (uint64_t)time_now_us(),
		.seq = seq,
		.count = 1,
		.severity = POLICY_SEVERITY_HIGH,
		.pid = 4711,
		.cgroup_id = 99,
		.comm = "cat",
	};

	seq++;
	event.policy = strdup("web");
	event.container = strdup("web");
	event.cgroup = strdup("/machine.slice/libpod-1.scope");
	event.rule_text = strdup("file.deny /etc/shadow");
	event.rule_file = strdup("50-web.yaml");
	event.rule_line = 12;
	event.path = (struct event_bytes){.data = (uint8_t *)strdup(path), .len = strlen(path)};
	event.exe = (struct event_bytes){.data = (uint8_t *)strdup("/usr/bin/cat"), .len = 12};
	ck_assert(store_add(store, &event));
}

void store_put(struct store *store, const char *path)
{
	store_put_kind(store, EVENT_VERDICT, HT_VERDICT_DENY, path);
}

void store_sync(struct store *store)
{
	ck_assert_int_eq(store_flush(store, 30000), 0);
}

void store_end(struct store *store)
{
	store_sync(store);
	ck_assert_ptr_null(store_close(store, 30000));
}
