/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Hooks that no policy needs cost nothing: their programs are taken out of them, and put back before a policy that needs
 * them is put in force. The programs themselves stay loaded, with their judge in them, and pinned beside the links.
 *
 * What keeps facts stays in its hook all the time: who has which label and runs what must be true at the instant in which
 * a policy comes. What is only asked for a verdict, and what kept verdicts rest on, can come and go: each publish lets
 * go of what was decided before it.
 */

#include "kernel/internal.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "util/cleanup.h"

/* Programs of the short way of the memo (moves.c), two of them where a kernel moves a name. */
#define MOVE_BEGINS "haetae_move"
#define MOVE_ENDS "haetae_moved"
#define MOVE_NAMES "haetae_d_instantiate"

/* Programs that stay in their hooks: labels and what they say of the task, Haetae's own BPF objects, and how the agent
 * learns which files are its own. */
static const char *const kept[] = {
	"haetae_bprm_committed_creds", "haetae_task_alloc", "haetae_task_free", "haetae_bpf",
	"haetae_bpf_map",	       "haetae_bpf_prog",   "haetae_sb_statfs",
};

/* What the canary does, an exec and an open. */
static const char *const canary_hooks[] = { "haetae_bprm_check_security", "haetae_file_open" };

bool kernel_demand_is(const char *program, enum bpf_attach_type attach)
{
	if (attach != BPF_LSM_MAC && attach != BPF_TRACE_FENTRY && attach != BPF_TRACE_FEXIT)
		return false;
	for (size_t i = 0; i < ARRAY_LEN(kept); i++)
		if (strcmp(kept[i], program) == 0)
			return false;
	return true;
}

bool kernel_demand_is_late(const char *program)
{
	return strcmp(program, MOVE_BEGINS) == 0 || strcmp(program, MOVE_ENDS) == 0 ||
	       strcmp(program, MOVE_NAMES) == 0;
}

bool kernel_demand_needs(const char *program, const struct kernel_demand *demand)
{
	uint32_t lines = kernel_hooks_lines(program);

	if (kernel_demand_is_late(program))
		return demand->governs && demand->late;
	for (size_t i = 0; i < ARRAY_LEN(canary_hooks) && demand->canary; i++)
		if (strcmp(canary_hooks[i], program) == 0)
			return true;
	return lines ? demand->lines & lines : demand->governs;
}

static enum bpf_attach_type program_attach_type(const char *program)
{
	if (strcmp(program, MOVE_BEGINS) == 0)
		return BPF_TRACE_FENTRY;
	return strcmp(program, MOVE_ENDS) == 0 ? BPF_TRACE_FEXIT : BPF_LSM_MAC;
}

/* Return: its index among the links; -ENOENT: it is in no hook. */
static ssize_t link_find(const struct kernel *k, const char *program)
{
	for (size_t i = 0; i < k->n_links; i++)
		if (strcmp(k->links[i], program) == 0)
			return (ssize_t)i;
	return -ENOENT;
}

int kernel_demand_keep(struct kernel *k, const char *program, int fd)
{
	struct kernel_program_kept *p = &k->programs[k->n_programs];

	if (k->n_programs >= KERNEL_LINKS_MAX)
		return -E2BIG;
	p->fd = fcntl(fd, F_DUPFD_CLOEXEC, 3);
	if (p->fd < 0)
		return -errno;
	p->name = strdup(program);
	k->n_programs++;
	return p->name ? 0 : -ENOMEM;
}

/* How many links there are, so that the next agent takes over all or none. */
static int links_note(struct kernel *k)
{
	struct ht_settings s;
	int r = kernel_settings_read(k, &s);

	if (r < 0)
		return r;
	s.links = (uint32_t)k->n_links;
	return kernel_settings_write(k, &s);
}

static bool moves_are_attached(const struct kernel *k)
{
	return link_find(k, MOVE_BEGINS) >= 0 && link_find(k, MOVE_ENDS) >= 0 &&
	       link_find(k, MOVE_NAMES) >= 0;
}

/* Open or close the short way of the memo. What was kept before nobody looked after the names is not asked any more. */
static int moves_note(struct kernel *k, bool open)
{
	struct ht_settings s;
	int r = kernel_settings_read(k, &s);

	if (r < 0 || (bool)s.moves == open)
		return r;
	s.moves = open && kernel_moves_seen(k);
	s.epoch += open;
	return kernel_settings_write(k, &s);
}

static int program_attach(struct kernel *k, const struct kernel_program_kept *p, char **reterr_text)
{
	int fd = bpf_link_create(p->fd, 0, program_attach_type(p->name), NULL), r;

	if (fd < 0)
		return kernel_fail(reterr_text, -errno, "Failed to attach %s", p->name);
	r = kernel_guard_link(k, fd);
	if (r < 0) {
		(void)close(fd);
		return kernel_fail(reterr_text, r, "Failed to guard the link of %s", p->name);
	}
	r = kernel_link_keep(k, fd, p->name, reterr_text);
	return r < 0 ? r : kernel_pin_link_commit(k, p->name, reterr_text);
}

int kernel_demand_attach(struct kernel *k, const struct kernel_demand *demand, char **reterr_text)
{
	size_t before = k->n_links;
	int r = 0, noted;

	for (size_t i = 0; i < k->n_programs && r >= 0; i++)
		if (kernel_demand_needs(k->programs[i].name, demand) &&
		    link_find(k, k->programs[i].name) < 0)
			r = program_attach(k, &k->programs[i], reterr_text);
	if (k->n_links == before)
		return r;
	noted = links_note(k);
	return r >= 0 && noted < 0 ? kernel_fail(reterr_text, noted, "Failed to note the links") : r;
}

static int program_detach(struct kernel *k, size_t index)
{
	int r = kernel_unpin_link(k, k->links[index]);

	if (r < 0)
		return r;
	(void)close(k->link_fds[index]);
	free(k->links[index]);
	k->n_links--;
	k->links[index] = k->links[k->n_links];
	k->link_fds[index] = k->link_fds[k->n_links];
	k->links[k->n_links] = NULL;
	return 1;
}

void kernel_demand_of(const struct image *image, struct kernel_demand *ret)
{
	*ret = (struct kernel_demand){};
	for (size_t i = 0; i < image->n_profiles; i++) {
		const struct image_profile *p = &image->profiles[i];

		ret->lines |= image_profile_lines(p);
		ret->governs |= strcmp(p->policy, KERNEL_CANARY_POLICY) != 0;
	}
}

int kernel_trim(struct kernel *k, const struct image *image, char **reterr_text)
{
	struct kernel_demand demand;
	int r, taken = 0, noted;

	*reterr_text = NULL;
	kernel_demand_of(image, &demand);
	demand.late = true;
	r = kernel_demand_attach(k, &demand, reterr_text);
	if (r < 0)
		return r;
	r = moves_note(k, demand.governs && moves_are_attached(k));
	if (r < 0)
		return r;
	for (size_t i = 0; i < k->n_programs && r >= 0; i++) {
		ssize_t index = link_find(k, k->programs[i].name);

		if (index < 0 || kernel_demand_needs(k->programs[i].name, &demand))
			continue;
		r = program_detach(k, (size_t)index);
		taken += r > 0;
	}
	if (taken == 0)
		return r;
	noted = links_note(k);
	return r < 0 ? r : noted < 0 ? noted : taken;
}

const char *kernel_idle_programs(const struct kernel *k, size_t *index)
{
	while (*index < k->n_programs) {
		const char *name = k->programs[(*index)++].name;

		if (link_find(k, name) < 0)
			return name;
	}
	return NULL;
}
