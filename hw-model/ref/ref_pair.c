/* SPDX-License-Identifier: MIT */
/*
 * A second thread for the products. Columns do not depend on each other, so the bits are those of one
 * thread: each takes the next column that nobody has, so that neither waits for the other to come, but
 * for one to end. Products come close together: the second thread looks out for a while before it sleeps.
 */
#include "ref.h"
#include "numerics.h"

#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdlib.h>

#define PAIR_MACS 16384 /* less is done before the other thread has heard of it */
#define SPINS	  2000	/* some ten microseconds or more */
#define NONE	  UINT32_MAX

struct ref_pair {
	pthread_t thread;
	pthread_mutex_t lock;
	pthread_cond_t wake;
	atomic_bool sleeps;
	/* the number of the product, and in the lower half its first column that nobody has */
	_Atomic uint64_t next;
	atomic_uint done; /* of its columns, by the second thread */
	/* the product: what was read is true if a column of it could then be taken */
	_Atomic ref_columns fn; /* NULL: the thread is to end */
	const void *_Atomic x;
	atomic_uint columns;
};

static uint32_t take(struct ref_pair *p, uint32_t number, uint32_t columns)
{
	uint64_t next = atomic_load(&p->next);

	while (next >> 32 == number && (uint32_t)next < columns)
		if (atomic_compare_exchange_weak(&p->next, &next, next + 1))
			return (uint32_t)next;
	return NONE;
}

/* The number of a product that is not SEEN */
static uint32_t wait_for_work(struct ref_pair *p, uint32_t seen)
{
	uint32_t number;

	for (unsigned int i = 0; i < SPINS; i++) {
		number = (uint32_t)(atomic_load(&p->next) >> 32);
		if (number != seen)
			return number;
		_mm_pause();
	}
	pthread_mutex_lock(&p->lock);
	atomic_store(&p->sleeps, true);
	while ((number = (uint32_t)(atomic_load(&p->next) >> 32)) == seen)
		pthread_cond_wait(&p->wake, &p->lock);
	atomic_store(&p->sleeps, false);
	pthread_mutex_unlock(&p->lock);
	return number;
}

static void *second_thread(void *arg)
{
	struct ref_pair *p = arg;
	uint32_t number = 0, c;

	iau_fp_enter();
	for (;;) {
		ref_columns fn;
		const void *x;
		uint32_t columns;

		number = wait_for_work(p, number);
		fn = p->fn;
		x = p->x;
		columns = p->columns;
		if (!fn)
			return NULL;
		while ((c = take(p, number, columns)) != NONE) {
			fn(x, c, c + 1);
			atomic_fetch_add(&p->done, 1);
		}
	}
}

/* Returns the product's number. */
static uint32_t offer(struct ref_pair *p, ref_columns fn, const void *x, uint32_t columns)
{
	uint32_t number = (uint32_t)(p->next >> 32) + 1;

	/* who comes late for the last product and reads what follows must not find a column of it */
	atomic_store(&p->next, (uint64_t)(number - 1) << 32 | NONE);
	p->fn = fn;
	p->x = x;
	p->columns = columns;
	p->done = 0;
	atomic_store(&p->next, (uint64_t)number << 32);
	if (atomic_load(&p->sleeps)) {
		pthread_mutex_lock(&p->lock);
		pthread_cond_signal(&p->wake);
		pthread_mutex_unlock(&p->lock);
	}
	return number;
}

/* FN for all columns of a product of so many MACS */
void ref_run_columns(struct iau_dev *dev, ref_columns fn, const void *x, uint32_t columns, uint64_t macs)
{
	struct ref_pair *p = dev->pair;
	uint32_t number, mine = 0, c;

	if (!p || columns < 2 || macs < PAIR_MACS) {
		fn(x, 0, columns);
		return;
	}
	number = offer(p, fn, x, columns);
	for (; (c = take(p, number, columns)) != NONE; mine++)
		fn(x, c, c + 1);
	for (unsigned int i = 0; atomic_load(&p->done) != columns - mine; i++) {
		_mm_pause();
		/* it may have lost its processor */
		if (i > SPINS)
			sched_yield();
	}
}

struct ref_pair *ref_pair_create(void)
{
	struct ref_pair *p = calloc(1, sizeof(*p));

	if (!p)
		return NULL;
	pthread_mutex_init(&p->lock, NULL);
	pthread_cond_init(&p->wake, NULL);
	if (pthread_create(&p->thread, NULL, second_thread, p)) {
		free(p);
		return NULL;
	}
	return p;
}

void ref_pair_destroy(struct ref_pair *p)
{
	if (!p)
		return;
	offer(p, NULL, NULL, 0);
	pthread_join(p->thread, NULL);
	free(p);
}
