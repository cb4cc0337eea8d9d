/* The requests of a load, put together beforehand: one pass over the instances, held in memory as the bytes
 * that go over the wire. One thread. */
#ifndef HOMER_CLI_LOAD_H
#define HOMER_CLI_LOAD_H

#include "clients/cli/mix.h"
#include "clients/cli/synthetic.h"

enum { HOMER_VERB_NONE = HOMER_VERBS }; /* a request that prepares others and is not part of the load */

struct homer_load_request {
    size_t end;   /* where it ends in the bytes */
    uint8_t verb; /* enum homer_verb or HOMER_VERB_NONE */
};

struct homer_load {
    struct homer_mem mem;
    struct homer_buf bytes;             /* request lines with their ends, one after the other */
    struct homer_load_request *request; /* [n] of cap */
    size_t n, cap;
};

struct homer_load_options {
    const char *const *path; /* [path_n] streams, one behind the other; none: made up by `made` */
    size_t path_n;
    struct homer_synthetic made;
    uint64_t limit; /* instances at most; 0 = all there are, or 10,000 made up */
    struct homer_mix mix;
    const char *model; /* named in every request; NULL = none is */
    bool scores;       /* replies with scores; otherwise predict and test ask for labels only */
    bool fresh;        /* the pass begins with dropping the model and making it anew */
};

/* Reads or makes the instances and puts each behind the next verb of the mix; the members that only another
 * verb takes, and those that would upset a repetition (src, n, noreply, id), are left out. As many instances
 * are repeated at the end as it takes for the mix to come out even. 0, or a negative errno with err naming
 * file and line. */
int homer_load_init(struct homer_load *l, const struct homer_load_options *o, struct homer_error *err);
void homer_load_deinit(struct homer_load *l);

#endif
