/* A whole daemon but for sockets, loop and threads, on a disk in memory: engine, journal, log, snapshots,
 * recovery. The store is this file's own, so that one test may decide when a batch is written, a snapshot
 * taken, the power lost.
 *
 * It remembers which line became which record, and what the state was then: `state[sequence]` is a hash of
 * everything that a snapshot holds. A recovery has to give one of these, and lose nothing that was durable.
 */
#ifndef HOMER_TESTS_LIFE_FIXTURE_H
#define HOMER_TESTS_LIFE_FIXTURE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/rng.h"
#include "daemon/conn.h"
#include "daemon/record.h"
#include "daemon/recovery.h"
#include "daemon/snapshot.h"
#include "daemon/verbs.h"
#include "daemon/wal.h"
#include "tests/lib/disk.h"

enum { MOST_RECORDS = 2000, LONGEST_LINE = 400 };

static const char folder[] = "data";
static const uint8_t hash_key[16] = "life";

struct homer_store {
    struct homer_wal *wal;
};

struct life {
    struct homer_config config;
    struct disk *disk;
    struct homer_rng rng;
    struct homer_engine *engine;
    struct homer_store store;
    struct homer_mem mem; /* of the log, and of replies */
    struct homer_buf out;
    struct homer_session session;
    struct homer_error err;
    uint64_t durable, written; /* as the log said */
    uint64_t n;                /* last number of the source, growing over all lives */
    char damaged[64];          /* the snapshot that was damaged last */
    uint64_t ending;           /* file operations that ended lives */
    unsigned lives, snapshots, older, torn, failures;
    bool bare;   /* states are compared without capacities: refused memory may have left some */
    bool failed; /* a job of this life did */
    char line[MOST_RECORDS][LONGEST_LINE]; /* [sequence]; "" when no line was it */
    char state[MOST_RECORDS][33];          /* [sequence] */
};

/* ---- what the engine sees of a store ---- */

const char *homer_store_promise(const struct homer_store_config *c) {
    return c->dir ? "always" : "none";
}

int homer_store_reserve(struct homer_store *s, size_t n, char **room, struct homer_error *err) {
    return homer_wal_reserve(s->wal, n, room, err);
}

void homer_store_append(struct homer_store *s, size_t n) {
    homer_wal_append(s->wal, n);
}

bool homer_store_is_behind(const struct homer_store *s) {
    return homer_wal_durable(s->wal) < homer_wal_last(s->wal);
}

int homer_store_snapshot(struct homer_store *s, uint64_t session, struct homer_str model, struct homer_str id,
                         struct homer_error *err) {
    (void)s, (void)session, (void)model, (void)id;
    return homer_err_set(err, HOMER_E_BUSY, "not here");
}

void homer_store_stats(const struct homer_store *s, struct homer_reply *r) {
    (void)s, (void)r;
}

/* ---- lines ---- */

static inline size_t below(struct life *l, size_t n) {
    return (size_t)(homer_rng_next(&l->rng) % n);
}

static inline uint64_t life_now(void) {
    return 1000000;
}

static const struct homer_clock life_clock = {life_now, life_now};

static inline void state_of(const struct life *l, const struct homer_engine *e, char hex[33]) {
    struct homer_codec c;
    struct homer_hasher *h = homer_hasher_new(&c);
    assert_non_null(h);
    c.bare = l->bare;
    homer_engine_encode(e, &c);
    homer_hasher_free(h, hex);
}

/* A request of any kind that changes something, or is refused. */
static inline void some_line(struct life *l, char out[LONGEST_LINE]) {
    static const char *const models[] = {"default", "default", "default", "second"};
    const char *model = models[below(l, 4)];
    char x[160], y[64], src[64] = "";
    snprintf(x, sizeof x, "\"x\":{\"a\":%zu,\"b%zu\":%zu.5,\"kind\":\"k%zu\",\"tags\":[\"t%zu\",\"u\"]}",
             below(l, 9), below(l, 5), below(l, 90), below(l, 4), below(l, 6));
    snprintf(y, sizeof y, below(l, 4) ? "\"y\":[\"l%zu\",\"m%zu\"]" : "\"y\":{\"l%zu\":true,\"m%zu\":false}",
             below(l, 4), below(l, 3));
    if (below(l, 2))
        snprintf(src, sizeof src, ",\"src\":\"s%zu\",\"n\":%llu", below(l, 3), (unsigned long long)++l->n);
    switch (below(l, 16)) {
    case 0:
        snprintf(out, LONGEST_LINE,
                 "{\"op\":\"model.create\",\"name\":\"second\",\"config\":{\"profile\":\"linear\"}}");
        break;
    case 1:
        snprintf(out, LONGEST_LINE, "{\"op\":\"model.%s\",\"name\":\"second\"}",
                 below(l, 4) ? "create" : "drop");
        break;
    case 2:
    case 3:
    case 4:
        snprintf(out, LONGEST_LINE, "{\"op\":\"predict\",%s,\"track\":true,\"id\":%zu,\"model\":\"%s\"}", x,
                 below(l, 8), model);
        break;
    case 5:
    case 6:
        snprintf(out, LONGEST_LINE, "{\"op\":\"label\",\"ref\":%zu,%s%s,\"model\":\"%s\"}", below(l, 8), y,
                 src, model);
        break;
    case 7:
        snprintf(out, LONGEST_LINE, "{\"op\":\"test\",%s,%s%s,\"model\":\"%s\"}", x, y, src, model);
        break;
    default:
        snprintf(out, LONGEST_LINE, "{%s,%s%s,\"model\":\"%s\"}", x, y, src, model);
    }
}

static inline bool tell(struct homer_engine *e, struct homer_session *s, const char *line,
                        struct homer_buf *out, unsigned *flags) {
    homer_buf_truncate(out, 0);
    *flags = homer_engine_line(e, s, line, strlen(line), false, out);
    return out->n > 10 && memcmp(out->data, "{\"ok\":true", 10) == 0;
}

/* What the log promises may only grow. */
static inline void watch(struct life *l) {
    uint64_t durable = homer_wal_durable(l->store.wal), written = homer_wal_written(l->store.wal);
    assert_true(durable >= l->durable && written >= l->written && durable <= written);
    l->durable = durable;
    l->written = written;
}

/* Takes note of the record that was accepted last. */
static inline void note(struct life *l, const char *line) {
    uint64_t last = homer_wal_last(l->store.wal);
    assert_true(last < MOST_RECORDS);
    snprintf(l->line[last], LONGEST_LINE, "%s", line);
    state_of(l, l->engine, l->state[last]);
}

/* One line: a record and another state, or neither. */
static inline void life_line(struct life *l) {
    char line[LONGEST_LINE], now[33];
    uint64_t before = homer_wal_last(l->store.wal);
    unsigned flags;
    some_line(l, line);
    bool ok = tell(l->engine, &l->session, line, &l->out, &flags);
    if (ok) {
        assert_int_equal(homer_wal_last(l->store.wal), before + 1);
        assert_true(flags & HOMER_LINE_HOLD); /* acknowledged when it is durable */
        note(l, line);
        return;
    }
    assert_int_equal(homer_wal_last(l->store.wal), before);
    state_of(l, l->engine, now);
    assert_string_equal(now, l->state[before]);
}

/* A job of the log, if there is one to do; its result. */
static inline int life_commit(struct life *l, bool sync, bool retry) {
    if (!homer_wal_take(l->store.wal, sync, retry)) return 0;
    for (size_t n = below(l, 4); n > 0; n--) life_line(l); /* while the job is under way */
    int rc = homer_wal_write(l->store.wal);
    l->failures += rc != 0;
    l->failed = l->failed || rc;
    homer_wal_done(l->store.wal, rc);
    watch(l);
    return rc;
}

/* ---- snapshots ---- */

struct publishing {
    struct life *life;
    uint64_t sequence;
};

/* The log has to be durable up to it; learning goes on meanwhile. */
static inline int life_may_publish(void *arg) {
    struct publishing *p = arg;
    struct life *l = p->life;
    for (int i = 0; i < 3 && homer_wal_durable(l->store.wal) < p->sequence; i++) {
        life_line(l);
        life_commit(l, true, true);
    }
    return homer_wal_durable(l->store.wal) < p->sequence ? -ECANCELED : 0;
}

static inline void life_encode(void *ctx, struct homer_codec *c) {
    homer_engine_encode(ctx, c);
}

static inline struct homer_snapshots life_snapshots(struct life *l) {
    return (struct homer_snapshots){.files = disk_files(l->disk), .dir = folder};
}

static inline void life_prune(struct life *l, uint64_t known) {
    struct homer_snapshots where = life_snapshots(l);
    uint64_t oldest;
    if (homer_snapshot_prune(&where, 2, known, &oldest) == 0 && oldest)
        homer_wal_remove_before(l->store.wal, oldest + 1);
}

static inline int life_snapshot(struct life *l) {
    struct homer_snapshots where = life_snapshots(l);
    struct publishing p = {.life = l, .sequence = homer_wal_last(l->store.wal)};
    int rc = homer_snapshot_write(&where, p.sequence, life_encode, l->engine, life_may_publish, &p, &l->err);
    if (rc == 0) {
        l->snapshots++;
        life_prune(l, p.sequence);
    }
    return rc;
}

/* The newest snapshot of several, all of them whole, goes bad on the disk: that costs time, and nothing else.
 */
static inline void life_damage(struct life *l) {
    struct homer_snapshots where = life_snapshots(l);
    struct homer_mem mem = {0};
    struct homer_numbered list;
    size_t bytes;
    char *path = l->damaged;
    if (*path && disk_exists(l->disk, path)) return;
    assert_int_equal(homer_numbered_list(&list, &mem, where.files, where.dir, HOMER_SNAPSHOT_PREFIX), 0);
    if (list.n > 1) {
        snprintf(path, sizeof l->damaged, "%s/snapshot-%016llx", folder,
                 (unsigned long long)list.at[list.n - 1]);
        unsigned char *content = disk_content(l->disk, path, &bytes), *copy = malloc(bytes);
        assert_non_null(copy);
        memcpy(copy, content, bytes);
        copy[below(l, bytes)] ^= (unsigned char)(1u << below(l, 8));
        disk_put(l->disk, path, copy, bytes);
        free(copy);
    }
    homer_numbered_deinit(&list);
}

/* ---- life and death ---- */

static inline void life_init(struct life *l, uint64_t seed, bool bare) {
    memset(l, 0, sizeof *l);
    l->bare = bare;
    l->session = (struct homer_session){.id = 1, .trusted = true};
    homer_rng_seed(&l->rng, seed);
    l->disk = disk_new(seed);
    assert_int_equal(homer_config_init(&l->config), 0);
    l->config.request.max_line = 600;
    l->config.model.window = 10;
    l->config.model.max_labels = 20;
    l->config.pending.count = 6;
    homer_buf_init(&l->out, &l->mem);
    assert_int_equal(homer_buf_reserve(&l->out, 4096), 0); /* what a connection has */
}

static inline void life_deinit(struct life *l) {
    l->engine = homer_engine_free(l->engine);
    homer_buf_deinit(&l->out);
    l->config.store.dir = NULL;
    homer_config_deinit(&l->config);
    assert_int_equal(l->mem.used_bytes, 0);
    l->disk = disk_free(l->disk);
}

/* One attempt to start: recovers, opens the log, takes over. Nonzero: nothing is left of it. */
static inline int life_try(struct life *l, struct homer_restore *r) {
    static char dir[sizeof folder];
    memcpy(dir, folder, sizeof folder);
    l->config.store.dir = dir;
    l->err = (struct homer_error){0};
    *r = (struct homer_restore){.files = disk_files(l->disk), .dir = folder};
    int rc = homer_engine_new(&l->engine, &l->config, hash_key, &life_clock);
    if (rc) {
        l->engine = NULL;
        return rc;
    }
    r->engine = l->engine;
    rc = homer_restore(r, &l->err);
    if (rc == 0) {
        struct homer_wal_options log = {
            .segment_bytes = 4096, .max_record = 2000, .keep_unsynced = true, .salt = 1 + l->lives};
        rc = homer_wal_open(&l->store.wal, &l->mem, disk_files(l->disk), folder, &log, r->last + 1, &l->err);
        if (rc) l->store.wal = NULL;
    }
    if (rc == 0) rc = homer_engine_restored(l->engine, &l->store, r->last == 0, false, &l->err);
    if (rc == 0) return 0;
    if (l->store.wal) homer_wal_close(l->store.wal);
    l->store.wal = NULL;
    l->engine = homer_engine_free(l->engine);
    disk_kill(l->disk);
    return rc;
}

/* Checks what a start has brought back, and goes on with it. */
static inline void life_begin(struct life *l, const struct homer_restore *r, bool power) {
    char now[33];
    uint64_t promised = power || l->failed ? l->durable : l->written;
    assert_true(r->last >= promised);
    l->torn += r->log.torn_bytes > 0;
    l->older += r->damaged > 0;
    l->lives++;
    l->failed = false;
    l->durable = l->written = r->last;
    if (r->last == 0) {
        note(l, "");
        return;
    }
    state_of(l, l->engine, now);
    assert_string_equal(now, l->state[r->last]);
}

/* SIGKILL, or the power as well: what was in memory goes without a word to the disk. */
static inline void life_end(struct life *l, bool power) {
    uint64_t before = disk_count(l->disk, DISK_ALL);
    disk_fail(l->disk, DISK_ALL, 1, UINT64_MAX, EIO);
    homer_wal_close(l->store.wal);
    l->store.wal = NULL;
    disk_heal(l->disk);
    disk_kill(l->disk);
    l->ending += disk_count(l->disk, DISK_ALL) - before;
    l->engine = homer_engine_free(l->engine);
    if (power) disk_power_loss(l->disk);
}

/* An engine that was never interrupted, fed the lines of all records up to `last`, has that state. */
static inline void life_compare(struct life *l, uint64_t last) {
    struct homer_engine *e;
    char now[33];
    unsigned flags;
    l->config.store.dir = NULL;
    assert_int_equal(homer_engine_new(&e, &l->config, hash_key, &life_clock), 0);
    for (uint64_t i = 1; i <= last; i++)
        if (*l->line[i]) assert_true(tell(e, &l->session, l->line[i], &l->out, &flags));
    state_of(l, e, now);
    assert_string_equal(now, l->state[last]);
    homer_engine_free(e);
}

#endif
