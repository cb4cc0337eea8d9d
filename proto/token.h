/* What a token is: HOMER_TOKEN_MIN to HOMER_TOKEN_MAX visible ASCII characters, none of which needs quoting
 * in JSON or on a bare line. Daemon and clients read it from files. Pure; any thread. */
#ifndef HOMER_PROTO_TOKEN_H
#define HOMER_PROTO_TOKEN_H

#include <stddef.h>

/* The least is too many to guess over a socket, when they are random. */
enum { HOMER_TOKEN_MIN = 16, HOMER_TOKEN_MAX = 512, HOMER_TOKEN_FILE = HOMER_TOKEN_MAX + 3 };

/* Bytes of the token that a file of n bytes begins with and, but for one line end, consists of; 0 when it
 * holds none. HOMER_TOKEN_FILE bytes of a longer file are enough to tell. */
size_t homer_token_length(const char *text, size_t n);

#endif
