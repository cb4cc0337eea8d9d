/* Turns: the lines of a connection go to the handler, for a while. */
#include "daemon/conn_impl.h"

#include "daemon/log.h"

/* Lines taken from the splitter at one time, so that the next ones can be parsed while one is handled. What
 * is not handled in the end is put back, from the mark before it on. */
struct run {
    struct homer_piece line[HOMER_AHEAD_LINES]; /* text NULL: too large */
    struct homer_line_mark before[HOMER_AHEAD_LINES];
    unsigned n;       /* the last one may be long or too large */
    unsigned plain_n; /* without that one */
};

static bool is_long(const struct homer_conn_group *g, const struct homer_piece *line) {
    return line->n >= HOMER_AHEAD_LONG && g->ahead && homer_ahead_has_worker(g->ahead);
}

static void take(struct homer_conn *c, struct run *run, unsigned most) {
    int got = 1;
    run->n = run->plain_n = 0;
    while (run->n < most && run->n == run->plain_n && got) {
        struct homer_piece *line = &run->line[run->n];
        *line = (struct homer_piece){0};
        run->before[run->n] = homer_line_mark(&c->line);
        got = c->is_eof && !c->is_truncated ? homer_line_last(&c->line, &line->text, &line->n)
                                            : homer_line_next(&c->line, &line->text, &line->n);
        run->n += got != 0;
        run->plain_n += got == 1 && !is_long(c->group, line);
    }
    c->has_lines = got != 0;
}

static void put_back(struct homer_conn *c, const struct run *run, unsigned from) {
    homer_line_rewind(&c->line, &run->before[from]);
    c->has_lines = true;
}

/* After a call of the handler, whose reply begins at out.data[at]. */
static void settle(struct homer_conn *c, size_t at, unsigned flags) {
    c->is_unfinished = (flags & HOMER_LINE_MORE) != 0;
    c->unfinished_at = at;
    if (c->state == CONN_CLOSED && c->is_unfinished) homer_conn_ready(c);
    if (c->state != CONN_OPEN || c->is_unfinished) return;
    if (c->out.failed) {
        homer_conn_fail(c, "reply", UV_ENOMEM);
        return;
    }
    if (flags & HOMER_LINE_HOLD) homer_conn_hold(c, at, c->handled);
    c->handled++;
    c->is_waiting = (flags & HOMER_LINE_WAIT) != 0;
    if (flags & HOMER_LINE_QUIT) homer_conn_finish(c);
}

static unsigned call(struct homer_conn *c, const struct homer_piece *line, bool too_large) {
    struct homer_conn_group *g = c->group;
    c->is_handling = true;
    unsigned flags = g->on_line(g->ctx, &c->session, line->text, line->n, too_large, &c->out);
    c->is_handling = false;
    return flags;
}

/* False: it cannot be handled now. */
static bool handle(struct homer_conn *c, const struct homer_piece *line) {
    struct homer_conn_group *g = c->group;
    size_t at = c->out.n;
    if (is_long(g, line) && !homer_conn_long(c, line)) return false;
    unsigned flags = call(c, line, !line->text);
    if ((flags & HOMER_LINE_AGAIN) && c->state == CONN_OPEN) {
        homer_conn_postpone(c);
        return false;
    }
    g->stats.lines++;
    g->stats.too_large += !line->text;
    settle(c, at, flags);
    return true;
}

static void go_on(struct homer_conn *c) {
    size_t held = c->unfinished_at;
    unsigned flags = call(c, &(struct homer_piece){0}, false);
    settle(c, held, flags);
}

static bool may_go_on(const struct homer_conn *c) {
    return c->state == CONN_OPEN && !c->is_unfinished && !c->is_waiting &&
           homer_conn_unsent(c) < c->group->limits.high_water && !homer_conn_is_crowded(c);
}

/* Handles the lines of a run, at least one, until time is up. How many were. */
static unsigned go_through(struct homer_conn *c, const struct run *run, uint64_t until_ns) {
    struct homer_ahead *ahead = c->group->ahead;
    unsigned i = 0;
    if (ahead && run->plain_n > 1) homer_ahead_begin(ahead, run->line, run->plain_n);
    while (i < run->n && handle(c, &run->line[i])) {
        i++;
        if (i < run->n && (!may_go_on(c) || uv_hrtime() >= until_ns)) break;
    }
    if (ahead) homer_ahead_end(ahead);
    if (i < run->n) put_back(c, run, i);
    return i;
}

/* Not many more lines than there is time for: what is parsed ahead and put back was parsed in vain. */
static unsigned run_lines(const struct homer_conn_group *g, uint64_t now, uint64_t until_ns, unsigned left) {
    unsigned most = left < HOMER_AHEAD_LINES ? left : HOMER_AHEAD_LINES;
    uint64_t fit = until_ns > now ? (until_ns - now) / (g->line_ns + 1) + 1 : 1;
    return fit < most ? (unsigned)fit : most;
}

void homer_conn_turn(struct homer_conn *c, uint64_t until_ns) {
    struct homer_conn_group *g = c->group;
    unsigned left = g->limits.turn_lines;
    struct run run;
    c->session.until_ns = until_ns;
    if (c->is_unfinished) go_on(c);
    if (c->state == CONN_CLOSED && !c->is_unfinished && c->is_gone) {
        homer_conn_release(c);
        return;
    }
    uint64_t now = uv_hrtime();
    while (left && may_go_on(c)) {
        take(c, &run, run_lines(g, now, until_ns, left));
        if (!run.n) break;
        unsigned done = go_through(c, &run, until_ns);
        left -= done;
        uint64_t before = now;
        now = uv_hrtime();
        if (done) g->line_ns = (3 * g->line_ns + (now - before) / done) / 4;
        if (done < run.n || now >= until_ns) break;
    }
    if (c->state == CONN_OPEN) homer_conn_advance(c);
}
