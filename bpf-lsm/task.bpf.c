// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

/*
 * The life of a label: inherited at birth, also by threads and io_uring workers, gone with the task.
 */

#include "hook.bpf.h"

/* A child of a governed task is governed from birth, or it is not born. */
SEC("lsm/task_alloc")
int BPF_PROG(haetae_task_alloc, struct task_struct *task, unsigned long clone_flags, int ret)
{
	struct ht_ledger *led;
	struct label *parent, *l;

	if (ret)
		return ret;
	parent = label_current();
	if (!parent)
		return 0;
	l = label_store((__u64)task, parent);
	if (l) {
		subject_tell((__u64)task, l);
		return 0;
	}
	led = ledger_get();
	if (led)
		__sync_fetch_and_add(&led->forks_refused, 1);
	return -ENOMEM;
}

SEC("lsm/task_free")
int BPF_PROG(haetae_task_free, struct task_struct *task)
{
	label_delete((__u64)task);
	return 0;
}

SEC("tp_btf/sched_process_exit")
int BPF_PROG(haetae_process_exit, struct task_struct *task)
{
	struct ht_ledger *led;
	struct label *l;
	struct slot *s;
	bool done = false;

	if (task->pid != task->tgid)
		return 0;
	l = label_of((__u64)task);
	led = ledger_get();
	if (!l || !led)
		return 0;
	s = slot_claim();
	if (s) {
		slot_reset(s, HT_RECORD_EXIT);
		report_subject(l->exec_id, l->cgroup, &s->record);
		s->record.exit_code = task->exit_code;
		report_exe((__u64)l, l->exe_len, l->exe_flags, s);
		done = slot_emit(s, &notices, led);
		slot_release(s);
	}
	__sync_fetch_and_add(done ? &led->notices_emitted : &led->notices_lost, 1);
	return 0;
}
