/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Where an overlay's inode keeps what it has in its upper layer, and in those below.
 *
 * Overlayfs is a module, so its types stand in BTF of its own, split from the kernel's: names of its own come after the
 * kernel's string section, and its types after the kernel's types. Reading it through libbpf takes decoding the kernel's
 * hundred thousand types first, at every start; here the numbers that are wanted are found by the names of one
 * structure and its members. Format: Documentation/bpf/btf.rst of the kernel.
 */

#include "kernel/internal.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/btf.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "util/cleanup.h"
#include "util/fd.h"

#define SPLIT_SIZE_MAX (4U << 20) /* overlayfs has about 100 KiB */

struct split {
	const uint8_t *types;
	uint32_t types_len;
	const char *strings; /* own */
	uint32_t strings_len;
	uint32_t base_len; /* of the kernel's string section */
	int base_fd;	   /* borrowed */
	uint32_t base_off; /* of the kernel's string section in its file */
};

/* Is it the name? Names of members may stand in the kernel's string section. */
static bool name_is(const struct split *s, uint32_t off, const char *name)
{
	char text[64] = {};
	size_t len = strlen(name) + 1;

	if (len > sizeof(text))
		return false;
	if (off < s->base_len)
		return pread(s->base_fd, text, len, (off_t)s->base_off + off) == (ssize_t)len &&
		       memcmp(text, name, len) == 0;
	off -= s->base_len;
	return off < s->strings_len && s->strings_len - off >= len &&
	       memcmp(s->strings + off, name, len) == 0;
}

/* Byte offset of a member; -ENOENT. */
static int member_offset(const struct split *s, const uint8_t *tail, uint32_t n, bool flagged,
			 const char *name)
{
	for (uint32_t i = 0; i < n; i++) {
		struct btf_member m;
		uint32_t bits;

		memcpy(&m, tail + i * sizeof(m), sizeof(m));
		bits = flagged ? BTF_MEMBER_BIT_OFFSET(m.offset) : m.offset;
		if (name_is(s, m.name_off, name))
			return bits % 8 == 0 && bits / 8 <= INT16_MAX ? (int)(bits / 8) : -EBADMSG;
	}
	return -ENOENT;
}

/* What it has in lower layers: since 6.5 a structure that begins with their number (oe), before that a place of two pointers
 * (lowerpath), of which the second one leads to a name. What is called otherwise stays unknown. */
static void lower_find(const struct split *s, const uint8_t *members, uint32_t n, bool flagged, int inode,
		       struct overlay_layout *ret)
{
	int counted = member_offset(s, members, n, flagged, "oe");
	int path = member_offset(s, members, n, flagged, "lowerpath");

	ret->lower = 0;
	ret->lower_counted = counted >= 0;
	if (counted >= 0)
		ret->lower = counted - inode;
	else if (path >= 0)
		ret->lower = path + (int)sizeof(uint64_t) - inode;
}

static int inode_find(const struct split *s, struct overlay_layout *ret)
{
	uint32_t at = 0;

	while (s->types_len - at >= sizeof(struct btf_type)) {
		struct btf_type t;
		uint32_t tail;
		int r;

		memcpy(&t, s->types + at, sizeof(t));
		at += sizeof(t);
		r = kernel_btf_tail(&t, &tail);
		if (r < 0 || tail > s->types_len - at)
			return -EBADMSG;
		if (BTF_INFO_KIND(t.info) == BTF_KIND_STRUCT && name_is(s, t.name_off, "ovl_inode")) {
			bool flagged = BTF_INFO_KFLAG(t.info);
			uint32_t n = BTF_INFO_VLEN(t.info);
			int inode = member_offset(s, s->types + at, n, flagged, "vfs_inode");
			int upper = member_offset(s, s->types + at, n, flagged, "__upperdentry");

			if (inode < 0 || upper < 0)
				return inode < 0 ? inode : upper;
			ret->upper = upper - inode;
			lower_find(s, s->types + at, n, flagged, inode, ret);
			return ret->upper ? 0 : -EBADMSG;
		}
		at += tail;
	}
	return -ENOENT;
}

static int split_read(int fd, uint8_t **ret, size_t *ret_size)
{
	_cleanup_free_ uint8_t *data = NULL;
	struct stat st;
	int r;

	if (fstat(fd, &st) < 0)
		return -errno;
	if (st.st_size < (off_t)sizeof(struct btf_header) || st.st_size > SPLIT_SIZE_MAX)
		return -EBADMSG;
	data = malloc((size_t)st.st_size);
	if (!data)
		return -ENOMEM;
	r = fd_read_exact(fd, data, (size_t)st.st_size);
	if (r < 0)
		return r;
	*ret = steal_ptr(data);
	*ret_size = (size_t)st.st_size;
	return 0;
}

int kernel_overlay_layout(const char *base_path, const char *split_path, struct overlay_layout *ret)
{
	_cleanup_close_ int base_fd = -EBADF, fd = -EBADF;
	_cleanup_free_ uint8_t *data = NULL;
	struct btf_header base, h;
	struct split s;
	size_t size = 0;
	int r;

	fd = open(split_path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	base_fd = open(base_path, O_RDONLY | O_CLOEXEC);
	if (base_fd < 0)
		return -errno;
	if (pread(base_fd, &base, sizeof(base), 0) != sizeof(base) || kernel_btf_header_check(&base) < 0)
		return -EBADMSG;
	r = split_read(fd, &data, &size);
	if (r < 0)
		return r;
	memcpy(&h, data, sizeof(h));
	if (kernel_btf_header_check(&h) < 0 || h.hdr_len > size || h.type_off > size - h.hdr_len ||
	    h.type_len > size - h.hdr_len - h.type_off || h.str_off > size - h.hdr_len ||
	    h.str_len > size - h.hdr_len - h.str_off)
		return -EBADMSG;
	s = (struct split){
		.types = data + h.hdr_len + h.type_off,
		.types_len = h.type_len,
		.strings = (const char *)data + h.hdr_len + h.str_off,
		.strings_len = h.str_len,
		.base_len = base.str_len,
		.base_fd = base_fd,
		.base_off = base.hdr_len + base.str_off,
	};
	return inode_find(&s, ret);
}
