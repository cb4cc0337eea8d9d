/* Addresses of daemons as people write them, and connecting to one. Private to libhomer. */
#ifndef HOMER_CLIENT_ADDRESS_H
#define HOMER_CLIENT_ADDRESS_H

#include <stdbool.h>
#include "core/base/err.h"

enum { HOMER_HOST_BYTES = 256, HOMER_PORT_BYTES = 32, HOMER_PATH_BYTES = 108 };

struct homer_address {
    char path[HOMER_PATH_BYTES]; /* a Unix socket, or "" */
    char host[HOMER_HOST_BYTES]; /* without brackets */
    char port[HOMER_PORT_BYTES];
    bool tls; /* written with tls:// */
};

/* Reads the forms that homer_client_new lists. 0 or -EINVAL. */
int homer_address_parse(struct homer_address *a, const char *text, struct homer_error *err);

/* Connects: *fd is a non-blocking, close-on-exec socket owned by the caller. `text` is the address for
 * messages. */
int homer_address_connect(const struct homer_address *a, const char *text, int timeout_ms, int *fd,
                          struct homer_error *err);

#endif
