/* catnip.c - see catnip.h. Finds the plug-in beside the library, or where the loader looks, and
 * gives it the configuration.
 *
 * SPDX-License-Identifier: MIT
 */
#include "libos/catnip.h"
#include "base/config.h"
#include "base/finding.h"
#include "base/log.h"
#include "libos/inet.h"
#include "link/dpdk.h"
#include <dlfcn.h>
#include <errno.h>
#include <limits.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A device pins what it reads. */
#define CATNIP_HEAP_BYTES (UINT64_C(128) << 20)

static const char plugin_name[] = "libdemikernel-dpdk.so";

/* Once loaded it stays: DPDK cannot be set up a second time. */
static void *load(void)
{
	const int flags = RTLD_NOW | RTLD_LOCAL | RTLD_NODELETE;
	char path[PATH_MAX];
	Dl_info self;
	void *object = NULL;

	if (dladdr((const void *)&libos_catnip, &self) && self.dli_fname) {
		const char *slash = strrchr(self.dli_fname, '/');
		int folder = slash ? (int)(slash - self.dli_fname) : 0;

		snprintf(path, sizeof(path), "%.*s/%s", folder ? folder : 1,
			 folder ? self.dli_fname : ".", plugin_name);
		object = dlopen(path, flags);
	}
	return object ? object : dlopen(plugin_name, flags);
}

const struct dpdk_plugin *catnip_plugin(char why[CATNIP_WHY_BYTES])
{
	void *object = load();
	const struct dpdk_plugin *plugin;

	if (!object) {
		snprintf(why, CATNIP_WHY_BYTES, "%s", dlerror());
		return NULL;
	}
	plugin = dlsym(object, DPDK_PLUGIN_SYMBOL);
	if (!plugin || plugin->version != DPDK_PLUGIN_VERSION ||
	    plugin->link_bytes != sizeof(struct link)) {
		snprintf(why, CATNIP_WHY_BYTES, "%s is of another version than this library",
			 plugin_name);
		return NULL;
	}
	plugin->set_log(log_line);
	return plugin;
}

/* dpdk.eal_init as a command line: a program's name goes in front where it is missing. */
static char **command_line(const struct config *c, int *len)
{
	bool has_name = c->eal_init_len > 0 && c->eal_init[0][0] != '-';
	char **argv = calloc(c->eal_init_len + 2, sizeof(*argv));
	int n = 0;

	if (!argv)
		return NULL;
	if (!has_name || c->eal_init[0][0] == '\0')
		argv[n++] = (char *)(uintptr_t) "demikernel"; /* borrowed: the plug-in copies it */
	for (uint32_t i = has_name && n > 0; i < c->eal_init_len; i++)
		argv[n++] = c->eal_init[i];
	*len = n;
	return argv;
}

static int open_port(struct link **out, const struct libos_env *env)
{
	char why[DPDK_WHY_BYTES] = "";
	const struct dpdk_plugin *plugin = catnip_plugin(why);
	const struct config *c = env->config;
	struct dpdk_setup setup = {
	    .mtu = c->mtu,
	    .mac = c->has_mac ? c->mac : NULL,
	    .checksums = c->tcp_checksum_offload || c->udp_checksum_offload,
	    .heap = env->heap,
	};
	char **argv;
	int rc;

	if (!plugin)
		return -ENOSYS;
	argv = command_line(c, &setup.eal_arguments_len);
	if (!argv)
		return -ENOMEM;
	setup.eal_arguments = argv;
	rc = plugin->open(out, &setup, why);
	free(argv);
	if (rc < 0 && env->found)
		findings_add(env->found, FINDING_ERROR, "dpdk-open", "catnip: %s", why);
	return rc;
}

static int catnip_create(struct libos **out, const struct libos_env *env)
{
	struct link *link;
	int rc;

	if (env->config->eal_init_len == 0)
		return -EINVAL;
	rc = open_port(&link, env);
	return rc < 0 ? rc : inet_create(out, &libos_catnip, env, link);
}

static bool catnip_present(void)
{
	char why[CATNIP_WHY_BYTES];

	return catnip_plugin(why) != NULL;
}

const struct libos_class libos_catnip = {
    .name = "catnip",
    .present = catnip_present,
    .heap_bytes_max = CATNIP_HEAP_BYTES,
    .create = catnip_create,
    .examine = catnip_examine,
    INET_CLASS,
};
