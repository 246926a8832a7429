/* SPDX-License-Identifier: Apache-2.0 */

/*
 * The shapes of cgroup paths, as the runtimes make them:
 *
 *   podman      libpod-HEX.scope (systemd), libpod-HEX (cgroupfs), libpod-payload-HEX (--cgroups=split, quadlet)
 *   docker      docker-HEX.scope (systemd), docker/HEX (cgroupfs)
 *   containerd  cri-containerd-HEX.scope, *:cri-containerd:HEX, nerdctl-HEX.scope, /default/ID (ctr)
 *   crio        crio-HEX.scope, crio-HEX
 *   kubernetes  kubepods*: a bare HEX below a pod, where nothing tells the runtime
 *   nspawn      machine-NAME.scope (machined), systemd-nspawn@NAME.service/payload
 *   libvirt     machine-qemu\x2dN\x2dNAME.scope, machine-lxc\x2d...
 *   lxc         lxc.payload.NAME, lxc/NAME
 *   systemd     any other unit
 *
 * HEX is what runtimes make: 64 digits (12 or more are accepted where a prefix names the runtime).
 * conmon's own scopes (libpod-conmon-HEX.scope) are units, not containers: HEX must follow the
 * prefix.
 */

#include "container/container.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "util/cleanup.h"

#define ID_LEN 64U
#define ID_LEN_MIN 12U
#define ID_LEN_SHORT 12U

/* A component of the path, borrowed. */
struct component {
	const char *text;
	size_t len;
};

static bool component_is(struct component c, const char *word)
{
	return strlen(word) == c.len && memcmp(c.text, word, c.len) == 0;
}

static bool component_skip(struct component *c, const char *prefix)
{
	size_t n = strlen(prefix);

	if (c->len < n || memcmp(c->text, prefix, n) != 0)
		return false;
	c->text += n;
	c->len -= n;
	return true;
}

static bool component_chop(struct component *c, const char *suffix)
{
	size_t n = strlen(suffix);

	if (c->len < n || memcmp(c->text + c->len - n, suffix, n) != 0)
		return false;
	c->len -= n;
	return true;
}

static bool component_is_hex(struct component c, size_t min)
{
	if (c.len < min || c.len > ID_LEN)
		return false;
	for (size_t i = 0; i < c.len; i++) {
		if (!((c.text[i] >= '0' && c.text[i] <= '9') ||
		      (c.text[i] >= 'a' && c.text[i] <= 'f')))
			return false;
	}
	return true;
}

static int hex_value(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	return -1;
}

/* A unit name with systemd's \xNN undone (other backslashes stay, and no NUL comes out of it). */
static char *component_unescape(struct component c)
{
	char *text = malloc(c.len + 1);
	size_t n = 0;

	if (!text)
		return NULL;
	for (size_t i = 0; i < c.len; i++) {
		if (c.text[i] == '\\' && i + 3 < c.len && c.text[i + 1] == 'x' &&
		    hex_value(c.text[i + 2]) >= 0 && hex_value(c.text[i + 3]) >= 0) {
			int code = hex_value(c.text[i + 2]) << 4 | hex_value(c.text[i + 3]);

			if (code != 0) {
				text[n++] = (char)code;
				i += 3;
				continue;
			}
		}
		text[n++] = c.text[i];
	}
	text[n] = '\0';
	return text;
}

/* What one component (with its parent) is. The texts are borrowed until the end. */
struct shape {
	const char *runtime;   /* NULL: nothing known */
	struct component id;   /* len 0: none */
	struct component name; /* len 0: the shortened id */
};

static const struct {
	const char *prefix;
	const char *runtime;
} id_prefixes[] = {
	{"libpod-payload-", "podman"},	   {"libpod-", "podman"},      {"docker-", "docker"},
	{"cri-containerd-", "containerd"}, {"nerdctl-", "containerd"}, {"crio-", "crio"},
};

static bool shape_from_prefix(struct component c, struct shape *ret)
{
	(void)component_chop(&c, ".scope");
	for (size_t i = 0; i < ARRAY_LEN(id_prefixes); i++) {
		struct component id = c;

		if (!component_skip(&id, id_prefixes[i].prefix) ||
		    !component_is_hex(id, ID_LEN_MIN))
			continue;
		*ret = (struct shape){.runtime = id_prefixes[i].runtime, .id = id};
		return true;
	}
	return false;
}

/* systemd:prefix:id where containerd was told a systemd cgroup but uses cgroupfs: one component. */
static bool shape_from_colons(struct component c, struct shape *ret)
{
	const char *colon = memrchr(c.text, ':', c.len);
	struct component id, head;

	if (!colon)
		return false;
	id = (struct component){colon + 1, c.len - (size_t)(colon + 1 - c.text)};
	head = (struct component){c.text, (size_t)(colon - c.text)};
	if (!component_is_hex(id, ID_LEN_MIN))
		return false;
	if (component_chop(&head, ":cri-containerd"))
		*ret = (struct shape){.runtime = "containerd", .id = id};
	else if (component_chop(&head, ":docker"))
		*ret = (struct shape){.runtime = "docker", .id = id};
	else
		return false;
	return true;
}

static bool shape_from_machine(struct component c, struct shape *ret)
{
	struct component name = c;

	if (component_skip(&name, "machine-") && component_chop(&name, ".scope") && name.len > 0) {
		struct component rest = name;
		bool vm = component_skip(&rest, "qemu\\x2d") || component_skip(&rest, "lxc\\x2d");

		*ret = (struct shape){.runtime = vm ? "libvirt" : "nspawn", .name = name};
		return true;
	}
	name = c;
	if (component_skip(&name, "lxc.payload.") && name.len > 0) {
		*ret = (struct shape){.runtime = "lxc", .name = name};
		return true;
	}
	return false;
}

/* What runs as a service of its own has nspawn itself beside it: only what is below payload is the container. */
static bool shape_from_nspawn(struct component parent, struct component c, struct shape *ret)
{
	if (!component_is(c, "payload") || !component_skip(&parent, "systemd-nspawn@") ||
	    !component_chop(&parent, ".service") || parent.len == 0)
		return false;
	*ret = (struct shape){.runtime = "nspawn", .name = parent};
	return true;
}

/* A component whose parent gives it its meaning. depth counts from 0. */
static bool shape_from_parent(struct component parent, struct component c, size_t depth,
			      bool in_pod, struct shape *ret)
{
	bool hex = component_is_hex(c, ID_LEN);

	if (component_is(parent, "docker") && hex)
		*ret = (struct shape){.runtime = "docker", .id = c};
	else if (component_is(parent, "lxc") && depth == 1)
		*ret = (struct shape){.runtime = "lxc", .name = c};
	else if (in_pod && hex)
		*ret = (struct shape){.runtime = "kubernetes", .id = c};
	else if (component_is(parent, "default") && depth == 1)
		*ret = (struct shape){
			.runtime = "containerd", .id = c, .name = hex ? (struct component){} : c};
	else if (hex && !component_is(parent, "libpod_parent")) /* podman's pods hold containers */
		*ret = (struct shape){.runtime = "unknown", .id = c};
	else
		return false;
	return true;
}

static bool component_is_pod(struct component c)
{
	struct component rest = c;

	return component_skip(&rest, "kubepods") ||
	       (component_skip(&rest, "pod") && rest.len >= 32 && memchr(rest.text, '-', rest.len));
}

/* Units that can hold processes; a slice only groups them. */
static bool component_is_unit(struct component c)
{
	static const char *const suffixes[] = {".service", ".scope", ".socket", ".mount", ".swap"};

	for (size_t i = 0; i < ARRAY_LEN(suffixes); i++) {
		struct component rest = c;

		if (component_chop(&rest, suffixes[i]) && rest.len > 0)
			return true;
	}
	return false;
}

static bool component_is_slice(struct component c)
{
	return component_chop(&c, ".slice") && c.len > 0;
}

/* One walk from the root down: the outermost container, the innermost unit and slice. */
struct walk {
	struct shape container;
	struct component unit;
	struct component slice;
	struct component last;
	size_t len; /* of the path up to the container */
};

static void walk_path(const char *cgroup, struct walk *w)
{
	struct component parent = {};
	bool in_pod = false;
	size_t depth = 0;

	for (const char *p = cgroup; *p;) {
		struct component c;
		struct shape shape;

		p += strspn(p, "/");
		if (!*p)
			break;
		c = (struct component){p, strcspn(p, "/")};
		p += c.len;
		if (shape_from_prefix(c, &shape) || shape_from_colons(c, &shape) ||
		    shape_from_machine(c, &shape) || shape_from_nspawn(parent, c, &shape) ||
		    shape_from_parent(depth > 0 ? parent : (struct component){"", 0}, c, depth,
				      in_pod, &shape)) {
			w->container = shape;
			w->len = (size_t)(p - cgroup);
			return; /* what is below is the container's own and could say anything */
		}
		if (component_is_unit(c))
			w->unit = c;
		else if (component_is_slice(c))
			w->slice = c;
		in_pod = in_pod || component_is_pod(c);
		w->last = parent = c;
		depth++;
	}
}

static int container_fill(const struct walk *w, struct container *c)
{
	const char *runtime = "unknown";
	struct component name = w->last;

	if (w->container.runtime) {
		runtime = w->container.runtime;
		name = w->container.name;
		if (name.len == 0)
			name = (struct component){w->container.id.text, ID_LEN_SHORT};
		if (w->container.id.len > 0) {
			c->id = strndup(w->container.id.text, w->container.id.len);
			if (!c->id)
				return -ENOMEM;
		}
	} else if (w->unit.len > 0 || w->slice.len > 0) {
		runtime = "systemd";
		name = w->unit.len > 0 ? w->unit : w->slice;
	} else if (name.len == 0) {
		name = (struct component){"/", 1};
	}
	c->runtime = strdup(runtime);
	c->name = component_unescape(name);
	return c->runtime && c->name ? 0 : -ENOMEM;
}

int container_from_cgroup(const char *cgroup, struct container *ret)
{
	struct container c = {};
	struct walk w = {};
	int r;

	walk_path(cgroup, &w);
	r = container_fill(&w, &c);
	if (r < 0) {
		container_deinit(&c);
		return r;
	}
	c.cgroup_len = w.len;
	*ret = c;
	return 0;
}

/* ID, PREFIX-ID.scope, PREFIX-ID, SLICE:PREFIX:ID */
static bool component_is_of(struct component c, const char *id)
{
	if (component_is(c, id))
		return true;
	(void)component_chop(&c, ".scope");
	return component_chop(&c, id) && c.len > 0 &&
	       (c.text[c.len - 1] == '-' || c.text[c.len - 1] == ':');
}

size_t container_own_cgroup(const char *cgroup, const char *id)
{
	struct walk w = {};

	if (!*id)
		return 0;
	walk_path(cgroup, &w);
	/* one container within another is the outer one's own affair */
	if (w.len > 0 && w.container.id.len > 0)
		return component_is(w.container.id, id) ? w.len : 0;
	for (const char *p = cgroup; *p;) {
		struct component c;

		p += strspn(p, "/");
		c = (struct component){p, strcspn(p, "/")};
		p += c.len;
		if (c.len > 0 && component_is_of(c, id))
			return (size_t)(p - cgroup);
	}
	return 0;
}

bool container_is_container(const struct container *container)
{
	if (container->id)
		return true;
	return strcmp(container->runtime, "systemd") != 0 &&
	       strcmp(container->runtime, "unknown") != 0;
}

void container_deinit(struct container *container)
{
	free(container->runtime);
	free(container->id);
	free(container->name);
	*container = (struct container){};
}
