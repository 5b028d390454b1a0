/* Configuration files from an enemy: no crash, no leak, no value out of its range, and a refused
 * file is explained in one printable line. The first byte chooses the libOS.
 *
 * SPDX-License-Identifier: MIT
 */
#include "rt/config_keys.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes);

static void expect(bool holds)
{
	if (!holds)
		abort();
}

static void expect_one_line(const struct config_problem *problem)
{
	expect(problem->text[0] != 0);
	for (const char *c = problem->text; *c; c++)
		expect((unsigned char)*c >= ' ' && *c != 0x7f);
}

static void expect_in_range(const struct config *c)
{
	expect(c->mtu == 0 || c->mtu >= 576);
	expect(c->mtu == 0 || c->mss <= c->mtu - 40);
	expect(c->prefix_len <= 32);
	expect(c->idle == IDLE_SPIN || c->idle == IDLE_ADAPTIVE);
	expect(c->max_queues > 0 && c->max_operations > 0);
	expect((c->heap_bytes & (c->heap_bytes - 1)) == 0);
	expect(c->eal_init_len <= CONFIG_EAL_ARGUMENTS);
	expect(c->arp_table_len <= CONFIG_NEIGHBOURS_MAX);
	expect(!c->interface || strlen(c->interface) <= 15);
}

static int read_text(struct config_reader *r, const uint8_t *text, size_t bytes)
{
	struct config_node *root;
	int rc = config_yaml_parse(&root, "f", (const char *)text, bytes, r->problem);

	if (rc)
		return rc;
	r->file = "f";
	rc = config_keys_file(r, root);
	config_node_free(root);
	return rc ? rc : config_keys_finish(r);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes)
{
	static const char *const libos[] = {"catnap", "catpowder", "catnip", "catmem"};
	struct config config = {0};
	struct config_problem problem = {{0}};
	struct config_reader reader = {.config = &config, .problem = &problem};
	int rc;

	if (bytes == 0)
		return 0;
	reader.users = config_users(libos[data[0] % 4]);
	expect(config_keys_defaults(&reader) == 0);
	rc = read_text(&reader, data + 1, bytes - 1);
	if (rc == -EINVAL)
		expect_one_line(&problem);
	else if (rc == 0)
		expect_in_range(&config);
	config_free(&config);
	return 0;
}
