/* Eight bytes of text at a time, in a register; and what is done with such registers. The first byte is the
 * lowest: little-endian machines only. */
#ifndef HOMER_PROTO_SCAN_H
#define HOMER_PROTO_SCAN_H

#include <assert.h>
#include <stdint.h>
#include <string.h>

static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "the first byte of a text is the lowest");

#define HOMER_BYTES(b) (0x0101010101010101u * (uint64_t)(b))
#define HOMER_HIGH_BITS HOMER_BYTES(0x80)

static inline uint64_t homer_load8(const char *s) {
    uint64_t v;
    memcpy(&v, s, sizeof v);
    return v;
}

/* The upper half of a product of 128 bits; *low is the lower one. */
static inline uint64_t homer_multiply(uint64_t a, uint64_t b, uint64_t *low) {
    __extension__ unsigned __int128 product = __extension__(unsigned __int128) a * b;
    *low = (uint64_t)product;
    return (uint64_t)(product >> 64);
}

/* Which byte the lowest of the marks (high bits of bytes) is in; mark != 0. */
static inline unsigned homer_first_byte(uint64_t mark) {
    return (unsigned)__builtin_ctzll(mark) / 8;
}

/* Marks the bytes that are no decimal digit. */
static inline uint64_t homer_no_digit(uint64_t v) {
    uint64_t d = v ^ HOMER_BYTES('0'); /* digits become 0 to 9 */
    return (((d & ~HOMER_HIGH_BITS) + HOMER_BYTES(0x7f - 9)) | d) & HOMER_HIGH_BITS;
}

/* Marks bytes below `low` (at most 0x80). Above a marked byte marks may be false. */
static inline uint64_t homer_below(uint64_t v, unsigned low) {
    return (v - HOMER_BYTES(low)) & ~v & HOMER_HIGH_BITS;
}

/* Marks bytes equal to c. Above a marked byte marks may be false. */
static inline uint64_t homer_equal(uint64_t v, char c) {
    return homer_below(v ^ HOMER_BYTES((unsigned char)c), 1);
}

#endif
