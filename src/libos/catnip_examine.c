/* catnip_examine.c - what hinders catnip: the plug-in, huge pages, DPDK's drivers, and for devices
 * on the PCI bus the IOMMU and VFIO.
 *
 * Source: DPDK's getting started guide for Linux (22.11), "System Requirements" and "Linux
 * Drivers".
 *
 * SPDX-License-Identifier: MIT
 */
#include "base/config.h"
#include "base/finding.h"
#include "libos/catnip.h"
#include "libos/inet.h"
#include "link/dpdk.h"
#include "link/privilege.h"
#include <ctype.h>
#include <dirent.h>
#include <glob.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Whether dpdk.eal_init has an option. */
static bool has_option(const struct config *c, const char *option)
{
	for (uint32_t i = 0; i < c->eal_init_len; i++) {
		if (strcmp(c->eal_init[i], option) == 0)
			return true;
	}
	return false;
}

/* The value of an option at place *i, as --option=value or as --option value. NULL: it is another.
 */
static const char *value_at(const struct config *c, uint32_t *i, const char *option)
{
	const char *word = c->eal_init[*i];
	size_t len = strlen(option);

	if (strncmp(word, option, len) != 0)
		return NULL;
	if (word[len] == '=')
		return word + len + 1;
	if (word[len] == '\0' && *i + 1 < c->eal_init_len)
		return c->eal_init[++*i];
	return NULL;
}

static bool names_pci_device(const struct config *c)
{
	for (uint32_t i = 0; i < c->eal_init_len; i++) {
		if (value_at(c, &i, "-a") || value_at(c, &i, "--allow"))
			return true;
	}
	return false;
}

/* Free huge pages of any size. */
static unsigned long free_huge_pages(void)
{
	unsigned long pages = 0;
	glob_t sizes;

	if (glob("/sys/kernel/mm/hugepages/*/free_hugepages", 0, NULL, &sizes) != 0)
		return 0;
	for (size_t i = 0; i < sizes.gl_pathc; i++) {
		FILE *file = fopen(sizes.gl_pathv[i], "re");
		unsigned long some = 0;

		if (file && fscanf(file, "%lu", &some) == 1)
			pages += some;
		if (file)
			fclose(file);
	}
	globfree(&sizes);
	return pages;
}

static bool is_hugetlbfs_mounted(void)
{
	FILE *mounts = fopen("/proc/self/mounts", "re");
	char line[512];
	bool found = false;

	while (mounts && !found && fgets(line, sizeof(line), mounts))
		found = strstr(line, " hugetlbfs ") != NULL;
	if (mounts)
		fclose(mounts);
	return found;
}

static void examine_huge_pages(const struct config *c, struct findings *found)
{
	/* Nobody knows yet whether they are wanted when there is no eal_init. */
	enum finding_level level = c->eal_init_len > 0 ? FINDING_ERROR : FINDING_NOTE;

	if (has_option(c, "--no-huge"))
		return;
	if (free_huge_pages() == 0) {
		findings_add(found, level, "huge-pages",
			     "no huge page is free, and DPDK wants some");
		findings_remedy(found, "sudo sysctl vm.nr_hugepages=256, or add --no-huge to "
				       "dpdk.eal_init");
	}
	if (!has_option(c, "--in-memory") && !is_hugetlbfs_mounted()) {
		findings_add(found, level, "hugetlbfs",
			     "no hugetlbfs is mounted for DPDK's memory");
		findings_remedy(found,
				"sudo mkdir -p /dev/hugepages && sudo mount -t hugetlbfs none "
				"/dev/hugepages, or add --in-memory to dpdk.eal_init");
	}
}

/* The driver of a virtual device: net_memif of net_memif0,role=server. Those of virtio are one.
 * net_bonding's file has a shorter name. */
static void driver_of(char *driver, size_t bytes, const char *vdev)
{
	size_t len;
	bool old = strncmp(vdev, "eth_", 4) == 0;

	snprintf(driver, bytes, "%s%s", old ? "net_" : "", old ? vdev + 4 : vdev);
	driver[strcspn(driver, ",")] = '\0';
	len = strlen(driver);
	while (len > 0 && isdigit((unsigned char)driver[len - 1]))
		driver[--len] = '\0';
	if (strcmp(driver, "net_virtio_user") == 0)
		snprintf(driver, bytes, "net_virtio");
	else if (strcmp(driver, "net_bonding") == 0)
		snprintf(driver, bytes, "net_bond");
}

static bool has_driver(const char *folder, const char *driver)
{
	char pattern[512];
	glob_t files;
	int rc;

	snprintf(pattern, sizeof(pattern), "%s/librte_%s.so*", folder, driver);
	rc = glob(pattern, 0, NULL, &files);
	if (rc == 0)
		globfree(&files);
	return rc == 0;
}

/* Those that --vdev makes devices of, in DPDK 22.11. */
static bool is_drivers_name(const char *driver)
{
	static const char *const names[] = {
	    "af_packet", "af_xdp", "bond",    "enetfec", "failsafe",    "memif", "null",
	    "pcap",      "ring",   "softnic", "tap",     "vdev_netvsc", "vhost", "virtio",
	};

	for (unsigned i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		if (strncmp(driver, "net_", 4) == 0 && strcmp(driver + 4, names[i]) == 0)
			return true;
	}
	return false;
}

/* Debian has a package for each: librte-net-memif23 has drivers for pmds-23.0. */
static void say_driver_is_missing(const char *folder, const char *driver, struct findings *found)
{
	const char *version = strrchr(folder, '-');
	char package[80];

	if (!is_drivers_name(driver)) {
		findings_add(found, FINDING_ERROR, "dpdk-driver",
			     "DPDK has no driver %s for a virtual device", driver);
		findings_remedy(found, "one of net_memif, net_af_packet, net_af_xdp, net_tap, "
				       "net_vhost, net_virtio_user in dpdk.eal_init");
		return;
	}
	snprintf(package, sizeof(package), "librte-%s%d", driver, version ? atoi(version + 1) : 0);
	for (char *p = package; *p; p++)
		*p = *p == '_' ? '-' : *p;
	findings_add(found, FINDING_ERROR, "dpdk-driver", "DPDK's driver %s is not in %s", driver,
		     folder);
	findings_remedy(found, "sudo apt-get install %s", package);
}

static void examine_drivers(const struct config *c, const char *folder, struct findings *found)
{
	for (uint32_t i = 0; i < c->eal_init_len; i++) {
		const char *vdev = value_at(c, &i, "--vdev");
		char driver[64];

		if (!vdev)
			continue;
		driver_of(driver, sizeof(driver), vdev);
		if (access(folder, F_OK) == 0 && !has_driver(folder, driver))
			say_driver_is_missing(folder, driver, found);
	}
}

static bool is_empty(const char *folder)
{
	DIR *dir = opendir(folder);
	struct dirent *entry;
	bool empty = true;

	while (dir && empty && (entry = readdir(dir)) != NULL)
		empty = entry->d_name[0] == '.';
	if (dir)
		closedir(dir);
	return empty;
}

static void examine_pci(const struct config *c, struct findings *found)
{
	enum finding_level level = names_pci_device(c) ? FINDING_WARNING : FINDING_NOTE;
	uint64_t limit = privilege_memlock();

	if (c->eal_init_len > 0 && level == FINDING_NOTE)
		return; /* virtual devices alone */
	if (access("/dev/vfio/vfio", F_OK) != 0) {
		findings_add(
		    found, level, "vfio",
		    "there is no /dev/vfio/vfio, by which DPDK gets devices of the PCI bus");
		findings_remedy(found, "sudo modprobe vfio-pci");
	}
	if (is_empty("/sys/kernel/iommu_groups")) {
		findings_add(found, level, "iommu", "the IOMMU is off, or there is none");
		findings_remedy(found, "boot with iommu=pt intel_iommu=on (AMD: amd_iommu=on), or "
				       "sudo modprobe vfio enable_unsafe_noiommu_mode=1");
	}
	if (limit < c->heap_bytes) {
		findings_add(found, level, "vfio-memlock",
			     "VFIO pins what devices read, and RLIMIT_MEMLOCK allows %" PRIu64
			     " KiB",
			     limit >> 10);
		findings_remedy(found, "sudo prlimit --pid $$ --memlock=unlimited, and start the "
				       "program from that shell");
	}
}

void catnip_examine(const struct config *c, struct findings *found)
{
	char why[CATNIP_WHY_BYTES];
	const struct dpdk_plugin *plugin = catnip_plugin(why);

	if (!plugin) {
		findings_add(found, FINDING_ERROR, "dpdk-plugin", "catnip needs DPDK: %.200s", why);
		findings_remedy(found, "sudo apt-get install libdemikernel-dpdk, or, built from "
				       "the sources, libdpdk-dev, and build again");
	}
	if (c->eal_init_len == 0) {
		findings_add(
		    found, FINDING_ERROR, "dpdk-arguments",
		    "catnip needs dpdk.eal_init in the configuration file, and there is none");
		findings_remedy(found, "for example eal_init: [\"--no-huge\", "
				       "\"--vdev=net_tap0\"], in the file that CONFIG_PATH names");
	}
	inet_examine(c, 0, NULL, found);
	examine_huge_pages(c, found);
	if (plugin)
		examine_drivers(c, plugin->drivers, found);
	examine_pci(c, found);
}
