/* SPDX-License-Identifier: MIT */
/* The vfio-user server as a VMM meets it: handshake, regions, bad messages, going and coming. */
#include "jobs.h"
#include "suite.h"

#include <fcntl.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

static int error_of(struct client *c, uint16_t command, const void *payload, uint32_t size)
{
	struct reply r;

	call(c, &r, command, payload, size, NULL, 0);
	return r.err;
}

static void test_device_info(void **state)
{
	struct client *c = *state;
	uint32_t ask[4] = { 16 }, info[4];
	struct reply r;

	call(c, &r, VU_DEVICE_GET_INFO, ask, sizeof(ask), NULL, 0);
	assert_int_equal(r.err, 0);
	assert_int_equal(r.size, sizeof(info));
	memcpy(info, r.data, sizeof(info));
	assert_int_equal(info[1], VFIO_DEVICE_FLAGS_RESET | VFIO_DEVICE_FLAGS_PCI);
	assert_int_equal(info[2], VFIO_PCI_NUM_REGIONS);
	assert_int_equal(info[3], VFIO_PCI_NUM_IRQS);
}

static void test_regions(void **state)
{
	static const uint64_t sizes[VFIO_PCI_NUM_REGIONS] = {
		[IAU_BAR_REGS] = 0x10000,
		[IAU_BAR_STATUS] = 0x1000,
		[IAU_BAR_MSIX] = 0x1000,
		[VFIO_PCI_CONFIG_REGION_INDEX] = 4096,
	};
	struct client *c = *state;
	struct vfio_region_info info = { .argsz = sizeof(info) };
	struct reply r;

	for (info.index = 0; info.index < VFIO_PCI_NUM_REGIONS; info.index++) {
		struct vfio_region_info got;

		call(c, &r, VU_DEVICE_GET_REGION_INFO, &info, sizeof(info), NULL, 0);
		assert_int_equal(r.err, 0);
		assert_int_equal(r.size, sizeof(got));
		memcpy(&got, r.data, sizeof(got));
		assert_int_equal(got.index, info.index);
		assert_int_equal(got.size, sizes[info.index]);
		assert_int_equal(r.fd >= 0, info.index == IAU_BAR_STATUS);
		if (r.fd >= 0)
			close(r.fd);
	}
	assert_int_equal(error_of(c, VU_DEVICE_GET_REGION_INFO, &info, sizeof(info)), -EINVAL);
}

static void test_config_space(void **state)
{
	struct client *c = *state;
	const uint32_t config = VFIO_PCI_CONFIG_REGION_INDEX;
	uint32_t at;

	assert_int_equal(region_read(c, config, PCI_VENDOR_ID, 2), IAU_PCI_VENDOR);
	assert_int_equal(region_read(c, config, PCI_DEVICE_ID, 2), IAU_PCI_DEVICE);
	assert_int_equal(region_read(c, config, PCI_CLASS_REVISION, 4) >> 8, IAU_PCI_CLASS);
	assert_true(region_read(c, config, PCI_STATUS, 2) & PCI_STATUS_CAP_LIST);
	/* sizing, as firmware does it */
	for (unsigned int bar = 0; bar < 6; bar++) {
		region_write(c, config, PCI_BASE_ADDRESS_0 + 4 * bar, ~0u, 4);
		assert_int_equal(region_read(c, config, PCI_BASE_ADDRESS_0 + 4 * bar, 4),
				 bar == 0  ? 0xffff0000u
				 : bar % 2 ? 0
					   : 0xfffff000u);
	}
	at = capability(c, PCI_CAP_ID_MSIX);
	assert_int_equal(region_read(c, config, at + PCI_MSIX_FLAGS, 2), IAU_NUM_IRQS - 1);
	assert_int_equal(region_read(c, config, at + PCI_MSIX_TABLE, 4), IAU_BAR_MSIX);
	assert_int_equal(region_read(c, config, at + PCI_MSIX_PBA, 4), IAU_MSIX_PBA | IAU_BAR_MSIX);
	at = capability(c, PCI_CAP_ID_EXP);
	assert_true(region_read(c, config, at + PCI_EXP_DEVCAP, 4) & PCI_EXP_DEVCAP_FLR);
	capability(c, PCI_CAP_ID_PM);
	/* IDs cannot be written; what a reset clears can */
	region_write(c, config, PCI_VENDOR_ID, 0, 2);
	assert_int_equal(region_read(c, config, PCI_VENDOR_ID, 2), IAU_PCI_VENDOR);
	function_reset(c);
	assert_int_equal(region_read(c, config, PCI_COMMAND, 2), 0);
	assert_int_equal(region_read(c, config, PCI_BASE_ADDRESS_0, 4), 0);
}

static void test_registers(void **state)
{
	struct client *c = *state;

	assert_int_equal(reg_read(c, IAU_REG_ID), IAU_ID);
	assert_int_equal(reg_read(c, IAU_REG_VERSION), IAU_VERSION);
	assert_int_equal(reg_read(c, IAU_REG_CAP0) >> 16 & 0xff, IAU_NUM_QUEUES);
	assert_int_equal(region_read(c, IAU_BAR_REGS, 1, 2), IAU_ID >> 8 & 0xffff);
	assert_int_equal(reg_read(c, IAU_BAR_REGS_BYTES - 4), 0);
	/* what was written is read at once, before the device can have seen it */
	for (uint32_t i = 0; i < 64; i++) {
		queue_write(c, 1, IAU_QREG_BASE_LO, i * 4096 + 63);
		assert_int_equal(queue_read(c, 1, IAU_QREG_BASE_LO), i * 4096);
		queue_write(c, 1, IAU_QREG_CTRL, i);
		assert_int_equal(queue_read(c, 1, IAU_QREG_CTRL), i & 7);
		reg_write(c, IAU_REG_IRQ_MASK, i);
		assert_int_equal(reg_read(c, IAU_REG_IRQ_MASK), i);
	}
	/* less than a word is not a register */
	region_write(c, IAU_BAR_REGS, IAU_REG_IRQ_MASK, 0, 1);
	assert_int_equal(reg_read(c, IAU_REG_IRQ_MASK), 63);
	assert_int_equal(device_reset(c), 0);
	assert_int_equal(reg_read(c, IAU_REG_IRQ_MASK), 0);
	assert_int_equal(queue_read(c, 1, IAU_QREG_BASE_LO), 0);
}

/* The status page needs no message, and shows the queue registers. */
static void test_status_page(void **state)
{
	struct client *c = *state;
	struct vfio_region_info info = { .argsz = sizeof(info), .index = IAU_BAR_STATUS };
	const volatile uint32_t *page;
	struct lane l;
	struct reply r;

	call(c, &r, VU_DEVICE_GET_REGION_INFO, &info, sizeof(info), NULL, 0);
	page = mmap(NULL, PAGE, PROT_READ, MAP_SHARED, r.fd, 0);
	assert_true((void *)(uintptr_t)page != MAP_FAILED);
	assert_true(mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, r.fd, 0) == MAP_FAILED);
	assert_int_equal(ftruncate(r.fd, 0), -1);
	lane_open(c, &l, 2, 0);
	for (uint32_t i = 1; i <= 20; i++) {
		lane_submit(c, &l);
		assert_int_equal(irq_wait(c, 2), 1);
		assert_int_equal(page[(2 * IAU_QUEUE_STRIDE + IAU_QREG_HEAD) / 4], i);
		assert_int_equal(
			region_read(c, IAU_BAR_STATUS, 2 * IAU_QUEUE_STRIDE + IAU_QREG_HEAD, 4), i);
	}
	munmap((void *)(uintptr_t)page, PAGE);
	close(r.fd);
}

/* Every known command with every payload size that is too short, and much of what is malformed. */
static void test_bad_messages(void **state)
{
	static const struct {
		uint16_t command;
		uint32_t size;
	} least[] = {
		{ VU_VERSION, 4 },
		{ VU_DMA_MAP, 32 },
		{ VU_DMA_UNMAP, 24 },
		{ VU_DEVICE_GET_INFO, 16 },
		{ VU_DEVICE_GET_REGION_INFO, 32 },
		{ VU_DEVICE_GET_IRQ_INFO, 16 },
		{ VU_DEVICE_SET_IRQS, 20 },
		{ VU_REGION_READ, 16 },
		{ VU_REGION_WRITE, 16 },
	};
	static const struct vu_region_access bad[] = {
		{ 0, 9, 4 },	   { 0, 1, 4 },	   { 0, 0, 0 },		 { 0xfffe, 0, 4 },
		{ 0, 7, 4097 },	   { 4096, 7, 1 }, { UINT64_MAX, 0, 4 }, { 0, ~0u, 4 },
		{ 0, 0, 0x10001 }, { 0, 0, ~0u },
	};
	static const uint8_t zeros[64];
	struct client *c = *state;
	struct {
		struct vu_region_access a;
		uint32_t value;
	} write = { { 0, IAU_BAR_STATUS, 4 }, 0 };

	for (size_t i = 0; i < sizeof(least) / sizeof(*least); i++)
		for (uint32_t size = 0; size < least[i].size; size++)
			assert_int_equal(error_of(c, least[i].command, zeros, size), -EINVAL);
	assert_int_equal(error_of(c, VU_DEVICE_RESET, zeros, 4), -EINVAL);
	assert_int_equal(error_of(c, VU_VERSION, zeros, 4), -EINVAL); /* a second one */
	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++)
		assert_int_equal(error_of(c, VU_REGION_READ, &bad[i], sizeof(bad[i])), -EINVAL);
	assert_int_equal(error_of(c, VU_REGION_WRITE, &write, 20), -EPERM);
	write.a.region = 0;
	assert_int_equal(error_of(c, VU_REGION_WRITE, &write, 19), -EINVAL);
	for (uint16_t command = 0; command < 300; command++)
		if (command > 13 || !command || command == 6 || command == 11 || command == 12)
			assert_int_equal(error_of(c, command, zeros, 16), -ENOSYS);
	assert_int_equal(reg_read(c, IAU_REG_ID), IAU_ID);
}

static void test_bad_irq_requests(void **state)
{
	struct client *c = *state;
	const uint32_t trigger = VFIO_IRQ_SET_ACTION_TRIGGER;
	struct vfio_irq_set set = { .argsz = sizeof(set), .count = 1 };
	uint32_t both = VFIO_IRQ_SET_ACTION_MASK | trigger;
	int fds[2] = { c->irq[0], c->irq[1] };
	struct reply r;

	assert_int_equal(set_irqs(c, trigger, IAU_NUM_IRQS, 1), -EINVAL);
	assert_int_equal(set_irqs(c, trigger, 1, IAU_NUM_IRQS), -EINVAL);
	assert_int_equal(set_irqs(c, trigger, 1, ~0u), -EINVAL);
	assert_int_equal(set_irqs(c, both, 0, 1), -EINVAL);
	assert_int_equal(set_irqs(c, 0, 0, 1), -EINVAL);
	assert_int_equal(set_irqs(c, trigger | VFIO_IRQ_SET_DATA_BOOL, 0, 1), -EINVAL);
	set.flags = trigger | VFIO_IRQ_SET_DATA_BOOL; /* without its data */
	set.index = VFIO_PCI_MSIX_IRQ_INDEX;
	assert_int_equal(error_of(c, VU_DEVICE_SET_IRQS, &set, sizeof(set)), -EINVAL);
	set.index = VFIO_PCI_INTX_IRQ_INDEX;
	assert_int_equal(error_of(c, VU_DEVICE_SET_IRQS, &set, sizeof(set)), -EINVAL);
	set.index = 77;
	assert_int_equal(error_of(c, VU_DEVICE_SET_IRQS, &set, sizeof(set)), -EINVAL);
	set.index = VFIO_PCI_MSIX_IRQ_INDEX;
	set.flags = trigger | VFIO_IRQ_SET_DATA_EVENTFD;
	call(c, &r, VU_DEVICE_SET_IRQS, &set, sizeof(set), fds, 2); /* two for one */
	assert_int_equal(r.err, -EINVAL);
}

static void test_bad_windows(void **state)
{
	struct client *c = *state;
	const uint64_t pa = CLIENT_PA, end = CLIENT_PA + CLIENT_BYTES;

	assert_int_equal(dma_window(c, end, 0, -1, 0), -EINVAL);
	assert_int_equal(dma_window(c, end + 1, PAGE, -1, 0), -EINVAL);
	assert_int_equal(dma_window(c, end, PAGE + 1, -1, 0), -EINVAL);
	assert_int_equal(dma_window(c, UINT64_MAX - PAGE + 1, 2 * PAGE, -1, 0), -EINVAL);
	assert_int_equal(dma_window(c, end, PAGE, c->mem_fd, CLIENT_BYTES), -EINVAL);
	assert_int_equal(dma_window(c, end, PAGE, c->mem_fd, UINT64_MAX - PAGE + 1), -EINVAL);
	assert_int_equal(dma_window(c, pa, CLIENT_BYTES, c->mem_fd, 0), -EEXIST);
	assert_int_equal(dma_window(c, pa - PAGE, 2 * PAGE, -1, 0), -EEXIST);
	assert_int_equal(dma_window(c, end - PAGE, 2 * PAGE, -1, 0), -EEXIST);
	assert_int_equal(dma_window_gone(c, pa, PAGE), -EINVAL);
	assert_int_equal(dma_window_gone(c, pa - PAGE, 2 * PAGE), -EINVAL);
	assert_int_equal(dma_window_gone(c, pa, 0), -EINVAL);
	assert_int_equal(dma_window_gone(c, end, PAGE), 0);
	/* up to the last page, without memory behind it */
	assert_int_equal(dma_window(c, UINT64_MAX - PAGE + 1, PAGE, -1, 0), 0);
	assert_int_equal(dma_window_gone(c, UINT64_MAX - PAGE + 1, PAGE), 0);
}

/* True once the server has hung up on the client. */
static bool dropped(struct client *c)
{
	char byte;

	return recv(c->fd, &byte, 1, 0) <= 0;
}

/* Where the next message starts is unknown then, so the client goes, but the server stays. */
static void test_broken_streams(void **state)
{
	struct client *c = *state;
	struct vu_header h = { .id = 1, .command = VU_DEVICE_RESET };
	static const uint32_t sizes[] = { 0, 15, 0x20000, UINT32_MAX };

	for (size_t i = 0; i < sizeof(sizes) / sizeof(*sizes); i++) {
		struct reply r;

		h.size = sizes[i];
		c->id = 1;
		assert_int_equal(send(c->fd, &h, sizeof(h), 0), sizeof(h));
		take_reply(c, &r);
		assert_int_equal(r.err, -EINVAL);
		assert_true(dropped(c));
		client_disconnect(c);
		client_connect(c);
		client_hello(c);
	}
	/* gone in the middle of a header, then of a payload */
	assert_int_equal(send(c->fd, &h, 7, 0), 7);
	client_disconnect(c);
	client_connect(c);
	client_hello(c);
	h.size = 48;
	assert_int_equal(send(c->fd, &h, sizeof(h), 0), sizeof(h));
	client_disconnect(c);
	client_connect(c);
	/* a session starts with VERSION, and with one that the server speaks */
	assert_int_equal(error_of(c, VU_DEVICE_RESET, NULL, 0), -EINVAL);
	assert_int_equal(error_of(c, VU_VERSION, "\1\0\0\0", 4), -EINVAL);
	assert_int_equal(error_of(c, VU_VERSION, "\0\0\0\0{}", 6), -EINVAL);
	client_hello(c);
	assert_int_equal(reg_read(c, IAU_REG_ID), IAU_ID);
}

/* Commands that want no reply get none, and those after them theirs. */
static void test_no_reply(void **state)
{
	struct client *c = *state;

	for (unsigned int i = 0; i < 100; i++)
		reg_post(c, IAU_REG_IRQ_MASK, i & 0x3f);
	assert_int_equal(reg_read(c, IAU_REG_IRQ_MASK), 99 & 0x3f);
}

/* The device keeps its registers; windows and interrupts were the client's. */
static void test_reconnect(void **state)
{
	struct client *c = *state;
	struct lane l;

	lane_open(c, &l, 0, 0);
	lane_submit(c, &l);
	lane_check(c, &l);
	client_disconnect(c);
	client_connect(c);
	client_hello(c);
	assert_int_equal(queue_read(c, 0, IAU_QREG_HEAD), 1);
	assert_int_equal(queue_read(c, 0, IAU_QREG_BASE_LO), (uint32_t)l.ring);
	lane_submit(c, &l);
	while (queue_read(c, 0, IAU_QREG_STATUS) != 2)
		;
	assert_int_equal(dma_window(c, CLIENT_PA, CLIENT_BYTES, c->mem_fd, 0), 0);
	for (unsigned int v = 0; v < IAU_NUM_IRQS; v++)
		assert_int_equal(set_irq_fd(c, v, c->irq[v]), 0);
	/* without its ring the job faulted; the interrupt waited for a descriptor */
	assert_int_equal(irq_wait(c, IAU_IRQ_FAULT), 1);
	assert_int_equal(queue_read(c, 0, IAU_QREG_FAULT_CODE), IAU_FAULT_BUS);
	queue_write(c, 0, IAU_QREG_CMD, 2);
	lane_submit(c, &l);
	lane_check(c, &l);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		ON_BOTH(test_device_info),  ON_BOTH(test_regions),
		ON_BOTH(test_config_space), ON_BOTH(test_registers),
		ON_BOTH(test_status_page),  ON_BOTH(test_bad_messages),
		ON_BOTH(test_bad_windows),  ON_BOTH(test_bad_irq_requests),
		ON_BOTH(test_no_reply),	    ON_BOTH(test_broken_streams),
		ON_BOTH(test_reconnect),
	};

	return run_group("vfio protocol", tests);
}
