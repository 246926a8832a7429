/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * The writing store in two threads. Everything between `lock` and `sink` is shared and held under
 * the lock; what follows belongs to the writer thread alone.
 */

#include <pthread.h>

#include "store/sink.h"
#include "store/store.h"

struct store {
	struct store_config config; /* as given, every 0 replaced; path is ours */
	pthread_t thread;

	pthread_mutex_t lock;
	pthread_cond_t wake; /* the writer waits here, on the monotonic clock */
	pthread_cond_t done; /* callers of flush and close wait here, on the monotonic clock */
	struct sink_node *head, **tail; /* the queue */
	size_t n_queue;
	struct sink_node *spare; /* for events to come */
	size_t n_spare;
	uint64_t commit_at; /* when what is in the queue is to be written, monotonic ns */
	unsigned flushing;  /* callers that wait for an empty queue */
	bool stop;
	uint64_t stop_at; /* give up then, monotonic ns */
	bool finished;	  /* the thread touches nothing any more */
	bool abandoned;	  /* nobody waits for it: it frees the store itself */
	struct store_stats stats;

	struct sink sink;
	struct sink_node *batch; /* being written, or to be tried again */
	bool attempted;		 /* the batch may be on disk although an error was reported */
	unsigned backoff_ms;	 /* 0: no failure since the last success */
	uint64_t retry_at;	 /* monotonic ns */
	uint64_t sync_at;	 /* when what is not forced to the disk yet is to be, monotonic ns; 0: nothing is */
	uint64_t aside_at;	 /* when a database was last set aside, 0: never */
};

#define NSEC_PER_MSEC 1000000ULL

uint64_t monotonic_ns(void);
void *writer_main(void *store);
void store_free(struct store *store); /* the thread has finished */
