/* Names to ids: turns the `x`, `text` and `y` of a request into a homer_instance of one model.
 *
 * The arrays of the instance are scratch space that the resolver owns and reuses: valid until its next call,
 * no allocation once they have grown. All work is linear in the request (labels: n log n). The resolver
 * remembers which attributes an instance had: where the next one lists the same, names are compared, not
 * hashed. These are guesses, which the schema checks; nothing depends on them. Loop thread only.
 */
#ifndef HOMER_DAEMON_RESOLVE_H
#define HOMER_DAEMON_RESOLVE_H

#include "core/base/buf.h"
#include "core/model.h"
#include "proto/request.h"
#include "proto/text.h"

struct homer_resolver {
    struct homer_mem *mem;
    struct homer_text *text;
    struct homer_map unseen; /* distinct bag items without an id in one predict */
    struct homer_buf key;    /* key of `unseen` being put together */
    uint32_t *feature;       /* [x_cap] */
    float *value;            /* [x_cap] */
    uint32_t *missing;       /* [x_cap] */
    uint32_t *attribute;     /* [x_cap] by place in x: that of the instance before, a guess at this one's */
    uint32_t text_attribute; /* likewise, of the words of text */
    size_t x_cap;
    uint32_t *positive, *negative; /* [y_cap] each */
    size_t y_cap;
    uint32_t
        *place; /* [place_cap] by feature id: where it stands in `feature`, if feature[place[id]] == id */
    size_t place_cap;
};

/* 0 or -ENOMEM. `mem` is charged for all scratch space and outlives the resolver. */
int homer_resolver_init(struct homer_resolver *r, struct homer_mem *mem, const uint8_t hash_key[16]);
void homer_resolver_deinit(struct homer_resolver *r);

/* Fills the feature side of *out. With intern, new names are added to the model's schema (within
 * homer_model_begin); without, they are only counted. HOMER_E_BAD_FEATURE, HOMER_E_TOO_MANY, -ENOMEM. */
int homer_resolve_x(struct homer_resolver *r, struct homer_model *m, const struct homer_request *req,
                    const struct homer_request_limits *limits, bool intern, struct homer_instance *out,
                    struct homer_error *err);
/* Fills the label side and the weight, interning new labels. HOMER_E_TOO_MANY, -ENOMEM. */
int homer_resolve_y(struct homer_resolver *r, struct homer_model *m, const struct homer_request *req,
                    struct homer_instance *out, struct homer_error *err);

/* Bytes of a client's name that an error message shows: at most 60, whole characters. For "%.*s". */
int homer_name_cut(struct homer_str name);

#endif
