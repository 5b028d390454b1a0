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
#include "libos/inet_share.h"
#include "link/dpdk.h"
#include <dlfcn.h>
#include <errno.h>
#include <limits.h>
#include <sched.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { PROCESSORS_BYTES = 1024 }; /* of the option that lists them */

/* A device pins what it reads. */
#define CATNIP_HEAP_BYTES (UINT64_C(128) << 20)

static const struct dpdk_host host = {
    .log_line = log_line,
    .pool_init = pool_init,
    .pool_orphan = pool_orphan,
    .pool_fini = pool_fini,
    .pool_release = pool_release,
    .pool_get_slow = pool_get_slow,
    .pool_remote_unref = pool_remote_unref,
    .heap_alloc = heap_alloc,
    .heap_pin = heap_pin,
};

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
	plugin->set_host(&host);
	return plugin;
}

/* Whether a word of dpdk.eal_init begins with one of the options; NULL ends them. */
static bool has_any(const struct config *c, const char *const options[])
{
	for (uint32_t i = 0; i < c->eal_init_len; i++) {
		for (unsigned o = 0; options[o]; o++) {
			if (strncmp(c->eal_init[i], options[o], strlen(options[o])) == 0)
				return true;
		}
	}
	return false;
}

static bool names_processors(const struct config *c)
{
	static const char *const options[] = {"-l", "-c", "--lcores", "-S", "-s", NULL};

	return has_any(c, options);
}

/* One lcore wherever the calling thread may run. DPDK by itself would pin the thread, and start
 * another for each further processor. */
static void name_processors(char *option, size_t bytes)
{
	cpu_set_t allowed;
	size_t used = (size_t)snprintf(option, bytes, "--lcores=0@(");

	if (sched_getaffinity(0, sizeof(allowed), &allowed) != 0)
		CPU_ZERO(&allowed);
	for (int cpu = 0; cpu < CPU_SETSIZE && used < bytes - 8; cpu++) {
		if (CPU_ISSET(cpu, &allowed))
			used += (size_t)snprintf(option + used, bytes - used, "%d,", cpu);
	}
	if (option[used - 1] == ',')
		option[used - 1] = ')';
	else
		snprintf(option, bytes, "--lcores=0");
}

/* DPDK shares its tables with secondary processes, by files that outlast the program, in the way of
 * the next primary one: unless it is told of some there are none. */
static bool says_what_to_share(const struct config *c)
{
	static const char *const options[] = {"--no-shconf", "--in-memory", "--file-prefix",
					      "--proc-type", NULL};

	return has_any(c, options);
}

/* dpdk.eal_init as a command line: a program's name goes in front where it is missing. What is not
 * of the configuration is borrowed: the plug-in copies it. */
static char **command_line(const struct config *c, int *len)
{
	static _Thread_local char processors[PROCESSORS_BYTES];
	bool has_name = c->eal_init_len > 0 && c->eal_init[0][0] != '-';
	char **argv = calloc(c->eal_init_len + 4, sizeof(*argv));
	int n = 0;

	if (!argv)
		return NULL;
	if (!has_name || c->eal_init[0][0] == '\0')
		argv[n++] = (char *)(uintptr_t) "demikernel";
	for (uint32_t i = has_name && n > 0; i < c->eal_init_len; i++)
		argv[n++] = c->eal_init[i];
	if (!names_processors(c)) {
		name_processors(processors, sizeof(processors));
		argv[n++] = processors;
	}
	if (!says_what_to_share(c))
		argv[n++] = (char *)(uintptr_t) "--no-shconf";
	*len = n;
	return argv;
}

/* What opening a port needs: of the plug-in, and of the configuration. */
struct request {
	const struct libos_env *env;
	const struct dpdk_plugin *plugin;
	struct dpdk_setup setup;
	char why[DPDK_WHY_BYTES];
};

static int prepare(struct request *r, const struct libos_env *env, char why[CATNIP_WHY_BYTES])
{
	const struct config *c = env->config;

	*r = (struct request){.env = env, .plugin = catnip_plugin(why)};
	if (!r->plugin)
		return -ENOSYS;
	r->setup = (struct dpdk_setup){
	    .mtu = c->mtu,
	    .mac = c->has_mac ? c->mac : NULL,
	    .checksums = c->tcp_checksum_offload || c->udp_checksum_offload,
	    .instances = (uint16_t)c->dpdk_instances,
	};
	r->setup.eal_arguments = command_line(c, &r->setup.eal_arguments_len);
	return r->setup.eal_arguments ? 0 : -ENOMEM;
}

static int source_of(struct share_device *device, const struct endpoint *peer,
		     const struct endpoint *local)
{
	const struct dpdk_plugin *plugin = device->owner;

	return plugin->source_of(device->sources[0], peer, local);
}

static int open_device(struct share_device *device, void *arg)
{
	struct request *r = arg;
	int rc = r->plugin->open_queues(device->sources, &device->count, &r->setup, r->why);

	if (rc < 0) {
		device->count = 0;
		return rc;
	}
	device->instances = device->count;
	device->source_of = source_of;
	device->owner = (void *)(uintptr_t)r->plugin;
	return 0;
}

static void close_device(struct share_device *device)
{
	while (device->count > 0) {
		struct link *l = device->sources[--device->count];

		l->ops->destroy(l);
	}
}

static int open_sender(struct link **out, struct share_device *device, void *arg)
{
	struct request *r = arg;

	return r->plugin->open_sender(out, device->sources[0], r->why);
}

/* Each instance has a queue of the port. */
static int share_port(struct link **out, struct request *r)
{
	const struct share_plan plan = {
	    .interface = "dpdk",
	    .addr = r->env->config->addr,
	    .instances = r->env->config->dpdk_instances,
	    .open = open_device,
	    .close = close_device,
	    .open_sender = open_sender,
	    .arg = r,
	};
	int rc = inet_share_join(out, &plan);

	if (rc == -EBUSY && r->why[0] == '\0')
		snprintf(r->why, sizeof(r->why),
			 "the port has no queue left for another thread: dpdk.instances is %u, and "
			 "its driver may have fewer",
			 r->env->config->dpdk_instances);
	return rc;
}

static int open_port(struct link **out, const struct libos_env *env)
{
	struct request r;
	char why[CATNIP_WHY_BYTES];
	int rc = prepare(&r, env, why);

	if (rc < 0)
		return rc;
	if (r.setup.instances > 1) {
		rc = share_port(out, &r);
	} else {
		r.setup.heap = env->heap;
		rc = r.plugin->open(out, &r.setup, r.why);
	}
	free((void *)(uintptr_t)r.setup.eal_arguments);
	if (rc < 0 && env->found && r.why[0] != '\0')
		findings_add(env->found, FINDING_ERROR, "dpdk-open", "catnip: %s", r.why);
	return rc;
}

static int catnip_create(struct libos **out, const struct libos_env *env)
{
	struct link *link;
	int rc;

	if (env->config->eal_init_len == 0 || !env->config->has_addr)
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
    .waits_unpolled_max = 2 * LINK_BURST, /* a burst of requests, and the answers' pushes */
    .create = catnip_create,
    .examine = catnip_examine,
    INET_CLASS,
};
