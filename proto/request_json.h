/* jansson, held inside an arena: documents cost no malloc and no free of their own, are charged to the
 * arena's memory, and a refused allocation ends the parse at once.
 *
 * The last point is why this exists: jansson 2.14 goes on when a token's buffer cannot grow, dropping bytes
 * of it, so a document parsed under memory pressure might differ from what was sent. Here a refusal never
 * returns to jansson. jansson's allocation hooks are process-wide: homer_json_setup installs ones that fall
 * through to malloc and free except inside these calls, in the calling thread. Nobody else may set them
 * afterwards. */
#ifndef HOMER_PROTO_REQUEST_JSON_H
#define HOMER_PROTO_REQUEST_JSON_H

#include <jansson.h>
#include "core/base/err.h"
#include "proto/arena.h"
#include "proto/request.h"

/* Installs the hooks, once; any thread. */
void homer_json_setup(void);

/* Parses the text of one object of nesting at most max_depth: *root lives in the arena until its reset (no
 * json_decref). *int_as_real: integers beyond 64 bits occurred, therefore every integer of the document was
 * read as a real. HOMER_E_TOO_DEEP, HOMER_E_BAD_JSON, HOMER_E_INTERNAL (no memory). */
int homer_json_load(struct homer_arena *arena, const char *text, size_t n, size_t max_depth, json_t **root,
                    bool *int_as_real, struct homer_error *err);

/* The JSON text of a value, in the arena. HOMER_E_INTERNAL: no memory. */
int homer_json_dump(struct homer_arena *arena, const json_t *value, struct homer_str *out,
                    struct homer_error *err);

#endif
