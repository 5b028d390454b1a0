/* Reading a configuration when memory runs out: every allocation fails once. The linker gives us
 * the calls of the library (--wrap), and those of libyaml (yaml_memory.h).
 *
 * SPDX-License-Identifier: MIT
 */
#include "rt/config.h"
#include "yaml_memory.h"
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

static const char yaml[] = "demikernel:\n"
			   "  local_ipv4_addr: 10.0.0.1/24\n"
			   "inetstack_config:\n"
			   "  arp_table:\n"
			   "    \"02:00:00:00:00:01\": \"10.0.0.2\"\n"
			   "dpdk:\n"
			   "  eal_init: [\"\", -l, \"0\"]\n"
			   "raw_socket:\n"
			   "  linux_interface_name: eth0\n";

static unsigned countdown; /* the allocation to fail; 0: none, or it has failed */

static bool fails(void)
{
	return countdown > 0 && --countdown == 0;
}

void *__real_malloc(size_t bytes);
void *__real_calloc(size_t count, size_t bytes);
void *__real_realloc(void *p, size_t bytes);
char *__real_strdup(const char *s);
char *__real_strndup(const char *s, size_t bytes);
void *__wrap_malloc(size_t bytes);
void *__wrap_calloc(size_t count, size_t bytes);
void *__wrap_realloc(void *p, size_t bytes);
char *__wrap_strdup(const char *s);
char *__wrap_strndup(const char *s, size_t bytes);

void *__wrap_malloc(size_t bytes)
{
	return fails() ? NULL : __real_malloc(bytes);
}

void *__wrap_calloc(size_t count, size_t bytes)
{
	return fails() ? NULL : __real_calloc(count, bytes);
}

void *__wrap_realloc(void *p, size_t bytes)
{
	return fails() ? NULL : __real_realloc(p, bytes);
}

char *__wrap_strdup(const char *s)
{
	return fails() ? NULL : __real_strdup(s);
}

char *__wrap_strndup(const char *s, size_t bytes)
{
	return fails() ? NULL : __real_strndup(s, bytes);
}

/* Reads the file with its nth allocation failing. Returns whether there was an nth. */
static bool survives(const char *libos, unsigned n)
{
	struct config_problem problem;
	struct config config, zero = {0};
	int rc;

	countdown = n;
	rc = config_read(&config, libos, &problem);
	if (countdown > 0) {
		countdown = 0;
		assert_int_equal(rc, 0);
		config_free(&config);
		return false;
	}
	assert_int_equal(rc, -ENOMEM);
	assert_string_equal(problem.text, "no memory is left for the configuration");
	assert_memory_equal(&config, &zero, sizeof(zero));
	return true;
}

static void each_allocation_may_fail(void **state)
{
	static const char *const libos[] = {"catnap", "catpowder", "catnip"};

	(void)state;
	for (size_t i = 0; i < sizeof(libos) / sizeof(libos[0]); i++) {
		unsigned n = 1;

		while (survives(libos[i], n))
			n++;
		assert_true(n > 20 && yaml_memory_calls() > n);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(each_allocation_may_fail)};
	char path[] = "/tmp/demi-config-XXXXXX";
	int fd = mkstemp(path), failed;

	if (fd < 0 || write(fd, yaml, sizeof(yaml) - 1) != (ssize_t)sizeof(yaml) - 1)
		return 1;
	close(fd);
	setenv("CONFIG_PATH", path, 1);
	failed = cmocka_run_group_tests_name("config_memory", tests, NULL, NULL);
	unlink(path);
	return failed;
}
