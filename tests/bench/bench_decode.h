/* simdjson behind C, for bench_decode only: bench_simdjson.cpp, or, without the library, bench_no_simdjson.c.
 */
#ifndef HOMER_TESTS_BENCH_DECODE_H
#define HOMER_TESTS_BENCH_DECODE_H

#ifdef __cplusplus
extern "C" {
#else
#include <stdbool.h>
#endif
#include <stddef.h>

struct bench_simdjson;

/* NULL: not built in. */
struct bench_simdjson *bench_simdjson_new(void);
void bench_simdjson_free(struct bench_simdjson *b);
/* Reads op, text, x and y of a line into arrays, on demand; other fields are passed over. It does less than
 * the daemon's readers: no look for keys given twice. */
bool bench_simdjson_read(struct bench_simdjson *b, const char *line, size_t n);

#ifdef __cplusplus
}
#endif

#endif
