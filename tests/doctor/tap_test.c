/* What hinders catpowder over a TAP.
 *
 * SPDX-License-Identifier: MIT
 */
#include "mounts.h"
#include "patient.h"
#include <demi/libos.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

static void need_tap(void)
{
	if (access("/dev/net/tun", R_OK | W_OK) != 0)
		leave_out("there is no /dev/net/tun");
}

static void configure_tap(const char *interface)
{
	char yaml[256];

	snprintf(yaml, sizeof(yaml),
		 "demikernel:\n  local_ipv4_addr: 10.9.0.1/24\n"
		 "raw_socket:\n  linux_interface_name: %s\n  link: tap\n",
		 interface);
	configure_all("catpowder", yaml);
}

static void a_tap_is_made_when_there_is_none(void)
{
	need_tap();
	configure_tap("tap0");
	expect_none("tap-missing");
	expect_init(0, NULL);
}

static void no_interface_is_named(void)
{
	configure_all("catpowder", "demikernel:\n  local_ipv4_addr: 10.9.0.1/24\n"
				   "raw_socket:\n  link: tap\n");
	expect_error("interface-missing", EINVAL);
}

static void no_address_is_given(void)
{
	configure_all("catpowder", "raw_socket:\n  linux_interface_name: tap0\n  link: tap\n");
	expect_error("address-missing", EINVAL);
	repair("address-missing");
}

static char *remedy; /* shared with processes that may not carry it out */

static void keep_remedy(const char *id)
{
	const struct finding *f = expect(id, FINDING_ERROR);

	memcpy(remedy, f->remedy, sizeof(f->remedy));
}

static void share_remedy(void)
{
	remedy = mmap(NULL, FINDING_REMEDY_BYTES, PROT_READ | PROT_WRITE,
		      MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	check(remedy != MAP_FAILED);
}

static const int administration[] = {CAP_NET_ADMIN, -1};

static void making_one_fails(void)
{
	expect_error("tap-missing", EPERM);
	keep_remedy("tap-missing");
}

static void using_it_does_not(void)
{
	expect_none("tap-missing");
	expect_none("tap-owner");
	expect_init(0, NULL);
}

static void a_user_cannot_make_one(void)
{
	need_tap();
	share_remedy();
	configure_tap("tap0");
	without(administration, making_one_fails);
	carry_out(remedy);
	without(administration, using_it_does_not);
}

static void anothers_is_refused(void)
{
	expect_error("tap-owner", EPERM);
	keep_remedy("tap-owner");
}

static void it_belongs_to_another_user(void)
{
	need_tap();
	share_remedy();
	configure_tap("tap0");
	command("ip tuntap add dev tap0 mode tap user 12345 && ip link set dev tap0 up");
	without(administration, anothers_is_refused);
	carry_out(remedy);
	without(administration, using_it_does_not);
}

static void it_is_not_a_tap(void)
{
	need_tap();
	configure_tap("va");
	expect_error("tap-other", EINVAL);
	repair("tap-other");
	expect_init(0, NULL);
}

static void it_is_down(void)
{
	need_tap();
	configure_tap("tap0");
	command("ip tuntap add dev tap0 mode tap");
	expect_error("interface-down", ENETDOWN);
	repair("interface-down");
	expect_init(0, NULL);
}

static void the_kernel_has_the_address(void)
{
	need_tap();
	configure_tap("tap0");
	command("ip tuntap add dev tap0 mode tap && ip addr add 10.9.0.1/24 dev tap0 && "
		"ip link set dev tap0 up");
	expect_error("address-of-kernel", EADDRINUSE);
	repair("address-of-kernel");
	expect_init(0, NULL);
}

static void attach(void)
{
	check(demi_init(NULL) == 0);
}

static void another_program_is_its_end(void)
{
	need_tap();
	configure_tap("tap0");
	start(attach, 0);
	expect_error("tap-taken", EBUSY);
}

static void there_is_no_device(void)
{
	mounts_own();
	mounts_hide_devices();
	configure_tap("tap0");
	expect_error("tap-device-missing", ENOENT);
}

static void the_device_may_not_be_opened(void)
{
	need_tap();
	mounts_own();
	mounts_hide_devices();
	command("mkdir /dev/net && mknod /dev/net/tun c 10 200 && chmod 0 /dev/net/tun");
	if (open("/dev/net/tun", O_RDWR) < 0)
		leave_out("devices may not be used in a mount of one's own here");
	configure_tap("tap0");
	drop((const int[]){CAP_DAC_OVERRIDE, -1});
	expect_error("tap-device-closed", EACCES);
	repair("tap-device-closed");
	expect_init(0, NULL);
}

int main(void)
{
	static const struct doctor_case cases[] = {
	    CASE(a_tap_is_made_when_there_is_none),
	    CASE(no_interface_is_named),
	    CASE(no_address_is_given),
	    CASE(a_user_cannot_make_one),
	    CASE(it_belongs_to_another_user),
	    CASE(it_is_not_a_tap),
	    CASE(it_is_down),
	    CASE(the_kernel_has_the_address),
	    CASE(another_program_is_its_end),
	    CASE(there_is_no_device),
	    CASE(the_device_may_not_be_opened),
	};

	return patient_run_all("tap", cases, sizeof(cases) / sizeof(cases[0]));
}
