/* SPDX-License-Identifier: Apache-2.0 */

/*
 * bench-floor HOOK...: attaches a program that does nothing to each of these LSM hooks, says
 * "attached", and takes them off again when it is ended. What they cost is the least that any agent
 * with programs in them can: the kernel's way into a program and out again.
 */

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <linux/bpf.h>
#include <stdio.h>
#include <unistd.h>

/* Returns: 0 and an attached program, which goes with this process; -1 with errno. */
static int empty_attach(const char *hook)
{
	static const struct bpf_insn nothing[] = {
		{.code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = BPF_REG_0, .imm = 0},
		{.code = BPF_JMP | BPF_EXIT},
	};
	LIBBPF_OPTS(bpf_prog_load_opts, options, .expected_attach_type = BPF_LSM_MAC);
	int id = libbpf_find_vmlinux_btf_id(hook, BPF_LSM_MAC), fd;

	if (id < 0) {
		errno = -id;
		return -1;
	}
	options.attach_btf_id = (__u32)id;
	fd = bpf_prog_load(BPF_PROG_TYPE_LSM, "floor", "Dual BSD/GPL", nothing,
			   sizeof(nothing) / sizeof(nothing[0]), &options);
	return fd < 0 || bpf_link_create(fd, 0, BPF_LSM_MAC, NULL) < 0 ? -1 : 0;
}

int main(int argc, char **argv)
{
	if (argc < 2) {
		(void)fprintf(stderr, "usage: bench-floor HOOK...\n");
		return 2;
	}
	for (int i = 1; i < argc; i++)
		if (empty_attach(argv[i]) < 0) {
			perror(argv[i]);
			return 1;
		}
	(void)puts("attached");
	(void)fflush(stdout);
	for (;;)
		(void)pause();
}
