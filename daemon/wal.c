#include "daemon/wal.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "daemon/le.h"
#include "daemon/wal_impl.h"

enum { CHUNK_BYTES = 256 << 10 };

struct homer_wal_chunk *homer_wal_chunk_new(struct homer_wal *w, size_t bytes) {
    size_t cap = bytes > CHUNK_BYTES ? bytes : CHUNK_BYTES;
    struct homer_wal_chunk *c = w->idle;
    if (c && c->cap >= cap) {
        w->idle = NULL;
        return c;
    }
    c = homer_mem_alloc(w->mem, sizeof *c + cap, 1);
    if (c) c->cap = cap;
    return c;
}

static void chunk_free(struct homer_wal *w, struct homer_wal_chunk *c) {
    if (!w->idle && c->cap == CHUNK_BYTES) {
        c->n = 0;
        c->next = NULL;
        w->idle = c;
        return;
    }
    homer_mem_free(w->mem, c, sizeof *c + c->cap, 1);
}

/* Frees what no retry needs. */
static void forget(struct homer_wal *w) {
    while (w->kept.chunk != w->tail && w->kept.at == w->kept.chunk->n) {
        if (w->written.chunk == w->kept.chunk) { /* both at its end */
            w->written.chunk = w->kept.chunk->next;
            w->written.at = 0;
        }
        w->kept.chunk = w->kept.chunk->next;
        w->kept.at = 0;
    }
    while (w->head != w->kept.chunk) {
        struct homer_wal_chunk *c = w->head;
        w->head = c->next;
        chunk_free(w, c);
    }
    if (w->kept.sequence == w->end.sequence) /* then the head is the tail, and all of it is done with */
        w->head->n = w->end.at = w->kept.at = w->written.at = 0;
}

void homer_wal_why(struct homer_wal *w, int rc) {
    char name[HOMER_NUMBERED_NAME] = HOMER_WAL_SPARE;
    if (w->job.where != UINT64_MAX) homer_wal_name(name, w->job.where);
    snprintf(w->why, sizeof w->why, "could not %s %s of %.120s: %s", w->job.what, name, w->dir,
             strerror(-rc));
}

int homer_wal_reserve(struct homer_wal *w, size_t n, char **room, struct homer_error *err) {
    if (n > w->options.max_record)
        return homer_err_set(err, HOMER_E_TOO_LARGE, "a record of %zu bytes; the log takes at most %zu", n,
                             w->options.max_record);
    size_t bytes = HOMER_WAL_RECORD + n;
    if (w->failed) return homer_err_set(err, HOMER_E_READ_ONLY, "%s", w->why);
    if (bytes > w->room && !w->spare) {
        if (!w->spare_rc)
            return homer_err_set(err, HOMER_E_BUSY, "%llu bytes wait for the disk",
                                 (unsigned long long)(w->end.bytes - w->written.bytes));
        w->starved = true;
        return homer_err_set(err, HOMER_E_READ_ONLY, "%s", w->why);
    }
    if (w->tail->cap - w->tail->n < bytes) {
        struct homer_wal_chunk *c = homer_wal_chunk_new(w, bytes);
        if (!c) return homer_err_set(err, -ENOMEM, "no memory for a record of the log");
        w->tail->next = c;
        w->tail = c;
        w->end.chunk = c;
        w->end.at = 0;
    }
    *room = w->tail->data + w->tail->n + HOMER_WAL_RECORD;
    return 0;
}

uint64_t homer_wal_append(struct homer_wal *w, size_t n) {
    size_t bytes = HOMER_WAL_RECORD + n;
    homer_le_put32(w->tail->data + w->tail->n + 12,
                   (uint32_t)n); /* the rest of the frame is the pool's work */
    w->tail->n += bytes;
    w->end.at += bytes;
    w->end.bytes += bytes;
    w->end.sequence++;
    if (bytes > w->room) {
        w->spare = false;
        w->crossed = true;
        w->room = w->options.segment_bytes - HOMER_WAL_HEADER;
    }
    w->room -= bytes;
    w->counters.records++;
    w->counters.bytes += bytes;
    return w->end.sequence;
}

bool homer_wal_take(struct homer_wal *w, bool sync, bool retry) {
    if (w->in_flight || (w->failed && !retry)) return false;
    bool records = w->end.sequence > w->written.sequence;
    bool unsynced = sync && w->written.sequence > w->durable;
    bool spare = retry && w->disk.spare < 0;
    if (!w->failed && !records && !unsynced && !spare) return false;
    struct homer_wal_at safe = w->kept;
    safe.sequence = w->durable;
    w->job = (struct homer_wal_job){.written = w->written,
                                    .to = w->end,
                                    .safe = safe,
                                    .fresh = w->failed,
                                    /* a retry that did not sync would not know whether the disk is well */
                                    .sync = sync || (w->failed && w->options.keep_unsynced),
                                    .want_spare = retry || !w->spare_rc};
    w->in_flight = true;
    w->crossed = false;
    w->batch++;
    return true;
}

void homer_wal_done(struct homer_wal *w, int rc) {
    const struct homer_wal_job *j = &w->job;
    w->in_flight = false;
    w->counters.syncs += j->syncs;
    w->counters.segments += j->segments;
    w->durable = j->safe.sequence;
    w->kept = w->options.keep_unsynced ? j->safe : j->written;
    w->written = rc ? w->kept : j->written;
    if (w->written.sequence > w->written_sequence) w->written_sequence = w->written.sequence;
    if (rc) {
        w->failed = true;
        w->rc = rc;
        w->counters.failures++;
        homer_wal_why(w, rc);
    } else {
        if (j->fresh) w->room = w->options.segment_bytes - w->disk.at;
        w->spare = j->has_spare && !w->crossed;
        w->failed = false;
        if (j->want_spare) w->spare_rc = j->spare_rc;
        if (j->spare_rc) homer_wal_why(w, j->spare_rc);
        if (j->has_spare) w->starved = false;
    }
    forget(w);
}

uint64_t homer_wal_batch(const struct homer_wal *w) {
    return w->batch;
}

uint64_t homer_wal_last(const struct homer_wal *w) {
    return w->end.sequence;
}

uint64_t homer_wal_written(const struct homer_wal *w) {
    return w->written_sequence;
}

uint64_t homer_wal_durable(const struct homer_wal *w) {
    return w->durable;
}

bool homer_wal_failing(const struct homer_wal *w, const char **why) {
    bool failing = w->failed || w->starved;
    if (why) *why = failing ? w->why : "";
    return failing;
}

struct homer_wal_counters homer_wal_counters(const struct homer_wal *w) {
    struct homer_wal_counters c = w->counters;
    c.removed = atomic_load(&w->removed);
    c.pending_bytes = w->end.bytes - w->kept.bytes;
    return c;
}
