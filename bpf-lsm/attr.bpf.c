// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

/*
 * Hooks on attributes, and on calls that change a file by its descriptor: most of them know no mount.
 *
 * Not every kernel has all of them, or with the same arguments: agent/kernel/hooks.c says which are loaded.
 */

#include <asm/ioctl.h>

#include "escape.bpf.h"

/* Times: utimensat(2) and its like. Whatever else changes attributes has a hook that knows the path. */
static __always_inline int setattr_judge(struct dentry *dentry, struct iattr *attr)
{
	unsigned int valid = attr->ia_valid;
	struct label *l;

	if (!(valid & (ATTR_ATIME | ATTR_MTIME)) ||
	    (valid & (ATTR_MODE | ATTR_UID | ATTR_GID | ATTR_SIZE)))
		return 0;
	l = label_current();
	return l ? hook_dentry(l, dentry, HT_OP_ATTR, 0) : 0;
}

SEC("lsm/inode_setattr")
int BPF_PROG(haetae_inode_setattr, void *idmap, struct dentry *dentry, struct iattr *attr, int ret)
{
	return ret ? ret : setattr_judge(dentry, attr);
}

/* before 6.9 (evm: Use the id mapping of the mount) it has no idmap */
SEC("lsm/inode_setattr")
int BPF_PROG(haetae_inode_setattr_bare, struct dentry *dentry, struct iattr *attr, int ret)
{
	return ret ? ret : setattr_judge(dentry, attr);
}

static __always_inline int attr_judge(struct dentry *dentry, __u32 facts)
{
	struct label *l = label_current();

	return l ? hook_dentry(l, dentry, HT_OP_ATTR, facts) : 0;
}

SEC("lsm/inode_setxattr")
int BPF_PROG(haetae_inode_setxattr, void *idmap, struct dentry *dentry, const char *name,
	     const void *value, size_t size, int flags, int ret)
{
	return ret ? ret : attr_judge(dentry, 0);
}

SEC("lsm/inode_removexattr")
int BPF_PROG(haetae_inode_removexattr, void *idmap, struct dentry *dentry, const char *name, int ret)
{
	return ret ? ret : attr_judge(dentry, 0);
}

/* Since 6.2 access lists are no extended attributes any more. */
SEC("lsm/inode_set_acl")
int BPF_PROG(haetae_inode_set_acl, void *idmap, struct dentry *dentry, const char *name,
	     void *acl, int ret)
{
	return ret ? ret : attr_judge(dentry, 0);
}

SEC("lsm/inode_remove_acl")
int BPF_PROG(haetae_inode_remove_acl, void *idmap, struct dentry *dentry, const char *name, int ret)
{
	return ret ? ret : attr_judge(dentry, 0);
}

/* Since 6.17: file_setattr(2), and what the ioctls below come to. */
SEC("lsm/inode_file_setattr")
int BPF_PROG(haetae_inode_file_setattr, struct dentry *dentry, void *attr, int ret)
{
	return ret ? ret : attr_judge(dentry, OBJECT_AGAIN);
}

#define IOCTL(type, nr) (((type) << _IOC_TYPESHIFT) | (nr))

/* What a request does to the file. Size and direction are left out: a 32-bit program has others. */
static __always_inline __u32 ioctl_ops(__u32 cmd)
{
	switch (cmd & ((_IOC_TYPEMASK << _IOC_TYPESHIFT) | _IOC_NRMASK)) {
	case IOCTL('f', 2):   /* FS_IOC_SETFLAGS */
	case IOCTL('f', 4):   /* EXT4_IOC_SETVERSION */
	case IOCTL('v', 2):   /* FS_IOC_SETVERSION */
	case IOCTL('X', 32):  /* FS_IOC_FSSETXATTR */
	case IOCTL('f', 19):  /* FS_IOC_SET_ENCRYPTION_POLICY */
	case IOCTL('f', 133): /* FS_IOC_ENABLE_VERITY */
	case IOCTL(0x94, 26): /* BTRFS_IOC_SUBVOL_SETFLAGS */
	case IOCTL('r', 17):  /* FAT_IOCTL_SET_ATTRIBUTES */
		return HT_OP_ATTR;
	case IOCTL(0x94, 9):  /* FICLONE */
	case IOCTL(0x94, 13): /* FICLONERANGE */
	case IOCTL('X', 40):  /* FS_IOC_RESVSP */
	case IOCTL('X', 41):  /* FS_IOC_UNRESVSP */
	case IOCTL('X', 42):  /* FS_IOC_RESVSP64 */
	case IOCTL('X', 43):  /* FS_IOC_UNRESVSP64 */
	case IOCTL('X', 57):  /* FS_IOC_ZERO_RANGE */
	case IOCTL('X', 129): /* XFS_IOC_EXCHANGE_RANGE */
	case IOCTL('X', 131): /* XFS_IOC_COMMIT_RANGE */
	case IOCTL('f', 17):  /* EXT4_IOC_SWAP_BOOT */
		return HT_OP_WRITE;
	}
	return 0;
}

#define TIOCSTI_REQUEST 0x5412U /* without a size, which its number has for others */
#define NSFS_MAGIC 0x6e736673UL

/* The line of a request: to a whole filesystem, which may take a device that nobody opened, or to files in it that no mount need show, it is what mounting one is; for the
 * mount namespace of others it is what the links of their processes are; what is typed into a terminal is read by somebody
 * outside. And what userfaultfd(2) fills is memory that is written: code, too, that is mapped from a file in memory. Whose memory
 * it is, and whether it is executable, the descriptor alone knows. */
static __always_inline __u32 ioctl_line(__u32 cmd)
{
	if (cmd == TIOCSTI_REQUEST)
		return HT_KERNEL_DEVICE;
	switch (cmd & ((_IOC_TYPEMASK << _IOC_TYPESHIFT) | _IOC_NRMASK)) {
	case IOCTL('X', 107): /* XFS_IOC_OPEN_BY_HANDLE */
	case IOCTL('X', 110): /* XFS_IOC_FSGROWFSDATA */
	case IOCTL('X', 119): /* FIFREEZE */
	case IOCTL('X', 120): /* FITHAW */
	case IOCTL('X', 123): /* XFS_IOC_ATTRMULTI_BY_HANDLE */
	case IOCTL('X', 125): /* FS_IOC_SHUTDOWN */
	case IOCTL('f', 16):  /* EXT4_IOC_RESIZE_FS */
	case IOCTL(0x94, 3):  /* BTRFS_IOC_RESIZE */
	case IOCTL(0x94, 10): /* BTRFS_IOC_ADD_DEV */
	case IOCTL(0x94, 11): /* BTRFS_IOC_RM_DEV */
	case IOCTL(0x94, 53): /* BTRFS_IOC_DEV_REPLACE */
	case IOCTL(0x94, 58): /* BTRFS_IOC_RM_DEV_V2 */
		return HT_KERNEL_MOUNT;
	case IOCTL(0xb7, 11): /* NS_MNT_GET_NEXT */
	case IOCTL(0xb7, 12): /* NS_MNT_GET_PREV */
		return HT_KERNEL_PTRACE;
	case IOCTL(0xaa, 0): /* UFFDIO_REGISTER */
		return LINE_MEMORY;
	}
	return LINE_NONE;
}

/* Is the file of the kind that the line's requests are for? */
static __always_inline bool ioctl_is_for(struct file *file, __u32 line)
{
	struct inode *inode = file->f_inode;
	__u32 type = inode->i_mode & S_IFMT;

	if (line == HT_KERNEL_DEVICE)
		return type == S_IFCHR;
	if (line == HT_KERNEL_PTRACE)
		return inode->i_sb->s_magic == NSFS_MAGIC;
	if (line == LINE_MEMORY)
		return inode->i_sb->s_magic == ANON_INODE_FS_MAGIC;
	return type == S_IFREG || type == S_IFDIR;
}

/* Requests that name what they are about in the memory of the one who asks. Those of btrfs make or remove names without a hook
 * on names: subvolumes, and snapshots, which show all that is in one under other names; or tell what is in files without opening
 * one. Others exchange what is in two files that are open: neither need be the one that is asked. So of a snapshot everything is
 * refused that is refused anywhere, of the others making, removing, reading, writing. */
static __always_inline __u32 hidden_ops(__u32 cmd)
{
	switch (cmd & ((_IOC_TYPEMASK << _IOC_TYPESHIFT) | _IOC_NRMASK)) {
	case IOCTL(0x94, 1):  /* BTRFS_IOC_SNAP_CREATE */
	case IOCTL(0x94, 23): /* BTRFS_IOC_SNAP_CREATE_V2 */
		return HT_OP_ALL;
	case IOCTL(0x94, 14): /* BTRFS_IOC_SUBVOL_CREATE */
	case IOCTL(0x94, 24): /* BTRFS_IOC_SUBVOL_CREATE_V2 */
		return HT_OP_CREATE;
	case IOCTL(0x94, 15): /* BTRFS_IOC_SNAP_DESTROY */
	case IOCTL(0x94, 63): /* BTRFS_IOC_SNAP_DESTROY_V2 */
		return HT_OP_DELETE;
	case IOCTL(0x94, 17): /* BTRFS_IOC_TREE_SEARCH, _V2 */
	case IOCTL(0x94, 38): /* BTRFS_IOC_SEND */
		return HT_OP_READ;
	case IOCTL('X', 109): /* XFS_IOC_SWAPEXT */
	case IOCTL('f', 15):  /* EXT4_IOC_MOVE_EXT */
		return HT_OP_WRITE;
	}
	return 0;
}

static __always_inline int hidden_judge(struct file *file, __u32 ops)
{
	struct object o = { .ops = ops, .fault = HT_REASON_UNRESOLVED };
	struct inode *inode = file->f_inode;
	__u32 type = inode->i_mode & S_IFMT;
	struct label *l;

	if (ops == HT_OP_WRITE ? type != S_IFREG && type != S_IFDIR :
				 inode->i_sb->s_magic != BTRFS_SUPER_MAGIC)
		return 0;
	l = label_current();
	if (!l)
		return 0;
	object_of_file(&o, file);
	return hook_judge(l, &o);
}

static __always_inline int ioctl_line_judge(struct file *file, __u32 line)
{
	struct label *l = label_current();
	struct object o = {};

	if (!l || !ioctl_is_for(file, line))
		return 0;
	if (line == LINE_MEMORY)
		return hook_memory(l);
	if (line != HT_KERNEL_PTRACE) /* what is asked for is not the file */
		object_of_file(&o, file);
	return line_judge(l, &o, line);
}

static __always_inline int ioctl_judge(struct file *file, __u32 cmd)
{
	__u32 ops = ioctl_ops(cmd), line = ioctl_line(cmd), type;
	struct label *l;

	if (line != LINE_NONE)
		return ioctl_line_judge(file, line);
	if (!ops) {
		ops = hidden_ops(cmd);
		return ops ? hidden_judge(file, ops) : 0;
	}
	type = file->f_inode->i_mode & S_IFMT;
	if (type != S_IFREG && type != S_IFDIR)
		return 0;
	l = label_current();
	return l ? hook_file_with(l, file, ops, ops == HT_OP_ATTR ? OBJECT_TWICE : OBJECT_USE) : 0;
}

SEC("lsm/file_ioctl")
int BPF_PROG(haetae_file_ioctl, struct file *file, unsigned int cmd, unsigned long arg, int ret)
{
	return ret ? ret : ioctl_judge(file, cmd);
}

SEC("lsm/file_ioctl_compat")
int BPF_PROG(haetae_file_ioctl_compat, struct file *file, unsigned int cmd, unsigned long arg,
	     int ret)
{
	return ret ? ret : ioctl_judge(file, cmd);
}

/* Since 6.2: ftruncate(2), and an open that truncates; before, both are path_truncate. */
SEC("lsm/file_truncate")
int BPF_PROG(haetae_file_truncate, struct file *file, int ret)
{
	struct label *l;

	if (ret)
		return ret;
	l = label_current();
	return l ? hook_file_with(l, file, HT_OP_WRITE, OBJECT_AGAIN | OBJECT_USE) : 0;
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
