/* Little-endian numbers at any address, for formats on disk. */
#ifndef HOMER_DAEMON_LE_H
#define HOMER_DAEMON_LE_H

#include <assert.h>
#include <stdint.h>
#include <string.h>

static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "numbers are written as they lie in memory");

static inline void homer_le_put32(char *to, uint32_t v) {
    memcpy(to, &v, sizeof v);
}

static inline void homer_le_put64(char *to, uint64_t v) {
    memcpy(to, &v, sizeof v);
}

static inline uint32_t homer_le_get32(const char *from) {
    uint32_t v;
    memcpy(&v, from, sizeof v);
    return v;
}

static inline uint64_t homer_le_get64(const char *from) {
    uint64_t v;
    memcpy(&v, from, sizeof v);
    return v;
}

#endif
