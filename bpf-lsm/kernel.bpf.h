/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#pragma once

/*
 * The kernel's types as far as Haetae reads them: field names only, every offset is relocated when the
 * programs are loaded (CO-RE), so a build needs nothing of any kernel. A field that some kernel lacks
 * stands in a flavour of its own (name___flavour) and is asked for with bpf_core_field_exists().
 */

#include <linux/bpf.h>
#include <linux/types.h>
#include <stdbool.h>
#include <stddef.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_core_read.h>
#include <bpf/bpf_tracing.h>

/* A function that the verifier checks by itself, once in a program, instead of once for every way to reach
 * it: what keeps loading fast. Weak, because several objects that are linked into one carry it. */
#define __global __attribute__((noinline, weak))

#pragma clang attribute push(__attribute__((preserve_access_index)), apply_to = record)

struct kuid {
	__u32 val;
};

struct kgid {
	__u32 val;
};

struct kernel_capabilities {
	__u32 low; /* the first 32 */
};

struct cred {
	struct kuid uid;
	struct kgid gid;
	struct kuid fsuid;
	struct kgid fsgid;
	struct kernel_capabilities cap_effective;
};

struct super_block {
	__u32 s_dev;
	unsigned long s_flags;
	unsigned long s_magic;
};

/* with CONFIG_UNICODE */
struct super_block___folding {
	void *s_encoding;
};

struct inode {
	__u16 i_mode;
	struct kuid i_uid;
	struct kgid i_gid;
	struct super_block *i_sb;
	unsigned long i_ino;
	unsigned int i_nlink;
	unsigned int i_flags;
	__u32 i_rdev;
	__u32 i_generation;
};

struct hlist_node;

struct hlist_head {
	struct hlist_node *first;
};

struct pid {
	unsigned int level;
	struct hlist_head tasks[1];
};

struct proc_inode {
	struct pid *pid;
	struct inode vfs_inode;
};

struct qstr {
	union {
		struct {
			__u32 hash;
			__u32 len;
		};
		__u64 hash_len;
	};
	const unsigned char *name;
};

struct seqcount {
	unsigned int sequence;
};

struct seqcount_spinlock {
	struct seqcount seqcount;
};

struct dentry {
	unsigned int d_flags;
	struct seqcount_spinlock d_seq;
	struct dentry *d_parent;
	struct qstr d_name;
	struct inode *d_inode;
	struct super_block *d_sb;
};

/* Before 6.15 (dcache: convert dentry flag macros to enum) it is a number that no type tells. */
enum dentry_flags___enum {
	DCACHE_PAR_LOOKUP___enum = 0x10000000,
};

struct user_namespace;
struct mount;

struct mnt_namespace {
	struct mount *root;
	__u64 event; /* moves with every mount that comes, goes or moves in it */
};

struct vfsmount {
	struct dentry *mnt_root;
	struct super_block *mnt_sb;
	int mnt_flags;
};

struct mount {
	struct mount *mnt_parent;
	struct dentry *mnt_mountpoint;
	struct vfsmount mnt;
	struct mnt_namespace *mnt_ns;
};

struct list_head {
	struct list_head *next;
};

/* The mounts of a filesystem: a ring of list heads, and since 6.18 (preparations to taking MNT_WRITE_HOLD out of
 * ->mnt_flags) a chain. */
struct super_block___ring {
	struct list_head s_mounts;
};

struct super_block___chain {
	struct mount *s_mounts;
};

struct mount___ring {
	struct list_head mnt_instance;
};

struct mount___chain {
	struct mount *mnt_next_for_sb;
};

struct iattr {
	unsigned int ia_valid;
};

struct path {
	struct vfsmount *mnt;
	struct dentry *dentry;
};

struct sock;

struct socket {
	struct sock *sk;
};

struct unix_sock {
	struct path path; /* where it was bound; nothing: it has no name in a filesystem */
};

struct file {
	unsigned int f_mode;
	unsigned int f_flags;
	struct path f_path;
	struct inode *f_inode;
};

/* since 6.7 the file under a stacked filesystem's file keeps the path that the task used */
struct backing_file___user_path {
	struct path user_path;
};

struct anon_vma;

struct vm_area_struct {
	struct file *vm_file;
	struct anon_vma *anon_vma;
	unsigned long vm_flags;
};

struct mm_struct {
	unsigned long arg_start;
	unsigned long arg_end;
	struct file *exe_file;
};

struct nsproxy {
	struct mnt_namespace *mnt_ns;
};

struct kernfs_node {
	const char *name;
	__u64 id;
};

/* since 6.15 (kernfs: Use RCU to access kernfs_node::parent) the field is called __parent */
struct kernfs_node___parent {
	struct kernfs_node *parent;
};

struct kernfs_node___rcu_parent {
	struct kernfs_node *__parent;
};

struct cgroup_subsys_state {
	struct cgroup_subsys_state *parent;
};

struct cgroup_root {
	int hierarchy_id;
};

struct cgroup {
	struct cgroup_subsys_state self;
	int level;
	struct kernfs_node *kn;
	struct cgroup_root *root;
};

struct css_set {
	struct cgroup *dfl_cgrp;
};

struct thread_info {
	__u32 status;
};

struct pt_regs___x86 {
	unsigned long orig_ax;
};

struct bpf_map {
	__u32 id;
};

struct bpf_prog_aux {
	__u32 id;
};

struct bpf_prog {
	struct bpf_prog_aux *aux;
};

struct io_uring_cmd {
	struct file *file;
};

struct task_struct {
	struct thread_info thread_info;
	unsigned int flags;
	struct pid *thread_pid;
	struct hlist_head pid_links[1]; /* of hlist_node, whose address alone is used */
	int pid;
	int tgid;
	int exit_code;
	struct task_struct *real_parent;
	struct task_struct *group_leader;
	__u64 start_boottime;
	const struct cred *real_cred;
	const struct cred *cred;
	char comm[16];
	struct nsproxy *nsproxy;
	struct mm_struct *mm;
	struct css_set *cgroups;
};

struct linux_binprm {
	struct file *file;
	const char *filename; /* the kernel's copy of what execve() was called with, for a descriptor /dev/fd/N */
	int argc;
};

struct seq_file;

struct bpf_iter_meta {
	struct seq_file *seq;
	__u64 session_id;
	__u64 seq_num;
};

struct bpf_iter__task {
	struct bpf_iter_meta *meta;
	struct task_struct *task;
};

struct bpf_iter__task_file {
	struct bpf_iter_meta *meta;
	struct task_struct *task;
	__u32 fd;
	struct file *file;
};

#pragma clang attribute pop

/* Stable constants of the kernel that no header for userspace carries. */
#define FMODE_READ 0x1U
#define FMODE_WRITE 0x2U
#define FMODE_CREATED 0x100000U
#define F_FLAG_EXEC 0x20U	 /* __FMODE_EXEC in f_flags; no system call can pass it */
#define O_TRUNC 01000U
#define SB_RDONLY 1UL
#define SB_KERNMOUNT (1UL << 22)
#define SB_NOUSER (1UL << 31)
#define PF_KTHREAD 0x00200000U
#define RENAME_EXCHANGE 2U
#define RENAME_WHITEOUT 4U
#define ATTR_MODE (1U << 0)
#define ATTR_UID (1U << 1)
#define ATTR_GID (1U << 2)
#define ATTR_SIZE (1U << 3)
#define ATTR_ATIME (1U << 4)
#define ATTR_MTIME (1U << 5)
#define PROT_WRITE 0x2UL
#define PROT_EXEC 0x4UL
#define VM_WRITE 0x2UL
#define MNT_READONLY 0x40
#define MNT_RELATIME 0x20
#define OVERLAYFS_SUPER_MAGIC 0x794c7630UL
#define SIGKILL 9
#define S_IFMT 0170000U
#define S_IFREG 0100000U
#define MAY_WRITE 2
#define MAY_READ 4
#define MAY_APPEND 8
#define MAP_SHARED 1UL
#define MAP_TYPE 0xfUL
#define VM_SHARED 0x8UL
#define S_IFDIR 0040000U
#define S_IFBLK 0060000U
#define S_IFCHR 0020000U
#define PROC_SUPER_MAGIC 0x9fa0UL
#define BTRFS_SUPER_MAGIC 0x9123683eUL
#define ANON_INODE_FS_MAGIC 0x09041934UL
#define S_CASEFOLD 0x8000U /* in i_flags */
#define DCACHE_OP_COMPARE 0x2U
#define EPERM 1
#define ENOMEM 12
#define EEXIST 17
#define ESTALE 116
