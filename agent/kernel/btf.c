/* SPDX-License-Identifier: Apache-2.0 */

/*
 * The kernel's types as they lie in its file, read once. There are a hundred thousand, of which some hundred matter, and
 * they are asked about at every start: so they are neither copied nor made objects of. What a type leads to can be
 * followed: each one is whole, and inside of the file. Format: Documentation/bpf/btf.rst of the kernel.
 */

#include "kernel/internal.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/btf.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "util/cleanup.h"
#include "util/fd.h"

#define SIZE_MAX_BYTES (64 << 20) /* kernels have some 5 MiB */

int kernel_btf_header_check(const struct btf_header *h)
{
	return h->magic == BTF_MAGIC && h->version == BTF_VERSION && h->hdr_len >= sizeof(*h) ? 0 :
												  -EBADMSG;
}

int kernel_btf_tail(const struct btf_type *t, uint32_t *ret)
{
	uint32_t n = BTF_INFO_VLEN(t->info);

	switch (BTF_INFO_KIND(t->info)) {
	case BTF_KIND_INT:
	case BTF_KIND_VAR:
	case BTF_KIND_DECL_TAG:
		*ret = 4;
		return 0;
	case BTF_KIND_ARRAY:
		*ret = sizeof(struct btf_array);
		return 0;
	case BTF_KIND_STRUCT:
	case BTF_KIND_UNION:
	case BTF_KIND_ENUM64:
	case BTF_KIND_DATASEC:
		*ret = n * 12; /* btf_member, btf_enum64, btf_var_secinfo */
		return 0;
	case BTF_KIND_ENUM:
	case BTF_KIND_FUNC_PROTO:
		*ret = n * 8; /* btf_enum, btf_param */
		return 0;
	case BTF_KIND_PTR:
	case BTF_KIND_FWD:
	case BTF_KIND_TYPEDEF:
	case BTF_KIND_VOLATILE:
	case BTF_KIND_CONST:
	case BTF_KIND_RESTRICT:
	case BTF_KIND_FUNC:
	case BTF_KIND_FLOAT:
	case BTF_KIND_TYPE_TAG:
		*ret = 0;
		return 0;
	}
	return -EBADMSG;
}

/* All of it, into pages that are there at once: each would be a fault of its own. */
static int file_read(int fd, struct kernel_btf *b)
{
	struct stat st;
	void *data;

	if (fstat(fd, &st) < 0)
		return -errno;
	if (st.st_size < (off_t)sizeof(struct btf_header) || st.st_size > SIZE_MAX_BYTES)
		return -EBADMSG;
	data = mmap(NULL, (size_t)st.st_size, PROT_READ | PROT_WRITE,
		    MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);
	if (data == MAP_FAILED)
		return -errno;
	b->data = data;
	b->size = (size_t)st.st_size;
	return fd_read_exact(fd, b->data, b->size);
}

static int sections_find(struct kernel_btf *b)
{
	const struct btf_header *h = (const struct btf_header *)b->data;

	if (kernel_btf_header_check(h) < 0 || h->hdr_len > b->size || h->hdr_len % 4 != 0 ||
	    h->type_off % 4 != 0 || h->type_off > b->size - h->hdr_len ||
	    h->type_len > b->size - h->hdr_len - h->type_off || h->str_off > b->size - h->hdr_len ||
	    h->str_len > b->size - h->hdr_len - h->str_off || h->str_len == 0)
		return -EBADMSG;
	b->types = b->data + h->hdr_len + h->type_off;
	b->strings = (const char *)b->data + h->hdr_len + h->str_off;
	b->strings_len = h->str_len;
	return b->strings[0] == '\0' && b->strings[h->str_len - 1] == '\0' ? 0 : -EBADMSG;
}

/* Where each type begins. */
static int types_index(struct kernel_btf *b)
{
	uint32_t len = ((const struct btf_header *)b->data)->type_len, at = 0, tail;

	b->offsets = malloc((len / sizeof(struct btf_type) + 1) * sizeof(*b->offsets));
	if (!b->offsets)
		return -ENOMEM;
	for (b->n = 1; at < len; at += (uint32_t)sizeof(struct btf_type) + tail) {
		const struct btf_type *t = (const struct btf_type *)(b->types + at);

		if (len - at < sizeof(*t) || kernel_btf_tail(t, &tail) < 0 ||
		    tail > len - at - sizeof(*t))
			return -EBADMSG;
		b->offsets[b->n++] = at;
	}
	return 0;
}

int kernel_btf_open(const char *path, struct kernel_btf *ret)
{
	_cleanup_close_ int fd = open(path, O_RDONLY | O_CLOEXEC);
	struct kernel_btf b = {};
	int r;

	if (fd < 0)
		return -errno;
	r = file_read(fd, &b);
	if (r >= 0)
		r = sections_find(&b);
	if (r >= 0)
		r = types_index(&b);
	if (r < 0) {
		kernel_btf_close(&b);
		return r;
	}
	*ret = b;
	return 0;
}

void kernel_btf_close(struct kernel_btf *b)
{
	if (b->data)
		(void)munmap(b->data, b->size);
	free(b->offsets);
	*b = (struct kernel_btf){};
}
