/* Unpacks gzip and zstd bytes as they come: the decompressors behind stream.c. One thread. */
#ifndef HOMER_CLI_INFLATE_H
#define HOMER_CLI_INFLATE_H

#include <stdbool.h>
#include <stddef.h>

enum homer_packing { HOMER_PLAIN, HOMER_GZIP, HOMER_ZSTD };

struct homer_inflate;

/* Tells the packing from the first n bytes of a file (4 are enough). */
enum homer_packing homer_packing_of(const unsigned char *first, size_t n);

/* 0 or -ENOMEM. Not for HOMER_PLAIN. */
int homer_inflate_new(struct homer_inflate **out, enum homer_packing packing);
struct homer_inflate *homer_inflate_free(struct homer_inflate *z);

/* Unpacks from in[0..*in_n) to out[0..*out_n): both are set to what was used and made. 0, -ENOMEM, or
 * -EBADMSG with *why (a static string). Members that follow each other are one stream. */
int homer_inflate_run(struct homer_inflate *z, const unsigned char *in, size_t *in_n, unsigned char *out,
                      size_t *out_n, const char **why);
/* True where a file may end: between members. */
bool homer_inflate_whole(const struct homer_inflate *z);

#endif
