/* One request, one reply, as JSON: building requests, reading replies and the errors in them. One thread. */
#ifndef HOMER_CLI_ASK_H
#define HOMER_CLI_ASK_H

#include <jansson.h>
#include "clients/c/homer.h"
#include "core/base/buf.h"

/* Sets *out to {"op":op}, or {"op":op,"model":model} when model is not NULL. 0 or a negative errno. */
int homer_ask_build(struct homer_buf *out, const char *op, const char *model, struct homer_error *err);

/* The same with the member "key":"value" (NULL: without). */
int homer_ask_build_with(struct homer_buf *out, const char *op, const char *key, const char *value,
                         struct homer_error *err);

/* Parses a reply line that must be an object: a new reference, or NULL with err (-EPROTO). */
json_t *homer_ask_parse(const char *text, size_t n, struct homer_error *err);
/* As homer_ask_parse; a reply that is not ok is NULL too, err holding "code: message". */
json_t *homer_ask_read(const char *text, size_t n, struct homer_error *err);
/* Of a reply that is not ok; never NULL; borrowed from it. */
const char *homer_ask_code(const json_t *reply);
const char *homer_ask_message(const json_t *reply);

/* Asks and reads: a new reference, or NULL with err. */
json_t *homer_ask(struct homer_client *c, const char *request, size_t n, struct homer_error *err);
/* Asks {"op":op,"model":model}. */
json_t *homer_ask_op(struct homer_client *c, const char *op, const char *model, struct homer_error *err);
/* Asks what homer_ask_build_with builds. */
json_t *homer_ask_with(struct homer_client *c, const char *op, const char *key, const char *value,
                       struct homer_error *err);

#endif
