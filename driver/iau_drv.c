// SPDX-License-Identifier: GPL-2.0-only
/* The PCI device, the DRM device on it, and its clients. */
#include <linux/dma-mapping.h>
#include <linux/interrupt.h>
#include <linux/module.h>
#include <linux/pci.h>
#include <linux/slab.h>
#include <linux/uaccess.h>
#include <linux/workqueue.h>

#include <drm/drm_accel.h>
#include <drm/drm_drv.h>
#include <drm/drm_gem.h>
#include <drm/drm_ioctl.h>
#include <drm/drm_managed.h>
#include <drm/drm_print.h>

#include "iau_compat.h"
#include "iau_drv.h"
#include "iau_pci.h"

/*
 * Of the module, not of a device: the last user of a device that was unbound may be done with it
 * here, and a device cannot be freed from one of its own workqueues.
 */
struct workqueue_struct *iau_wq;

static int put_answer(struct drm_iau_dev_query *args, const void *answer, u32 size)
{
	u32 n = min(args->size, size);

	args->size = args->pointer ? n : size;
	if (args->pointer && copy_to_user(u64_to_user_ptr(args->pointer), answer, n))
		return -EFAULT;
	return 0;
}

static int iau_ioctl_dev_query(struct drm_device *drm, void *data, struct drm_file *file)
{
	struct drm_iau_dev_query *args = data;
	struct iau_device *iau = to_iau(drm);
	struct drm_iau_counters counters = { };
	int err;

	switch (args->type) {
	case DRM_IAU_DEV_QUERY_INFO:
		return put_answer(args, &iau->info, sizeof(iau->info));
	case DRM_IAU_DEV_QUERY_COUNTERS:
		err = args->pointer ? iau_read_counters(iau, &counters) : 0;
		return err ?: put_answer(args, &counters, sizeof(counters));
	default:
		return -EINVAL;
	}
}

/*
 * Ioctls run between drm_dev_enter() and drm_dev_exit(), or not at all; on a wedged device only
 * those that tell or tidy up. Those that wait for jobs may have to see the device go: they enter it
 * themselves, if they need it.
 */
#define IAU_IOCTL(name, on_wedged)                                                          \
	static int guarded_##name(struct drm_device *drm, void *data, struct drm_file *file) \
	{                                                                                   \
		int idx, err = -EIO;                                                        \
											    \
		if (!drm_dev_enter(drm, &idx))                                              \
			return -ENODEV;                                                     \
		if ((on_wedged) || !READ_ONCE(to_iau(drm)->wedged))                         \
			err = iau_ioctl_##name(drm, data, file);                            \
		drm_dev_exit(idx);                                                          \
		return err;                                                                 \
	}

IAU_IOCTL(dev_query, true)
IAU_IOCTL(vm_create, false)
IAU_IOCTL(vm_destroy, true)
IAU_IOCTL(vm_bind, false)
IAU_IOCTL(bo_create, false)
IAU_IOCTL(bo_mmap_offset, false)
IAU_IOCTL(queue_create, false)
IAU_IOCTL(queue_destroy, true)
IAU_IOCTL(queue_state, true)
IAU_IOCTL(bo_commit, false)
IAU_IOCTL(bo_advise, false)
IAU_IOCTL(perf_open, false)
IAU_IOCTL(perf_read, true)
IAU_IOCTL(perf_close, true)

static const struct drm_ioctl_desc iau_ioctls[] = {
	DRM_IOCTL_DEF_DRV(IAU_DEV_QUERY, guarded_dev_query, 0),
	DRM_IOCTL_DEF_DRV(IAU_VM_CREATE, guarded_vm_create, 0),
	DRM_IOCTL_DEF_DRV(IAU_VM_DESTROY, guarded_vm_destroy, 0),
	DRM_IOCTL_DEF_DRV(IAU_VM_BIND, guarded_vm_bind, 0),
	DRM_IOCTL_DEF_DRV(IAU_BO_CREATE, guarded_bo_create, 0),
	DRM_IOCTL_DEF_DRV(IAU_BO_MMAP_OFFSET, guarded_bo_mmap_offset, 0),
	DRM_IOCTL_DEF_DRV(IAU_QUEUE_CREATE, guarded_queue_create, 0),
	DRM_IOCTL_DEF_DRV(IAU_QUEUE_DESTROY, guarded_queue_destroy, 0),
	DRM_IOCTL_DEF_DRV(IAU_QUEUE_STATE, guarded_queue_state, 0),
	DRM_IOCTL_DEF_DRV(IAU_SUBMIT, iau_ioctl_submit, 0),
	DRM_IOCTL_DEF_DRV(IAU_BO_COMMIT, guarded_bo_commit, 0),
	DRM_IOCTL_DEF_DRV(IAU_BO_WAIT, iau_ioctl_bo_wait, 0),
	DRM_IOCTL_DEF_DRV(IAU_BO_ADVISE, guarded_bo_advise, 0),
	DRM_IOCTL_DEF_DRV(IAU_PERF_OPEN, guarded_perf_open, 0),
	DRM_IOCTL_DEF_DRV(IAU_PERF_READ, guarded_perf_read, 0),
	DRM_IOCTL_DEF_DRV(IAU_PERF_CLOSE, guarded_perf_close, 0),
};

static int iau_open(struct drm_device *drm, struct drm_file *file)
{
	struct iau_file *priv = kzalloc(sizeof(*priv), GFP_KERNEL);

	if (!priv)
		return -ENOMEM;
	priv->client = iau_client_create(file->client_id);
	if (!priv->client) {
		kfree(priv);
		return -ENOMEM;
	}
	xa_init_flags(&priv->vms, XA_FLAGS_ALLOC1);
	xa_init_flags(&priv->queues, XA_FLAGS_ALLOC1);
	xa_init_flags(&priv->perfs, XA_FLAGS_ALLOC1);
	file->driver_priv = priv;
	return 0;
}

static void iau_postclose(struct drm_device *drm, struct drm_file *file)
{
	struct iau_file *priv = file->driver_priv;
	struct iau_queue *queue;
	struct iau_vm *vm;
	unsigned long id;

	/* queues first: their jobs use the VMs */
	xa_for_each(&priv->queues, id, queue)
		iau_queue_close(queue);
	xa_for_each(&priv->vms, id, vm)
		iau_vm_close(vm);
	xa_destroy(&priv->queues);
	xa_destroy(&priv->vms);
	iau_perf_close_all(priv);
	iau_client_put(priv->client);
	kfree(priv);
}

static const struct file_operations iau_fops = {
	.owner = THIS_MODULE,
	DRM_ACCEL_FOPS,
	.show_fdinfo = drm_show_fdinfo,
};

static const struct drm_driver iau_driver = {
	.driver_features = DRIVER_COMPUTE_ACCEL | DRIVER_GEM | IAU_DRIVER_GEM_GPUVA |
			   DRIVER_SYNCOBJ | DRIVER_SYNCOBJ_TIMELINE,
	.open = iau_open,
	.postclose = iau_postclose,
	.show_fdinfo = iau_show_fdinfo,
	.ioctls = iau_ioctls,
	.num_ioctls = ARRAY_SIZE(iau_ioctls),
	.fops = &iau_fops,
	.gem_create_object = iau_gem_create_object,
	.gem_prime_import = iau_gem_import,
	.gem_prime_import_sg_table = drm_gem_shmem_prime_import_sg_table,
	.name = "iau",
	.desc = "IAU inference accelerator",
	.major = 0,
	.minor = 2,
};

static int read_caps(struct iau_device *iau)
{
	u32 id = iau_read(iau, IAU_REG_ID), cap0, cap1;

	/* a device that is gone reads as all ones */
	if (id != IAU_ID) {
		drm_err(&iau->drm, "not an IAU: register ID is %#x\n", id);
		return -ENODEV;
	}
	iau->info.hw_version = iau_read(iau, IAU_REG_VERSION);
	if (iau->info.hw_version != IAU_VERSION) {
		drm_err(&iau->drm, "hardware version %u, this driver knows %u\n",
			iau->info.hw_version, IAU_VERSION);
		return -ENODEV;
	}
	cap0 = iau_read(iau, IAU_REG_CAP0);
	cap1 = iau_read(iau, IAU_REG_CAP1);
	iau->info.rows = cap0 & 0xff;
	iau->info.lanes = cap0 >> 8 & 0xff;
	iau->info.queues = min(cap0 >> 16 & 0xff, IAU_NUM_QUEUES);
	iau->info.contexts = min(cap0 >> 24, IAU_NUM_CONTEXTS);
	iau->info.vector_bytes = (cap1 & 0xffff) * SZ_1K;
	iau->info.tile_bytes = (cap1 >> 16) * SZ_1K;
	iau->info.va_bits = iau_read(iau, IAU_REG_CAP2) >> 8 & 0xff;
	return 0;
}

static int request_irqs(struct iau_device *iau, struct pci_dev *pdev)
{
	int err = pci_alloc_irq_vectors(pdev, IAU_NUM_IRQS, IAU_NUM_IRQS, PCI_IRQ_MSIX);

	if (err < 0)
		return dev_err_probe(&pdev->dev, err, "no interrupt vectors\n");
	for (unsigned int q = 0; q < iau->info.queues; q++) {
		err = devm_request_irq(&pdev->dev, pci_irq_vector(pdev, q), iau_ring_irq, 0, "iau",
				       &iau->ring[q]);
		if (err)
			return err;
	}
	return devm_request_threaded_irq(&pdev->dev, pci_irq_vector(pdev, IAU_IRQ_FAULT), NULL,
					 iau_fault_irq, IRQF_ONESHOT, "iau-fault", iau);
}

static int map_bars(struct iau_device *iau, struct pci_dev *pdev)
{
	bool status = pci_resource_len(pdev, IAU_PCI_BAR_STATUS) >= IAU_PCI_STATUS_BYTES;
	int bars = BIT(IAU_PCI_BAR_REGS) | status << IAU_PCI_BAR_STATUS;
	int err = pcim_iomap_regions(pdev, bars, "iau");

	if (err)
		return err;
	iau->regs = pcim_iomap_table(pdev)[IAU_PCI_BAR_REGS];
	iau->status = pcim_iomap_table(pdev)[IAU_PCI_BAR_STATUS];
	return 0;
}

static int iau_probe(struct pci_dev *pdev, const struct pci_device_id *id)
{
	struct iau_device *iau;
	int err;

	iau = devm_drm_dev_alloc(&pdev->dev, &iau_driver, struct iau_device, drm);
	if (IS_ERR(iau))
		return PTR_ERR(iau);
	pci_set_drvdata(pdev, iau);
	spin_lock_init(&iau->slot_lock);
	spin_lock_init(&iau->usage_lock);
	spin_lock_init(&iau->mapped_lock);
	INIT_LIST_HEAD(&iau->mapped_vms);
	INIT_LIST_HEAD(&iau->mapped_bos);
	init_waitqueue_head(&iau->unmapped);
	err = drmm_mutex_init(&iau->drm, &iau->counter_lock);
	if (!err)
		err = iau_reset_init(iau);
	if (!err)
		err = pcim_enable_device(pdev);
	if (!err)
		err = map_bars(iau, pdev);
	if (err)
		return err;
	err = dma_set_mask_and_coherent(&pdev->dev, DMA_BIT_MASK(52));
	/* page tables take pieces of any length */
	dma_set_max_seg_size(&pdev->dev, UINT_MAX);
	if (!err)
		err = read_caps(iau);
	if (err)
		return err;
	pci_set_master(pdev);
	iau->awake = true;
	iau_counters_start(iau);
	err = iau_doorbell_init(iau);
	if (!err)
		err = iau_huge_init(iau);
	if (!err)
		err = iau_shrinker_init(iau);
	if (!err)
		err = iau_bind_init(iau);
	if (!err)
		err = iau_watchdog_init(iau);
	if (!err)
		err = iau_rings_init(iau);
	if (!err)
		err = request_irqs(iau, pdev);
	if (err)
		return err;
	iau_debugfs_init(iau);
	err = drm_dev_register(&iau->drm, 0);
	if (err)
		return err;
	iau_pm_init(iau);
	return 0;
}

static void iau_remove(struct pci_dev *pdev)
{
	struct iau_device *iau = pci_get_drvdata(pdev);

	/* jobs end first: drm_dev_unplug() waits for calls, and they may be waiting for jobs */
	WRITE_ONCE(iau->leaving, true);
	iau_device_fini(iau);
	drm_dev_unplug(&iau->drm);
	iau_watchdog_stop(iau);
	flush_work(&iau->tell_wedged);
	iau_pm_fini(iau);
	/* memory of clients that stay is no longer the device's; tables go before what they name */
	pci_clear_master(pdev);
	iau_vms_unmap(iau);
	iau_gem_unmap_all(iau);
}

static const struct pci_device_id iau_ids[] = {
	{ PCI_DEVICE(IAU_PCI_VENDOR, IAU_PCI_DEVICE) },
	{ }
};
MODULE_DEVICE_TABLE(pci, iau_ids);

static struct pci_driver iau_pci_driver = {
	.name = "iau",
	.id_table = iau_ids,
	.probe = iau_probe,
	.remove = iau_remove,
	.err_handler = &iau_err_handlers,
	.driver.pm = pm_ptr(&iau_pm_ops),
};

static int __init iau_init(void)
{
	int err;

	iau_wq = alloc_workqueue("iau", WQ_MEM_RECLAIM | WQ_UNBOUND, 0);
	if (!iau_wq)
		return -ENOMEM;
	err = pci_register_driver(&iau_pci_driver);
	if (err)
		destroy_workqueue(iau_wq);
	return err;
}
module_init(iau_init);

static void __exit iau_exit(void)
{
	pci_unregister_driver(&iau_pci_driver);
	destroy_workqueue(iau_wq);
}
module_exit(iau_exit);

MODULE_DESCRIPTION("IAU inference accelerator");
MODULE_AUTHOR("The IAU developers");
MODULE_LICENSE("GPL");
