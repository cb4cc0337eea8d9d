/* Fuzz targets: each file defines LLVMFuzzerTestOneInput and checks what must hold for any bytes. driver.c
 * runs it over a corpus and seeded mutations of it with any compiler; `clang -fsanitize=fuzzer` in its place
 * hunts without end. */
#ifndef HOMER_FUZZ_H
#define HOMER_FUZZ_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

/* Aborts, which the driver answers with the input that did it. */
#define CHECK(condition)                                                                                     \
    do {                                                                                                     \
        if (!(condition)) {                                                                                  \
            fprintf(stderr, "%s:%d: does not hold: %s\n", __FILE__, __LINE__, #condition);                   \
            abort();                                                                                         \
        }                                                                                                    \
    } while (0)

#endif
