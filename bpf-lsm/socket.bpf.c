// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

/*
 * Sockets that have a name in a filesystem: who connects to one asks somebody outside to act, so that is a write. The
 * kernel knows the socket as it was bound, in whatever mount namespace; it is judged under the names that it has in the
 * task's own.
 */

#include "hook.bpf.h"

static __always_inline int socket_judge(__u64 sock)
{
	struct label *l = label_current();
	struct object o = { .ops = HT_OP_WRITE, .facts = OBJECT_DENTRY };
	struct dentry *dentry = NULL;
	struct inode *inode = NULL;

	if (!l)
		return 0;
	if (BPF_CORE_READ_INTO(&dentry, (struct unix_sock *)sock, path.dentry) < 0)
		return -EPERM;
	if (!dentry)
		return 0; /* it has none */
	if (BPF_CORE_READ_INTO(&inode, dentry, d_inode) < 0)
		return -EPERM;
	o.dentry = (__u64)dentry;
	o.inode = (__u64)inode;
	return hook_judge(l, &o);
}

SEC("lsm/unix_stream_connect")
int BPF_PROG(haetae_unix_stream_connect, struct sock *sock, struct sock *other, struct sock *newsk,
	     int ret)
{
	return ret ? ret : socket_judge((__u64)other);
}

/* Datagrams: when they are sent, connected or not. */
SEC("lsm/unix_may_send")
int BPF_PROG(haetae_unix_may_send, struct socket *sock, struct socket *other, int ret)
{
	struct sock *sk = NULL;

	if (ret)
		return ret;
	/* what cannot be read is refused to a governed task there */
	(void)BPF_CORE_READ_INTO(&sk, other, sk);
	return socket_judge((__u64)sk);
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
