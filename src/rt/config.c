/* SPDX-License-Identifier: MIT */
#include "rt/config.h"
#include "base/log.h"
#include "rt/config_keys.h"
#include "rt/config_value.h"
#include <ctype.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static const char *variable(const char *name)
{
	const char *value = getenv(name);

	return value && *value ? value : NULL;
}

static char *lower_case(const char *text)
{
	char *copy = strdup(text);

	for (char *c = copy; c && *c; c++)
		*c = (char)tolower((unsigned char)*c);
	return copy;
}

/* Takes a place where a file may be but need not. What stat() cannot see is not there: the home
 * directory of another user may be shut. What it sees and read refuses is an error later on. */
static bool try_place(char path[PATH_MAX], const char *directory, const char *below)
{
	struct stat st;
	int n;

	if (!directory || directory[0] != '/') /* the XDG specification ignores relative ones */
		return false;
	n = snprintf(path, PATH_MAX, "%s%s/demikernel/config.yaml", directory, below);
	return n < PATH_MAX && stat(path, &st) == 0;
}

/* Sets *out to a copy of the file's path, NULL when there is none. */
static int find_file(char **out)
{
	const char *named = variable("CONFIG_PATH"), *xdg = variable("XDG_CONFIG_HOME");
	char path[PATH_MAX];

	*out = NULL;
	if (!named) {
		if (!(xdg && xdg[0] == '/' ? try_place(path, xdg, "")
					   : try_place(path, variable("HOME"), "/.config")) &&
		    !try_place(path, "/etc", ""))
			return 0;
		named = path;
	}
	*out = strdup(named);
	return *out ? 0 : -ENOMEM;
}

static int refuse_unreadable(struct config_reader *r, int error)
{
	const char *file = r->config->file;

	if (variable("CONFIG_PATH"))
		return config_refuse(
		    r->problem,
		    "CONFIG_PATH=%s cannot be read: %s: name a file that is there, "
		    "or unset CONFIG_PATH",
		    file, strerror(error));
	return config_refuse(r->problem,
			     "%s: cannot be read: %s: chmod +r it, or name another "
			     "one by CONFIG_PATH",
			     file, strerror(error));
}

static int read_file(struct config_reader *r)
{
	struct config_node *root;
	int rc;

	rc = config_yaml_read(&root, r->config->file, r->problem);
	if (rc == -EINVAL && access(r->config->file, R_OK) != 0)
		return refuse_unreadable(r, errno);
	if (rc)
		return rc;
	r->file = r->config->file;
	rc = config_keys_file(r, root);
	r->file = NULL;
	config_node_free(root);
	return rc;
}

static int read_all(struct config_reader *r, const char *libos)
{
	int rc;

	if (!libos)
		libos = variable("LIBOS");
	r->config->libos = lower_case(libos ? libos : "catnap");
	if (!r->config->libos)
		return -ENOMEM;
	r->users = config_users(r->config->libos);
	rc = config_keys_defaults(r);
	if (rc == 0)
		rc = find_file(&r->config->file);
	if (rc == 0 && r->config->file)
		rc = read_file(r);
	if (rc == 0)
		rc = config_keys_environment(r);
	if (rc)
		return rc;
	r->file = r->config->file;
	return config_keys_finish(r);
}

int config_read(struct config *out, const char *libos, struct config_problem *problem)
{
	struct config_reader r = {.config = out, .problem = problem};
	int rc;

	memset(out, 0, sizeof(*out));
	problem->text[0] = 0;
	rc = read_all(&r, libos);
	if (rc == -ENOMEM)
		config_refuse(problem, "no memory is left for the configuration");
	if (rc)
		config_free(out);
	return rc;
}

int config_load(struct config *out, const char *libos)
{
	struct config_problem problem;
	int rc = config_read(out, libos, &problem);

	if (rc)
		log_error("%s", problem.text);
	return rc;
}

void config_free(struct config *c)
{
	for (uint32_t i = 0; i < c->eal_init_len; i++)
		free(c->eal_init[i]);
	free(c->eal_init);
	free(c->arp_table);
	free(c->interface);
	free(c->file);
	free(c->libos);
	memset(c, 0, sizeof(*c));
}
