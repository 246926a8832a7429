/* SPDX-License-Identifier: Apache-2.0 */

/*
 * The kernel's types as the programs need them. libbpf fits the programs to the kernel by searching all of its types,
 * a hundred thousand, once for each type that a program reads: a fifth of a second. So it is given a small set with
 * exactly those: found in one pass, by name, with all that lies inside of them. What a pointer points to does not
 * matter to it.
 */

#include "kernel/internal.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <bpf/btf.h>

#include "util/cleanup.h"

/* Types inside of types: real kernels nest some ten deep. */
#define DEPTH_MAX 64U
#define FLAVOR "___" /* a program's variant of a type: the kernel's is named by what stands before it */

struct reduction {
	const struct kernel_btf *from;
	struct btf *to;
	const char **names; /* sorted; what a program reads */
	size_t n_names;
	uint8_t begins[1 << 13]; /* bits: two bytes that a name of these begins with */
	int *ids; /* of each type of `from` in `to`; 0: not copied */
	int pointer; /* stands for all of them */
};

static int name_compare(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static bool type_is_wanted_kind(const struct btf_type *t)
{
	return btf_is_composite(t) || btf_is_any_enum(t);
}

static unsigned name_begins(const char *name)
{
	return (unsigned)(uint8_t)name[0] << 8 | (uint8_t)name[1];
}

/* Most are told by how they begin. name: not empty. */
static bool name_is_wanted(const struct reduction *r, const char *name)
{
	unsigned begins = name_begins(name);

	return (r->begins[begins / 8] & 1U << begins % 8) &&
	       bsearch(&name, r->names, r->n_names, sizeof(*r->names), name_compare);
}

/* The names of what the programs know. Return: 0, -ENOMEM. */
static int names_collect(struct reduction *r, const struct btf *local)
{
	uint32_t n = btf__type_cnt(local);

	r->names = calloc(n, sizeof(*r->names));
	if (!r->names)
		return -ENOMEM;
	for (uint32_t id = 1; id < n; id++) {
		const struct btf_type *t = btf__type_by_id(local, id);
		const char *name = btf__name_by_offset(local, t->name_off), *flavor;
		char *copy;

		if (!type_is_wanted_kind(t) || name[0] == '\0')
			continue;
		flavor = strstr(name, FLAVOR);
		copy = flavor ? strndup(name, (size_t)(flavor - name)) : strdup(name);
		if (!copy)
			return -ENOMEM;
		r->names[r->n_names++] = copy;
		r->begins[name_begins(copy) / 8] |= (uint8_t)(1U << name_begins(copy) % 8);
	}
	qsort(r->names, r->n_names, sizeof(*r->names), name_compare);
	return 0;
}

static void reduction_free(struct reduction *r)
{
	for (size_t i = 0; i < r->n_names; i++)
		free((char *)r->names[i]);
	free(r->names);
	free(r->ids);
	btf__free(r->to);
}

static int type_copy(struct reduction *r, uint32_t id, unsigned depth);

static int array_copy(struct reduction *r, const struct btf_array *array, unsigned depth)
{
	int index = type_copy(r, array->index_type, depth), element;

	if (index < 0)
		return index;
	element = type_copy(r, array->type, depth);
	return element < 0 ? element : btf__add_array(r->to, index, element, array->nelems);
}

static int enum_copy(struct reduction *r, const struct btf_type *t, const char *name)
{
	int id = btf__add_enum(r->to, name, t->size), ret;

	if (id < 0 || !btf_is_enum(t))
		return id;
	for (unsigned i = 0; i < btf_vlen(t); i++) {
		const struct btf_enum *value = &btf_enum(t)[i];

		ret = btf__add_enum_value(r->to, kernel_btf_name(r->from, value->name_off), value->val);
		if (ret < 0)
			return ret;
	}
	return id;
}

/* Members go to the type that was added last: what lies inside comes first. */
static int composite_copy(struct reduction *r, const struct btf_type *t, const char *name, unsigned depth)
{
	const struct btf_member *m = btf_members(t);
	_cleanup_free_ int *types = calloc(btf_vlen(t) + 1U, sizeof(*types));
	int id;

	if (!types)
		return -ENOMEM;
	for (unsigned i = 0; i < btf_vlen(t); i++) {
		types[i] = type_copy(r, m[i].type, depth);
		if (types[i] < 0)
			return types[i];
	}
	id = btf_is_struct(t) ? btf__add_struct(r->to, name, t->size) : btf__add_union(r->to, name, t->size);
	if (id < 0)
		return id;
	for (unsigned i = 0; i < btf_vlen(t); i++) {
		int ret = btf__add_field(r->to, kernel_btf_name(r->from, m[i].name_off), types[i],
					 btf_member_bit_offset(t, i), btf_member_bitfield_size(t, i));

		if (ret < 0)
			return ret;
	}
	return id;
}

/* Return: the id in `to`, 0: void, -errno. */
static int type_copy(struct reduction *r, uint32_t id, unsigned depth)
{
	const struct btf_type *t = kernel_btf_type(r->from, id);
	const char *name;
	int ret;

	if (id == 0)
		return 0;
	if (!t)
		return -EINVAL;
	if (depth > DEPTH_MAX)
		return -ELOOP;
	if (r->ids[id] != 0)
		return r->ids[id];
	name = kernel_btf_name(r->from, t->name_off);
	switch (btf_kind(t)) {
	case BTF_KIND_INT:
		ret = btf__add_int(r->to, name, t->size, btf_int_encoding(t));
		break;
	case BTF_KIND_FLOAT:
		ret = btf__add_float(r->to, name, t->size);
		break;
	case BTF_KIND_ARRAY:
		ret = array_copy(r, btf_array(t), depth + 1);
		break;
	case BTF_KIND_STRUCT:
	case BTF_KIND_UNION:
		ret = composite_copy(r, t, name[0] ? name : NULL, depth + 1);
		break;
	case BTF_KIND_ENUM:
	case BTF_KIND_ENUM64:
		ret = enum_copy(r, t, name[0] ? name : NULL);
		break;
	case BTF_KIND_TYPEDEF:
	case BTF_KIND_CONST:
	case BTF_KIND_VOLATILE:
	case BTF_KIND_RESTRICT:
	case BTF_KIND_TYPE_TAG:
		ret = type_copy(r, t->type, depth + 1);
		break;
	case BTF_KIND_PTR:
		ret = r->pointer;
		break;
	default:
		return -EOPNOTSUPP; /* nothing that has a size */
	}
	if (ret > 0)
		r->ids[id] = ret;
	return ret;
}

static int reduction_run(struct reduction *r, const struct btf *local)
{
	uint32_t n = r->from->n;
	int ret = names_collect(r, local);

	if (ret < 0)
		return ret;
	r->ids = calloc(n, sizeof(*r->ids));
	r->to = btf__new_empty();
	if (!r->ids || !r->to)
		return -ENOMEM;
	r->pointer = btf__add_ptr(r->to, 0);
	if (r->pointer < 0)
		return r->pointer;
	for (uint32_t id = 1; id < n; id++) {
		const struct btf_type *t = kernel_btf_type(r->from, id);
		const char *name;

		if (!type_is_wanted_kind(t) || t->name_off == 0)
			continue;
		name = kernel_btf_name(r->from, t->name_off);
		if (name[0] == '\0' || !name_is_wanted(r, name))
			continue;
		ret = type_copy(r, id, 0);
		if (ret < 0)
			return ret;
	}
	return 0;
}

DEFINE_CLEANUP(struct reduction *, reduction_freep, reduction_free);

int kernel_types_new(char ret_path[KERNEL_TYPES_PATH_SIZE])
{
	int fd = memfd_create("haetae-types", MFD_CLOEXEC);

	if (fd < 0)
		return -errno;
	(void)snprintf(ret_path, KERNEL_TYPES_PATH_SIZE, "/proc/self/fd/%d", fd);
	return fd;
}

int kernel_types_reduce(const struct kernel_btf *kernel, const struct btf *programs, int fd)
{
	struct reduction reduction = { .from = kernel };
	_cleanup_(reduction_freep) struct reduction *r = &reduction;
	const char *data;
	uint32_t size;
	int ret = reduction_run(r, programs);

	if (ret < 0)
		return ret;
	data = btf__raw_data(r->to, &size);
	if (!data)
		return -ENOMEM;
	if (ftruncate(fd, 0) < 0)
		return -errno;
	for (uint32_t at = 0; at < size;) {
		ssize_t n = pwrite(fd, data + at, size - at, at);

		if (n < 0)
			return -errno;
		at += (uint32_t)n;
	}
	return 0;
}
