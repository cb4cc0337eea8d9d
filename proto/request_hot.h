/* The hot path of learn, predict and test, and of batches of them: lines read straight into the request,
 * without a document in between. Inside proto only.
 *
 * It reads lines that are right and of the usual shape: scalar fields, x and y as the protocol has them, and
 * in a recorded instance fields of its own that are scalars or arrays of scalars. It reports no error: at the
 * first thing that is wrong, doubtful or rare it gives up, and jansson reads the whole line, so that errors
 * and exotic lines are jansson's business alone. What it accepts it reads exactly as that path does
 * (tests/fuzz/fuzz_decode.c).
 *
 * What makes it fast is memory of the line before, held in the request object: where key i of x is again what
 * key i was then, one comparison has read it, checked its UTF-8, and, as long as all keys before it were the
 * same ones too, shown that it is given once. Keys in another order go through a table.
 *
 * Why a scanner of our own: tests/bench/bench_decode compares. A line of yeast (103 named numbers, 1,842
 * bytes) takes jansson 29 us, simdjson's on-demand reader (3.0.1, which would need a search for keys given
 * twice on top) 3.5 us, this 1.5 us; one of medical (190 bytes) 3.1, .37 and .35 us.
 *
 * All state is in the request: any thread, one at a time. */
#ifndef HOMER_PROTO_REQUEST_HOT_H
#define HOMER_PROTO_REQUEST_HOT_H

#include <string.h>
#include "proto/request_parse.h"

/* A key as it stands in its line. */
struct homer_hot_key {
    const char *text; /* from behind the opening quote */
    uint32_t n;       /* bytes, the closing quote included */
    bool escaped;
};

/* The keys of an x that is an object, in order. */
struct homer_hot_keys {
    struct homer_hot_key *key; /* [n] of cap */
    size_t n, cap;
    unsigned text; /* which of homer_hot.text they stand in */
};

struct homer_hot {
    struct homer_mem *mem;
    /* The line being read, text[line], HOMER_SCAN_PAD zeros behind it, into which the request's strings
     * point; and the one that keys[!now] stand in, which may be the same. */
    char *text[2];
    size_t text_cap[2];
    unsigned line;
    struct homer_hot_keys keys[2];
    unsigned now; /* the keys being read; the others are the last ones that were read to their end */
    size_t x_n;   /* pairs of the last instance: how many there may be again */

    /* A set of keys: of x from where they differ from those before, of a partial y. */
    struct homer_str *name; /* [name_n] of name_cap */
    size_t name_n, name_cap;
    uint64_t
        *slot; /* [slot_n], a power of two: stamp in the high half, place in `name`; other stamp = free */
    size_t slot_n;
    uint32_t stamp;

    char (*digits)[8]; /* [digits_n] of digits_cap: the names "0", "1", ... of an x that is an array */
    size_t digits_n, digits_cap;
};

/* The line being read. Functions that read from `at` on return what stands behind it, or NULL: give up;
 * `refused` says whether for memory. Zeros follow the line's end. */
struct homer_hot_scan {
    struct homer_parse *p;
    struct homer_hot *hot;
    const char *end;
    bool is_item; /* what is being read is an item of a batch */
    bool refused;
};

/* Reads a line that begins with '{' into p->r, which is blank, and makes p->r->hot when there is none yet.
 * 1; 0: it gave up, p->r is in any state; -ENOMEM likewise. */
int homer_hot_read(struct homer_parse *p, const char *line, size_t n);
struct homer_hot *homer_hot_free(struct homer_hot *hot);
/* Gives back what an unusually long line took. */
void homer_hot_trim(struct homer_hot *hot);

/* homer_mem_room; false: refused. */
bool homer_hot_room(struct homer_hot_scan *s, void **p, size_t *cap, size_t need, size_t size);

/* Grows an array of the arena to twice *cap elements, all kept, or makes one of `first`. False: refused. */
bool homer_hot_more(struct homer_hot_scan *s, void **p, size_t *cap, size_t first, size_t size);

/* Empties the set. */
void homer_hot_set_clear(struct homer_hot *hot);
/* Adds a name that homer_hot_name gave; false also when it is in the set, or its place would take long to
 * find. */
bool homer_hot_set_add(struct homer_hot_scan *s, struct homer_str name);

/* request_hot_string.c */

/* Goes over a string, `at` at its opening quote, to behind its closing one. */
const char *homer_hot_string(const char *at, struct homer_hot_key *out);
/* The bytes of a string that has escapes, these replaced, in the arena, HOMER_SCAN_PAD bytes behind them. */
bool homer_hot_unescape(struct homer_hot_scan *s, const struct homer_hot_key *key, struct homer_str *out);

/* request_hot_instance.c: x and y; `at` at '{' or '['. */
const char *homer_hot_x(struct homer_hot_scan *s, const char *at);
const char *homer_hot_y(struct homer_hot_scan *s, const char *at);

/* The bytes of a string: in the line, or in the arena. */
static inline bool homer_hot_name(struct homer_hot_scan *s, const struct homer_hot_key *key,
                                  struct homer_str *out) {
    if (key->escaped) return homer_hot_unescape(s, key, out);
    *out = (struct homer_str){.s = key->text, .n = key->n - 1};
    return true;
}

/* Goes over space. */
static inline const char *homer_hot_skip(const char *at) {
    while ((unsigned char)*at <= ' ' && (*at == ' ' || *at == '\t' || *at == '\n' || *at == '\r')) at++;
    return at;
}

/* Goes over space, then over c, then over space again. */
static inline const char *homer_hot_pass(const char *at, char c) {
    at = homer_hot_skip(at);
    return *at == c ? homer_hot_skip(at + 1) : NULL;
}

/* Goes over a literal. */
static inline const char *homer_hot_word(const char *at, const char *word) {
    size_t n = strlen(word);
    return memcmp(at, word, n) == 0 ? at + n : NULL; /* within the padding */
}

/* Behind an element of an object or array: at the next one, or behind the end with *more false. */
static inline const char *homer_hot_next(const char *at, char close, bool *more) {
    at = homer_hot_skip(at);
    *more = *at == ',';
    if (*more) return homer_hot_skip(at + 1);
    return *at == close ? at + 1 : NULL;
}

#endif
