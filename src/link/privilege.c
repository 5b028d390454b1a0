/* privilege.c - see privilege.h. Source: capabilities(7), user_namespaces(7), getrlimit(2).
 *
 * SPDX-License-Identifier: MIT
 */
#include "link/privilege.h"
#include <linux/capability.h>
#include <stdio.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

bool privilege_has(int capability)
{
	struct __user_cap_header_struct head = {.version = _LINUX_CAPABILITY_VERSION_3};
	struct __user_cap_data_struct data[_LINUX_CAPABILITY_U32S_3] = {0};

	if (syscall(SYS_capget, &head, data) < 0)
		return false;
	return data[capability / 32].effective >> (capability % 32) & 1;
}

bool privilege_is_contained(void)
{
	FILE *map = fopen("/proc/self/uid_map", "re");
	unsigned long inside = 0, outside = 0, count = 0;
	int n = map ? fscanf(map, "%lu %lu %lu", &inside, &outside, &count) : 0;

	if (map)
		fclose(map);
	return n == 3 && !(inside == 0 && outside == 0 && count == UINT32_MAX);
}

static const char *name_of(int capability)
{
	switch (capability) {
	case CAP_NET_ADMIN:
		return "CAP_NET_ADMIN";
	case CAP_NET_RAW:
		return "CAP_NET_RAW";
	case CAP_BPF:
		return "CAP_BPF";
	default:
		return "a capability";
	}
}

unsigned privilege_missing(const int *wanted, char *names, size_t bytes)
{
	unsigned missing = 0;
	size_t used = 0;

	names[0] = '\0';
	for (; *wanted >= 0; wanted++) {
		if (privilege_has(*wanted))
			continue;
		if (used < bytes)
			used += (size_t)snprintf(names + used, bytes - used, "%s%s",
						 missing > 0 ? " and " : "", name_of(*wanted));
		missing++;
	}
	return missing;
}

uint64_t privilege_memlock(void)
{
	struct rlimit limit;

	if (privilege_has(CAP_IPC_LOCK) && !privilege_is_contained())
		return UINT64_MAX;
	if (getrlimit(RLIMIT_MEMLOCK, &limit) < 0 || limit.rlim_cur == RLIM_INFINITY)
		return UINT64_MAX;
	return limit.rlim_cur;
}
