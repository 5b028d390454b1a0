/* listing_catnip.c - see listing_catnip.h.
 *
 * SPDX-License-Identifier: MIT
 */
#include "libos/listing_catnip.h"
#include "base/config.h"
#include "base/finding.h"
#include "libos/catnip.h"
#include <arpa/inet.h>
#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum {
	MEMORY_MB = 256, /* of DPDK's, in each process */
	HUGE_PAGE_MB = 2,
	PORT = 12345,
};

/* What of catnip's findings concerns a trial over memif on any machine. */
int catnip_probe(struct libos_lack *lack)
{
	static const char *const ids[] = {"dpdk-plugin", "dpdk-driver"};
	char arguments[][32] = {"--no-huge", "--vdev=net_memif"};
	char *eal_init[] = {arguments[0], arguments[1]};
	const struct config c = {.eal_init = eal_init, .eal_init_len = 2};
	struct findings found = {0};

	catnip_examine(&c, &found);
	for (unsigned i = 0; i < sizeof(ids) / sizeof(ids[0]); i++) {
		const struct finding *f = findings_find(&found, ids[i]);

		if (!f)
			continue;
		snprintf(lack->why, sizeof(lack->why), "%s", f->what);
		snprintf(lack->remedy, sizeof(lack->remedy), "%s", f->remedy);
		return -ENOSYS;
	}
	return 0;
}

/* Free huge pages of the default size, which DPDK's memory comes from unless it is told to do
 * without. */
static long free_huge_pages(void)
{
	FILE *f = fopen("/proc/meminfo", "re");
	char line[128];
	long n = 0;

	while (f && fgets(line, sizeof(line), f)) {
		if (sscanf(line, "HugePages_Free: %ld", &n) == 1)
			break;
	}
	if (f)
		fclose(f);
	return n;
}

/* Nothing touches a file system: memory without files, a socket with an abstract name. */
static void configure(char yaml[LISTING_CONFIG_BYTES], const char *role, int host,
		      const char *memory)
{
	snprintf(yaml, LISTING_CONFIG_BYTES,
		 "demikernel:\n"
		 "  local_ipv4_addr: 192.168.200.%d/24\n"
		 "  local_link_addr: \"02:00:00:00:c8:%02d\"\n"
		 "dpdk:\n"
		 "  eal_init: [\"\", %s, \"--no-pci\", \"--no-telemetry\", \"-m\", \"%d\",\n"
		 "    \"--vdev=net_memif,role=%s,id=0,socket-abstract=yes,socket=demi-try-%d\"]\n",
		 host, host, memory, MEMORY_MB, role, (int)getpid());
}

int catnip_prepare(struct libos_trial *trial, struct libos_lack *lack)
{
	const char *memory = free_huge_pages() >= 2 * MEMORY_MB / HUGE_PAGE_MB
				 ? "\"--in-memory\""
				 : "\"--no-huge\", \"--no-shconf\"";

	(void)lack;
	configure(trial->server_config, "server", 1, memory);
	configure(trial->client_config, "client", 2, memory);
	trial->server.sin_port = htons(PORT);
	inet_pton(AF_INET, "192.168.200.1", &trial->server.sin_addr);
	return 0;
}
