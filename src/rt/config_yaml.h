/* config_yaml.h - a YAML document as a tree that remembers its lines.
 *
 * Everything that a configuration does not need is refused here: aliases (a short file can stand
 * for gigabytes), second documents, keys that are not plain words, deep nesting.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef RT_CONFIG_YAML_H
#define RT_CONFIG_YAML_H

#include "rt/config.h"

enum {
	CONFIG_FILE_BYTES = 256 * 1024, /* of a configuration file */
	CONFIG_NODES = 16 * 1024,       /* values in one file */
	CONFIG_DEPTH = 8,               /* maps and lists inside each other */
};

enum config_node_kind { CONFIG_SCALAR, CONFIG_LIST, CONFIG_MAP };

/* One value. The tree owns its strings. */
struct config_node {
	enum config_node_kind kind;
	uint32_t line;             /* from 1: of the key in a map, else of the value */
	bool quoted;               /* a scalar written as a string */
	char *text;                /* a scalar's, NUL-terminated */
	char *key;                 /* in a map: its name */
	struct config_node *child; /* of a list or a map: the first */
	struct config_node *next;  /* the sibling behind */
};

/* Reads the file `path`. *out is the caller's, for config_node_free(); NULL when the file holds no
 * value. -EINVAL with *problem filled: cannot be read, not a regular file, too large, not YAML, or
 * more than is allowed here. -ENOMEM. */
int config_yaml_read(struct config_node **out, const char *path, struct config_problem *problem);

/* As config_yaml_read(), from `bytes` bytes at `text`; `path` is for messages only. */
int config_yaml_parse(struct config_node **out, const char *path, const char *text, size_t bytes,
		      struct config_problem *problem);

/* Frees a tree. NULL is harmless. */
void config_node_free(struct config_node *node);

#endif
