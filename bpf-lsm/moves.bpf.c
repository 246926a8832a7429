// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

/*
 * Names that move, and dentries that come to be, whoever makes them: what the short way of the memo rests on
 * (memo.bpf.h). The kernel moves every name in one function, under a lock that lets one move go on at a time, and
 * tells its LSMs of each object that a dentry gets. "Every" includes a directory that a look-up finds in another place than
 * before (d_splice_alias(): by a handle, or where a server moved it): of 6.1, 6.12, 6.18 and 7.3 the compiled __d_move() was
 * seen to be one function, which d_move(), d_exchange() and d_splice_alias() call. The agent tries the first two at its
 * start; the third takes a filesystem that somebody serves, and is tried by the job 39-moves.
 *
 * The word `moving` is set before anything is counted and taken back after all is done. Whoever reads a counter first
 * and finds nothing moving afterwards has either the old count, which nobody asks for again, or the new one of a move
 * that is over.
 */

#include "memo.bpf.h"

static __always_inline bool move_is_of_tree(struct dentry *dentry)
{
	struct inode *inode = (struct inode *)walk_inode(dentry);
	__u16 mode = 0;

	return inode && BPF_CORE_READ_INTO(&mode, inode, i_mode) == 0 && (mode & S_IFMT) == S_IFDIR;
}

SEC("fentry/__d_move")
int BPF_PROG(haetae_move, struct dentry *dentry, struct dentry *target)
{
	struct memo *m = memo_get();

	*(volatile __u32 *)&m->shared.moves.moving = 1;
	if (move_is_of_tree(dentry) || move_is_of_tree(target))
		__sync_fetch_and_add(&m->shared.moves.trees, 1);
	__sync_fetch_and_add(memo_name(m, number_of((__u64)dentry, m)), 1);
	__sync_fetch_and_add(memo_name(m, number_of((__u64)target, m)), 1);
	return 0;
}

SEC("fexit/__d_move")
int BPF_PROG(haetae_moved, struct dentry *dentry, struct dentry *target)
{
	*(volatile __u32 *)&memo_get()->shared.moves.moving = 0;
	return 0;
}

SEC("lsm/d_instantiate")
int BPF_PROG(haetae_d_instantiate, struct dentry *dentry)
{
	struct memo *m = memo_get();

	__sync_fetch_and_add(memo_name(m, number_of((__u64)dentry, m)), 1);
	return 0;
}
