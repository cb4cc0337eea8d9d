#include "clients/cli/pump.h"

#include <errno.h>
#include <math.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include "clients/cli/ask.h"
#include "clients/cli/interrupt.h"
#include "clients/cli/metrics.h"
#include "clients/cli/request_line.h"
#include "clients/cli/printable.h"

enum {
    TICK_MS = 100, /* an interrupt or a progress bar waits no longer */
    REPORTED = 10, /* refused lines that are reported one by one */
    QUEUE_BYTES = 1 << 20,
};
static const double STATS_S = 1, GRACE_S = 2;

enum kind { INSTANCE, FOR_CURVE, FOR_PROGRESS };

struct in_flight {
    struct homer_place place;
    enum kind kind;
};

struct run {
    struct homer_pump *p;
    struct homer_mem mem;
    struct homer_buf fields, request, stats;
    size_t fields_n;        /* of the fields without a number */
    struct in_flight *ring; /* [ring_n]: requests in order */
    size_t ring_n, ring_first, ring_used;
    double started, stats_asked, stopped; /* seconds of the monotonic clock; stopped 0 = still sending */
    bool full;                            /* waiting until half the window is free: fewer, larger writes */
    bool ended;                           /* the source's end, or it cannot be read on: source_rc */
    int source_rc;
    bool idle;      /* the source is a pipe and has nothing now */
    uint64_t taken; /* lines of the source */
};

static double now_s(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

static void complain(struct run *r, const struct homer_place *place, const char *code, const char *message) {
    if (++r->p->refused > REPORTED) return;
    if (r->p->progress) homer_progress_clear(r->p->progress);
    fprintf(stderr, "%s:%llu: %s%s", place->file, (unsigned long long)place->line, code, *code ? ": " : "");
    homer_print_safe(stderr, message);
    fputc('\n', stderr);
    if (r->p->refused == REPORTED) fputs("homer: further refused lines are only counted\n", stderr);
}

static int queue(struct run *r, const char *text, size_t n, enum kind kind, struct homer_place place,
                 struct homer_error *err) {
    int rc = homer_client_send(r->p->client, text, n, err);
    if (rc) return rc;
    r->ring[(r->ring_first + r->ring_used++) % r->ring_n] = (struct in_flight){place, kind};
    return 0;
}

static int queue_stats(struct run *r, enum kind kind, struct homer_error *err) {
    return queue(r, r->stats.data, r->stats.n, kind, (struct homer_place){0}, err);
}

/* May one more instance be queued now? */
static bool may_send(struct run *r, double now) {
    struct homer_pump *p = r->p;
    if (r->ended || r->stopped > 0) return false;
    if (r->ring_used >= p->window) r->full = true;
    if (r->ring_used <= p->window / 2) r->full = false;
    if (r->full || homer_client_unsent(p->client) >= QUEUE_BYTES) return false;
    return p->rate <= 0 || (double)r->taken <= (now - r->started) * p->rate;
}

/* The fields in front of the next line, with its number. */
static int number(struct run *r, struct homer_error *err) {
    if (!r->p->src) return 0;
    homer_buf_truncate(&r->fields, r->fields_n);
    homer_buf_printf(&r->fields, ",\"n\":%llu", (unsigned long long)r->taken);
    homer_buf_putc(&r->fields, '\0');
    return r->fields.failed ? homer_err_set(err, -ENOMEM, "out of memory") : 0;
}

static int send_some(struct run *r, double now, struct homer_error *err) {
    struct homer_pump *p = r->p;
    r->idle = false;
    while (may_send(r, now)) {
        const char *line;
        size_t n;
        struct homer_place place;
        int rc = homer_source_next(p->source, &line, &n, &place, err);
        r->idle = rc == -EAGAIN;
        if (r->idle) break;
        if (rc <= 0) {
            r->source_rc = rc;
            r->ended = true;
            break;
        }
        r->taken++;
        struct homer_error bad;
        rc = number(r, &bad);
        if (rc == 0) rc = homer_request_line(&r->request, r->fields.data, NULL, line, n, &bad);
        if (rc == -EINVAL) {
            complain(r, &place, "", bad.message);
            continue;
        }
        if (rc) return homer_err_set(err, rc, "%s", bad.message);
        rc = queue(r, r->request.data, r->request.n, INSTANCE, place, err);
        if (rc) return rc;
        p->sent++;
        if (p->curve && p->sent % homer_curve_every(p->curve) == 0) {
            rc = queue_stats(r, FOR_CURVE, err);
            if (rc) return rc;
        }
    }
    bool shown = p->progress && p->progress->to && r->stopped <= 0 && !r->ended;
    if (!shown || now - r->stats_asked < STATS_S || r->ring_used == r->ring_n) return 0;
    r->stats_asked = now;
    return queue_stats(r, FOR_PROGRESS, err);
}

static int take_stats(struct run *r, enum kind kind, const char *text, size_t n, struct homer_error *err) {
    struct homer_pump *p = r->p;
    json_t *stats = homer_ask_read(text, n, err);
    if (!stats) return -EPROTO;
    int rc = 0;
    if (kind == FOR_CURVE) {
        rc = homer_curve_row(p->curve, p->model ? p->model : "default", now_s() - r->started, stats, err);
    } else {
        double micro = homer_metric_get(stats, "total", "micro_f1"),
               subset = homer_metric_get(stats, "total", "subset");
        if (!isnan(micro) && !isnan(subset))
            snprintf(p->progress->metrics, sizeof(p->progress->metrics), "micro F1 %.3f  subset %.3f", micro,
                     subset);
    }
    json_decref(stats);
    return rc;
}

static int take_reply(struct run *r, const char *text, size_t n, struct homer_error *err) {
    /* Every good reply of homerd begins so; what does not is looked at closely. */
    static const char good[] = "{\"ok\":true";
    if (r->ring_used == 0) return homer_err_set(err, -EPROTO, "the daemon sent a line that nobody asked for");
    struct in_flight f = r->ring[r->ring_first];
    r->ring_first = (r->ring_first + 1) % r->ring_n;
    r->ring_used--;
    if (f.kind != INSTANCE) return take_stats(r, f.kind, text, n, err);
    if (n >= sizeof(good) - 1 && memcmp(text, good, sizeof(good) - 1) == 0) {
        static const char dup[] = ",\"dup\":true"; /* behind it, without an id */
        r->p->done++;
        if (r->p->src && n >= sizeof(good) + sizeof(dup) &&
            memcmp(text + sizeof(good) - 1, dup, sizeof(dup) - 1) == 0)
            r->p->repeated++;
        return 0;
    }
    struct homer_error said;
    json_t *reply = homer_ask_parse(text, n, &said);
    if (!reply) return homer_err_set(err, -EPROTO, "%s", said.message);
    if (json_is_true(json_object_get(reply, "ok")))
        r->p->done++;
    else
        complain(r, &f.place, homer_ask_code(reply), homer_ask_message(reply));
    json_decref(reply);
    return 0;
}

static int receive(struct run *r, struct homer_error *err) {
    const char *text;
    size_t n;
    int rc;
    while ((rc = homer_client_reply(r->p->client, &text, &n, err)) == 1) {
        rc = take_reply(r, text, n, err);
        if (rc) return rc;
    }
    return rc;
}

static int wait_ms(const struct run *r, double now) {
    if (r->p->rate <= 0 || r->ended || r->stopped > 0) return TICK_MS;
    double ms = (r->started + (double)r->taken / r->p->rate - now) * 1000;
    return ms > TICK_MS ? TICK_MS : ms < 1 ? 1 : (int)ms;
}

/* Waits for the daemon, and for a source that had nothing; then moves bytes. */
static int step(struct run *r, int timeout_ms, struct homer_error *err) {
    struct homer_client *c = r->p->client;
    if (!r->idle || r->stopped > 0) return homer_client_step(c, timeout_ms, err);
    struct pollfd p[2] = {{.fd = homer_client_fd(c), .events = homer_client_events(c)},
                          {.fd = homer_source_fd(r->p->source), .events = POLLIN}};
    (void)poll(p, 2, timeout_ms);
    return homer_client_step(c, 0, err);
}

static int loop(struct run *r, struct homer_error *err) {
    struct homer_pump *p = r->p;
    for (;;) {
        double now = now_s();
        if (homer_interrupted() && r->stopped <= 0) {
            r->stopped = now;
            p->interrupted = homer_interrupted();
        }
        int rc = send_some(r, now, err);
        if (rc) return rc;
        if (r->source_rc == -EINTR && r->stopped <= 0) continue; /* the signal is seen above */
        bool over = r->ended || r->stopped > 0;
        if (over && r->ring_used == 0) return p->interrupted ? 0 : r->source_rc;
        if (r->stopped > 0 && now - r->stopped > GRACE_S)
            return homer_err_set(err, -ETIMEDOUT, "the daemon did not answer within %.0f seconds", GRACE_S);
        rc = step(r, wait_ms(r, now), err);
        if (rc == 0) rc = receive(r, err);
        if (rc) return rc;
        if (p->progress) homer_progress_draw(p->progress, p->done + p->refused, now - r->started);
    }
}

static int prepare(struct run *r, struct homer_error *err) {
    struct homer_pump *p = r->p;
    struct homer_buf *bufs[] = {&r->fields, &r->request, &r->stats};
    for (size_t i = 0; i < 3; i++) homer_buf_init(bufs[i], &r->mem);
    r->ring_n = p->window + 2; /* a row of the curve and the progress bar may ask behind the last instance */
    r->ring = homer_mem_alloc(&r->mem, r->ring_n, sizeof(*r->ring));
    if (!r->ring)
        return homer_err_set(err, -ENOMEM, "out of memory for %llu requests under way",
                             (unsigned long long)p->window);
    homer_buf_printf(&r->fields, "\"op\":\"%s\"", p->op);
    if (strcmp(p->op, "test") == 0) homer_buf_puts(&r->fields, ",\"scores\":false");
    if (p->model) {
        int rc = homer_request_member(&r->fields, "model", p->model, err);
        if (rc) return rc;
    }
    if (p->src) {
        int rc = homer_request_member(&r->fields, "src", p->src, err);
        if (rc) return rc;
    }
    r->fields_n = r->fields.n;
    homer_buf_putc(&r->fields, '\0');
    int rc = homer_ask_build(&r->stats, "stats", p->model, err);
    return rc ? rc : r->fields.failed ? homer_err_set(err, -ENOMEM, "out of memory") : 0;
}

int homer_pump_run(struct homer_pump *p, struct homer_error *err) {
    struct run r = {.p = p};
    int rc = prepare(&r, err);
    r.started = r.stats_asked = now_s();
    if (rc == 0) rc = loop(&r, err);
    p->lost = rc && !(r.ended && r.ring_used == 0);
    p->seconds = now_s() - r.started;
    if (p->progress) homer_progress_clear(p->progress);
    homer_buf_deinit(&r.fields);
    homer_buf_deinit(&r.request);
    homer_buf_deinit(&r.stats);
    homer_mem_free(&r.mem, r.ring, r.ring_n, sizeof(*r.ring));
    return rc;
}
