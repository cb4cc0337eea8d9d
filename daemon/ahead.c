#include "daemon/ahead.h"

#include <errno.h>
#include <signal.h>
#include <stdatomic.h>
#include <uv.h>

/* How it works. Lines are numbered for ever; line i is parsed into slot i % HOMER_AHEAD_LINES, whose state
 * holds the line's number and how far it is. Who turns FREE into TAKEN parses it. `end` is the number behind
 * the last line that is announced; the slots of the lines before it are FREE when it is raised. A line is
 * withdrawn by taking it. So the worker, who may look late, finds slots of later lines, or not its own. */
enum { FREE, TAKEN, DONE, STATES };

enum {
    /* Lines behind the first that are worth waking the worker: it costs the loop thread as much as parsing
     * them. */
    WORTH_BYTES = 4096,
    /* For how long either looks again and again before it sleeps. More would bridge the gap from run to run,
     * at the cost of a core that the clients may need. */
    SPINS = 100,
};

/* A thread that sleeps until what it looks at has changed. Whoever changes it wakes it. */
struct sleeper {
    _Atomic bool is_asleep; /* who makes it false posts once */
    uv_sem_t sem;
};

struct slot {
    _Alignas(64) _Atomic uint64_t state; /* number * STATES + FREE, TAKEN or DONE */
    struct homer_piece line;
    struct homer_parsed *parsed;
    size_t bytes; /* that it held when it was looked at last */
};

struct homer_ahead {
    struct homer_mem mem;
    const struct homer_request_limits *limits;
    struct slot own;      /* for what was not announced */
    const char *own_text; /* the line that is in it already; NULL = none */
    struct slot *slot;    /* [HOMER_AHEAD_LINES], NULL without a worker */
    uint64_t next;        /* the line that is asked for next; end when none is announced */
    struct slot *got;     /* of the line that was asked for last; NULL = none */
    size_t bytes;         /* sum of the slots' */
    uv_thread_t worker;
    _Alignas(64) _Atomic uint64_t end;
    _Alignas(64) struct sleeper worker_sleep;
    struct sleeper loop_sleep;
    _Atomic uint64_t count; /* of lines, by the worker */
    _Atomic bool is_over;
};

static inline void pause_briefly(void) {
#if defined(__x86_64__) || defined(__i386__)
    __builtin_ia32_pause();
#elif defined(__aarch64__)
    __asm__ volatile("yield");
#endif
}

struct homer_parsed *homer_parsed_new(void) {
    struct homer_mem own = {0};
    struct homer_parsed *p = homer_mem_alloc(&own, 1, sizeof *p);
    if (!p) return NULL;
    p->mem = own;
    homer_request_init(&p->request, &p->mem);
    return p;
}

struct homer_parsed *homer_parsed_free(struct homer_parsed *p) {
    if (!p) return NULL;
    homer_request_deinit(&p->request);
    struct homer_mem own = p->mem;
    return homer_mem_free(&own, p, 1, sizeof *p);
}

void homer_ahead_parse(const struct homer_ahead *a, struct homer_parsed *p, const char *text, size_t n) {
    homer_request_parse(&p->request, text, n, a->limits);
}

/* The request of this slot is no longer used: a few long lines need not stay charged for ever. */
static void let_go(struct homer_ahead *a, struct slot *s) {
    for (int again = 0; again < 2; again++) {
        size_t used = s->parsed->mem.used_bytes;
        a->bytes += used - s->bytes;
        s->bytes = used;
        if (used <= HOMER_AHEAD_KEEP_ONE || a->bytes <= HOMER_AHEAD_KEEP) break;
        homer_request_deinit(&s->parsed->request);
    }
}

static struct slot *slot_of(struct homer_ahead *a, uint64_t number) {
    return &a->slot[number % HOMER_AHEAD_LINES];
}

static bool claim(struct slot *s, uint64_t number) {
    uint64_t expected = number * STATES + FREE;
    return atomic_compare_exchange_strong_explicit(&s->state, &expected, number * STATES + TAKEN,
                                                   memory_order_acquire, memory_order_relaxed);
}

/* ---- sleeping ---- */

/* Lie down, look once more, then sleep or get up: so no change is missed. */
static void lie_down(struct sleeper *s) {
    atomic_store(&s->is_asleep, true);
}

static void get_up(struct sleeper *s) {
    if (!atomic_exchange(&s->is_asleep, false)) uv_sem_wait(&s->sem); /* somebody has waked, or is about to */
}

static void wake(struct sleeper *s) {
    if (atomic_load(&s->is_asleep) && atomic_exchange(&s->is_asleep, false)) uv_sem_post(&s->sem);
}

/* ---- the worker ---- */

static void parse(struct homer_ahead *a, struct slot *s, uint64_t number) {
    homer_ahead_parse(a, s->parsed, s->line.text, s->line.n);
    atomic_fetch_add_explicit(&a->count, 1, memory_order_relaxed);
    atomic_store(&s->state, number * STATES + DONE);
    wake(&a->loop_sleep);
}

/* Until there are lines behind `at`, or it is over: shortly awake, then asleep. */
static void await_lines(struct homer_ahead *a, uint64_t at) {
    for (unsigned i = 0; i < SPINS; i++) {
        if (atomic_load_explicit(&a->end, memory_order_relaxed) > at) return;
        pause_briefly();
    }
    lie_down(&a->worker_sleep);
    if (atomic_load(&a->end) > at || atomic_load(&a->is_over))
        get_up(&a->worker_sleep);
    else
        uv_sem_wait(&a->worker_sleep.sem);
}

static void work(void *ctx) {
    struct homer_ahead *a = ctx;
    uint64_t at = 0;
    pthread_setname_np(pthread_self(), "homerd-decode");
    while (!atomic_load_explicit(&a->is_over, memory_order_relaxed)) {
        uint64_t end = atomic_load_explicit(&a->end, memory_order_acquire);
        if (at + HOMER_AHEAD_LINES < end) at = end - HOMER_AHEAD_LINES;
        for (; at < end; at++)
            if (claim(slot_of(a, at), at)) parse(a, slot_of(a, at), at);
        await_lines(a, at);
    }
}

/* ---- the loop thread ---- */

static void await_parsed(struct homer_ahead *a, struct slot *s, uint64_t number) {
    const uint64_t done = number * STATES + DONE;
    for (unsigned i = 0; i < SPINS; i++) {
        if (atomic_load_explicit(&s->state, memory_order_acquire) == done) return;
        pause_briefly();
    }
    while (atomic_load(&s->state) != done) {
        lie_down(&a->loop_sleep);
        if (atomic_load(&s->state) == done)
            get_up(&a->loop_sleep);
        else
            uv_sem_wait(&a->loop_sleep.sem);
    }
}

bool homer_ahead_has_worker(const struct homer_ahead *a) {
    return a->slot;
}

uint64_t homer_ahead_count(const struct homer_ahead *a) {
    return atomic_load_explicit(&a->count, memory_order_relaxed);
}

void homer_ahead_begin(struct homer_ahead *a, const struct homer_piece *line, unsigned n) {
    size_t bytes = 0;
    for (unsigned i = 1; i < n && bytes < WORTH_BYTES; i++) bytes += line[i].n;
    if (!a->slot || bytes < WORTH_BYTES) return;
    if (a->got) let_go(a, a->got); /* it may be one of these slots */
    a->got = NULL;
    for (unsigned i = 0; i < n; i++) {
        struct slot *s = slot_of(a, a->next + i);
        s->line = line[i];
        atomic_store_explicit(&s->state, (a->next + i) * STATES + FREE, memory_order_release);
    }
    atomic_store(&a->end, a->next + n);
    wake(&a->worker_sleep);
}

struct homer_parsed **homer_ahead_get(struct homer_ahead *a, const char *text, size_t n) {
    uint64_t end = atomic_load_explicit(&a->end, memory_order_relaxed);
    if (a->got) let_go(a, a->got);
    if (a->next < end && slot_of(a, a->next)->line.text == text) {
        uint64_t number = a->next++;
        a->got = slot_of(a, number);
        if (claim(a->got, number))
            homer_ahead_parse(a, a->got->parsed, text, n);
        else
            await_parsed(a, a->got, number);
    } else {
        a->got = &a->own;
        if (a->own_text != text) homer_ahead_parse(a, a->own.parsed, text, n);
        a->own_text = NULL;
    }
    return &a->got->parsed;
}

void homer_ahead_put(struct homer_ahead *a, const char *text, struct homer_parsed *p) {
    homer_parsed_free(a->own.parsed);
    a->own.parsed = p;
    a->own_text = text;
    if (a->got == &a->own) a->got = NULL;
}

void homer_ahead_end(struct homer_ahead *a) {
    a->own_text = NULL;
    for (uint64_t end = atomic_load_explicit(&a->end, memory_order_relaxed); a->next < end; a->next++) {
        struct slot *s = slot_of(a, a->next);
        if (!claim(s, a->next)) await_parsed(a, s, a->next);
        let_go(a, s);
    }
}

/* ---- life ---- */

int homer_ahead_new(struct homer_ahead **out, const struct homer_request_limits *limits) {
    struct homer_mem own = {0};
    struct homer_ahead *a = homer_mem_alloc(&own, 1, sizeof *a);
    if (!a) return -ENOMEM;
    a->limits = limits;
    a->own.parsed = homer_parsed_new();
    a->mem = own;
    if (!a->own.parsed) {
        homer_ahead_free(a);
        return -ENOMEM;
    }
    *out = a;
    return 0;
}

static void free_slots(struct homer_ahead *a) {
    for (unsigned i = 0; a->slot && i < HOMER_AHEAD_LINES; i++) homer_parsed_free(a->slot[i].parsed);
    a->slot = homer_mem_free(&a->mem, a->slot, HOMER_AHEAD_LINES, sizeof *a->slot);
}

static int make_slots(struct homer_ahead *a) {
    a->slot = homer_mem_alloc(&a->mem, HOMER_AHEAD_LINES, sizeof *a->slot);
    for (unsigned i = 0; a->slot && i < HOMER_AHEAD_LINES; i++)
        if (!(a->slot[i].parsed = homer_parsed_new())) return -ENOMEM;
    return a->slot ? 0 : -ENOMEM;
}

/* A thread that no signal is delivered to. */
static int start_thread(struct homer_ahead *a) {
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    int err = uv_thread_create(&a->worker, work, a);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return err;
}

int homer_ahead_start(struct homer_ahead *a) {
    int err = make_slots(a);
    if (!err) err = uv_sem_init(&a->worker_sleep.sem, 0);
    if (!err) {
        err = uv_sem_init(&a->loop_sleep.sem, 0);
        if (!err) {
            err = start_thread(a);
            if (!err) return 0;
            uv_sem_destroy(&a->loop_sleep.sem);
        }
        uv_sem_destroy(&a->worker_sleep.sem);
    }
    free_slots(a);
    return err;
}

struct homer_ahead *homer_ahead_free(struct homer_ahead *a) {
    if (!a) return NULL;
    if (a->slot) {
        homer_ahead_end(a);
        atomic_store(&a->is_over, true);
        wake(&a->worker_sleep);
        uv_thread_join(&a->worker);
        uv_sem_destroy(&a->loop_sleep.sem);
        uv_sem_destroy(&a->worker_sleep.sem);
        free_slots(a);
    }
    homer_parsed_free(a->own.parsed);
    struct homer_mem own = a->mem;
    return homer_mem_free(&own, a, 1, sizeof *a);
}
