/* The table of configuration keys: what config.c parses, prints and checks by, and what the documentation is
 * tested against. Private to daemon/config*.c and their tests. */
#ifndef HOMER_DAEMON_CONFIG_KEYS_H
#define HOMER_DAEMON_CONFIG_KEYS_H

#include <stddef.h>
#include <stdint.h>

enum homer_config_type {
    HOMER_KEY_UINT,    /* unsigned integer of `width` bytes, min..max */
    HOMER_KEY_REAL,    /* a number, least..most: a double, or a float, by its `width` */
    HOMER_KEY_BYTES,   /* the same; also a string such as "512MiB" */
    HOMER_KEY_BOOL,    /* bool */
    HOMER_KEY_WORD,    /* one of words; its index, in `width` bytes (1: a bool) */
    HOMER_KEY_STRING,  /* char *, or null */
    HOMER_KEY_LISTEN,  /* a string or an array of strings: listen[], listen_n */
    HOMER_KEY_LACKING, /* this version does not do it: null or the default are accepted, anything else refused
                        */
};

struct homer_config_key {
    const char *path; /* dotted; the keys of one object stand together */
    enum homer_config_type type;
    size_t offset, width; /* in struct homer_config */
    uint64_t min, max;
    double least, most;
    const char *const *words; /* NULL-terminated */
    const char *fallback;     /* the default, as JSON */
    const char *meaning;      /* one line; for HOMER_KEY_LACKING why it is refused */
};

extern const struct homer_config_key homer_config_keys[];
extern const size_t homer_config_keys_n;

#endif
