/* config_keys.h - every key of the configuration in one table, and the way from a value to its
 * place in struct config. A new key is one line in config_keys.c, one field in base/config.h and
 * one row in doc/configuration.md (a test compares them).
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef RT_CONFIG_KEYS_H
#define RT_CONFIG_KEYS_H

#include "rt/config_yaml.h"

/* Who uses a key; see config_users(). */
enum {
	CONFIG_KERNEL = 1 << 0,                     /* catnap, catcollar */
	CONFIG_PACKET = 1 << 1,                     /* catpowder */
	CONFIG_DPDK = 1 << 2,                       /* catnip */
	CONFIG_STACK = CONFIG_PACKET | CONFIG_DPDK, /* those with a TCP/IP stack of our own */
	CONFIG_ANY = -1,
};

enum config_type {
	CONFIG_BOOL,
	CONFIG_NUMBER,
	CONFIG_CHOICE,     /* one of the words in `choices`, stored as its index */
	CONFIG_TEXT,       /* min to max characters */
	CONFIG_ADDRESS,    /* local_ipv4_addr, with or without /N */
	CONFIG_GATEWAY,    /* an IPv4 address of a host */
	CONFIG_NETMASK,    /* as a prefix length */
	CONFIG_MAC,        /* local_link_addr */
	CONFIG_STRINGS,    /* eal_init */
	CONFIG_NEIGHBOURS, /* arp_table */
};

enum config_quirk {
	CONFIG_PLAIN,
	CONFIG_POWER_OF_TWO,
	CONFIG_ZERO_IS_DEFAULT, /* 0 stands for the default, whatever min says */
	CONFIG_SETS_LINGER,     /* the variable LINGER: switches linger on as well */
};

struct config_key {
	const char *path;     /* in the file, with dots; NULL: a variable only */
	const char *variable; /* of the environment, NULL: none */
	enum config_type type;
	int users;              /* CONFIG_KERNEL ... */
	size_t offset, bytes;   /* of the field in struct config; 0 bytes: checked, and no more */
	uint64_t min, max;      /* of what is written, both included */
	uint32_t scale;         /* the field holds the number times this; 0: as it is */
	const char *unit;       /* of what is written; NULL: none */
	const char *fallback;   /* the default as one would write it; NULL: not given */
	const char *choices[5]; /* ends with NULL */
	enum config_quirk quirk;
};

extern const struct config_key config_keys[];
extern const unsigned config_keys_count;

enum {
	CONFIG_KEYS_MAX = 64,         /* in the table */
	CONFIG_EAL_ARGUMENTS = 256,   /* in eal_init */
	CONFIG_EAL_CHARACTERS = 4096, /* in one of them */
	CONFIG_NEIGHBOURS_MAX = 4096, /* in arp_table */
};

/* What a reading knows: where values go, who wants them, and where each came from. */
struct config_reader {
	struct config *config;
	struct config_problem *problem;
	const char *file;                /* NULL while the environment is read */
	int users;                       /* those of the chosen libOS */
	uint32_t lines[CONFIG_KEYS_MAX]; /* where each key was set; 0: nowhere in the file */
};

/* The users bit of a libOS by its name; 0 for one that has no keys of its own. */
int config_users(const char *libos);

/* Each: 0, -EINVAL with *reader->problem filled, -ENOMEM. */
int config_keys_defaults(struct config_reader *reader);
int config_keys_file(struct config_reader *reader, const struct config_node *root);
int config_keys_environment(struct config_reader *reader);
/* What only shows when all is known: values that contradict each other. */
int config_keys_finish(struct config_reader *reader);

#endif
