/* Text to words: Unicode case folding and normalisation (NFC) by utf8proc, a word is a maximal run of
 * letters, marks, numbers and '_' (what \w+ matches). Optional bigrams "a b" of neighbouring words; each
 * stands behind its second word. One thread at a time. */
#ifndef HOMER_PROTO_TEXT_H
#define HOMER_PROTO_TEXT_H

#include <stdint.h>
#include "core/base/err.h"
#include "core/base/mem.h"
#include "proto/request.h"

struct homer_token {
    struct homer_str word; /* folded; words and bigrams over max_name bytes are cut at a character boundary */
    uint32_t count;        /* term frequency in this text */
};

struct homer_text; /* reusable buffers of a tokeniser */

/* 0 and *out, or -ENOMEM. hash_key: any 16 bytes, unpredictable for clients; results do not depend on it. */
int homer_text_new(struct homer_text **out, struct homer_mem *mem, const uint8_t hash_key[16]);
struct homer_text *homer_text_free(struct homer_text *t);

/* Splits `text` (valid UTF-8) into distinct tokens in order of first appearance: *tokens [*n], borrowed until
 * the next call. At most max_tokens distinct ones, else HOMER_E_TOO_MANY with limit "max_x"; -ENOMEM. */
int homer_text_tokens(struct homer_text *t, struct homer_str text, bool bigrams, size_t max_name,
                      size_t max_tokens, const struct homer_token **tokens, size_t *n,
                      struct homer_error *err);

#endif
