/* HOST:PORT as a socket address. Numeric addresses and "localhost" (127.0.0.1) only: no look-up, so nothing
 * blocks or depends on a resolver. Pure; any thread. */
#ifndef HOMER_DAEMON_ADDRESS_H
#define HOMER_DAEMON_ADDRESS_H

#include <netinet/in.h>
#include <sys/socket.h>
#include "core/base/err.h"

union homer_address {
    struct sockaddr sa;
    struct sockaddr_in v4;
    struct sockaddr_in6 v6;
};

enum { HOMER_ADDRESS_TEXT = 64 };

/* "127.0.0.1:7707", "[::1]:7707", "localhost:0". HOMER_E_BAD_REQUEST for anything else. */
int homer_address_parse(union homer_address *out, const char *text, struct homer_error *err);
/* Only this machine can reach it. */
bool homer_address_is_loopback(const union homer_address *a);
/* The same notation back. */
void homer_address_print(const union homer_address *a, char out[HOMER_ADDRESS_TEXT]);
unsigned homer_address_port(const union homer_address *a);

#endif
