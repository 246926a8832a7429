/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * A disk that fails on demand: the default VFS of SQLite, with its writes, syncs and opens failing
 * while a mode is set. It needs no privilege and no file system of its own, and fails at a known
 * place.
 */

#include <check.h>
#include <sqlite3.h>
#include <stdatomic.h>

enum faulty_mode {
	FAULTY_NOT,
	FAULTY_FULL,  /* no space left on the device */
	FAULTY_WRITE, /* input/output error on writing */
	FAULTY_SYNC,  /* written and forced to the disk, and then reported as failed */
	FAULTY_OPEN,  /* cannot be opened for writing */
	_FAULTY_MAX,
};

static _Atomic(enum faulty_mode) faulty_mode;
static _Atomic unsigned faulty_log_syncs; /* how often the log was forced to the disk */
static sqlite3_vfs *faulty_real;
/* [0]: the database, [1]: its log. Methods as the real VFS gave them, and ours in front. */
static const sqlite3_io_methods *faulty_methods[2];
static sqlite3_io_methods faulty_ours[2];

static inline int faulty_is_log(sqlite3_file *file)
{
	return file->pMethods == &faulty_ours[1];
}

static inline int faulty_write(sqlite3_file *file, const void *data, int n, sqlite3_int64 at)
{
	enum faulty_mode mode = atomic_load(&faulty_mode);

	if (mode == FAULTY_FULL)
		return SQLITE_FULL;
	if (mode == FAULTY_WRITE)
		return SQLITE_IOERR_WRITE;
	return faulty_methods[faulty_is_log(file)]->xWrite(file, data, n, at);
}

static inline int faulty_sync(sqlite3_file *file, int flags)
{
	int rc = faulty_methods[faulty_is_log(file)]->xSync(file, flags);

	if (faulty_is_log(file))
		atomic_fetch_add(&faulty_log_syncs, 1);
	return atomic_load(&faulty_mode) == FAULTY_SYNC ? SQLITE_IOERR_FSYNC : rc;
}

static inline int faulty_open(sqlite3_vfs *vfs, const char *name, sqlite3_file *file, int flags,
			      int *ret_flags)
{
	int which = flags & SQLITE_OPEN_MAIN_DB ? 0 : 1, rc;

	if (atomic_load(&faulty_mode) == FAULTY_OPEN)
		return SQLITE_CANTOPEN;
	rc = faulty_real->xOpen(faulty_real, name, file, flags, ret_flags);
	if (rc != SQLITE_OK)
		return rc;
	/* the real methods are the same for every file of a kind */
	faulty_methods[which] = file->pMethods;
	faulty_ours[which] = *file->pMethods;
	faulty_ours[which].xWrite = faulty_write;
	faulty_ours[which].xSync = faulty_sync;
	file->pMethods = &faulty_ours[which];
	return rc;
}

static inline void faulty_install(void)
{
	static sqlite3_vfs vfs;

	faulty_real = sqlite3_vfs_find(NULL);
	ck_assert_ptr_nonnull(faulty_real);
	vfs = *faulty_real;
	vfs.zName = "faulty";
	vfs.xOpen = faulty_open;
	vfs.pNext = NULL;
	ck_assert_int_eq(sqlite3_vfs_register(&vfs, 1), SQLITE_OK);
}

static inline void faulty_set(enum faulty_mode mode)
{
	atomic_store(&faulty_mode, mode);
}
