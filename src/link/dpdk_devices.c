/* dpdk_devices.c - see dpdk_devices.h.
 *
 * Source: DPDK's network interface controller drivers (22.11), their chapters on AF_PACKET, AF_XDP,
 * memif, TAP, vhost and virtio-user.
 *
 * SPDX-License-Identifier: MIT
 */
#include "link/dpdk_devices.h"
#include "link/privilege.h"
#include <errno.h>
#include <linux/capability.h>
#include <net/if.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#ifndef CAP_BPF
#define CAP_BPF 39 /* Linux 5.8 */
#endif

#define SAY(why, ...) snprintf((why), DPDK_WHY_BYTES, __VA_ARGS__)

/* The device that the words name at place i, as --vdev=DEVICE or --vdev DEVICE; or NULL. */
static const char *device_at(const struct dpdk_setup *s, int i)
{
	const char *word = s->eal_arguments[i];

	if (strncmp(word, "--vdev=", 7) == 0)
		return word + 7;
	return i > 0 && strcmp(s->eal_arguments[i - 1], "--vdev") == 0 ? word : NULL;
}

static bool is_of(const char *device, const char *driver)
{
	return strncmp(device, driver, strlen(driver)) == 0;
}

/* Copies the value of a device's key, empty if it has none. */
static void value_of(const char *device, const char *key, char *out, size_t bytes)
{
	const size_t len = strlen(key);

	out[0] = '\0';
	while ((device = strchr(device, ',')) != NULL) {
		device++;
		if (strncmp(device, key, len) == 0 && device[len] == '=')
			snprintf(out, bytes, "%.*s", (int)strcspn(device + len + 1, ","),
				 device + len + 1);
	}
}

static bool has_value(const char *device, const char *key, const char *value)
{
	char has[16];

	value_of(device, key, has, sizeof(has));
	return strcmp(has, value) == 0;
}

/* A socket of the device's. */
struct place {
	char path[sizeof(((struct sockaddr_un *)0)->sun_path)];
	bool abstract; /* a name that is no file's */
	bool listens;  /* the device is the one that makes it */
};

static bool place_of(struct place *p, const char *device)
{
	const char *key = "path";

	*p = (struct place){0};
	if (is_of(device, "net_vhost")) {
		key = "iface";
		p->listens = !has_value(device, "client", "1");
	} else if (is_of(device, "net_virtio_user")) {
		p->listens = has_value(device, "server", "1");
	} else if (is_of(device, "net_memif")) {
		key = "socket";
		p->abstract = !has_value(device, "socket-abstract", "no");
		p->listens =
		    has_value(device, "role", "server") || has_value(device, "role", "master");
	} else {
		return false;
	}
	value_of(device, key, p->path, sizeof(p->path));
	return p->path[0] != '\0';
}

/* What connecting to it leads to, errno's, 0 for somebody is there. With a socket of another type
 * than any of theirs: the one who listens is not disturbed. */
static int knock(const struct place *p)
{
	struct sockaddr_un at = {.sun_family = AF_UNIX};
	socklen_t len = sizeof(at);
	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	int error;

	if (fd < 0)
		return errno;
	snprintf(at.sun_path + p->abstract, sizeof(at.sun_path) - p->abstract, "%s", p->path);
	if (p->abstract)
		len = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + 1 + strlen(p->path));
	error = connect(fd, (const struct sockaddr *)&at, len) == 0 ? 0 : errno;
	close(fd);
	return error == EPROTOTYPE ? 0 : error;
}

static bool is_socket(const char *path)
{
	struct stat at;

	return lstat(path, &at) == 0 && S_ISSOCK(at.st_mode);
}

/* A file's, which the device will make: 0, or -errno with *why. */
static int clear_file(const struct place *p, int error, char why[DPDK_WHY_BYTES])
{
	char folder[sizeof(p->path)];
	const char *slash = strrchr(p->path, '/');

	if (error == ECONNREFUSED && is_socket(p->path)) {
		unlink(p->path); /* of a process that was killed: the next could not make its own */
		return 0;
	}
	if (error == ECONNREFUSED) {
		SAY(why, "%s is there, and is no socket: name another one", p->path);
		return -EEXIST;
	}
	snprintf(folder, sizeof(folder), "%.*s", slash ? (int)(slash - p->path) : 0, p->path);
	if (error == ENOENT && folder[0] && access(folder, F_OK) != 0) {
		SAY(why, "the folder for the device's socket is not there: mkdir -p %s", folder);
		return -ENOENT;
	}
	if (error == EACCES || (folder[0] && access(folder, W_OK) != 0)) {
		SAY(why, "the socket %s may not be made there: name one in a folder of yours",
		    p->path);
		return -EACCES;
	}
	return 0;
}

int dpdk_devices_clear(const struct dpdk_setup *s, char why[DPDK_WHY_BYTES])
{
	int rc = 0;

	for (int i = 0; rc == 0 && i < s->eal_arguments_len; i++) {
		const char *device = device_at(s, i);
		struct place p;
		int error;

		if (!device || !place_of(&p, device) || !p.listens)
			continue;
		error = knock(&p);
		if (error == 0) {
			SAY(why, "another program has the socket %s: end it, or name another one",
			    p.path);
			return -EADDRINUSE;
		}
		rc = p.abstract ? 0 : clear_file(&p, error, why);
	}
	return rc;
}

/* The capabilities without which the kernel refuses what a driver asks; NULL: none is known. */
static const int *needs(const char *device)
{
	static const int packet[] = {CAP_NET_RAW, -1};
	static const int xdp[] = {CAP_NET_ADMIN, CAP_NET_RAW, CAP_BPF, -1};
	static const int tap[] = {CAP_NET_ADMIN, -1};

	if (is_of(device, "net_af_packet"))
		return packet;
	if (is_of(device, "net_af_xdp"))
		return xdp;
	return is_of(device, "net_tap") ? tap : NULL;
}

static int explain_interface(const char *device, char why[DPDK_WHY_BYTES])
{
	char name[IF_NAMESIZE], missing[64];
	const int *wanted = needs(device);

	if (!wanted)
		return 0;
	value_of(device, "iface", name, sizeof(name));
	if (!is_of(device, "net_tap") && name[0] && if_nametoindex(name) == 0) {
		SAY(why, "there is no interface %s: `ip link` shows which there are", name);
		return -ENODEV;
	}
	if (privilege_missing(wanted, missing, sizeof(missing)) == 0)
		return 0;
	SAY(why,
	    "%.*s needs %s: sudo setcap cap_net_raw,cap_net_admin,cap_bpf+ep PROGRAM, or run it "
	    "as root",
	    (int)strcspn(device, ","), device, missing);
	return -EPERM;
}

/* A socket that another program was to have made. memif's client waits for that. */
static int explain_socket(const char *device, char why[DPDK_WHY_BYTES])
{
	struct place p;
	int error;

	if (!is_of(device, "net_virtio_user") || !place_of(&p, device) || p.listens ||
	    strncmp(p.path, "/dev/", 5) == 0)
		return 0;
	error = knock(&p);
	if (error == 0)
		return 0;
	SAY(why, "nobody listens at %s (%s): start the other end first", p.path, strerror(error));
	return -error;
}

int dpdk_devices_explain(const struct dpdk_setup *s, char why[DPDK_WHY_BYTES])
{
	int rc = 0;

	for (int i = 0; rc == 0 && i < s->eal_arguments_len; i++) {
		const char *device = device_at(s, i);

		if (device)
			rc = explain_interface(device, why);
		if (device && rc == 0)
			rc = explain_socket(device, why);
	}
	return rc;
}
