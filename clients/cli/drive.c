#include "clients/cli/drive.h"

#include <errno.h>
#include <math.h>
#include <poll.h>
#include <string.h>
#include <sys/epoll.h>
#include <time.h>
#include <unistd.h>
#include "clients/cli/ask.h"
#include "clients/cli/interrupt.h"

enum { TICK_MS = 100, EVENTS = 64 };
static const uint64_t SECOND = 1000000000, INTERRUPT_GRACE = 2 * SECOND, GRACE = 30 * SECOND;

/* A request under way. */
struct sent {
    uint64_t since;
    uint8_t verb;
    bool counts;
};

struct connection {
    struct homer_client *client;
    struct sent *ring; /* [ring_n] */
    size_t first, used;
    size_t next, offset; /* the next request of the pass, and how many of its bytes are sent */
    uint64_t granted;    /* requests that may be sent and are not yet whole with the socket */
    uint64_t dealt;      /* of the open loop, since it started */
    bool full;           /* waiting for half of the window */
    bool blocked;        /* the socket takes no more */
};

struct run {
    struct homer_drive *d;
    struct homer_mem mem;
    struct connection *connection; /* [client_n] */
    size_t ring_n;
    int poll_fd;
    uint64_t from, until; /* when counting starts and sending ends; UINT64_MAX = never */
    uint64_t origin;      /* when the open loop's first request is due */
    uint64_t left;        /* requests that may still be granted */
    uint64_t under_way;
    uint64_t stopped; /* when sending ended; 0 = not yet */
    bool counting;
};

static uint64_t now_ns(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * SECOND + (uint64_t)t.tv_nsec;
}

static uint64_t ns_of(double seconds) {
    return seconds < 1e9 ? (uint64_t)(seconds * (double)SECOND) : UINT64_MAX / 4;
}

/* When the open loop's k-th request of connection c is due. */
static uint64_t due(const struct run *r, const struct connection *c, uint64_t k) {
    uint64_t place = k * r->d->client_n + (uint64_t)(c - r->connection);
    return r->origin + ns_of((double)place / r->d->rate);
}

/* How many requests the connection may begin now, besides those granted. */
static uint64_t wanted(struct run *r, struct connection *c, uint64_t now) {
    const struct homer_drive *d = r->d;
    uint64_t busy = c->used + c->granted, room = d->pipeline > busy ? d->pipeline - busy : 0;
    if (d->rate > 0) {
        if (now < r->origin || room == 0) return 0;
        double passed = (double)(now - r->origin) / (double)SECOND * d->rate;
        double all = floor((passed - (double)(c - r->connection)) / (double)d->client_n) + 1;
        uint64_t ready = all > 0 ? (uint64_t)all : 0;
        ready = ready > c->dealt + c->granted ? ready - c->dealt - c->granted : 0;
        return ready < room ? ready : room;
    }
    if (room == 0) c->full = true;
    if (busy <= d->pipeline / 2) c->full = false;
    return c->full ? 0 : room;
}

/* Grants what may be sent now. Requests that only prepare others go along with the one behind them. */
static void grant(struct run *r, struct connection *c, uint64_t now) {
    uint64_t n = r->stopped ? 0 : wanted(r, c, now);
    if (n > r->left) n = r->left;
    r->left -= r->counting ? n : 0;
    c->granted += n;
}

static void remember(struct run *r, struct connection *c, uint8_t verb, uint64_t now) {
    uint64_t since = now;
    if (verb != HOMER_VERB_NONE) {
        if (r->d->rate > 0) since = due(r, c, c->dealt);
        c->dealt++;
        c->granted--;
    }
    c->ring[(c->first + c->used++) % r->ring_n] =
        (struct sent){since, verb, r->counting && verb != HOMER_VERB_NONE};
    r->under_way++;
}

/* Where the requests end that may be sent: granted ones, and those without a verb in front of them, as far as
 * the pass and the ring go. */
static size_t last_of(const struct run *r, const struct connection *c) {
    const struct homer_load *l = r->d->load;
    uint64_t granted = c->granted;
    size_t i = c->next, room = r->ring_n - c->used;
    for (; i < l->n && room; i++, room--) {
        if (granted == 0) break;
        granted -= l->request[i].verb != HOMER_VERB_NONE;
    }
    return i;
}

static int watch(const struct run *r, struct connection *c, int how) {
    struct epoll_event e = {.events = EPOLLIN | (c->blocked ? EPOLLOUT : 0u), .data = {.ptr = c}};
    return epoll_ctl(r->poll_fd, how, homer_client_fd(c->client), &e);
}

static int send_some(struct run *r, struct connection *c, struct homer_error *err) {
    const struct homer_load *l = r->d->load;
    bool blocked = false;
    while (!blocked) {
        uint64_t now = now_ns();
        grant(r, c, now);
        size_t last = last_of(r, c), taken;
        if (last == c->next) break;
        size_t begin = c->next ? l->request[c->next - 1].end : 0, from = begin + c->offset;
        size_t end = l->request[last - 1].end;
        int rc = homer_client_push(c->client, l->bytes.data + from, end - from, &taken, err);
        if (rc) return rc;
        if (r->counting) r->d->bytes_out += taken;
        size_t place = from + taken;
        for (; c->next < last && l->request[c->next].end <= place; c->next++)
            remember(r, c, l->request[c->next].verb, now);
        c->offset = place - (c->next ? l->request[c->next - 1].end : 0);
        blocked = place < end;
        if (c->next == l->n) c->next = c->offset = 0;
    }
    if (blocked == c->blocked) return 0;
    c->blocked = blocked;
    if (watch(r, c, EPOLL_CTL_MOD)) return homer_err_set(err, -errno, "epoll: %s", strerror(errno));
    return 0;
}

static void count_error(struct homer_drive *d, const char *code) {
    size_t i = 0;
    while (i < d->error_n && strcmp(d->error[i].code, code) != 0) i++;
    if (i == d->error_n && d->error_n < HOMER_DRIVE_CODES) {
        snprintf(d->error[i].code, sizeof d->error[i].code, "%.31s", code);
        d->error_n++;
    }
    d->error[i < HOMER_DRIVE_CODES ? i : HOMER_DRIVE_CODES - 1].n++;
}

/* A reply that does not begin as the good ones do. */
static int take_other(struct run *r, const struct sent *s, const char *text, size_t n,
                      struct homer_error *err) {
    json_t *reply = homer_ask_parse(text, n, err);
    if (!reply) return -EPROTO;
    bool ok = json_is_true(json_object_get(reply, "ok"));
    int rc = 0;
    if (!ok && s->verb == HOMER_VERB_NONE)
        rc = homer_err_set(err, -EREMOTEIO, "the model cannot be made anew: %s: %s", homer_ask_code(reply),
                           homer_ask_message(reply));
    if (!ok && s->counts) {
        r->d->by[s->verb].failed++;
        count_error(r->d, homer_ask_code(reply));
    }
    json_decref(reply);
    return rc;
}

static int receive(struct run *r, struct connection *c, struct homer_error *err) {
    static const char good[] = "{\"ok\":true"; /* every good reply of homerd begins so */
    const char *text;
    size_t n;
    int rc = homer_client_pull(c->client, err);
    if (rc) return rc;
    uint64_t now = now_ns();
    while ((rc = homer_client_reply(c->client, &text, &n, err)) == 1) {
        if (c->used == 0) return homer_err_set(err, -EPROTO, "the daemon sent a line that nobody asked for");
        struct sent s = c->ring[c->first];
        if (++c->first == r->ring_n) c->first = 0;
        c->used--;
        r->under_way--;
        if (r->counting) r->d->bytes_in += n + 1;
        if (s.counts) {
            r->d->by[s.verb].done++;
            homer_latency_add(&r->d->by[s.verb].latency, now > s.since ? now - s.since : 0);
        }
        if (n >= sizeof good - 1 && memcmp(text, good, sizeof good - 1) == 0) continue;
        rc = take_other(r, &s, text, n, err);
        if (rc) return rc;
    }
    r->d->measured = now > r->from ? (double)(now - r->from) / (double)SECOND : 0;
    return rc;
}

static void stop(struct run *r, uint64_t now) {
    r->stopped = now;
    for (size_t i = 0; i < r->d->client_n; i++) /* what has begun goes out whole */
        if (r->connection[i].granted > (r->connection[i].offset > 0))
            r->connection[i].granted = r->connection[i].offset > 0;
}

static void start_counting(struct run *r) {
    r->counting = true;
    r->origin = r->from;
    for (size_t i = 0; i < r->d->client_n; i++) {
        struct connection *c = &r->connection[i];
        r->left -= c->granted < r->left ? c->granted : r->left;
        c->dealt = 0;
    }
}

/* What the clock and the user say. 0, or -ETIMEDOUT. */
static int look_up(struct run *r, uint64_t now, struct homer_error *err) {
    struct homer_drive *d = r->d;
    if (!r->counting && now >= r->from) start_counting(r);
    if (homer_interrupted() && !d->interrupted) {
        d->interrupted = homer_interrupted();
        stop(r, now);
    }
    if (!r->stopped && (now >= r->until || r->left == 0)) {
        bool granted = false;
        for (size_t i = 0; r->left == 0 && i < d->client_n; i++) granted |= r->connection[i].granted > 0;
        if (!granted || now >= r->until) stop(r, now);
    }
    uint64_t grace = d->interrupted ? INTERRUPT_GRACE : GRACE;
    if (!r->stopped || now - r->stopped < grace) return 0;
    return homer_err_set(err, -ETIMEDOUT, "%llu requests were not answered within %llu seconds",
                         (unsigned long long)r->under_way, (unsigned long long)(grace / SECOND));
}

/* How long nothing has to be done if nothing comes. */
static uint64_t pause_ns(struct run *r, uint64_t now) {
    uint64_t wake = now + TICK_MS * (SECOND / 1000);
    if (r->stopped) return wake - now;
    if (r->from > now && r->from < wake) wake = r->from;
    if (r->until < wake) wake = r->until;
    for (size_t i = 0; r->d->rate > 0 && i < r->d->client_n; i++) {
        const struct connection *c = &r->connection[i];
        uint64_t next = due(r, c, c->dealt + c->granted);
        if (!c->blocked && c->used + c->granted < r->d->pipeline && next < wake) wake = next;
    }
    return wake > now ? wake - now : 0;
}

static int wait_for(struct run *r, uint64_t now, struct epoll_event *events) {
    uint64_t ns = pause_ns(r, now);
    if (ns >= TICK_MS * (SECOND / 1000)) return epoll_wait(r->poll_fd, events, EVENTS, TICK_MS);
    /* epoll's own time limit is too coarse */
    struct timespec t = {.tv_sec = 0, .tv_nsec = (long)ns};
    struct pollfd p = {.fd = r->poll_fd, .events = POLLIN};
    if (ppoll(&p, 1, &t, NULL) <= 0) return 0;
    return epoll_wait(r->poll_fd, events, EVENTS, 0);
}

static void show_progress(struct run *r, uint64_t now) {
    struct homer_drive *d = r->d;
    uint64_t done = 0;
    if (!d->progress || !d->progress->to || !r->counting) return;
    for (int v = 0; v < HOMER_VERBS; v++) done += d->by[v].done;
    homer_progress_draw(d->progress, done, (double)(now - r->from) / (double)SECOND);
}

static int loop(struct run *r, struct homer_error *err) {
    struct homer_drive *d = r->d;
    struct epoll_event events[EVENTS];
    int n = 0, rc = 0;
    for (;;) {
        uint64_t now = now_ns();
        if ((rc = look_up(r, now, err))) return rc;
        /* the first requests; those of a schedule, which no reply brings about; and what stopping left */
        bool all = d->rate > 0 || (n == 0 && !r->stopped);
        for (size_t i = 0; all && rc == 0 && i < d->client_n; i++)
            if (!r->connection[i].blocked) rc = send_some(r, &r->connection[i], err);
        if (rc) return rc;
        if (r->stopped && r->under_way == 0) return 0;
        n = wait_for(r, now, events);
        if (n < 0 && errno != EINTR) return homer_err_set(err, -errno, "epoll: %s", strerror(errno));
        for (int i = 0; i < n; i++) {
            struct connection *c = events[i].data.ptr;
            if (events[i].events & ~(uint32_t)EPOLLOUT) rc = receive(r, c, err);
            if (rc == 0) rc = send_some(r, c, err);
            if (rc) return rc;
        }
        show_progress(r, now);
    }
}

static int prepare(struct run *r, struct homer_error *err) {
    struct homer_drive *d = r->d;
    r->ring_n = d->pipeline + 2; /* and those without a verb */
    r->connection = homer_mem_alloc(&r->mem, d->client_n, sizeof *r->connection);
    r->poll_fd = epoll_create1(EPOLL_CLOEXEC);
    if (r->poll_fd < 0) return homer_err_set(err, -errno, "epoll: %s", strerror(errno));
    for (size_t i = 0; r->connection && i < d->client_n; i++) {
        struct connection *c = &r->connection[i];
        c->client = d->client[i];
        c->next = i * d->load->n / d->client_n;
        c->ring = homer_mem_alloc(&r->mem, r->ring_n, sizeof *c->ring);
        if (!c->ring) break;
        if (watch(r, c, EPOLL_CTL_ADD)) return homer_err_set(err, -errno, "epoll: %s", strerror(errno));
    }
    if (!r->connection || !r->connection[d->client_n - 1].ring)
        return homer_err_set(err, -ENOMEM, "out of memory for %zu connections", d->client_n);
    uint64_t now = now_ns();
    r->left = d->requests ? d->requests : UINT64_MAX;
    r->origin = now;
    r->from = now + ns_of(d->warmup);
    r->until = d->seconds > 0 ? r->from + ns_of(d->seconds) : UINT64_MAX;
    return 0;
}

int homer_drive_run(struct homer_drive *d, struct homer_error *err) {
    struct run r = {.d = d, .poll_fd = -1};
    int rc = prepare(&r, err);
    if (rc == 0) rc = loop(&r, err);
    d->lost = rc != 0;
    if (d->progress) homer_progress_clear(d->progress);
    for (size_t i = 0; r.connection && i < d->client_n; i++)
        homer_mem_free(&r.mem, r.connection[i].ring, r.ring_n, sizeof *r.connection[i].ring);
    homer_mem_free(&r.mem, r.connection, d->client_n, sizeof *r.connection);
    if (r.poll_fd >= 0) close(r.poll_fd);
    return rc;
}
