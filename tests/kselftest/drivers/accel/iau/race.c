// SPDX-License-Identifier: GPL-2.0 OR MIT
/* Threads of one client that take from each other what they use. */
#include <errno.h>
#include <pthread.h>
#include <sys/mman.h>
#include <unistd.h>

#include "client.h"
#include "kselftest_harness.h"

#define ROUNDS	40
#define SUBMITS	30
#define VA	0x900000ull

/* What one thread does beside the test */
struct side {
	struct client *c;
	pthread_t thread;
	pthread_barrier_t start;
	int done, bad;	/* calls that worked; calls that failed in another way than allowed */
};

static int side_start(struct side *s, struct client *c, void *(*function)(void *side))
{
	s->c = c;
	s->done = 0;
	s->bad = 0;
	return pthread_barrier_init(&s->start, NULL, 2) ||
	       pthread_create(&s->thread, NULL, function, s);
}

static void side_end(struct side *s)
{
	pthread_join(s->thread, NULL);
	pthread_barrier_destroy(&s->start);
}

static void note(struct side *s, int err, int allowed)
{
	if (!err)
		s->done++;
	else if (err != allowed && err != -EIO)
		s->bad++;
}

FIXTURE(race) {
	struct client c;
	struct side side;
};

FIXTURE_SETUP(race)
{
	OPEN_OR_SKIP(&self->c);
	ASSERT_EQ(0, copy_prepare(&self->c));
}

FIXTURE_TEARDOWN(race)
{
	client_close(&self->c);
}

static void *submits(void *p)
{
	struct side *s = p;

	pthread_barrier_wait(&s->start);
	for (int i = 0; i < SUBMITS; i++)
		note(s, submit_copies(s->c, s->c->queue, 1), -ENOENT);
	return NULL;
}

/* What a submission has promised comes, even if the queue went at just that moment. */
TEST_F_TIMEOUT(race, submit_and_queue_destroy, 120)
{
	for (int round = 0; round < ROUNDS; round++) {
		ASSERT_EQ(0, side_start(&self->side, &self->c, submits));
		pthread_barrier_wait(&self->side.start);
		usleep(round * 50);
		EXPECT_EQ(0, queue_destroy(self->c.fd, self->c.queue));
		side_end(&self->side);
		EXPECT_EQ(0, self->side.bad);
		if (self->c.point)
			ASSERT_EQ(0, client_wait(&self->c, LONG_MS));
		ASSERT_EQ(0, queue_create(self->c.fd, self->c.vm, DRM_IAU_PRIORITY_NORMAL,
					  &self->c.queue));
	}
	EXPECT_EQ(0, run_copy(&self->c));
}

/* A client loses its address space while BESIDE asks for things in it, STEP_US later each round. */
static void vm_goes(struct __test_metadata *_metadata, struct side *side,
		    void *(*beside)(void *side), useconds_t step_us)
{
	for (int round = 0; round < ROUNDS; round++) {
		struct client other;

		ASSERT_EQ(0, client_open(&other));
		ASSERT_EQ(0, copy_prepare(&other));
		ASSERT_EQ(0, side_start(side, &other, beside));
		pthread_barrier_wait(&side->start);
		usleep(round * step_us);
		EXPECT_EQ(0, vm_destroy(other.fd, other.vm));
		side_end(side);
		EXPECT_EQ(0, side->bad);
		if (other.point)
			ASSERT_EQ(0, client_wait(&other, LONG_MS));
		client_close(&other);
	}
}

TEST_F_TIMEOUT(race, submit_and_vm_destroy, 120)
{
	vm_goes(_metadata, &self->side, submits, 50);
	EXPECT_EQ(0, run_copy(&self->c));
}

static void *binds(void *p)
{
	struct side *s = p;

	pthread_barrier_wait(&s->start);
	for (uint64_t i = 0; i < SUBMITS; i++)
		note(s, bind(s->c, 0, s->c->src_bo, 0, VA + i * PAGE, PAGE), -ENOENT);
	return NULL;
}

TEST_F_TIMEOUT(race, bind_and_vm_destroy, 120)
{
	vm_goes(_metadata, &self->side, binds, 20);
	EXPECT_EQ(0, run_copy(&self->c));
}

static void *binds_later(void *p)
{
	struct side *s = p;

	pthread_barrier_wait(&s->start);
	for (uint64_t i = 0; i < SUBMITS; i++) {
		struct drm_iau_bind_op op = {
			.handle = s->c->src_bo, .va = VA + i * PAGE, .size = PAGE,
		};
		struct drm_iau_sync out = {
			.flags = DRM_IAU_SYNC_SIGNAL,
			.handle = s->c->timeline,
			.point = s->c->point + 1,
		};
		struct drm_iau_vm_bind args = {
			.vm_id = s->c->vm,
			.flags = DRM_IAU_VM_BIND_ASYNC,
			.ops = { sizeof(op), 1, (uintptr_t)&op },
			.syncs = { sizeof(out), 1, (uintptr_t)&out },
		};
		int err = ask(s->c->fd, DRM_IOCTL_IAU_VM_BIND, &args);

		s->c->point += !err;
		note(s, err, -ENOENT);
	}
	return NULL;
}

TEST_F_TIMEOUT(race, bind_later_and_vm_destroy, 120)
{
	vm_goes(_metadata, &self->side, binds_later, 20);
	EXPECT_EQ(0, run_copy(&self->c));
}

static void *unbinds(void *p)
{
	struct side *s = p;

	pthread_barrier_wait(&s->start);
	for (int i = 0; i < SUBMITS; i++) {
		note(s, unbind(s->c, VA, PAGE), 0);
		note(s, bind(s->c, 0, s->c->src_bo, 0, VA, PAGE), 0);
	}
	return NULL;
}

/* Mappings that no job uses come and go beside jobs. */
TEST_F_TIMEOUT(race, submit_and_bind, 120)
{
	ASSERT_EQ(0, side_start(&self->side, &self->c, unbinds));
	pthread_barrier_wait(&self->side.start);
	for (uint32_t i = 1; i < 100; i++) {
		self->c.src[0] = i;
		ASSERT_EQ(0, run_copy(&self->c));
		ASSERT_EQ(i, self->c.dst[0]);
	}
	side_end(&self->side);
	EXPECT_EQ(2 * SUBMITS, self->side.done);
}

static void *closes(void *p)
{
	struct side *s = p;

	pthread_barrier_wait(&s->start);
	for (uint32_t handle = 1; handle < 20; handle++)
		note(s, bo_close(s->c->fd, handle), -EINVAL);
	return NULL;
}

/* Both close every handle: each is closed once, and nobody binds what has gone. */
TEST_F(race, close_and_close)
{
	for (int round = 0; round < ROUNDS; round++) {
		struct client other;
		uint32_t bo;
		int done = 0;

		ASSERT_EQ(0, client_open(&other));
		for (int i = 0; i < 10; i++)
			ASSERT_EQ(0, bo_create(other.fd, PAGE, &bo));
		ASSERT_EQ(0, side_start(&self->side, &other, closes));
		pthread_barrier_wait(&self->side.start);
		for (uint32_t handle = 1; handle < 20; handle++)
			done += !bo_close(other.fd, handle);
		side_end(&self->side);
		EXPECT_EQ(10, done + self->side.done);
		EXPECT_EQ(0, self->side.bad);
		client_close(&other);
	}
}

TEST_F(race, bind_and_close)
{
	for (int round = 0; round < ROUNDS; round++) {
		struct client other;
		uint32_t bo;

		ASSERT_EQ(0, client_open(&other));
		for (int i = 0; i < 19; i++)
			ASSERT_EQ(0, bo_create(other.fd, PAGE, &bo));
		ASSERT_EQ(0, side_start(&self->side, &other, closes));
		pthread_barrier_wait(&self->side.start);
		for (uint32_t handle = 19; handle; handle--) {
			int err = bind(&other, 0, handle, 0, VA + handle * PAGE, PAGE);

			EXPECT_TRUE(!err || err == -ENOENT);
		}
		side_end(&self->side);
		EXPECT_EQ(0, self->side.bad);
		client_close(&other);
	}
}

/* IDs that another thread guesses while they are made */
static void *destroys(void *p)
{
	struct side *s = p;

	pthread_barrier_wait(&s->start);
	for (int i = 0; i < 400; i++) {
		note(s, queue_destroy(s->c->fd, i % 40), -ENOENT);
		note(s, vm_destroy(s->c->fd, i % 40), -ENOENT);
	}
	return NULL;
}

TEST_F(race, create_and_destroy)
{
	struct client other;

	ASSERT_EQ(0, client_open(&other));
	ASSERT_EQ(0, side_start(&self->side, &other, destroys));
	pthread_barrier_wait(&self->side.start);
	for (int i = 0; i < 200; i++) {
		uint32_t vm, queue;
		int err = vm_create(other.fd, &vm);

		ASSERT_TRUE(!err || err == -ENOSPC);
		err = queue_create(other.fd, vm, DRM_IAU_PRIORITY_NORMAL, &queue);
		ASSERT_TRUE(!err || err == -ENOENT || err == -ENOSPC);
		queue_destroy(other.fd, queue);
		vm_destroy(other.fd, vm);
	}
	side_end(&self->side);
	EXPECT_EQ(0, self->side.bad);
	client_close(&other);
	EXPECT_EQ(0, run_copy(&self->c));
}

TEST_HARNESS_MAIN
